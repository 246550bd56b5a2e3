import type { AccountId, DeviceAddress, LogState } from '../identity/index.ts'
import { compareBytes, toHex } from '../wire/index.ts'
import { endersOf, faultOf, mayEnd, compareAuthority } from './judge.ts'
import type { Fault, Judge } from './judge-gather.ts'
import type { MembershipOp, OpArgs, OpId } from './op.ts'
import { canonicalOrder, inPast, newest, within, type OpEntry } from './op-graph.ts'
import type { Awaiting, OpSet } from './op-set.ts'

/** What was resolved against somebody's word (docs/protocol/group.md §6): a function of the set, for people. */

/** One entry of the report. */
export type Conflict =
  /** An operation counts for nothing. */
  | {
      readonly kind: 'void'
      readonly op: OpId
      readonly what: OpArgs['kind']
      readonly author: DeviceAddress
      readonly fault: Fault
    }
  /** A removal or demotion was undone, by the removal of who wrote it or of who had empowered them. `back`: the account is in. */
  | {
      readonly kind: 'removal-undone'
      readonly removal: OpId
      readonly account: AccountId
      readonly by: DeviceAddress
      readonly undoneBy: OpId | null
      readonly undoneByAccount: AccountId | null
      readonly back: boolean
    }
  /** A removal counts, and the account is still in by grants its author has no authority over. */
  | {
      readonly kind: 'removal-incomplete'
      readonly removal: OpId
      readonly account: AccountId
      readonly by: DeviceAddress
    }
  /** Somebody is out because of what became of who let them in, and may be let in again. */
  | {
      readonly kind: 'ejected'
      readonly account: AccountId
      readonly grant: OpId
      readonly cause: OpId | null
    }
  /** A link had more users than uses. */
  | {
      readonly kind: 'link-used-twice'
      readonly invite: OpId
      readonly account: AccountId
      readonly admission: OpId
    }
  /** Of concurrent words on one setting this one did not hold. */
  | { readonly kind: 'policy-overruled'; readonly setting: string; readonly op: OpId; readonly by: OpId }
  /** A device wrote two operations with one number. */
  | {
      readonly kind: 'equivocation'
      readonly device: DeviceAddress
      readonly oseq: number
      readonly ops: readonly OpId[]
    }
  /** No member is an owner, or no owner has a device left. Admins keep what they may. */
  | { readonly kind: 'no-owner' }
  /** Two recovery operations with one number: nobody but the account's owner knows which line is theirs. */
  | { readonly kind: 'account-contested'; readonly account: AccountId }
  /** Devices of the account revoked each other, and nobody unaccused has spoken since. */
  | { readonly kind: 'account-accused'; readonly account: AccountId }
  /** Written by a newer version: update to see what it does. */
  | { readonly kind: 'update-needed'; readonly op: OpId }
  /** Not judged yet. */
  | {
      readonly kind: 'waiting'
      readonly op: OpId
      readonly author: DeviceAddress
      readonly awaiting: Awaiting
    }

/** The report on a set. */
export function conflictsIn(
  judge: Judge,
  accounts: ReadonlyMap<string, LogState>,
  members: ReadonlySet<string>,
  owners: readonly string[],
): readonly Conflict[] {
  const aboutOps = judge.entries.flatMap((entry) => {
    const found = aboutOp(judge, entry, members)
    return found.length === 0 ? [] : [{ entry, found }]
  })
  aboutOps.sort((a, b) => canonicalOrder(a.entry, b.entry))
  return [
    ...aboutOps.flatMap(({ found }) => found),
    ...overruled(judge),
    ...equivocations(judge),
    ...aboutAccounts(accounts, members, owners),
  ]
}

const authorOf = ({ account, device }: MembershipOp): DeviceAddress => ({ account, device })

function aboutOp(judge: Judge, entry: OpEntry, members: ReadonlySet<string>): readonly Conflict[] {
  const { op } = entry
  const { args } = op
  const fault = faultOf(judge, entry)
  if (args.kind === 'unknown') return [{ kind: 'update-needed', op: op.id }]
  if (fault === null) return incomplete(judge, entry, members)
  const out: Conflict[] = [{ kind: 'void', op: op.id, what: args.kind, author: authorOf(op), fault }]
  if (args.kind === 'revoke' || args.kind === 'demote') {
    const cause = causeOf(judge, entry)
    out.push({
      ...{ kind: 'removal-undone', removal: op.id, account: args.account, by: authorOf(op) },
      ...{ undoneBy: cause?.op.id ?? null, undoneByAccount: cause?.op.account ?? null },
      back: members.has(toHex(args.account)),
    })
  }
  if (fault.reason === 'invite-used-up' && args.kind === 'admit')
    out.push({ kind: 'link-used-twice', invite: args.invite, account: args.account, admission: op.id })
  else if ((args.kind === 'grant' || args.kind === 'admit') && !members.has(toHex(args.account)))
    out.push({
      kind: 'ejected',
      account: args.account,
      grant: op.id,
      cause: causeOf(judge, entry)?.op.id ?? null,
    })
  return out
}

