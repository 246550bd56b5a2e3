import { sizes } from '../crypto/index.ts'
import { carriedRecord } from '../history/index.ts'
import { limits } from '../limits.ts'
import { bytes, bytesBetween, fields, frame, list, literal, openOneOf, text, uint } from '../wire/index.ts'
import type { Infer } from '../wire/index.ts'

const id = bytes(sizes.hash)
/** Heads a payload names; a log with more, which only its own devices can make, is named in part. */
export const payloadHeads = 64
const heads = list(id, payloadHeads)
const author = { account: id, device: id }

/** Where a contact may deposit for this device: a relay's address and the seed of the queue's writer key. */
const queueShape = fields({ relay: text(512), writeSeed: bytes(sizes.seed) })

const itemShape = openOneOf({
  records: [0, { records: list(carriedRecord, limits.payloadRecords) }],
  /** Records of one device held here: all below `upTo` but the holes. */
  got: [1, { conversation: id, ...author, upTo: uint(), holes: list(uint(), 64) }],
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
})
export type PayloadItem = Infer<typeof itemShape>

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
