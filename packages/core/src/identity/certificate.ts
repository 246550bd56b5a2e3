import {
  idOf,
  signAs,
  sizes,
  verifyAs,
  type CryptoProvider,
  type DhKeyPair,
  type DhPublicKey,
  type Signature,
  type SignKeyPair,
  type SignPublicKey,
} from '../crypto/index.ts'
import { UsageError } from '../errors.ts'
import { limits } from '../limits.ts'
import { bytes, bytesBetween, equalBytes, fields, frame, uint } from '../wire/index.ts'
import { accountIdShape, type AccountId, type DeviceAddress, type DeviceId } from './ids.ts'

/** Largest certificate in bytes: four keys, a signature, two times and their heads, with room to spare. */
export const certificateBytes = 320

const statement = {
  account: accountIdShape,
  identityKey: bytes<SignPublicKey>(sizes.signPublic),
  agreementKey: bytes<DhPublicKey>(sizes.dhPublic),
  transportKey: bytes<SignPublicKey>(sizes.signPublic),
  suite: uint(255),
  minSuite: uint(255),
  notBeforeMs: uint(),
  notAfterMs: uint(),
}
const statementFrame = frame('device-statement', fields(statement), certificateBytes)
const certificateFrame = frame(
  'device-certificate',
  fields({ ...statement, proof: bytes<Signature>(sizes.signature) }),
  certificateBytes,
)
const deviceFrame = frame(
  'device',
  fields({
    account: statement.account,
    identityKey: statement.identityKey,
    agreementKey: statement.agreementKey,
  }),
  128,
)

/** The shape of an embedded certificate in other frames: its exact bytes, read with `readCertificate`. */
export const certificateShape = bytesBetween(1, certificateBytes)

/** Own long-lived keys of a device. The transport key is libp2p's and lives apart, so that it can rotate. */
export interface DeviceKeys {
  readonly identity: SignKeyPair
  readonly agreement: DhKeyPair
}

/** What a device says of itself. Times are Unix milliseconds. */
export interface CertificateTerms {
  /** Ed25519 key of the transport: the PeerId the device may speak under. */
  readonly transportKey: SignPublicKey
  readonly suite: number
  /** Lowest suite the device answers; a handshake below it is refused. */
  readonly minSuite: number
  readonly notBeforeMs: number
  /** At most `limits.certificateMs` after `notBeforeMs`. */
  readonly notAfterMs: number
}

/** A device certificate whose proof of possession holds, with its exact bytes. */
export interface DeviceCertificate extends CertificateTerms, DeviceAddress {
  readonly bytes: Uint8Array
  readonly identityKey: SignPublicKey
  readonly agreementKey: DhPublicKey
}

/** The id of a device: `Id("device", [account, identity key, agreement key])`. */
export const deviceIdOf = (
  crypto: CryptoProvider,
  account: AccountId,
  identityKey: SignPublicKey,
  agreementKey: DhPublicKey,
): DeviceId => idOf(crypto, 'device', deviceFrame.encode({ account, identityKey, agreementKey })) as DeviceId

/**
 * Issues the certificate of an own device for one account:
 * `[account, identity key, agreement key, transport key, suite, minSuite, notBefore, notAfter, proof]`
 * (docs/protocol/identity.md §3). Throws a UsageError for terms that no reader would take.
 */
export function issueCertificate(
  crypto: CryptoProvider,
  account: AccountId,
  own: DeviceKeys,
  terms: CertificateTerms,
): DeviceCertificate {
  const { transportKey, suite, minSuite, notBeforeMs, notAfterMs } = terms
  const value = {
    account,
    identityKey: own.identity.publicKey,
    agreementKey: own.agreement.publicKey,
    ...{ transportKey, suite, minSuite, notBeforeMs, notAfterMs },
  }
  if (!sound(value))
    throw new UsageError('E_CERTIFICATE_TERMS', 'no reader takes a certificate of these terms')
  const proof = signAs(crypto, own.identity, 'device-pop', account, statementFrame.encode(value))
  const device = deviceIdOf(crypto, account, value.identityKey, value.agreementKey)
  return { ...value, device, bytes: certificateFrame.encode({ ...value, proof }) }
}

/**
 * Reads a certificate: canonical bytes, sound terms and a proof of possession for the account it names.
 * Undefined for anything else. Expiry is the caller's question, for clocks never decide what bytes mean.
 */
export function readCertificate(crypto: CryptoProvider, input: Uint8Array): DeviceCertificate | undefined {
  const decoded = certificateFrame.decode(input)
  if (!decoded.ok || !sound(decoded.value)) return undefined
  const { proof, ...value } = decoded.value
  const signed = statementFrame.encode(value)
  if (!verifyAs(crypto, value.identityKey, 'device-pop', value.account, signed, proof)) return undefined
  const device = deviceIdOf(crypto, value.account, value.identityKey, value.agreementKey)
  return { ...value, device, bytes: input }
}

/** Whether a clock that may be `limits.clockSkewMs` wrong sees this time as past. */
export const lapsedAt = (notAfterMs: number, nowMs: number): boolean =>
  nowMs > notAfterMs + limits.clockSkewMs

type Statement = CertificateTerms & {
  readonly identityKey: SignPublicKey
  readonly agreementKey: DhPublicKey
}

/** One key has one job, the suites are in order, and the life is positive and within its limit. */
function sound(value: Statement): boolean {
  const { identityKey, agreementKey, transportKey, suite, minSuite, notBeforeMs, notAfterMs } = value
  if (equalBytes(identityKey, transportKey) || equalBytes(identityKey, agreementKey)) return false
  if (minSuite < 1 || minSuite > suite) return false
  return notBeforeMs < notAfterMs && notAfterMs - notBeforeMs <= limits.certificateMs
}
