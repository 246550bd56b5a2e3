import { sizes, type Signature } from '../crypto/index.ts'
import { limits } from '../limits.ts'
import { bool, bytes, bytesBetween, fields, list, nullable, text, uint } from '../wire/index.ts'
import type { Infer } from '../wire/index.ts'
import { carriedRecord } from '../history/index.ts'
import { accountIdShape, certificateShape, deviceIdShape } from '../identity/index.ts'
import { rows, secretBytes } from './row.ts'

const id = bytes(sizes.hash)
const address = text(512)
const addresses = list(address, limits.bundleAddresses)
const millis = uint()

/** Key of a table with one row. */
export const onlyRow = new Uint8Array(0)

const mutable = { kind: 'mutable', resident: true } as const
const append = { kind: 'append', resident: false } as const

const receivedShape = fields({ upTo: uint(), above: list(uint(), 100_000) })

/** The format of all rows below. A change of any shape raises it; this row's own shape never changes. */
export const rowFormat = 1
export const formatRows = rows('format', fields({ format: uint() }), { kind: 'mutable', resident: false })

/** Who this device is: the account, its keys, its settings. Written once and then only in part. */
const selfShape = fields({
  genesis: bytesBetween(1, 512),
  certificate: certificateShape,
  account: accountIdShape,
  device: deviceIdShape,
  name: text(limits.nameBytes),
  deviceName: text(limits.nameBytes),
  identitySeed: secretBytes(sizes.seed),
  exchangeSeed: secretBytes(sizes.seed),
  transportSeed: secretBytes(sizes.seed),
  /** Secret half of the discovery key that contacts know. */
  discoverySeed: secretBytes(sizes.seed),
  /** The recovery key, until the person confirmed its words. */
  recovery: nullable(secretBytes(sizes.seed)),
  readReceipts: bool,
  previews: bool,
  /** Version of what contacts are told of this device: name, bundle, queues, discovery key. */
  cardSeq: uint(),
})
export type Self = Infer<typeof selfShape>
export const selfRows = rows('self', selfShape, mutable)

/** Counters that move with every batch. */
const metaShape = fields({
  eventSeq: uint(),
  outboxSeq: uint(),
  /** Wall clock of the last batch: a start far from it is a reason to doubt the clock. */
  lastMs: millis,
  /** Added to the store's boot number, which a restored copy counts from too low. */
  bootAhead: uint(),
})
export type Meta = Infer<typeof metaShape>
export const metaRows = rows('meta', metaShape, mutable)

/** Private halves of the published prekeys, as the identity room encodes them. */
export const prekeyRows = rows('prekeys', bytesBetween(0, 1_048_576), mutable)

/** Device logs: the own one and those of contacts, as exact op bytes. */
const logShape = list(bytesBetween(1, 8_192), limits.deviceLogOps)
export const logRows = rows('log', fields({ genesis: bytesBetween(1, 512), ops: logShape }), mutable)

/** `requested`: a stranger who waits for the person's word; `refused`: one whose invite was no longer good. */
export const contactStates = { pending: 0, connected: 1, blocked: 2, requested: 3, refused: 4 } as const

const contactShape = fields({
  account: accountIdShape,
  conversation: id,
  /** What they call themselves, and what the person here calls them. */
  name: text(limits.nameBytes),
  alias: nullable(text(limits.nameBytes)),
  state: uint(contactStates.refused),
  /** Before they were blocked. */
  stateBefore: uint(contactStates.refused),
  verified: bool,
  /** Their discovery key. */
  discovery: nullable(id),
  /** Newest card of theirs that was applied; newest of ours sealed to them, and acknowledged by them. */
  cardSeen: uint(),
  cardSent: uint(),
  cardAcked: uint(),
  /** State of this device the newest card of ours tells; behind `self.cardSeq` a new card is due. */
  cardOf: uint(),
  /** Why they refused us, if they did. */
  refused: nullable(text(64)),
  /** The refusal they are told whenever they write. */
  owed: nullable(text(64)),
  /** Pre-shared key of the invite our first flight answers; gone with the first reply. */
  invitePsk: nullable(secretBytes(sizes.seed)),
  addedAtMs: millis,
})
export type Contact = Infer<typeof contactShape>
export const contactRows = rows('contact', contactShape, mutable)

/** Where a contact's device collects: a relay and the key that may deposit there. */
export const depositShape = fields({ relay: address, writeSeed: secretBytes(sizes.seed), intro: bool })
export type DepositTarget = Infer<typeof depositShape>

/** A device of a contact. */
const peerShape = fields({
  account: accountIdShape,
  device: deviceIdShape,
  peerId: text(128),
  bundle: nullable(bytesBetween(1, limits.recordBytes)),
  addresses,
  deposits: list(depositShape, 8),
  /** Highest boot number it said, and the last: a lower one means its home was rolled back. */
  boot: uint(),
  bootNow: uint(),
  /** Their clock when the highest boot number was first said: what older frames say was said before. */
  bootAtMs: millis,
  /** Card of theirs to acknowledge; 0 when none. */
  cardDue: uint(),
  /** The session is in doubt: shake hands again before the next send. */
  renew: bool,
})
export type Peer = Infer<typeof peerShape>
export const peerRows = rows('peer', peerShape, mutable)

/** Sessions with a contact's device, as the session room encodes them. */
export const pairwiseRows = rows('pairwise', bytesBetween(0, 1_048_576), mutable)

/** First flights that were accepted: the device they came from, so that a repeat finds its session. */
export const replayRows = rows(
  'replay',
  fields({ tag: bytesBetween(1, 64), device: deviceIdShape, atMs: millis }),
  mutable,
)

