import { verifyAs, type CryptoProvider } from '../crypto/index.ts'
import { limits } from '../limits.ts'
import { bytesBetween, equalBytes, fields, frame } from '../wire/index.ts'
import { certificateShape, readCertificate, type DeviceCertificate } from './certificate.ts'
import type { ForkProof } from './device-log.ts'
import { logOpSignatureType, readLogOp, type LogOp } from './log-op.ts'

const opShape = bytesBetween(1, limits.deviceLogOpBytes)
const proofFrame = frame(
  'fork-proof',
  fields({ certificate: certificateShape, first: opShape, second: opShape }),
  2 * limits.deviceLogOpBytes + 512,
)

/** The proof that a device signed two operations with one number; the lower id comes first. */
export function forkProofOf(certificate: DeviceCertificate, a: LogOp, b: LogOp): ForkProof {
  const [first, second] = a.key < b.key ? [a, b] : [b, a]
  const value = { certificate: certificate.bytes, first: first.bytes, second: second.bytes }
  const { account, device } = certificate
  return { ...value, account, device, selfSeq: first.seq, bytes: proofFrame.encode(value) }
}

/**
 * Reads a fork proof. It convinces a third party alone: the certificate binds the key to account and device,
 * and both operations carry that key's signature, the same number and different content.
 */
export function readForkProof(crypto: CryptoProvider, input: Uint8Array): ForkProof | undefined {
  const decoded = proofFrame.decode(input)
  if (!decoded.ok) return undefined
  const certificate = readCertificate(crypto, decoded.value.certificate)
  const first = readLogOp(crypto, decoded.value.first)
  const second = readLogOp(crypto, decoded.value.second)
  if (certificate === undefined || first === undefined || second === undefined) return undefined
  if (first.key >= second.key || first.seq !== second.seq) return undefined
  if (!signedBy(crypto, certificate, first) || !signedBy(crypto, certificate, second)) return undefined
  const { account, device } = certificate
  return { ...decoded.value, account, device, selfSeq: first.seq, bytes: input }
}

const signedBy = (crypto: CryptoProvider, certificate: DeviceCertificate, op: LogOp): boolean =>
  op.author.kind === 'device' &&
  equalBytes(op.account, certificate.account) &&
  equalBytes(op.author.device, certificate.device) &&
  verifyAs(crypto, certificate.identityKey, logOpSignatureType, op.account, op.body, op.signature)
