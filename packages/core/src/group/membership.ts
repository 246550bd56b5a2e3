import { UsageError } from '../errors.ts'
import type { AccountId, ActiveDevice, DeviceAddress, LogOpId, LogState } from '../identity/index.ts'
import { equalBytes, shortId, toHex } from '../wire/index.ts'
import { conflictsIn, waitingIn, type Conflict } from './conflicts.ts'
import { endersOf, faultOf, judgeOf, settingAt } from './judge.ts'
import type { Fault, Judge } from './judge-gather.ts'
import { pinsOf, type OpId, type PolicyChange, type Role } from './op.ts'
import { canonicalOrder, clockOf, sortedIds, within, type Clock, type OpEntry } from './op-graph.ts'
import { entriesOf, headEntries, type AccountLogs, type OpSet } from './op-set.ts'
import { accountAt, accountNow } from './pins.ts'

/** Who is in a conversation and what its rules are (docs/protocol/group.md §4). */

/** An account that is in, with the grant that makes it so; of several the highest, then the earliest. */
export interface Member {
  readonly account: AccountId
  readonly role: Role
  /** How it came in; `direct` is one of the two of a direct conversation. */
  readonly via: 'create' | 'grant' | 'demote' | 'admit' | 'direct'
  /** The grant, whose id is the capability its devices cite; null in a direct conversation. */
  readonly grant: OpId | null
  /** The grant since which it is in without a break, whatever its role was; null in a direct conversation. */
  readonly joined: OpId | null
  /** The device that wrote the grant. */
  readonly by: DeviceAddress | null
  /** When, by that device's clock. Unix milliseconds: to be shown, never to decide. */
  readonly sinceMs: number | null
}

/** The rules of a conversation. */
export interface GroupPolicy {
  /** Days of history a newcomer is shown: 0 from the join on, null all. */
  readonly historyDays: number | null
  /** Everybody forgets what is older, milliseconds; null keeps. */
  readonly retentionMs: number | null
  /** Life of new messages, milliseconds; null for ever. */
  readonly timerMs: number | null
  readonly adminsGrantAdmin: boolean
  readonly membersAdmit: boolean
  readonly adminsRedact: boolean
}

/** Rules of a conversation nobody has set. */
export const defaultPolicy: GroupPolicy = {
  historyDays: 0,
  retentionMs: null,
  timerMs: null,
  adminsGrantAdmin: false,
  membersAdmit: false,
  adminsRedact: false,
}

/** What a set of operations says, with the device logs beside it. Maps iterate in the order of their keys. */
export interface Membership {
  /** The operations it was read from: those no other names, in byte order. */
  readonly heads: readonly OpId[]
  /** Members by hexadecimal account id. */
  readonly members: ReadonlyMap<string, Member>
  readonly policy: GroupPolicy
  /** What was resolved against somebody's word, for people to see. */
  readonly conflicts: readonly Conflict[]
  /** Why operations count for nothing, by the hexadecimal of their ids; all others count. */
  readonly faults: ReadonlyMap<string, Fault>
  /** Every account an operation pins, by hexadecimal id, as its log was taken to be. */
  readonly accounts: ReadonlyMap<string, LogState>
  /** Elementary comparisons made. */
  readonly steps: number
  /** What `recordCounts` asks further. */
  readonly judge: Judge
}

/** What the whole set says now, with all that is known of the accounts: a function of the two sets alone. */
export function resolveMembership(set: OpSet, logs: AccountLogs): Membership {
  const accounts = accountsIn(set.entries, (account) => {
    const log = logs.get(toHex(account))
    return log === undefined ? undefined : accountNow(log)
  })
  const clock = set.chains.map((chain) => chain.entries.length)
  const found = membershipOf(set, clock, sortedIds(headEntries(set)), accounts)
  return { ...found, conflicts: [...found.conflicts, ...waitingIn(set)] }
}

/**
 * What these heads and their past say, with the accounts as those operations pin them: fixed for ever, on every
 * replica. Undefined while a head is not here.
 */
export function membershipAt(set: OpSet, logs: AccountLogs, heads: readonly OpId[]): Membership | undefined {
  const entries = entriesOf(set, heads)
  if (entries === undefined) return undefined
  const clock = clockOf(entries)
  const inside = set.entries.filter((entry) => within(clock, entry))
  const accounts = accountsIn(inside, (account, pinned) => {
    const log = logs.get(toHex(account))
    return log === undefined ? undefined : accountAt(log, pinned)
  })
  return membershipOf(set, clock, sortedIds(entries), accounts)
}

/** The devices that are to read what is written at these heads: the members' active ones, by account and device id. */
export const devicesOf = (membership: Membership): readonly ActiveDevice[] =>
  [...membership.members.keys()].flatMap((account) => [
    ...(membership.accounts.get(account)?.active.values() ?? []),
  ])

interface Pins {
  readonly account: AccountId
  readonly heads: Map<string, LogOpId>
  last: readonly LogOpId[]
}

const sameIds = (a: readonly LogOpId[], b: readonly LogOpId[]): boolean =>
  a.length === b.length && a.every((id, i) => equalBytes(id, b[i] ?? noId))

const noId = new Uint8Array(0)

