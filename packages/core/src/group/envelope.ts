import { pad, signAs, sizes, unpad, verifyAs } from '../crypto/index.ts'
import type { CryptoProvider, SignKeyPair, SignPublicKey, Signature } from '../crypto/index.ts'
import { accountIdShape, deviceIdShape } from '../identity/index.ts'
import { limits } from '../limits.ts'
import {
  bytes,
  bytesBetween,
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
import { slotBaseShape, type SlotBase } from './epoch-items.ts'
import {
  epochTagBytes,
  isPackedMessage,
  packBare,
  packEnvelope,
  packMessage,
  packPlace,
  unpackBare,
  unpackEnvelope,
  unpackMessage,
} from './packed.ts'

/** What every envelope on a topic or in a log queue is; `packed.ts` writes and reads it. */
export const envelopeFrame = frame(
  'envelope',
  fields({
    version: literal(1),
    nonce: bytes(sizes.aeadNonce),
    sealed: bytesBetween(sizes.aeadTag, limits.frameBytes),
  }),
)

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
export const contentFrame = frame('envelope-content', contentShape, limits.paddedMaxBytes - 1)

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
  const packed = content.kind === 'message' ? packMessage(content) : contentFrame.encode(content)
  return packEnvelope(nonce, crypto.seal(key, nonce, pad(packed), nothing))
}

/** An envelope taken apart; undefined unless it is one in its one encoding. */
export interface EnvelopeParts {
  readonly nonce: Uint8Array
  readonly sealed: Uint8Array
}
export const decodeEnvelope = (input: Uint8Array): EnvelopeParts | undefined => unpackEnvelope(input)

/** Opens the outer layer: `outer` when it is not sealed under this key, `malformed` when an insider sealed rubbish. */
export function openEnvelope(
  crypto: CryptoProvider,
  key: Uint8Array,
  parts: EnvelopeParts,
): EnvelopeContent | 'outer' | 'malformed' {
  const padded = crypto.open(key, parts.nonce, parts.sealed, nothing)
  if (padded === undefined) return 'outer'
  const plain = unpad(padded)
  if (plain === undefined) return 'malformed'
  if (isPackedMessage(plain)) {
    const message = unpackMessage(plain)
    return message === undefined ? 'malformed' : { kind: 'message', ...message }
  }
  const decoded = contentFrame.decode(plain)
  return decoded.ok ? decoded.value : 'malformed'
}

/** Encodes what a generation seals. */
export const encodeSealed = (content: Uint8Array, slot: SlotBase | null): Uint8Array =>
  slot === null ? packBare(content) : sealedFrame.encode({ content, slot })

/** Reads what a generation sealed; undefined unless it is that in its one encoding. */
export function decodeSealed(
  input: Uint8Array,
): { readonly content: Uint8Array; readonly slot: SlotBase | null } | undefined {
  const content = unpackBare(input)
  if (content !== undefined) return { content, slot: null }
  const decoded = sealedFrame.decode(input)
  return decoded.ok ? decoded.value : undefined
}

/** Associated data of a generation: `cbor([conversation, epoch, account, device, generation])`. */
export const generationAssociated = (
  conversation: Uint8Array,
  epoch: Uint8Array,
  author: { readonly account: Uint8Array; readonly device: Uint8Array },
  generation: number,
): Uint8Array => packPlace([conversation, epoch, author.account, author.device], generation)

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
