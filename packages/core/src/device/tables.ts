import { sizes, type Signature } from '../crypto/index.ts'
import { limits } from '../limits.ts'
import { bool, bytes, bytesBetween, fields, list, nullable, text, uint } from '../wire/index.ts'
import type { Infer } from '../wire/index.ts'
import { incomingRecord, recordKinds, saltedBody } from '../history/index.ts'
import { lastSeenList, opIdShape } from '../group/index.ts'
import { accountIdShape, certificateShape, deviceIdShape } from '../identity/index.ts'
import { accountHeads } from './payload.ts'
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
export const rowFormat = 4
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
  auditSeq: uint(),
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
const storedLogShape = fields({ genesis: bytesBetween(1, 512), ops: logShape })
export type StoredLog = Infer<typeof storedLogShape>
export const logRows = rows('log', storedLogShape, mutable)

/**
 * `requested`: a stranger who waits for the person's word; `refused`: one whose invite was no longer good;
 * `member`: known from a group only; `own`: this account itself.
 */
export const contactStates = {
  pending: 0,
  connected: 1,
  blocked: 2,
  requested: 3,
  refused: 4,
  member: 5,
  own: 6,
} as const

const contactShape = fields({
  account: accountIdShape,
  conversation: id,
  /** What they call themselves, and what the person here calls them. */
  name: text(limits.nameBytes),
  alias: nullable(text(limits.nameBytes)),
  state: uint(contactStates.own),
  /** Before they were blocked. */
  stateBefore: uint(contactStates.own),
  verified: bool,
  /** Their discovery key. */
  discovery: nullable(id),
  /** Why they refused us, if they did. */
  refused: nullable(text(64)),
  /** The refusal they are told whenever they write. */
  owed: nullable(text(64)),
  /** Pre-shared key of the invite our first flight answers; gone with the first reply. */
  invitePsk: nullable(secretBytes(sizes.seed)),
  addedAtMs: millis,
})
export type Contact = Infer<typeof contactShape>
/** What this account's devices know of a contact, as it was told last. */
export const sharedRows = rows('shared', bytesBetween(1, limits.metaIntentBytes), mutable)
export const contactRows = rows('contact', contactShape, mutable)

/** A value own devices share, as it is here and as they were told last; null where there is none. */
const ownShape = fields({
  table: uint(1),
  key: bytesBetween(1, 64),
  value: nullable(bytesBetween(0, limits.metaIntentBytes)),
  told: nullable(bytesBetween(0, limits.metaIntentBytes)),
})
export type OwnRow = Infer<typeof ownShape>
export const ownRows = rows('own', ownShape, mutable)

/** Where a contact's device collects: a relay and the key that may deposit there. */
export const depositShape = fields({ relay: address, writeSeed: secretBytes(sizes.seed), intro: bool })
export type DepositTarget = Infer<typeof depositShape>

