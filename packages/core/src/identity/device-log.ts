import type { SignPublicKey } from '../crypto/index.ts'
import type { Account } from './account.ts'
import type { DeviceCertificate } from './certificate.ts'
import type { AccountId, DeviceAddress, DeviceId, LogOpId } from './ids.ts'
import type { LogOp } from './log-op.ts'

/**
 * The types of the device log: a set of signed operations that say which devices an account has
 * (docs/protocol/identity.md §4). What it means is a function of the set alone, never of arrival order or
 * of a clock; clocks decide only who is given keys.
 */

/** An admitted operation with its place in the graph; indices are local to one `DeviceLog` value. */
export interface LogEntry {
  readonly op: LogOp
  readonly index: number
  /** Indices of the heads it names. */
  readonly prev: readonly number[]
  /** 1 + the greatest depth among them; 0 for the first. */
  readonly depth: number
  /** The self-chain it belongs to, and its position there. A fork starts a chain of its own. */
  readonly chain: number
  readonly position: number
  /** How many operations of each chain are in its past. */
  readonly past: readonly number[]
}

/** One author's unbroken run of operations. */
export interface LogChain {
  /** Hexadecimal device id, or null for the recovery key. */
  readonly author: string | null
  /** Number of the first operation in it: selfSeq or rseq. */
  readonly firstSeq: number
  /** Indices into `entries`, in order. */
  readonly entries: readonly number[]
  /** Of those, the ones that can change who is active. */
  readonly structural: readonly number[]
}

/** The device of an add. */
export interface AddedDevice {
  /** Hexadecimal device id. */
  readonly device: string
  readonly certificate: DeviceCertificate
}

/** The operations of one account. Plain data; `addOps` returns another and leaves this one as it was. */
export interface DeviceLog {
  readonly account: Account
  readonly entries: readonly LogEntry[]
  readonly chains: readonly LogChain[]
  /** Index of an operation by the hexadecimal of its id. */
  readonly byId: ReadonlyMap<string, number>
  /** Certificates by hexadecimal device id, from admitted adds. */
  readonly certificates: ReadonlyMap<string, DeviceCertificate>
  /** What each add added, by the hexadecimal of the operation's id. */
  readonly added: ReadonlyMap<string, AddedDevice>
  /** Active devices of the pasts of all operations, by what of a past decides them: a cache, not a meaning. */
  readonly resolved: ReadonlyMap<string, ReadonlySet<string>>
}

/** Why an operation is refused for good. */
export type LogOpRefusal =
  | 'malformed'
  | 'wrong-account'
  | 'bad-signature'
  | 'bad-certificate'
  | 'broken-chain'
  | 'author-not-active'
  | 'target-not-added'
  | 'bad-terms'
  | 'log-full'

/** An operation that waits: for others it names, or for a clock to reach its time. */
export interface HeldOp {
  readonly bytes: Uint8Array
  readonly id: LogOpId
  readonly awaiting: 'operations' | 'time'
  readonly missing: readonly LogOpId[]
}

/** What came of a delivery. */
export interface AddedOps {
  readonly log: DeviceLog
  readonly added: readonly LogOp[]
  readonly held: readonly HeldOp[]
  readonly rejected: readonly { readonly bytes: Uint8Array; readonly reason: LogOpRefusal }[]
}

/** A device that may act for the account. Times are Unix milliseconds. */
export interface ActiveDevice extends DeviceAddress {
  readonly certificate: DeviceCertificate
  /** The certificate's, or the newest counting renewal's. */
  readonly notAfterMs: number
  /** Whose word `notAfterMs` is: the certificate's, or that of the renewal's author. */
  readonly renewedBy: 'certificate' | 'self' | 'other' | 'recovery'
  readonly transportKey: SignPublicKey
  readonly suite: number
  readonly minSuite: number
}

/** Two operations of one device with one number: exact bytes that convince a third party alone. */
export interface ForkProof extends DeviceAddress {
  readonly selfSeq: number
  readonly certificate: Uint8Array
  readonly first: Uint8Array
  readonly second: Uint8Array
  /** The proof on the wire, as `readForkProof` takes it. */
  readonly bytes: Uint8Array
}

/** Two recovery operations with one number: from there only the revokes of either branch count. */
export interface Contest {
  readonly rseq: number
  readonly first: Uint8Array
  readonly second: Uint8Array
}

/** Standing revokes that kill each other: both lines are out, and nobody but the owner knows who is right. */
export interface Accusation {
  readonly revokes: readonly LogOpId[]
  /** Hexadecimal ids of the devices they put out. */
  readonly accused: readonly string[]
  /** Whether the recovery key or an active device has written something counting since, knowing of them all. */
  readonly answered: boolean
}

/** What a set of operations says. Maps are keyed by the hexadecimal device id and iterate in its order. */
export interface LogState {
  readonly account: AccountId
  /** Operations that no other names, in byte order. */
  readonly heads: readonly LogOpId[]
  readonly active: ReadonlyMap<string, ActiveDevice>
  /** Devices out by a standing revoke, with the revokes that put them out. */
  readonly revoked: ReadonlyMap<string, readonly LogOpId[]>
  readonly forked: readonly ForkProof[]
  readonly contested: Contest | null
  readonly accusations: readonly Accusation[]
  /** Every device that was ever added, whether or not the add counts. */
  readonly everKnown: ReadonlyMap<string, DeviceId>
  /** Operations of a kind this version does not know are in the set: the app must be updated. */
  readonly updateNeeded: boolean
}
