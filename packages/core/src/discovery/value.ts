import { sizes, verifyAs, type CryptoProvider, type SignPublicKey, type Signature } from '../crypto/index.ts'
import { limits } from '../limits.ts'
import { bytes, bytesBetween, compareBytes, fields, frame, literal, toBase32, uint } from '../wire/index.ts'
import type { Decoded } from '../wire/index.ts'

/** Every key of ours in the DHT starts with this; nodes refuse all others. */
export const recordPrefix = '/sotto/'

/** Label of the one signature a blinded key makes. */
export const recordLabel = 'dht-record'

const signedFields = {
  version: literal(1),
  blindedKey: bytes<SignPublicKey>(sizes.signPublic),
  seq: uint(),
  notAfterMs: uint(),
  nonce: bytes(sizes.aeadNonce),
  sealed: bytesBetween(sizes.aeadTag, limits.recordBytes),
}

/** What the blinded key signs: the value without its signature. */
const contentFrame = frame('dht-record-content', fields(signedFields), limits.recordBytes)

/** A DHT value as a node holds it: `[1, A', seq, notAfter, nonce, sealed, signature]`. */
const valueFrame = frame(
  'dht-record',
  fields({ ...signedFields, signature: bytes<Signature>(sizes.signature) }),
  limits.recordBytes,
)

/** A DHT value without its signature. Times in milliseconds since 1970 UTC. */
export interface RecordContent {
  readonly version: 1
  /** The blinded key A', which says nothing to who does not know A. */
  readonly blindedKey: SignPublicKey
  readonly seq: number
  readonly notAfterMs: number
  readonly nonce: Uint8Array
  readonly sealed: Uint8Array
}

/** A DHT value. */
export interface RecordValue extends RecordContent {
  readonly signature: Signature
}

/** Why a node refuses a value. */
export type ValueFault =
  'too-long' | 'malformed' | 'wrong-key' | 'expired' | 'far-future' | 'bad-signature' | 'rollback'

/** A value that may be stored under its key, with the SHA-256 of its bytes, or why it may not. */
export type CheckedValue =
  | { readonly ok: true; readonly value: RecordValue; readonly hash: Uint8Array }
  | { readonly ok: false; readonly reason: ValueFault }

/** The DHT key of a blinded key: the prefix and the base32 of its SHA-256. */
export const keyOf = (crypto: CryptoProvider, blindedKey: SignPublicKey): string =>
  recordPrefix + toBase32(crypto.sha256(blindedKey))

/** The bytes a blinded key signs for a value. */
export const encodeContent = (content: RecordContent): Uint8Array => contentFrame.encode(content)

/** Writes a value. */
export const encodeValue = (value: RecordValue): Uint8Array => valueFrame.encode(value)

/** Reads a value; says nothing about its signature. */
export const decodeValue = (input: Uint8Array): Decoded<RecordValue> => valueFrame.decode(input)

/**
 * Checks a value against its key and this node's clock (docs/protocol/discovery.md, Validator). The order
 * is by cost, so that a flood of rubbish is turned away before a signature is looked at.
 */
export function checkValue(
  crypto: CryptoProvider,
  key: string,
  input: Uint8Array,
  nowMs: number,
): CheckedValue {
  if (input.length > limits.recordBytes) return { ok: false, reason: 'too-long' }
  const decoded = decodeValue(input)
  if (!decoded.ok) return { ok: false, reason: 'malformed' }
  const value = decoded.value
  if (key !== keyOf(crypto, value.blindedKey)) return { ok: false, reason: 'wrong-key' }
  if (value.notAfterMs < nowMs) return { ok: false, reason: 'expired' }
  if (value.notAfterMs > nowMs + limits.dhtValueMs) return { ok: false, reason: 'far-future' }
  const { signature, ...content } = value
  const genuine = verifyAs(
    crypto,
    value.blindedKey,
    recordLabel,
    value.blindedKey,
    encodeContent(content),
    signature,
  )
  return genuine ? { ok: true, value, hash: crypto.sha256(input) } : { ok: false, reason: 'bad-signature' }
}

/** Where a value stands among those of its key. */
export interface Mark {
  readonly seq: number
  readonly hash: Uint8Array
}

/** Negative when `a` is preferred: the higher seq, then the lower hash, so that all nodes agree. */
export const compareMarks = (a: Mark, b: Mark): number => b.seq - a.seq || compareBytes(a.hash, b.hash)
