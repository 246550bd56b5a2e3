import type { CryptoProvider, DhKeyPair, Secret, SignKeyPair, SignPublicKey } from '../crypto/index.ts'
import type {
  ApprovalTarget,
  DeviceAddress,
  DeviceCertificate,
  DeviceId,
  InviteLink,
  LinkApproval,
  LinkCode,
  LinkOffer,
  LinkWay,
  Prekeys,
} from '../identity/index.ts'
import type { ConversationEpochs, HoldBack, Membership, OpSet } from '../group/index.ts'
import type {
  Crdt,
  LinkedRecord,
  NaturalDocument,
  RecordHeader,
  SegmentSet,
  CountedRecord,
  SegmentSummary,
  SyncAsk,
} from '../history/index.ts'
import type { Bucket, ClientSession } from '../mailbox/index.ts'
import type { Clock, Log, Notifier, Random, Route, TopicVerdict } from '../ports/index.ts'
import type { AddedView, ConnectionState, DeviceEvent, HistoryChoice } from './api.ts'
import type { Database, Transaction } from './database.ts'
import type { PayloadItem, SyncItem } from './payload.ts'
import type { OutboxRow, Place, Queue, Remote, SegmentRow, Self } from './tables.ts'

/** This device's keys, ready for use. */
export interface Me {
  readonly self: Self
  readonly identity: SignKeyPair
  readonly agreement: DhKeyPair
  readonly transport: SignKeyPair
  readonly discovery: SignKeyPair
  readonly certificate: DeviceCertificate
}

/** An open channel of any protocol. */
export interface Channel {
  readonly channel: number
  readonly peer: string
  readonly protocol: string
  readonly route: Route
  readonly inbound: boolean
}

/** How a connection attempt stands: when the next may start, and how many failed in a row. */
export interface Attempts {
  opening: boolean
  failures: number
  nextMs: number
}

/** The link to one device of a contact. Times here are monotonic. */
export interface PeerLink extends Attempts {
  /** When a deposit for the device may be tried again, by relay at which its queue was not there. */
  readonly denied: Map<string, number>
  channel: number | undefined
  /** When something last came on a channel from it. */
  heardMs: number
  /** Answers that count as arrived, and may not have: nothing came from the device since. By the seq of their rows. */
  readonly unsure: Map<number, { readonly row: OutboxRow; readonly sentMs: number }>
  /** Outbox rows written to the open channel, with the moment. */
  readonly sent: Map<number, number>
  /** Somebody whose invite was no longer good wrote again, and is told so again. */
  refusalDue: boolean
  /** Hashes of the last frames from the device that want no answer, in hexadecimal. */
  readonly answers: Set<string>
  /** It was just met, or came to agree on who is in: what both hold is to be compared. */
  met: boolean
  /** The channel on which it was told that its account, this one, has put it out. */
  outTold: number | undefined
  /** Its channel broke and another one took its place: what sync asked for on the first is asked for again. */
  askAgain: boolean
  /**
   * It may lack records, and is sought for that alone: an own device until it is met, anybody else's once. Undefined: it
   * was not met since this home was opened, which counts for own devices.
   */
  awaited: boolean | undefined
  /** Frames of sync that leave with the next payloads, each in its own. */
  syncFrames: SyncItem[]
  /** Seeds sent to it on this channel, by conversation; seeds of its that are here, to be acknowledged. */
  readonly seeds: Map<string, { readonly epoch: string; readonly atMs: number }>
  readonly seedAcks: Map<string, Uint8Array>
  /** From where on own words are for the device, as it was told since this one was opened; by conversation. */
  readonly fromTold: Map<string, FromTold>
  /** Questions of sync that wait until what was asked before has left; the last of each conversation, in hexadecimal. */
  readonly asksWaiting: Map<string, SyncItem>
  /** Until when what comes from relays about a conversation is only heard, by conversation in hexadecimal. */
  readonly spokeUntil: Map<string, number>
  /** States of conversations the device told and that are the same here, by conversation in hexadecimal. */
  readonly groupGots: Map<string, Uint8Array>
  /** Requests to be let into a group, and answers to them, that ride on the next payload. */
  joins: readonly PayloadItem[]
  /** Answers about device logs that ride on the next payload. */
  extras: readonly PayloadItem[]
}

/** What a device was told that took for missing what was never for it: how often, beside which record, and when next. */
export interface FromTold {
  readonly from: number
  readonly last: Remote['last']
  readonly times: number
  readonly againMs: number
}

