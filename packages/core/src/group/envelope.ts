import { pad, signAs, sizes, unpad, verifyAs } from '../crypto/index.ts'
import type { CryptoProvider, SignKeyPair, SignPublicKey, Signature } from '../crypto/index.ts'
import { accountIdShape, deviceIdShape } from '../identity/index.ts'
import { limits } from '../limits.ts'
import {
  bytes,
  bytesBetween,
  encodeCbor,
  fields,
  frame,
  list,
  literal,
  nullable,
  oneOf,
  openOneOf,
  text,
  uint,
  type Infer,
} from '../wire/index.ts'
import { slotBaseShape } from './epoch-items.ts'

/** What every envelope on a topic or in a log queue is. */
const envelopeFrame = frame(
  'envelope',
  fields({
    version: literal(1),
    nonce: bytes(sizes.aeadNonce),
    sealed: bytesBetween(sizes.aeadTag, limits.frameBytes),
  }),
)

/** Bytes of an epoch id on an envelope. */
export const epochTagBytes = 8

const queueShape = fields({ relay: text(512), writeSeed: bytes(sizes.seed) })

/** A co-member's bundle and inbox for this conversation, signed by its device. The highest `seq` stands. */
const cardFields = {
  account: accountIdShape,
  device: deviceIdShape,
  seq: uint(),
  bundle: bytesBetween(1, limits.bundleBytes),
  queues: list(queueShape, limits.bundleRelays),
}
const cardFrame = frame('member-card', fields(cardFields), limits.recordBytes)

/** What is signed in itself and so needs no chain. */
const controlShape = openOneOf({
  epoch: [0, { record: bytesBetween(1, limits.epochRecordBytes) }],
  /** Membership operations and the device-log operations they pin, exact bytes, judged by their own rules. */
  ops: [1, { ops: list(bytesBetween(1, limits.groupOpBytes), limits.payloadItems) }],
  card: [2, { ...cardFields, signature: bytes<Signature>(sizes.signature) }],
})
export type Control = Infer<typeof controlShape>
export type MemberCard = Extract<Control, { readonly kind: 'card' }>
export type MemberCardTerms = Omit<MemberCard, 'kind' | 'signature'>

const messageFields = {
  /** First bytes of the id of the epoch whose chain sealed `inner`. */
  tag: bytes(epochTagBytes),
  index: uint(limits.epochDevices - 1),
  generation: uint(0xffff_ffff),
  inner: bytesBetween(sizes.aeadNonce + sizes.aeadTag, limits.frameBytes),
}

/** What the outer layer hides. */
const contentShape = oneOf({
  control: [0, { control: controlShape }],
  message: [1, messageFields],
})
export type EnvelopeContent = Infer<typeof contentShape>
export type EnvelopeMessage = Extract<EnvelopeContent, { readonly kind: 'message' }>
const contentFrame = frame('envelope-content', contentShape, limits.paddedMaxBytes - 1)

/** What a generation seals: a record with signature, salt and body, and its author's base while it is news. */
const sealedShape = fields({ content: bytesBetween(1, limits.paddedMaxBytes), slot: nullable(slotBaseShape) })
export const sealedFrame = frame('sealed-record', sealedShape, limits.paddedMaxBytes)

const nothing = new Uint8Array(0)

/** Pads and seals an envelope's content under the key of its topic. UsageError `E_TOO_LARGE` beyond 60 KiB. */
export function sealEnvelope(
  crypto: CryptoProvider,
  key: Uint8Array,
  content: EnvelopeContent,
  nonce: Uint8Array,
): Uint8Array {
  const padded = pad(contentFrame.encode(content))
  return envelopeFrame.encode({ version: 1, nonce, sealed: crypto.seal(key, nonce, padded, nothing) })
}

/** An envelope taken apart; undefined unless it is one in its one encoding. */
export interface EnvelopeParts {
  readonly nonce: Uint8Array
  readonly sealed: Uint8Array
}
export function decodeEnvelope(input: Uint8Array): EnvelopeParts | undefined {
  const decoded = envelopeFrame.decode(input)
  return decoded.ok ? decoded.value : undefined
}

/** Opens the outer layer: `outer` when it is not sealed under this key, `malformed` when an insider sealed rubbish. */
export function openEnvelope(
  crypto: CryptoProvider,
  key: Uint8Array,
  parts: EnvelopeParts,
): EnvelopeContent | 'outer' | 'malformed' {
  const padded = crypto.open(key, parts.nonce, parts.sealed, nothing)
  if (padded === undefined) return 'outer'
  const plain = unpad(padded)
  const decoded = plain && contentFrame.decode(plain)
  return decoded?.ok === true ? decoded.value : 'malformed'
}

/** Associated data of a generation: `cbor([conversation, epoch, account, device, generation])`. */
export const generationAssociated = (
  conversation: Uint8Array,
  epoch: Uint8Array,
  author: { readonly account: Uint8Array; readonly device: Uint8Array },
  generation: number,
): Uint8Array => encodeCbor([conversation, epoch, author.account, author.device, generation])

/** Signs a card as "card" in the context of the conversation. */
export const issueCard = (
  crypto: CryptoProvider,
  own: SignKeyPair,
  conversation: Uint8Array,
  terms: MemberCardTerms,
): MemberCard => ({
  kind: 'card',
  ...terms,
  signature: signAs(crypto, own, 'card', conversation, cardFrame.encode(terms)),
})

/** Whether the device itself wrote the card, for this conversation. */
export const verifyCard = (
  crypto: CryptoProvider,
  author: SignPublicKey,
  conversation: Uint8Array,
  { kind: _kind, signature, ...terms }: MemberCard,
): boolean => verifyAs(crypto, author, 'card', conversation, cardFrame.encode(terms), signature)
