import { addressKey } from '../identity/index.ts'
import { toHex } from '../wire/index.ts'
import type { LastSeen, OpId } from './op.ts'
import { within, type Clock, type OpEntry } from './op-graph.ts'
import type { OpSet } from './op-set.ts'

/** What is put to judgement, sorted by what judgement asks for. */

/** Why an operation of the set counts for nothing. `by` is the operation that undid it. */
export type Fault =
  | { readonly reason: 'unknown-kind' }
  /** Its author had been removed, or was while writing it. */
  | { readonly reason: 'author-removed'; readonly by: OpId }
  /** The grant it cites counts for nothing. */
  | { readonly reason: 'cap-void'; readonly by: OpId }
  /** Its device is out by its account's log, and what that account says of it does not cover this. */
  | { readonly reason: 'device-out' }
  | { readonly reason: 'policy'; readonly by: OpId | null }
  | { readonly reason: 'invite-void'; readonly by: OpId }
  | { readonly reason: 'invite-closed'; readonly by: OpId }
  /** More accounts came by the link than it has uses; `unaware`: nobody saw the limit reached. */
  | { readonly reason: 'invite-used-up'; readonly by: OpId; readonly unaware: boolean }

/** Which devices an account's log lets stand: those active there. */
export type Standing = (account: string) => ReadonlySet<string>

/** One entry of a `deviceset`. */
export interface Word {
  readonly set: OpEntry
  readonly seen: LastSeen
}

/** A set put to judgement, with everything found so far. */
export interface Judge {
  readonly set: OpSet
  readonly clock: Clock
  readonly standing: Standing
  readonly entries: readonly OpEntry[]
  /** Revokes and demotions by the hexadecimal of the account they are about; leaves by that of their author. */
  readonly endings: ReadonlyMap<string, readonly OpEntry[]>
  /** What is said of how far a device's words reach, by `addressKey`, in an order that extends the past. */
  readonly words: ReadonlyMap<string, readonly Word[]>
  /** Chains with revokes, and with each policy setting, in chain order. */
  readonly revokes: readonly (readonly OpEntry[])[]
  /** What closes an invite, by the hexadecimal of its id. */
  readonly closes: ReadonlyMap<string, readonly OpEntry[]>
  readonly policies: ReadonlyMap<string, readonly (readonly OpEntry[])[]>
  readonly faults: Map<OpEntry, Fault | null>
  readonly enders: Map<OpEntry, readonly OpEntry[]>
  readonly reaches: Map<string, number>
  /** Accounts that came by each invite, in canonical order of their admissions. */
  readonly uses: Map<string, Map<string, OpEntry>>
  /** Elementary comparisons made: what the work bound is about. */
  readonly work: { steps: number }
}

/** Sorts the operations of a causally closed set for judgement. */
export function gather(set: OpSet, clock: Clock, standing: Standing): Judge {
  const entries = set.entries.filter((entry) => within(clock, entry))
  const endings = new Map<string, OpEntry[]>()
  const revokes = new Map<number, OpEntry[]>()
  const closes = new Map<string, OpEntry[]>()
  const policies = new Map<string, Map<number, OpEntry[]>>()
  const words = new Map<string, Word[]>()
  let named = 0
  for (const entry of entries) {
    const { args, byAccount } = entry.op
    if (args.kind === 'revoke' || args.kind === 'demote') append(endings, toHex(args.account), entry)
    if (args.kind === 'leave') append(endings, byAccount, entry)
    if (args.kind === 'revoke') append(revokes, entry.chain, entry)
    if (args.kind === 'close') append(closes, toHex(args.invite), entry)
    if (args.kind === 'deviceset') {
      named += args.last.length
      for (const seen of args.last)
        append(words, addressKey({ account: args.account, device: seen.device }), { set: entry, seen })
    }
    if (args.kind !== 'policy') continue
    const chains = policies.get(args.change.kind) ?? new Map<number, OpEntry[]>()
    policies.set(args.change.kind, chains)
    append(chains, entry.chain, entry)
  }
  return {
    ...{ set, clock, standing, entries, endings, closes, words },
    revokes: [...revokes.values()],
    policies: new Map([...policies].map(([setting, chains]) => [setting, [...chains.values()]])),
    ...{ faults: new Map(), enders: new Map(), reaches: new Map(), uses: new Map() },
    work: { steps: entries.length + named },
  }
}

function append<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key)
  if (list === undefined) map.set(key, [value])
  else list.push(value)
}