/** The state of every account that operations pin, in the order of their ids. */
function accountsIn(
  entries: readonly OpEntry[],
  stateOf: (account: AccountId, pinned: readonly LogOpId[]) => LogState | undefined,
): ReadonlyMap<string, LogState> {
  const pins = new Map<string, Pins>()
  for (const { op } of entries) {
    for (const { account, heads } of pinsOf(op)) {
      const key = account === op.account ? op.byAccount : toHex(account)
      const pin = pins.get(key) ?? { account, heads: new Map<string, LogOpId>(), last: [] }
      pins.set(key, pin)
      // Operation after operation of an account pins the same heads.
      if (sameIds(pin.last, heads)) continue
      pin.last = heads
      for (const head of heads) pin.heads.set(toHex(head), head)
    }
  }
  const states = [...pins].map(([key, { account, heads }]): [string, LogState] => {
    const pinned = [...heads].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, head]) => head)
    const state = stateOf(account, pinned)
    if (state === undefined)
      throw new UsageError('E_ACCOUNT_LOG_MISSING', 'an account log that operations pin is not given', {
        detail: { account: shortId(account) },
      })
    return [key, state]
  })
  return new Map(states.sort(([a], [b]) => (a < b ? -1 : 1)))
}

const nobody: ReadonlySet<string> = new Set()

function membershipOf(
  set: OpSet,
  clock: Clock,
  heads: readonly OpId[],
  accounts: ReadonlyMap<string, LogState>,
): Membership {
  const standing = new Map([...accounts].map(([account, state]) => [account, new Set(state.active.keys())]))
  const judge = judgeOf(set, clock, (account) => standing.get(account) ?? nobody)
  const members = membersIn(judge)
  const faults = judge.entries.flatMap((entry): [string, Fault][] => {
    const fault = faultOf(judge, entry)
    return fault === null ? [] : [[entry.op.key, fault]]
  })
  const conflicts = conflictsIn(judge, accounts, new Set(members.keys()), ownersIn(members))
  return {
    ...{ heads, members, conflicts, accounts, judge },
    policy: policyIn(judge),
    faults: new Map(faults.sort(([a], [b]) => (a < b ? -1 : 1))),
    steps: judge.work.steps,
  }
}

const ownersIn = (members: ReadonlyMap<string, Member>): readonly string[] =>
  [...members].flatMap(([account, { role }]) => (role === 'owner' ? [account] : []))

/** Grants that count and that nothing has ended. */
export const liveGrants = (judge: Judge, account: string): readonly OpEntry[] =>
  (judge.set.grants.get(account) ?? []).filter(
    (grant) =>
      within(judge.clock, grant) && faultOf(judge, grant) === null && endersOf(judge, grant).length === 0,
  )

function membersIn(judge: Judge): ReadonlyMap<string, Member> {
  const { conversation, grants } = judge.set
  if (conversation.kind === 'direct') {
    const both = conversation.accounts.map((account): [string, Member] => [toHex(account), ownerOf(account)])
    return new Map(both.sort(([a], [b]) => (a < b ? -1 : 1)))
  }
  return new Map(
    [...grants.keys()].sort().flatMap((account): [string, Member][] => {
      const [best] = [...liveGrants(judge, account)].sort(
        (a, b) => (a.grant?.rank ?? 2) - (b.grant?.rank ?? 2) || canonicalOrder(a, b),
      )
      return best === undefined
        ? []
        : memberOf(best, joinOf(judge, account) ?? best).map((member) => [account, member])
    }),
  )
}

/** The first grant that counts since an account was last put out or left: a change of role is no new beginning. */
const joinOf = (judge: Judge, account: string): OpEntry | undefined =>
  (judge.set.grants.get(account) ?? [])
    .filter((grant) => within(judge.clock, grant) && goesOn(judge, grant))
    .sort(canonicalOrder)[0]

/** Whether nothing has ended a grant but demotions that are grants themselves, of which one goes on. */
function goesOn(judge: Judge, grant: OpEntry): boolean {
  if (faultOf(judge, grant) !== null) return false
  const enders = endersOf(judge, grant)
  return (
    enders.length === 0 ||
    (enders.every(({ op }) => op.args.kind === 'demote') && enders.some((ender) => goesOn(judge, ender)))
  )
}

const ownerOf = (account: AccountId): Member => ({
  ...{ account, role: 'owner', via: 'direct', grant: null, joined: null, by: null, sinceMs: null },
})

function memberOf({ op, grant }: OpEntry, join: OpEntry): readonly Member[] {
  const { args, id, account, device, tsMs } = op
  if (grant === undefined) return []
  const by = { account, device }
  const common = { role: grant.role, grant: id, joined: join.op.id, by, sinceMs: tsMs }
  switch (args.kind) {
    case 'create':
      return [{ ...common, account, via: 'create' }]
    case 'grant':
    case 'demote':
    case 'admit':
      return [{ ...common, account: args.account, via: args.kind }]
    default:
      return []
  }
}

function policyIn(judge: Judge): GroupPolicy {
  const word = (setting: PolicyChange['kind']): PolicyChange | undefined => {
    const args = settingAt(judge, setting, judge.clock)?.op.args
    return args?.kind === 'policy' && args.change.kind !== 'unknown' ? args.change : undefined
  }
  let policy = defaultPolicy
  for (const setting of [
    'history',
    'retention',
    'timer',
    'adminsGrantAdmin',
    'membersAdmit',
    'adminsRedact',
  ] as const) {
    const change = word(setting)
    if (change !== undefined) policy = { ...policy, ...settingOf(change) }
  }
  return policy
}

function settingOf(change: PolicyChange): Partial<GroupPolicy> {
  switch (change.kind) {
    case 'history':
      return { historyDays: change.days }
    case 'retention':
      return { retentionMs: change.ms }
    case 'timer':
      return { timerMs: change.ms }
    case 'adminsGrantAdmin':
      return { adminsGrantAdmin: change.allowed }
    case 'membersAdmit':
      return { membersAdmit: change.allowed }
    case 'adminsRedact':
      return { adminsRedact: change.allowed }
  }
}