/** Another device: of a contact, of a group's member, or of this account. */
const peerShape = fields({
  account: accountIdShape,
  device: deviceIdShape,
  /** What its owner calls it. */
  name: text(limits.nameBytes),
  peerId: text(128),
  bundle: nullable(bytesBetween(1, limits.recordBytes)),
  addresses,
  deposits: list(depositShape, 8),
  /** Highest boot number it said, and the last: a lower one means its home was rolled back. */
  boot: uint(),
  bootNow: uint(),
  /** Their clock when the highest boot number was first said: what older frames say was said before. */
  bootAtMs: millis,
  /** Newest card of theirs that was applied; newest of ours sealed to them, and acknowledged by them. */
  cardSeen: uint(),
  cardSent: uint(),
  cardAcked: uint(),
  /** State of this device the newest card of ours tells; behind `self.cardSeq` a new card is due. */
  cardOf: uint(),
  /** Card of theirs to acknowledge; 0 when none. */
  cardDue: uint(),
  /** Its certificate ran out. */
  expired: bool,
  /** When something of it last opened here. */
  heardAtMs: millis,
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
  account: accountIdShape,
  device: deviceIdShape,
  /** It is to be sent what is written now. */
  active: bool,
  /** By which grant it last took part, nothing where none is needed; null: never. */
  grant: nullable(bytesBetween(0, 32)),
  /** Their records held here, and the newest of them. */
  received: receivedShape,
  last: nullable(fields({ aseq: uint(), id })),
  /** What they acknowledged of ours. */
  got: fields({ upTo: uint(), holes: list(uint(), 64) }),
  /** Ours they have read; theirs the person here has seen, and what of that they were told. */
  readUpTo: uint(),
  seenUpTo: uint(),
  seenTold: uint(),
  /** Ours below this are not for it, nor are segments below that one: it came later. */
  from: uint(),
  fromSegment: uint(),
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

export const conversationKinds = { direct: 0, group: 1 } as const

const conversationShape = fields({
  conversation: id,
  kind: uint(conversationKinds.group),
  /** The other account of a direct conversation. */
  account: nullable(accountIdShape),
  title: text(limits.nameBytes),
  /** Its membership operations: as many as were admitted, though rows of some may be lost. */
  opCount: uint(),
  /** Nothing own goes below this segment: a device came. */
  nextSegment: uint(),
  /** Segment written to, how many records it holds, and the own counters in it. */
  segment: uint(),
  segmentCount: uint(),
  aseq: uint(),
  /** Own records below this were published on a topic, or went by sessions alone. */
  publishedUpTo: uint(),
  sseq: uint(limits.segmentRecords),
  selfPrev: nullable(id),
  selfLamport: uint(),
  /** Records nothing held here refers to. */
  tips: list(tipShape, 64),
  count: uint(),
  unread: uint(),
  lastMs: millis,
  remotes: list(remoteShape, limits.conversationDevices),
})
export type Conversation = Infer<typeof conversationShape>
export const conversationRows = rows('conversation', conversationShape, mutable)

/** Membership operations, by conversation and id. */
export const opRows = rows('op', fields({ conversation: id, bytes: bytesBetween(1, limits.groupOpBytes) }), {
  ...mutable,
  held: 'elsewhere',
})

/** Epochs of conversations, as the group room encodes them. */
export const epochRows = rows(
  'epoch',
  fields({ conversation: id, key: text(512), value: bytesBetween(0, 131_072) }),
  mutable,
)

/** Where the log queue of a routing epoch lies, and how far it was read there. */
const epochLogShape = fields({
  conversation: id,
  epoch: id,
  places: list(fields({ relay: address, cursor: uint() }), limits.logPlaces),
})
export type EpochLog = Infer<typeof epochLogShape>
export const epochLogRows = rows('epoch-log', epochLogShape, mutable)

/** An own record left in the log of its topic's epoch: its envelope until every relay has it, and which do. */
const leftShape = fields({
  conversation: id,
  aseq: uint(),
  epoch: id,
  /** The routing epoch, whose log it is. */
  route: id,
  envelope: bytesBetween(0, limits.frameBytes),
  relays: list(address, limits.logPlaces),
  atMs: millis,
})
export type LeftRow = Infer<typeof leftShape>
export const leftRows = rows('left', leftShape, mutable)

/** The newest seed each device is owed, until it says that it has it. */
const seedShape = fields({
  conversation: id,
  device: deviceIdShape,
  record: bytesBetween(1, limits.epochRecordBytes),
  epoch: id,
  context: id,
  secret: secretBytes(sizes.seed),
})
export type SeedRow = Infer<typeof seedShape>
export const seedRows = rows('seed', seedShape, mutable)

/** What a device said it knows of a conversation's operations and accounts, and what both agreed on. */
const standingShape = fields({
  conversation: id,
  device: deviceIdShape,
  /** Digest both sides had when they last compared. */
  agreed: nullable(id),
  heads: list(opIdShape, limits.payloadGroupHeads),
  /** Digest of the kept state that `logs` are the changes to; null where they are all it said. */
  since: nullable(id),
  logs: list(accountHeads, limits.conversationAccounts),
  /** It is to be told how things stand here. */
  due: bool,
})
export type Standing = Infer<typeof standingShape>
export const standingRows = rows('standing', standingShape, mutable)

/** How far the words of siblings had come when this device was brought, as the one that brought it held them. */
export const broughtRows = rows('brought', fields({ conversation: id, last: lastSeenList }), mutable)

/** Device logs of a state of a conversation that was said here or agreed on, by its digest. */
export const stateRows = rows(
  'state',
  fields({
    conversation: id,
    digest: id,
    logs: list(accountHeads, limits.conversationAccounts),
    /** Its place among those of the conversation, oldest first. */
    at: uint(),
  }),
  mutable,
)

/** A record in the journal: as it came. Once its segment is sealed its file holds it. */
const storedRecordShape = fields({
  bytes: bytesBetween(1, 2_048),
  /** Null where a later record of the device answers for it. */
  signature: nullable(bytes<Signature>(sizes.signature)),
  segment: uint(),
  receivedAtMs: millis,
})
export type StoredRecord = Infer<typeof storedRecordShape>
export const recordRows = rows('record', storedRecordShape, append)

/** Where a record lies, whether in the journal or in a file. Each held record has it beside its body, or alone. */
const placeShape = fields({ conversation: id, segment: uint(), receivedAtMs: millis })
export type Place = Infer<typeof placeShape>
/** Bodies lie apart from their records, so that they can go alone. */
export const bodyRows = rows('body', fields({ place: placeShape, said: saltedBody }), append)
/** Places of records whose body is not here, or no longer. */
export const placeRows = rows('place', placeShape, append)
/**
 * `owed`: by whom and under which number, while the author is not to believe that it arrived; by this device itself where
 * the body was here before.
 */
const lackingRecord = fields({ id, owed: nullable(fields({ device: id, aseq: uint() })) })
export type Lacking = Infer<typeof lackingRecord>
/** Records of a segment that came without their bodies, which are asked for. */
export const lackingRows = rows(
  'lacking',
  fields({ conversation: id, segment: uint(), records: list(lackingRecord, limits.syncBodies) }),
  mutable,
)

/** Own records that were withdrawn, by id: the salt of the body, and the record that says the same again. */
const withdrawalShape = fields({ salt: bytes(sizes.hash), again: id })
export type Withdrawal = Infer<typeof withdrawalShape>
export const withdrawnRows = rows('withdrawn', withdrawalShape, mutable)

/** Of a conversation that forgets: no segment below this has bodies that are to be forgotten. */
export const sweptRows = rows('swept', fields({ below: uint() }), mutable)

/** Records about another one: edits, redactions, reactions. Timers are about the conversation. */
export const aboutRows = rows('about', list(fields({ id, segment: uint() }), 16_384), {
  kind: 'mutable',
  resident: false,
})

/** The journal of a segment: there while records of it are rows. */
const segmentShape = fields({
  conversation: id,
  segment: uint(),
  /** Its records that are rows, the messages among them, and the pages that name them in shown order. */
  records: uint(),
  messages: uint(),
  pages: uint(),
  /** When the first and the last of them came. */
  firstMs: millis,
  lastMs: millis,
  /** Records of it were lost here: what it held may come again. */
  lost: bool,
  /** How many of them, as far as known, until somebody has been asked and had no more. */
  wanted: uint(),
})
export type SegmentRow = Infer<typeof segmentShape>
export const segmentRows = rows('segment', segmentShape, mutable)
export const pageRows = rows(
  'page',
  list(fields({ lamport: uint(), id, kind: uint(recordKinds.timer) }), 65_536),
  { kind: 'mutable', resident: false, lately: true },
)
/** Sealed segments (history.md §7), with when their first record came here. */
export const fileRows = rows(
  'file',
  fields({ file: bytesBetween(1, limits.segmentFileBytes), firstMs: millis, lost: bool }),
  { kind: 'mutable', resident: false },
  limits.segmentFileBytes + 1_024,
)

/** What a segment that is no longer written to holds, so that sync need not read it. */
export const summaryRows = rows(
  'summary',
  fields({
    digest: id,
    devices: list(
      fields({
        account: id,
        device: id,
        name: bytes(8),
        count: uint(),
        tips: list(id, limits.segmentRecords),
      }),
      limits.syncDevices,
    ),
    /** Whether newcomers may read it, by what its records say. */
    open: bool,
  }),
  { kind: 'mutable', resident: false },
)
/** Bodies that go at their time: what an edit replaced, and messages that disappear. */
export const erasureRows = rows('erasure', fields({ id, fromMs: millis }), mutable)
/** Own records by conversation and aseq. */
export const ownRecordRows = rows('own-record', id, { ...append, lately: true })

/** A record that waits for one it stands on. */
const heldShape = fields({
  conversation: id,
  /** Who brought it. */
  account: accountIdShape,
  device: deviceIdShape,
  record: incomingRecord,
  atMs: millis,
})
export type HeldRecord = Infer<typeof heldShape>
export const heldRows = rows('held', heldShape, mutable)

/** A device that is to be compared with in a conversation, by both ids: late-records. */
export const lateRows = rows(
  'late',
  fields({ conversation: id, device: deviceIdShape, forHeld: bool }),
  mutable,
)

/** A sealed frame on its way to one device. Sent only from here, and as these bytes, whatever happens between. */
const outboxShape = fields({
  seq: uint(),
  device: deviceIdShape,
  frame: bytesBetween(1, limits.frameBytes),
  /** Own records in it. Empty: only acknowledgements and the card. */
  conversation: nullable(id),
  aseqs: list(uint(), limits.payloadRecords),
  cardSeq: uint(),
  /** State of a conversation told in it, until the device says that it agrees. */
  state: nullable(fields({ conversation: id, digest: id })),
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

/** The group an invite of ours is into, and the operation that opened the link. */
export const groupInviteRows = rows(
  'group-invite',
  fields({ inviteId: id, conversation: id, op: opIdShape }),
  mutable,
)

/** A group this account asks to be let into: what it shows for it, and what came of it. */
const joinShape = fields({
  conversation: id,
  invite: opIdShape,
  proof: bytes<Signature>(sizes.signature),
  /** Whose link it was. */
  inviter: accountIdShape,
  expiresAtMs: millis,
  askedAtMs: millis,
  /** Why nobody lets it in. */
  refused: nullable(text(64)),
})
export type Join = Infer<typeof joinShape>
export const joinRows = rows('join', joinShape, mutable)

/** Somebody with a link into a group who waits to be let in. */
const joinRequestShape = fields({
  requestId: id,
  conversation: id,
  invite: opIdShape,
  account: accountIdShape,
  proof: bytes<Signature>(sizes.signature),
  atMs: millis,
  ignored: bool,
})
export type JoinRequest = Infer<typeof joinRequestShape>
export const joinRequestRows = rows('join-request', joinRequestShape, mutable)

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
  created: bool,
  createdAtMs: millis,
})
export type Queue = Infer<typeof queueShape>
export const queueRows = rows('queue', queueShape, mutable)

/** Events for faces, as JSON without texts; those are looked up again when an event is replayed. */
export const eventRows = rows('event', text(4_096), append)

/** A line of what happened to devices, members and rules. No content of messages. */
const auditShape = fields({
  seq: uint(),
  atMs: millis,
  /** Null: about an account, in every conversation it takes part in. */
  conversation: nullable(id),
  kind: text(64),
  by: nullable(id),
  subject: nullable(id),
  device: nullable(id),
  detail: text(256),
})
export type Audit = Infer<typeof auditShape>
export const auditRows = rows('audit', auditShape, mutable)

const warningShape = fields({ code: text(64), message: text(512), atMs: millis })
export const warningRows = rows('warning', warningShape, mutable)

export const tables = [
  formatRows,
  selfRows,
  metaRows,
  prekeyRows,
  logRows,
  contactRows,
  sharedRows,
  ownRows,
  peerRows,
  pairwiseRows,
  replayRows,
  conversationRows,
  opRows,
  epochRows,
  seedRows,
  epochLogRows,
  leftRows,
  standingRows,
  broughtRows,
  stateRows,
  recordRows,
  bodyRows,
  placeRows,
  lackingRows,
  withdrawnRows,
  sweptRows,
  aboutRows,
  segmentRows,
  pageRows,
  fileRows,
  summaryRows,
  erasureRows,
  ownRecordRows,
  heldRows,
  lateRows,
  outboxRows,
  inviteRows,
  groupInviteRows,
  joinRows,
  joinRequestRows,
  requestRows,
  relayRows,
  bootstrapRows,
  queueRows,
  eventRows,
  auditRows,
  warningRows,
] as const