/** The operation at the root of a fault: what undid it, or what undid the grant it rests on. */
export function causeOf(judge: Judge, entry: OpEntry): OpEntry | undefined {
  let at: OpEntry | undefined = entry
  while (at !== undefined) {
    const fault: Fault | null = faultOf(judge, at)
    if (fault === null || !('by' in fault) || fault.by === null) return undefined
    const by: OpEntry | undefined = judge.set.byId.get(toHex(fault.by))
    if (fault.reason !== 'cap-void' && fault.reason !== 'invite-void') return by
    at = by
  }
  return undefined
}

/** Of a removal: grants of the account that are left because the remover does not stand above them; a later one is no conflict. */
function incomplete(judge: Judge, entry: OpEntry, members: ReadonlySet<string>): readonly Conflict[] {
  const { op } = entry
  if (op.args.kind !== 'revoke' || !members.has(toHex(op.args.account))) return []
  const { account } = op.args
  const left = (judge.set.grants.get(toHex(account)) ?? []).some((grant) => {
    judge.work.steps += 1
    if (!within(judge.clock, grant) || inPast(grant, entry) || mayEnd(entry, grant)) return false
    return faultOf(judge, grant) === null && endersOf(judge, grant).length === 0
  })
  return left ? [{ kind: 'removal-incomplete', removal: op.id, account, by: authorOf(op) }] : []
}

function overruled(judge: Judge): readonly Conflict[] {
  const settings = [...judge.policies].sort(([a], [b]) => (a < b ? -1 : 1))
  return settings.flatMap(([setting, chains]): Conflict[] => {
    const tips = chains.flatMap((chain) => {
      judge.work.steps += chain.length
      return chain.filter((policy) => faultOf(judge, policy) === null).at(-1) ?? []
    })
    const [winner, ...rest] = newest(tips).toSorted(
      (a, b) => compareAuthority(a, b) || (a.op.key < b.op.key ? -1 : 1),
    )
    if (winner === undefined) return []
    return rest.map((policy) => ({ kind: 'policy-overruled', setting, op: policy.op.id, by: winner.op.id }))
  })
}

/** Of each device that contradicts itself the first number it gave to several operations. */
function equivocations(judge: Judge): readonly Conflict[] {
  const runs = new Map<string, number>()
  for (const chain of judge.set.chains) {
    const [first] = chain.entries
    if (first !== undefined && within(judge.clock, first)) runs.set(chain.by, (runs.get(chain.by) ?? 0) + 1)
  }
  const forked = [...runs].flatMap(([by, count]) => (count > 1 ? [by] : [])).sort()
  return forked.flatMap((by) => {
    const byNumber = new Map<number, MembershipOp[]>()
    for (const { op } of judge.entries) {
      if (op.by !== by) continue
      byNumber.set(op.oseq, [...(byNumber.get(op.oseq) ?? []), op])
    }
    const shared = [...byNumber].filter(([, ops]) => ops.length > 1).sort(([a], [b]) => a - b)
    return shared.slice(0, 1).flatMap(([oseq, ops]): Conflict[] => {
      const ids = ops.map((op) => op.id).sort(compareBytes)
      return ops[0] === undefined ? [] : [{ kind: 'equivocation', device: authorOf(ops[0]), oseq, ops: ids }]
    })
  })
}

function aboutAccounts(
  accounts: ReadonlyMap<string, LogState>,
  members: ReadonlySet<string>,
  owners: readonly string[],
): readonly Conflict[] {
  const out: Conflict[] = []
  if (members.size > 0 && !owners.some((account) => (accounts.get(account)?.active.size ?? 1) > 0))
    out.push({ kind: 'no-owner' })
  for (const [key, state] of accounts) {
    if (!members.has(key)) continue
    if (state.contested !== null) out.push({ kind: 'account-contested', account: state.account })
    if (state.accusations.some(({ answered }) => !answered))
      out.push({ kind: 'account-accused', account: state.account })
  }
  return out
}

/** What could not be judged yet. */
export const waitingIn = (set: OpSet): readonly Conflict[] =>
  [...set.parked.values()]
    .sort((a, b) => (a.op.key < b.op.key ? -1 : 1))
    .map(({ op, awaiting }) => ({ kind: 'waiting', op: op.id, author: authorOf(op), awaiting }))
