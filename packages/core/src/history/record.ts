import { commitTo, idOf, signAs, sizes, verifyAs } from '../crypto/index.ts'
import type { CryptoProvider, SignKeyPair, SignPublicKey, Signature } from '../crypto/index.ts'
import { limits } from '../limits.ts'
import { bytes, bytesBetween, compareBytes, equalBytes, fields, nullable } from '../wire/index.ts'
import type { Infer } from '../wire/index.ts'
import { readRecordBytes, writeRecordBytes } from './record-bytes.ts'
import { recordFrame, type RecordContent } from './record-frame.ts'

/** A record as it travels: exact bytes, the author's signature over its id, and the body beside it. */
export const carriedRecord = fields({
  bytes: bytesBetween(1, recordFrame.maxBytes),
  signature: bytes<Signature>(sizes.signature),
  salt: bytes(sizes.hash),
  body: bytesBetween(0, limits.textBytes + 64),
})
export type CarriedRecord = Infer<typeof carriedRecord>

/** A body with the 32 bytes that keep its commitment from being guessed. */
export const saltedBody = fields({ salt: bytes(sizes.hash), body: bytesBetween(0, limits.textBytes + 64) })
export type SaltedBody = Infer<typeof saltedBody>

/** A record as it may come: the body is null where it was erased, or is asked for apart. */
export const incomingRecord = fields({
  bytes: bytesBetween(1, recordFrame.maxBytes),
  signature: bytes<Signature>(sizes.signature),
  said: nullable(saltedBody),
})
export type IncomingRecord = Infer<typeof incomingRecord>

/** A decoded record with its id and the exact bytes they were computed from. */
export interface RecordHeader {
  readonly id: Uint8Array
  readonly bytes: Uint8Array
  readonly content: RecordContent
}

const recordId = (crypto: CryptoProvider, encoded: Uint8Array): Uint8Array => idOf(crypto, 'record', encoded)

/** Reads exact record bytes; undefined when they are not canonical. */
export function readRecord(crypto: CryptoProvider, encoded: Uint8Array): RecordHeader | undefined {
  const content = readRecordBytes(encoded)
  return content && { id: recordId(crypto, encoded), bytes: encoded, content }
}

/** Encodes a record whose every field is known; undefined when it breaks a bound of the frame. */
export function encodeRecord(crypto: CryptoProvider, content: RecordContent): RecordHeader | undefined {
  const encoded = writeRecordBytes(content)
  return encoded && { id: recordId(crypto, encoded), bytes: encoded, content }
}

/** What an author states; the rest of a record follows from it. */
export type RecordDraft = Omit<RecordContent, 'bodyCommit' | 'sizeClass'>

/** Makes and signs a record around a body with a fresh 32-byte salt. */
export function issueRecord(
  crypto: CryptoProvider,
  author: SignKeyPair,
  draft: RecordDraft,
  body: Uint8Array,
  salt: Uint8Array,
): { readonly header: RecordHeader; readonly carried: CarriedRecord } {
  const content: RecordContent = {
    ...draft,
    refs: draft.refs.toSorted(compareBytes),
    xrefs: draft.xrefs.toSorted(compareBytes),
    groupHeads: draft.groupHeads.toSorted(compareBytes),
    bodyCommit: commitTo(crypto, salt, body),
    sizeClass: sizeClassOf(body),
  }
  const encoded = recordFrame.encode(content)
  const header = { id: recordId(crypto, encoded), bytes: encoded, content }
  return { header, carried: { bytes: encoded, signature: signRecord(crypto, author, header), salt, body } }
}

/** The author's signature; the same bytes each time. */
export const signRecord = (crypto: CryptoProvider, author: SignKeyPair, header: RecordHeader): Signature =>
  signAs(crypto, author, 'record', header.content.conversation, header.id)

/** Whether the author's device signed exactly this record. */
export const verifyRecord = (
  crypto: CryptoProvider,
  author: SignPublicKey,
  header: RecordHeader,
  signature: Signature,
): boolean => verifyAs(crypto, author, 'record', header.content.conversation, header.id, signature)

/** Whether the salt and body are the ones the record commits to. */
export const opensCommitment = (
  crypto: CryptoProvider,
  header: RecordHeader,
  salt: Uint8Array,
  body: Uint8Array,
): boolean =>
  sizeClassOf(body) === header.content.sizeClass &&
  equalBytes(commitTo(crypto, salt, body), header.content.bodyCommit)

const sizeClassOf = (body: Uint8Array): number => Math.ceil(body.length / limits.paddedMinBytes)