/** What a relay was asked, by request id. */
export type RelayRequest =
  | { readonly kind: 'create'; readonly recvId: Uint8Array }
  | { readonly kind: 'subscribe'; readonly recvId: Uint8Array }
  | { readonly kind: 'log'; readonly recvId: Uint8Array }
  | { readonly kind: 'put'; readonly row: number }
  | { readonly kind: 'leave'; readonly conversation: Uint8Array; readonly aseq: number }
  | { readonly kind: 'record'; readonly inviteId: Uint8Array }
  | { readonly kind: 'lookup'; readonly token: number }
  | { readonly kind: 'other' }

/** The link to one relay: our own, or one where a contact collects. */
export interface RelayLink extends Attempts {
  readonly address: string
  channel: number | undefined
  session: ClientSession | undefined
  nextId: number
  readonly waiting: Map<number, RelayRequest>
  /** Rows put on this channel and not yet answered. */
  readonly putting: Set<number>
  /** When rows it confirmed are left there again, and how often they were since this home was opened. */
  readonly again: Map<number, { readonly dueMs: number; readonly times: number }>
  /** When the relay may be asked to take more: it was full or busy. */
  putMs: number
  /** When its channel was greeted on, and how many in a row broke soon after that. */
  greetedMs: number
  breaks: number
  /** How much may be on its way to it unconfirmed: half of it after a channel that took some along, one more for each answer. */
  window: number
  /** It did not set up something of ours, and when it may be asked for that again. */
  unsettled: boolean
  settleMs: number
  /** Queues subscribed on this channel, by hexadecimal id, and logs asked to be made. */
  readonly watched: Set<string>
  readonly made: Set<string>
  /** Own records put into logs on this channel and not yet answered, by conversation and number in hexadecimal. */
  readonly leaving: Set<string>
}

/** An invite being looked up, in the DHT, at relays and at the addresses in the link. */
export interface Resolve {
  readonly token: number
  readonly link: InviteLink
  readonly deadlineMs: number
  /** When to stop waiting for slower places, once one has answered well. */
  goodMs: number | undefined
  /** Relays still to be asked or heard, and channels to the inviter's device. */
  readonly asked: Set<string>
  readonly channels: Set<number>
  /** Places that have not answered yet. */
  open: number
  readonly copies: Uint8Array[]
  readonly records: Uint8Array[]
  readonly settle: (result: AddedView) => void
  readonly fail: (error: unknown) => void
}

/**
 * What the operations of a conversation say, kept beside its rows. The rows are the truth: a set is used as long as
 * it has as many operations as the conversation counts.
 */
export interface GroupMemo {
  readonly set: OpSet
  /** How many operations the conversation's row counts, and how many of them are not here any more. */
  readonly opCount: number
  readonly lost: number
  /** What they say now, as of this state of the device logs. */
  now: { readonly logsVersion: number; readonly value: Membership } | undefined
  /** What they said at heads, which never changes. */
  readonly at: Map<string, Membership>
}

/** A shared document in the library's memory, and the edits in it by key, with whether each counted. */
export interface DocumentMemo {
  readonly document: NaturalDocument
  readonly folded: Map<string, boolean>
}

/** A segment as sync compares it, and whether newcomers may read it. */
export interface SegmentLook extends SegmentSummary {
  readonly open: boolean
}

/** Records of a sealed segment, written again, in shown order. */
export interface OpenedFile {
  readonly records: readonly CountedRecord[]
  readonly byId: ReadonlyMap<string, CountedRecord>
}

/** A place in a conversation. */
export interface SegmentAddress {
  readonly conversation: Uint8Array
  readonly segment: number
}

/** A segment being sealed, a little at a time (folding.ts). */
export interface Folding {
  /** Its journal when that was begun: any change of it begins anew. */
  readonly journal: SegmentRow
  readonly records: CountedRecord[]
  /** These with what a file holds already. */
  whole: readonly CountedRecord[]
  /** Pages of the journal read so far, and then the work of sealing. */
  pages: number
  sealing: Generator<undefined, Uint8Array | undefined, undefined> | undefined
}

