import { sizes, type Signature } from '../crypto/index.ts'
import { incomingRecord } from '../history/index.ts'
import { lastSeenList, opIdShape, seedAckFields, seedFields } from '../group/index.ts'
import { accountIdShape, logOpIdShape } from '../identity/index.ts'
import { limits } from '../limits.ts'
import {
  bytes,
  bytesBetween,
  fields,
  frame,
  list,
  literal,
  nullable,
  openOneOf,
  text,
  uint,
} from '../wire/index.ts'
import type { Infer } from '../wire/index.ts'

const id = bytes(sizes.hash)
/** Heads a payload names; a log with more, which only its own devices can make, is named in part. */
export const payloadHeads = 64
const heads = list(id, payloadHeads)
const author = { account: id, device: id }
/** A record by its number and its id. */
const numbered = fields({ aseq: uint(), id })

/** Where a contact may deposit for this device: a relay's address and the seed of the queue's writer key. */
const queueShape = fields({ relay: text(512), writeSeed: bytes(sizes.seed) })

export const accountHeads = fields({
  account: accountIdShape,
  heads: list(logOpIdShape, limits.deviceLogHeads),
})
export type AccountHeads = Infer<typeof accountHeads>

/** Frames of sync by kind. */
export const syncFrames = { ask: 0, answer: 1, runs: 2, bodies: 3, bodiesAsk: 4, gaps: 5 } as const

const itemShape = openOneOf({
  /** Own records; those below `from` are not for this reader. */
  records: [0, { from: uint(), records: list(incomingRecord, limits.payloadRecords) }],
  /** Records of one device held here: all below `upTo` but the holes, and which the newest is. */
  got: [1, { conversation: id, ...author, upTo: uint(), holes: list(uint(), 64), last: nullable(numbered) }],
  /** Records of one device the person has seen. */
  read: [2, { conversation: id, ...author, upTo: uint() }],
  /** What a contact should know of this device; the newest `seq` stands, and is acknowledged. */
  card: [
    3,
    {
      seq: uint(),
      name: text(limits.nameBytes),
      deviceName: text(limits.nameBytes),
      bundle: bytesBetween(1, limits.recordBytes),
      queues: list(queueShape, limits.bundleRelays),
      discovery: id,
    },
  ],
  cardGot: [4, { seq: uint() }],
  logOps: [5, { ops: list(bytesBetween(1, 8_192), 64) }],
  logNeed: [6, { heads }],
  refused: [7, { code: text(64) }],
  /** How a conversation stands here, and operations the reader seems to lack; of a direct one its accounts. */
  group: [
    8,
    {
      conversation: id,
      accounts: list(accountIdShape, 2),
      heads: list(opIdShape, limits.payloadGroupHeads),
      /** Digest of a state both know, which `logs` are the changes to; null where they are all. */
      since: nullable(id),
      logs: list(accountHeads, limits.conversationAccounts),
      ops: list(bytesBetween(1, limits.groupOpBytes), limits.groupParkedOps),
    },
  ],
  /** Both sides know the same. */
  groupGot: [9, { conversation: id, digest: id }],
  /** How far the words of its siblings had come when the sender brought this reader, which may be shown none of them. */
  siblings: [17, { conversation: id, last: lastSeenList }],
  /** The secret of an epoch for this reader, with the epoch's record (epochs.md). */
  seed: [12, { conversation: id, record: bytesBetween(1, limits.epochRecordBytes), ...seedFields }],
  seedAck: [13, { conversation: id, ...seedAckFields }],
  /** Relays at which the log of the sender's epoch lies. */
  epochLog: [16, { conversation: id, epoch: id, relays: list(text(512), limits.logPlaces) }],
  /** A frame of sync (sync.md) about a conversation. */
  sync: [
    11,
    {
      conversation: id,
      what: uint(syncFrames.gaps),
      frame: bytesBetween(1, limits.syncFrameBytes + 1024),
    },
  ],
  /** Asks to be let into a group: the account that asks, and its proof to hold the link's key. */
  join: [
    14,
    {
      conversation: id,
      invite: opIdShape,
      account: accountIdShape,
      proof: bytes<Signature>(sizes.signature),
    },
  ],
  /** What becomes of that: nothing yet (empty), or why not. */
  joinAnswer: [15, { conversation: id, invite: opIdShape, code: text(64) }],
  /** An account of a shared conversation: its device log, and where its devices are. */
  account: [
    10,
    {
      genesis: bytesBetween(1, 512),
      name: text(limits.nameBytes),
      ops: list(bytesBetween(1, limits.deviceLogOpBytes), limits.payloadLogOps),
      bundles: list(bytesBetween(1, limits.bundleBytes), limits.activeDevices),
    },
  ],
})
export type PayloadItem = Infer<typeof itemShape>
export type SyncItem = Extract<PayloadItem, { readonly kind: 'sync' }>

const payloadShape = fields({
  version: literal(1),
  /** Number of times the sender's home was opened. */
  boot: uint(),
  /** Highest boot number of the receiver the sender has seen: a home that is behind it was rolled back. */
  bootSeen: uint(),
  sentAtMs: uint(),
  /** Heads of the sender's device log, and of the receiver's as the sender knows it. */
  myLogHeads: heads,
  yourLogHeads: heads,
  items: list(itemShape, limits.payloadItems),
})
export type Payload = Infer<typeof payloadShape>

/** The plaintext of every ratchet frame, before padding. */
export const payloadFrame = frame('payload', payloadShape, limits.frameBytes)
