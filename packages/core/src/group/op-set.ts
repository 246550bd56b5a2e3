import type { AccountId, DeviceLog } from '../identity/index.ts'
import { compareBytes, toHex } from '../wire/index.ts'
import type { ConversationId, MembershipOp, OpId } from './op.ts'
import { clockOf, canonicalOrder, sortedIds, within, type OpChain, type OpEntry } from './op-graph.ts'

/** A set of membership operations: what it holds, and what one reads off it without judging. */

/** What a set is about. A direct conversation has no `create`: its members are its two accounts for ever. */
export type Conversation =
  | { readonly kind: 'group'; readonly id: ConversationId }
  | {
      readonly kind: 'direct'
      readonly id: ConversationId
      readonly accounts: readonly [AccountId, AccountId]
    }

/** Device logs by hexadecimal account id: an input beside the operations, and like them only growing. */
export type AccountLogs = ReadonlyMap<string, DeviceLog>

/** What an operation waits for. */
export type Awaiting = 'operations' | 'account-logs' | 'time'

/** An operation that cannot be judged yet: it counts for nothing, and nothing was said of it. */
export interface ParkedOp {
  readonly op: MembershipOp
  readonly awaiting: Awaiting
  readonly missingOps: readonly OpId[]
  /** Accounts whose logs lack heads that the operation pins. */
  readonly missingLogs: readonly AccountId[]
}

/** The operations of one conversation. Plain data; `addMembershipOps` returns another and leaves this one as it was. */
export interface OpSet {
  readonly conversation: Conversation
  /** In an order that extends the past; which one, depends on arrival. */
  readonly entries: readonly OpEntry[]
  readonly chains: readonly OpChain[]
  /** Entries by hexadecimal of the operation's id. */
  readonly byId: ReadonlyMap<string, OpEntry>
  /** Everything ever granted, by hexadecimal account id. */
  readonly grants: ReadonlyMap<string, readonly OpEntry[]>
  /** Waiting operations by hexadecimal id. */
  readonly parked: ReadonlyMap<string, ParkedOp>
}

/** Why an operation is refused for good. All but the last are functions of its bytes and its past. */
export type OpRefusal =
  | 'malformed'
  | 'wrong-conversation'
  | 'not-in-direct'
  | 'bad-signature'
  | 'author-not-active'
  | 'author-not-known'
  | 'broken-chain'
  | 'bad-cap'
  | 'bad-terms'
  | 'bad-proof'
  | 'too-deep'
  | 'too-many'
  | 'parked-full'
  | 'forked-too-often'

/** An empty set for a conversation. */
export const emptyOpSet = (conversation: Conversation): OpSet => ({
  conversation,
  entries: [],
  chains: [],
  byId: new Map(),
  grants: new Map(),
  parked: new Map(),
})

/** Entries that no other names, by id. */
export function headEntries(set: OpSet): readonly OpEntry[] {
  const named = new Set(set.entries.flatMap((entry) => entry.deps))
  return set.entries.filter((entry) => !named.has(entry)).sort((a, b) => compareBytes(a.op.id, b.op.id))
}

/** The ids that no other operation names, in byte order: what a record cites as its heads. */
export const groupHeads = (set: OpSet): readonly OpId[] => sortedIds(headEntries(set))

/** The exact bytes of every operation, in canonical order: equal on all replicas that hold the set. */
export const opsOf = (set: OpSet): readonly Uint8Array[] =>
  [...set.entries].sort(canonicalOrder).map((entry) => entry.op.bytes)

/** The entries of some ids; undefined while one is not here. */
export function entriesOf(set: OpSet, ids: readonly Uint8Array[]): readonly OpEntry[] | undefined {
  const entries: OpEntry[] = []
  for (const id of ids) {
    const entry = set.byId.get(toHex(id))
    if (entry === undefined) return undefined
    entries.push(entry)
  }
  return entries
}

/** What a peer with these heads lacks, and which of its heads are news here. */
export interface OpDifference {
  /** In canonical order; the peer can add them as they come. */
  readonly ops: readonly MembershipOp[]
  readonly unknown: readonly OpId[]
}

/** Compares with the heads a peer sent: `ops` is for it, `unknown` is to be asked of it. */
export function missingOpsFrom(set: OpSet, theirHeads: readonly OpId[]): OpDifference {
  const held: OpEntry[] = []
  const unknown: OpId[] = []
  for (const head of theirHeads) {
    const entry = set.byId.get(toHex(head))
    if (entry === undefined) unknown.push(head)
    else held.push(entry)
  }
  const theirs = clockOf(held)
  const ops = set.entries.filter((entry) => !within(theirs, entry)).sort(canonicalOrder)
  return { ops: ops.map(({ op }) => op), unknown }
}