/** An exchange of records with another device (sync-talk.ts). */
export interface SyncTalk {
  /** What was asked for: what is lacking, records that were lost, or bodies. */
  readonly kind: 'records' | 'gaps' | 'bodies'
  readonly nonce: Uint8Array
  readonly ask: SyncAsk | undefined
  readonly askedMs: number
  /** Whether the question was left at relays. */
  readonly mailed: boolean
  /** Sets that grow with the runs of this exchange, by segment number. */
  readonly sets: Map<number, SegmentSet>
  /** Records that came without a body. */
  readonly bodiless: Map<string, RecordHeader>
  /** Frames still to come, once the answer has said how many. */
  frames: number | undefined
  /** Segments to ask about next. */
  next: readonly Uint8Array[]
  came: number
}

/** Who was asked for what is wanted of a conversation (sync-wants.ts). */
export interface Wants {
  /** Who brought it, in part. */
  carrier: string | undefined
  /** Devices asked since they were met, in hexadecimal, and whether they have answered. */
  readonly asked: Map<string, boolean>
  tries: number
  /** Monotonic moment from which the next one is asked. */
  nextMs: number
  /** How often all were asked and had none, and when they are asked once more; not yet: undefined. */
  rounds: number
  againMs: number | undefined
}

/** An acknowledgement that waits for others to share its frame. */
export interface LaterGot {
  readonly conversation: Uint8Array
  readonly author: DeviceAddress
  readonly atMs: number
}

/** Of a device's records the first that is missing here, how often that was said again, and when next. */
export interface Holes {
  readonly conversation: Uint8Array
  readonly author: DeviceAddress
  readonly upTo: number
  readonly times: number
  readonly atMs: number
}

/** When a conversation is, or was, compared with another own device that may lack records of it (late-records.ts). */
export interface LateSync {
  readonly conversation: Uint8Array
  readonly device: DeviceId
  readonly atMs: number
  /** When the last record came that it is for. */
  readonly notedMs: number
  /** Whether it is still to come. */
  readonly due: boolean
  /** It is only for what is held back: not needed when nothing of the device is any more. */
  readonly forHeld: boolean
}

/** Who waits for an answer that comes with a later input. */
export interface Waiter {
  readonly settle: (value: unknown) => void
  readonly fail: (error: unknown) => void
}

/** Private keys of a device that has no account yet. */
export interface NewSeeds {
  readonly identity: Secret
  readonly exchange: Secret
  readonly transport: Secret
}

/** Linking, at a new device: a link and a code, both good for one account (link-new.ts). */
export interface NewLinking {
  readonly at: 'new'
  readonly name: string
  readonly seeds: NewSeeds
  readonly offers: Map<LinkWay, LinkOffer>
  shown: { readonly link: string; readonly code: string; readonly expiresAtMs: number } | undefined
  /** The one channel at work, and which way it goes by. */
  channel: number | undefined
  way: LinkWay | undefined
  waiting: Waiter | undefined
  /** This device belongs to the account; said once the other device knows it, or is gone. */
  joined: { readonly accountId: string; readonly deviceId: string } | undefined
  /** Monotonic moment at which link and code are shown, with an address or without. */
  showMs: number | undefined
  /** Monotonic moment the record behind the code is put again. */
  publishMs: number
}

/** Linking, at a device of the account (link-old.ts). */
export interface OldLinking {
  readonly at: 'old'
  readonly history: HistoryChoice
  /** Devices to be tried, and the one that is. */
  readonly targets: ApprovalTarget[]
  target: ApprovalTarget | undefined
  /** Until when a code is looked for, and when next. */
  lookUntilMs: number
  lookAgainMs: number | undefined
  /** Places in the DHT not answered yet, and what the others held. */
  looking: number
  readonly records: Uint8Array[]
  code: LinkCode | undefined
  approval: LinkApproval | undefined
  channel: number | undefined
  opening: boolean
  /** Somebody with the same first characters had another secret. */
  wrong: boolean
  /** The pictures were shown. */
  compared: boolean
  deviceId: DeviceId | undefined
  waiting: Waiter | undefined
}

export type Linking = NewLinking | OldLinking

/** The keys of a log, and its name at relays. */
export interface EpochLogKeys {
  readonly epoch: Uint8Array
  readonly recvId: Uint8Array
  readonly read: SignKeyPair
  readonly own: SignKeyPair
  readonly writeKeys: readonly SignPublicKey[]
}

/** A topic that is listened on: whose, of which routing epoch, and who is expected there. */
export interface TopicPlace {
  readonly conversation: Uint8Array
  readonly route: Uint8Array
  readonly peers: readonly string[]
}

