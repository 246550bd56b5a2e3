/** The frames of `/sotto/relay/1`; docs/protocol/mailbox.md §2 is their table. */
import { sizes, type SignPublicKey, type Signature } from '../crypto/index.ts'
import { limits } from '../limits.ts'
import {
  bool,
  bytes,
  bytesBetween,
  fields,
  frame,
  list,
  literal,
  nullable,
  oneOf,
  text,
  uint,
  type Infer,
} from '../wire/index.ts'

/** The protocol a client opens a channel with. */
export const mailboxProtocol = '/sotto/relay/1'

/** The version this code speaks. */
export const mailboxVersion = 1

const hash = bytes(sizes.hash)
const publicKey = bytes<SignPublicKey>(sizes.signPublic)
const blob = bytesBetween(1, limits.frameBytes)
const recordValue = bytesBetween(0, limits.recordBytes)
/** A proof of work: the smallest counter that fits, or 0 where none was asked for. */
const stamp = uint(0xffff_ffff)
const requestId = uint(0xffff_ffff)

const op = oneOf({
  create: [
    1,
    { intro: bool, readKey: publicKey, writeKey: publicKey, ttlMs: uint(limits.mailboxTtlMs), stamp },
  ],
  put: [2, { sendId: hash, blob, stamp }],
  fetch: [3, { recvId: hash, after: uint(), limit: uint(limits.fetchPage) }],
  subscribe: [4, { recvId: hash, after: uint() }],
  ack: [5, { recvId: hash, upTo: uint() }],
  delete: [6, { recvId: hash }],
  record: [7, { locator: hash, value: recordValue, expiresAtMs: uint(), editKey: publicKey, stamp }],
  lookup: [8, { locator: hash }],
  createLog: [
    9,
    {
      readKey: publicKey,
      writeKeys: list(publicKey, limits.logWriters),
      ttlMs: uint(limits.mailboxTtlMs),
      stamp,
    },
  ],
})

/** What a client asks. `after` and `upTo` are cursors of a queue, times are milliseconds since 1970. */
export type MailboxOp = Infer<typeof op>

/** The signed part of a request. The relay verifies the signature over these exact bytes. */
export const opFrame = frame('mailbox-op', op, limits.streamFrameBytes)

const request = fields({
  version: literal(mailboxVersion),
  id: requestId,
  op: bytesBetween(1, limits.streamFrameBytes),
  signatures: list(bytes<Signature>(sizes.signature), 2),
})

/** A request: the reply carries the same `id`. */
export const requestFrame = frame('mailbox-request', request, limits.streamFrameBytes)

const item = fields({ cursor: uint(), blob, expiresAtMs: uint() })

/** One item as a reader receives it. */
export type DeliveredItem = Infer<typeof item>

const terms = fields({
  ttlMs: uint(limits.mailboxTtlMs),
  queueItems: uint(),
  queueBytes: uint(),
  introItems: uint(),
  recordMs: uint(),
  workBits: uint(limits.workBits),
})

/**
 * What a relay grants: longest life of an item, items and bytes in an inbox, items in an intro queue, longest
 * life of a record, and the proof of work it wants for a new queue, a new record or a deposit into an intro queue.
 */
export type MailboxTerms = Infer<typeof terms>

const reply = oneOf({
  hello: [0, { nonce: hash, terms, web: nullable(text(limits.webHostBytes)) }],
  version: [1, { supported: uint(0xffff) }],
  done: [2, {}],
  page: [3, { items: list(item, limits.fetchPage), after: uint(), more: bool }],
  record: [4, { value: recordValue, expiresAtMs: uint(), editKey: publicKey }],
  missing: [5, {}],
  denied: [6, {}],
  full: [7, {}],
  busy: [8, { retryAfterMs: uint(0xffff_ffff) }],
  unpaid: [9, { workBits: uint(limits.workBits) }],
  declined: [10, {}],
  malformed: [11, {}],
  push: [12, { recvId: hash, items: list(item, limits.pushWindowItems) }],
})

/** What a relay answers: a closed union, told apart by `kind`. */
export type MailboxReply = Infer<typeof reply>

/** A reply: `id` is null for what answers no request (`hello`, `version`, `push`, unreadable requests). */
export const replyFrame = frame(
  'mailbox-reply',
  fields({ version: literal(mailboxVersion), id: nullable(requestId), reply }),
  limits.streamFrameBytes,
)

/** Builds a reply. */
export const encodeReply = (id: number | null, body: MailboxReply): Uint8Array =>
  replyFrame.encode({ version: mailboxVersion, id, reply: body })

/** The version a frame claims in its first position, if it looks like a frame at all (RFC 8949 §3). */
export function versionOf(input: Uint8Array): number | undefined {
  const [head = 0, first = 0, second = 0, third = 0] = input
  if (head >> 5 !== 4 || (head & 31) === 0) return undefined
  if (first < 24) return first
  if (first === 24) return second
  return first === 25 ? second * 256 + third : undefined
}
