/**
 * Ed25519 keys blinded (draft-irtf-cfrg-signature-key-blinding, §4.1): whoever knows the blind key turns a
 * public key into another that nobody else can connect with it, and the owner signs for the other key. The
 * blind must be secret and depend on the public key: blinding with a public value can be undone.
 */
import { ed25519 } from '@noble/curves/ed25519.js'
import { concat } from '../wire/bytes.ts'
import { multiplyAdd, Point, scalarBytes, scalarOf, sha512Of } from './edwards.ts'
import { passesSignatureGate } from './gate.ts'
import type { SignKeyPair, SignPublicKey, Signature } from './keys.ts'

const separator = Uint8Array.of(0)

/** The blinding scalar and the half that goes into the nonce. */
function blindOf(blindKey: Uint8Array, context: Uint8Array): { scalar: bigint; prefix: Uint8Array } {
  const hash = sha512Of(blindKey, separator, context)
  return { scalar: scalarOf(hash.subarray(0, 32)), prefix: hash.subarray(32) }
}

/** Both halves of an expanded seed (RFC 8032 §5.1.5): the clamped scalar, little-endian, and the prefix. */
function expand(seed: Uint8Array): Uint8Array {
  const { head, prefix } = ed25519.utils.getExtendedPublicKey(seed)
  return concat(head, prefix)
}

/** A signature the gate accepts, to ask it about a public key alone. */
const neutral = concat(Point.BASE.toBytes(), new Uint8Array(32))

/**
 * The blinded public key; undefined when `publicKey` is no key. `blindKey` is 32 secret bytes, `context`
 * says which of the many blinded keys is meant.
 */
export function blindPublic(
  publicKey: SignPublicKey,
  blindKey: Uint8Array,
  context: Uint8Array,
): SignPublicKey | undefined {
  if (!passesSignatureGate(publicKey, neutral)) return undefined
  try {
    const { scalar } = blindOf(blindKey, context)
    return Point.fromBytes(publicKey).multiply(scalar).toBytes() as SignPublicKey
  } catch {
    return undefined
  }
}

/** Signs `message` for the key `blindPublic` gives; the result verifies as any Ed25519 signature. */
export function blindSign(
  own: SignKeyPair,
  blindKey: Uint8Array,
  context: Uint8Array,
  message: Uint8Array,
): Signature {
  const key = own.secret.prepared(expand)
  const blind = blindOf(blindKey, context)
  const scalar = multiplyAdd(scalarOf(key.subarray(0, 32)), blind.scalar, 0n)
  const publicKey = Point.BASE.multiply(scalar).toBytes()
  const nonce = scalarOf(sha512Of(key.subarray(32), blind.prefix, message))
  const commitment = Point.BASE.multiply(nonce).toBytes()
  const challenge = scalarOf(sha512Of(commitment, publicKey, message))
  return concat(commitment, scalarBytes(multiplyAdd(challenge, scalar, nonce))) as Signature
}
