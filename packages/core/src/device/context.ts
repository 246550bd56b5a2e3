import type { CryptoProvider, DhKeyPair, Secret, SignKeyPair } from '../crypto/index.ts'
import type { DeviceCertificate, DeviceId, InviteLink } from '../identity/index.ts'
import type { LinkedRecord } from '../history/index.ts'
import type { ClientSession } from '../mailbox/index.ts'
import type { Clock, Log, Notifier, Random, Route } from '../ports/index.ts'
import type { AddedView, ConnectionState, DeviceEvent } from './api.ts'
import type { Database, Transaction } from './database.ts'
import type { PayloadItem } from './payload.ts'
import type { Queue, Self } from './tables.ts'

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
  /** When a deposit for the device may be tried again: its queue was not there. */
  depositMs: number
  channel: number | undefined
  /** Outbox rows written to the open channel, with the moment. */
  readonly sent: Map<number, number>
  /** Somebody whose invite was no longer good wrote again, and is told so again. */
  refusalDue: boolean
  /** Hashes of the last frames from the device that want no answer, in hexadecimal. */
  readonly answers: Set<string>
  /** Answers about device logs that ride on the next payload. */
  extras: readonly PayloadItem[]
}

/** What a relay was asked, by request id. */
export type RelayRequest =
  | { readonly kind: 'create'; readonly recvId: Uint8Array }
  | { readonly kind: 'subscribe'; readonly recvId: Uint8Array }
  | { readonly kind: 'put'; readonly row: number }
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
  /** When the relay may be asked to take more: it was full or busy. */
  putMs: number
  /** Queues subscribed on this channel, by hexadecimal id. */
  readonly watched: Set<string>
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
  /** Own records of each conversation when this home was opened, by hexadecimal id. */
  readonly openedAt: Map<string, number>
  readonly segments: Map<string, Map<string, number>>
  /** Monotonic moments of the next periodic works. */
  publishMs: number
  /** Some DHT node took the records published last. */
  published: boolean
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

/** Why a DHT key is read. */
export type GetPurpose =
  | { readonly for: 'invite'; readonly token: number; readonly day: number }
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
