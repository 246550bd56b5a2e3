import {
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hash,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto'
import { InvariantError } from '../../src/errors.ts'
import type { CryptoPrimitives } from '../../src/crypto/index.ts'

type Curve = 'X25519' | 'Ed25519'

const base64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64url')

/** A plain array over the same bytes, or a copy where Node lent them from its pool. */
const plain = (bytes: Uint8Array): Uint8Array =>
  bytes.byteLength === bytes.buffer.byteLength
    ? new Uint8Array(bytes.buffer as ArrayBuffer, 0, bytes.byteLength)
    : Uint8Array.from(bytes)

/** OpenSSL derives the public half from `d` and never looks at `x`, which the format demands. */
const unusedX = base64(new Uint8Array(32))

/** Imports as JWK: DER costs ten times the arithmetic it serves. */
const importSecret =
  (crv: Curve) =>
  (seed: Uint8Array): KeyObject =>
    createPrivateKey({ key: { kty: 'OKP', crv, d: base64(seed), x: unusedX }, format: 'jwk' })

const dhSecret = importSecret('X25519')
const signSecret = importSecret('Ed25519')

function publicHalf(secret: KeyObject): Uint8Array {
  const { x } = createPublicKey(secret).export({ format: 'jwk' })
  if (x === undefined) throw new InvariantError('E_OPENSSL', 'an exported public key has no x')
  return Uint8Array.from(Buffer.from(x, 'base64url'))
}

/** Imported remote keys that are kept for the next call with the same bytes. */
const keptRemoteKeys = 64

/**
 * Imports remote keys and keeps the last few, oldest first out: a ratchet key serves two agreements, an
 * identity key several verifications. Found by value, so that whoever reuses an array for another key does
 * not get the first one's verdict; no weak references, which every collection has to walk.
 */
function publicKeys(crv: Curve): (bytes: Uint8Array) => KeyObject {
  const known = new Map<string, KeyObject>()
  return (bytes) => {
    const x = base64(bytes)
    const kept = known.get(x)
    if (kept !== undefined) return kept
    const key = createPublicKey({ key: { kty: 'OKP', crv, x }, format: 'jwk' })
    known.set(x, key)
    for (const oldest of known.keys()) {
      if (known.size <= keptRemoteKeys) break
      known.delete(oldest)
    }
    return key
  }
}

/** What node:crypto does faster than wasm: both curves, and SHA-256 of more than a block or two. */
export function nativePrimitives(): Pick<
  CryptoPrimitives,
  'sha256' | 'dhPublic' | 'dh' | 'signPublic' | 'sign' | 'verify'
> {
  const remoteDh = publicKeys('X25519')
  const remoteSign = publicKeys('Ed25519')
  return {
    sha256: (data) => plain(hash('sha256', data, 'buffer')),
    dhPublic: (secret) => publicHalf(secret.prepared(dhSecret)),
    dh: (secret, remote) =>
      plain(diffieHellman({ privateKey: secret.prepared(dhSecret), publicKey: remoteDh(remote) })),
    signPublic: (secret) => publicHalf(secret.prepared(signSecret)),
    sign: (secret, message) => plain(sign(null, message, secret.prepared(signSecret))),
    verify: (remote, message, signature) => verify(null, message, remoteSign(remote), signature),
  }
}