/** What is true only while the process runs. Nothing here decides what a record or an op means. */
export interface Live {
  online: boolean
  peerId: string
  addresses: readonly string[]
  readonly channels: Map<number, Channel>
  /** Frames a channel brought that were no contact's, by channel. */
  readonly strange: Map<number, number>
  readonly connected: Map<string, Route>
  readonly nearby: Map<string, readonly string[]>
  readonly peers: Map<string, PeerLink>
  readonly relays: Map<string, RelayLink>
  readonly resolves: Map<number, Resolve>
  readonly links: Map<string, LinkedRecord>
  /** Version of the logs at which nothing was left to say of devices that are out, by conversation in hexadecimal. */
  readonly devicesSaid: Map<string, number>
  /** Own records of each conversation when this home was opened, by hexadecimal id. */
  readonly openedAt: Map<string, number>
  /** Sessions begun since, from either end, by hexadecimal id. */
  readonly begun: Set<string>
  readonly segments: Map<string, Map<string, number>>
  readonly groups: Map<string, GroupMemo>
  /** Own prekeys as their row reads, with the key pairs derived from it. */
  prekeys: { readonly row: Uint8Array; readonly prekeys: Prekeys } | undefined
  /** Conversations by the devices in them, once somebody asked: never too few. */
  shared: Map<string, Map<string, Uint8Array>> | undefined
  /** Records that came on topics and are to be acknowledged a little later, by conversation and device. */
  readonly gotsLater: Map<string, LaterGot>
  /** What is missing of records by others, as they were told, by conversation and device. */
  readonly holes: Map<string, Holes>
  /** Shared documents, by conversation in hexadecimal. */
  readonly documents: Map<string, DocumentMemo>
  /** Epochs of conversations, beside their rows. */
  readonly epochs: Map<string, ConversationEpochs>
  /** Topics subscribed to, and whether they are to be looked at again. */
  readonly topics: Map<string, TopicPlace>
  topicsDue: boolean
  /** Envelopes whose epoch's seed has not come, by conversation in hexadecimal. */
  readonly heldEnvelopes: Map<string, HoldBack>
  /** What topics may still bring: refused things by neighbour, genuine ones by author. */
  readonly refusedBy: Map<string, Bucket>
  readonly spokenBy: Map<string, Bucket>
  /** Monotonic moment of the next look at topics and old epochs. */
  topicsMs: number
  /** Keys of logs, by epoch in hexadecimal. */
  readonly logs: Map<string, EpochLogKeys>
  /** Own records on a topic, by conversation and number: when, and under which epoch. */
  readonly onTopics: Map<string, { readonly atMs: number; readonly epoch: string }>
  /** A device being linked, at either end. */
  linking: Linking | undefined
  /** Transport seed under which this device went online before it had an account. */
  newTransport: Secret | undefined
  /** Exchanges of records with devices, by conversation and device in hexadecimal. */
  readonly syncs: Map<string, SyncTalk>
  /** Questions left at relays without an answer yet, by conversation and device: how many, and when the next may be. */
  readonly mailed: Map<string, { readonly tries: number; readonly nextMs: number }>
  /** The two states at which a device was last asked back, by conversation and device. */
  readonly askedBack: Map<string, string>
  /** Comparisons with own devices that may lack records, by conversation and device. */
  readonly lateSyncs: Map<string, LateSync>
  /** What segments hold, by conversation and number. */
  readonly summaries: Map<string, SegmentLook>
  /** Sealed segments that were opened, by conversation and number, and when each was read last. */
  readonly files: Map<string, { readonly file: OpenedFile; usedMs: number }>
  /**
   * Conversations of which operations were lost here, in hexadecimal: whether that was said, and which devices have
   * nothing that is not here.
   */
  readonly torn: Map<
    string,
    { readonly conversation: Uint8Array; said: boolean; readonly equal: Set<string> }
  >
  /** Damaged rows that name what is about a message, by its id in hexadecimal, met since they were written anew. */
  readonly spoiltAbout: Map<string, { readonly conversation: Uint8Array; readonly key: Uint8Array }>
  /** Segments of which records were lost here. */
  readonly condemned: Map<string, SegmentAddress>
  /** What segments held of which records were lost, by conversation in hexadecimal and by number. */
  readonly lost: Map<string, Map<number, SegmentLook>>
  /**
   * Of segments of conversations that forget: when the oldest message was written that still has a body, and the
   * monotonic moment from which it is looked for again; by conversation and number.
   */
  readonly oldest: Map<string, { readonly writtenMs: number; readonly lookMs: number }>
  /** Bodies that are damaged here, by record in hexadecimal, and where the record lies. */
  readonly spoilt: Map<string, Place>
  /** Who was asked for what is wanted, by conversation in hexadecimal. */
  readonly wants: Map<string, Wants>
  /** Conversations of which lost records are still asked for, in hexadecimal. */
  readonly wanted: Set<string>
  /** Monotonic moment at which own devices are told what they do not know yet. */
  ownDueMs: number
  folding: Folding | undefined
  /** Monotonic moment at which segments to be sealed are looked for next. */
  foldMs: number
  /** The two states last compared with a device without agreement, by conversation and device. */
  readonly compared: Map<string, string>
  /** Grows with every change of a device log. */
  logsVersion: number
  /** Monotonic moments of the next periodic works. */
  publishMs: number
  /** Some DHT node took the records published last. */
  published: boolean
  /** Batches in a row that did not become durable. */
  storeFailures: number
  /** The clock is far from the last batch and no contact has agreed with it. */
  clockDoubted: boolean
  /** Devices whose newest bundle is to be looked for in the DHT, by hexadecimal id. */
  readonly lookups: Set<string>
  connection: ConnectionState
  nextToken: number
  /** Monotonic moment the next timer is due. */
  wakeMs: number
}