const remoteShape = fields({
  device: deviceIdShape,
  /** Their records held here. */
  received: receivedShape,
  /** What they acknowledged of ours. */
  got: fields({ upTo: uint(), holes: list(uint(), 64) }),
  /** Ours they have read; theirs the person here has seen, and what of that they were told. */
  readUpTo: uint(),
  seenUpTo: uint(),
  seenTold: uint(),
  /** Ours below this were sealed to the device at least once. */
  sealedUpTo: uint(),
  /** Boot number and clock of the payload that said `got`. */
  gotBoot: uint(),
  gotAtMs: millis,
  /** They are owed an acknowledgement. */
  gotDue: bool,
})
export type Remote = Infer<typeof remoteShape>

const tipShape = fields({ id, segment: uint(), lamport: uint(), device: id })
export type Tip = Infer<typeof tipShape>

const conversationShape = fields({
  conversation: id,
  account: accountIdShape,
  /** Segment written to, how many records it holds, and the own counters in it. */
  segment: uint(),
  segmentCount: uint(),
  aseq: uint(),
  sseq: uint(limits.segmentRecords),
  selfPrev: nullable(id),
  selfLamport: uint(),
  /** Records nothing held here refers to. */
  tips: list(tipShape, 64),
  pages: uint(),
  count: uint(),
  unread: uint(),
  lastMs: millis,
  remotes: list(remoteShape, limits.activeDevices),
})
export type Conversation = Infer<typeof conversationShape>
export const conversationRows = rows('conversation', conversationShape, mutable)

/** A record as held; the body lies apart so that it can go alone. */
const storedRecordShape = fields({
  bytes: bytesBetween(1, 2_048),
  signature: bytes<Signature>(sizes.signature),
  salt: id,
  segment: uint(),
  receivedAtMs: millis,
})
export type StoredRecord = Infer<typeof storedRecordShape>
export const recordRows = rows('record', storedRecordShape, append)
export const bodyRows = rows('body', bytesBetween(0, limits.textBytes + 64), append)
/** Own records by conversation and aseq. */
export const ownRecordRows = rows('own-record', id, { ...append, lately: true })
export const pageRows = rows('page', list(fields({ segment: uint(), lamport: uint(), id }), 100_000), {
  kind: 'mutable',
  resident: false,
  lately: true,
})

/** A record that waits for one it stands on. */
const heldShape = fields({ conversation: id, device: deviceIdShape, record: carriedRecord, atMs: millis })
export type HeldRecord = Infer<typeof heldShape>
export const heldRows = rows('held', heldShape, mutable)

/** A sealed frame on its way to one device. Sent only from here, and as these bytes, whatever happens between. */
const outboxShape = fields({
  seq: uint(),
  device: deviceIdShape,
  frame: bytesBetween(1, limits.frameBytes),
  /** Own records in it. Empty: only acknowledgements and the card. */
  conversation: nullable(id),
  aseqs: list(uint(), limits.payloadRecords),
  cardSeq: uint(),
  createdAtMs: millis,
  /** Relays that confirmed a deposit. */
  relays: list(address, 8),
  attempts: uint(),
})
export type OutboxRow = Infer<typeof outboxShape>
export const outboxRows = rows('outbox', outboxShape, mutable)

/** An invite of ours, as the identity room encodes it, and who holds its record. */
const inviteShape = fields({
  inviteId: id,
  state: bytesBetween(1, limits.frameBytes),
  link: text(1_024),
  heldByRelay: bool,
  heldByDht: bool,
  /** Newest record seq that was published. */
  published: uint(),
})
export type Invite = Infer<typeof inviteShape>
export const inviteRows = rows('invite', inviteShape, mutable)

/** A stranger's first flight that waits for the person's word. */
const requestShape = fields({
  requestId: id,
  account: accountIdShape,
  name: text(limits.nameBytes),
  atMs: millis,
  ignored: bool,
})
export type Request = Infer<typeof requestShape>
export const requestRows = rows('request', requestShape, mutable)

const relayShape = fields({
  relayId: id,
  peerId: text(128),
  address,
  web: nullable(text(limits.webHostBytes)),
  addedAtMs: millis,
})
export type Relay = Infer<typeof relayShape>
export const relayRows = rows('relay', relayShape, mutable)

export const bootstrapRows = rows('bootstrap', fields({ address }), mutable)

/** A queue of ours at a relay. */
const queueShape = fields({
  recvId: id,
  relayId: id,
  intro: bool,
  account: nullable(accountIdShape),
  readSeed: secretBytes(sizes.seed),
  writeSeed: secretBytes(sizes.seed),
  cursor: uint(),
  created: bool,
  createdAtMs: millis,
})
export type Queue = Infer<typeof queueShape>
export const queueRows = rows('queue', queueShape, mutable)

/** Events for faces, as JSON without texts; those are looked up again when an event is replayed. */
export const eventRows = rows('event', text(4_096), append)

const warningShape = fields({ code: text(64), message: text(512), atMs: millis })
export const warningRows = rows('warning', warningShape, mutable)

export const tables = [
  formatRows,
  selfRows,
  metaRows,
  prekeyRows,
  logRows,
  contactRows,
  peerRows,
  pairwiseRows,
  replayRows,
  conversationRows,
  recordRows,
  bodyRows,
  ownRecordRows,
  pageRows,
  heldRows,
  outboxRows,
  inviteRows,
  requestRows,
  relayRows,
  bootstrapRows,
  queueRows,
  eventRows,
  warningRows,
] as const
