import { concat } from '../wire/bytes.ts'
import { encodeCbor, lendCbor, type Cbor } from '../wire/frame.ts'
import { blindSign } from './blind.ts'
import { hkdf } from './hkdf.ts'
import { sizes, type SignKeyPair, type SignPublicKey, type Signature } from './keys.ts'
import type { CryptoProvider } from './provider.ts'

/** Name space of every label: no byte string of Sotto means anything under another protocol's. */
const namespace = 'sotto'
/** Version of the label format. */
const version = 1

/** Salt of a KDF call that has none: 32 zero bytes (RFC 5869 §2.2). */
export const noSalt: Uint8Array = new Uint8Array(sizes.hash)

/**
 * HKDF-SHA-256 (RFC 5869) whose info is `cbor([ns, version, purpose, …context])`, so that no two purposes
 * share an output. `length` in bytes, at most 8160.
 */
export function kdf(
  crypto: CryptoProvider,
  salt: Uint8Array,
  ikm: Uint8Array,
  purpose: string,
  context: readonly Cbor[] = [],
  length: number = sizes.hash,
): Uint8Array {
  return hkdf(crypto, salt, ikm, encodeCbor([namespace, version, purpose, ...context]), length)
}

/**
 * The info of one 32-byte KDF output, prepared once where the same call is made for every message: the info
 * that `kdf` builds, followed by the number of the only block.
 */
export const kdfInfo = (purpose: string, context: readonly Cbor[] = []): Uint8Array =>
  concat(encodeCbor([namespace, version, purpose, ...context]), Uint8Array.of(1))

/** One extract, and one 32-byte output for each prepared info: each equals what `kdf` gives for it alone. */
export function kdfEach<const I extends readonly Uint8Array[]>(
  crypto: CryptoProvider,
  salt: Uint8Array,
  ikm: Uint8Array,
  infos: I,
): { readonly [K in keyof I]: Uint8Array } {
  const prk = crypto.hmacSha256(salt, ikm)
  const outputs = crypto.hmacSha256Each(prk, infos)
  prk.fill(0)
  return outputs
}

/** The one builder of signed bytes: `cbor([ns, version, "sig", type, context, bytes])`, lent to `use`. */
const signedBytes = <T>(
  type: string,
  context: Uint8Array,
  content: Uint8Array,
  use: (signed: Uint8Array) => T,
): T => lendCbor([namespace, version, 'sig', type, context, content], use)

/** Signs `content` as a `type` within `context` (an account or conversation id); nothing else may sign. */
export const signAs = (
  crypto: CryptoProvider,
  own: SignKeyPair,
  type: string,
  context: Uint8Array,
  content: Uint8Array,
): Signature => signedBytes(type, context, content, (signed) => crypto.sign(own, signed))

/**
 * Signs as `signAs` does, for the public key `blindPublic` gives under the same blind key and blind context;
 * `verifyAs` with that key accepts it.
 */
export const signBlindedAs = (
  own: SignKeyPair,
  blindKey: Uint8Array,
  blindContext: Uint8Array,
  type: string,
  context: Uint8Array,
  content: Uint8Array,
): Signature =>
  signedBytes(type, context, content, (signed) => blindSign(own, blindKey, blindContext, signed))

/** Verifies what `signAs` made; a signature of one type is never one of another. */
export const verifyAs = (
  crypto: CryptoProvider,
  remote: SignPublicKey,
  type: string,
  context: Uint8Array,
  content: Uint8Array,
  signature: Signature,
): boolean => signedBytes(type, context, content, (signed) => crypto.verify(remote, signed, signature))

/** A 32-byte id: `SHA-256(cbor([ns, version, "id", type, bytes]))`. */
export const idOf = (crypto: CryptoProvider, type: string, content: Uint8Array): Uint8Array =>
  lendCbor([namespace, version, 'id', type, content], (encoded) => crypto.sha256(encoded))

/** A salted commitment to a body: `SHA-256(cbor([ns, version, "body", salt, body]))`. */
export const commitTo = (crypto: CryptoProvider, salt: Uint8Array, body: Uint8Array): Uint8Array =>
  lendCbor([namespace, version, 'body', salt, body], (encoded) => crypto.sha256(encoded))