/** What stays the same for the life of a device object. */
export interface Context {
  readonly crypto: CryptoProvider
  readonly random: Random
  readonly clock: Clock
  readonly log: Log
  readonly notifier: Notifier
  readonly database: Database
  readonly boot: number
  /** Starts the library of shared documents, once. */
  readonly documents: () => Promise<Crdt>
  readonly live: Live
}

/** What is done once the batch is durable, in order. Results come back as inputs. */
export type Effect =
  | {
      readonly kind: 'open'
      readonly peer: string
      readonly addresses: readonly string[]
      readonly protocol: string
      readonly purpose: Purpose
    }
  | { readonly kind: 'write'; readonly channel: number; readonly frame: Uint8Array }
  | { readonly kind: 'close'; readonly channel: number }
  | { readonly kind: 'attach' | 'detach'; readonly address: string }
  | {
      readonly kind: 'put'
      readonly key: string
      readonly value: Uint8Array
      readonly inviteId: Uint8Array | undefined
    }
  | { readonly kind: 'publish'; readonly topic: string; readonly data: Uint8Array }
  | { readonly kind: 'judge'; readonly message: number; readonly verdict: TopicVerdict }
  | { readonly kind: 'subscribe'; readonly topic: string; readonly peers: readonly string[] }
  | { readonly kind: 'unsubscribe'; readonly topic: string }
  | { readonly kind: 'get'; readonly key: string; readonly purpose: GetPurpose }
  | { readonly kind: 'connect'; readonly seed: Secret }
  /** Answers a command whose outcome the batch holds. */
  | { readonly kind: 'settle'; readonly run: () => void; readonly fail: (error: unknown) => void }
  | {
      readonly kind: 'notify'
      readonly preview: { readonly name: string; readonly text: string } | undefined
    }

/** Why a channel is opened. */
export type Purpose =
  | { readonly for: 'peer'; readonly device: DeviceId }
  | { readonly for: 'relay'; readonly address: string }
  | { readonly for: 'invite'; readonly token: number }
  | { readonly for: 'link' }

/** Why a DHT key is read. */
export type GetPurpose =
  | { readonly for: 'invite'; readonly token: number; readonly day: number }
  | {
      readonly for: 'link'
      readonly discovery: SignPublicKey
      readonly day: number
      readonly slot: number
    }
  | {
      readonly for: 'bundle'
      readonly account: Uint8Array
      readonly device: Uint8Array
      readonly day: number
    }

/** An event before it has its number. */
export type EventDraft = DistributiveOmit<DeviceEvent, 'seq' | 'atMs'>
type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never

/** Where a frame came from: a channel, whose peer the transport proved, or a queue at a relay. */
export type Origin =
  | { readonly via: 'channel'; readonly channel: number; readonly peerId: string }
  | { readonly via: 'queue'; readonly queue: Queue }

/** One input at work: what it reads and writes, and what it causes once that is durable. */
export interface Step {
  readonly context: Context
  readonly tx: Transaction
  /** Wall and monotonic clock when the input was taken. */
  readonly nowMs: number
  readonly monoMs: number
  readonly effects: Effect[]
  /** Secrets the step used up: wiped once the batch without them is durable. */
  readonly spent: Secret[]
  readonly events: EventDraft[]
}
