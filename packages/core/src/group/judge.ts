import { toHex } from '../wire/index.ts'
import { standsAbove } from './delegation.ts'
import { lastSeenOf, type LastSeen, type OpId } from './op.ts'
import { canonicalOrder, inPast, within, type Clock, type OpChain, type OpEntry } from './op-graph.ts'
import { gather, type Fault, type Judge, type Standing, type Word } from './judge-gather.ts'
import type { OpSet } from './op-set.ts'

/**
 * Which operations count (docs/protocol/group.md §4): a function of a causally closed set and of which devices
 * the accounts' own logs let stand. The recursion descends in (role, level) of the grants that operations cite:
 * whoever may undo an operation cites a higher role, or a grant above its own.
 */

/** Puts the operations of a causally closed set to judgement. */
export function judgeOf(set: OpSet, clock: Clock, standing: Standing): Judge {
  const judge = gather(set, clock, standing)
  // Admissions by one link are counted in canonical order, and cite admissions before them.
  const admits = judge.entries.filter((entry) => entry.op.args.kind === 'admit').sort(canonicalOrder)
  for (const entry of admits) faultOf(judge, entry)
  for (const entry of judge.entries) faultOf(judge, entry)
  return judge
}

/** Why an operation does not count; null when it does. */
export function faultOf(judge: Judge, entry: OpEntry): Fault | null {
  const known = judge.faults.get(entry)
  if (known !== undefined) return known
  const fault = findFault(judge, entry)
  judge.faults.set(entry, fault)
  return fault
}

function findFault(judge: Judge, entry: OpEntry): Fault | null {
  const { args } = entry.op
  switch (args.kind) {
    case 'create':
    case 'leave':
    case 'deviceset':
      return null
    case 'unknown':
      return { reason: 'unknown-kind' }
    case 'grant':
      return usable(judge, entry) ?? adminGrant(judge, entry)
    case 'admit':
      return usable(judge, entry) ?? admission(judge, entry, args.invite, toHex(args.account))
    default:
      return usable(judge, entry)
  }
}

/** Whether the grant an operation cites carries it: it counts, nothing that ended it undoes the operation, and the device stands. */
function usable(judge: Judge, entry: OpEntry): Fault | null {
  const { cap } = entry
  if (cap !== undefined) {
    if (faultOf(judge, cap) !== null) return { reason: 'cap-void', by: cap.op.id }
    const ender = undoneBy(judge, cap, entry)
    if (ender !== undefined) return { reason: 'author-removed', by: ender.op.id }
  }
  return stands(judge, entry) ? null : { reason: 'device-out' }
}

/** Whether `ender` may end a grant: with authority, and unaware of it or before it; a later grant is a new word. */
export function mayEnd(ender: OpEntry, grant: OpEntry): boolean {
  if (inPast(grant, ender)) return false
  const { args } = ender.op
  if (args.kind === 'leave') return true
  if (ender.cap === undefined || !standsAbove(ender.cap, grant)) return false
  return args.kind !== 'demote' || (grant.grant?.rank ?? 0) < (ender.grant?.rank ?? 0)
}

/** What counts and ends a grant, highest authority first. */
export function endersOf(judge: Judge, grant: OpEntry): readonly OpEntry[] {
  const known = judge.enders.get(grant)
  if (known !== undefined) return known
  const about = judge.endings.get(grant.grant?.account ?? '') ?? []
  judge.work.steps += about.length
  const enders = about.filter((ender) => mayEnd(ender, grant) && faultOf(judge, ender) === null)
  enders.sort(byAuthority)
  judge.enders.set(grant, enders)
  return enders
}

/** Least role number, then least level, then canonical order; a leave speaks for itself and comes first. */
export const byAuthority = (a: OpEntry, b: OpEntry): number => compareAuthority(a, b) || canonicalOrder(a, b)

/** Authority of the grants two operations cite; negative when the first has more. */
export const compareAuthority = (a: OpEntry, b: OpEntry): number =>
  (a.cap?.grant?.rank ?? -1) - (b.cap?.grant?.rank ?? -1) ||
  (a.cap?.grant?.level ?? -1) - (b.cap?.grant?.level ?? -1)

/** What ended a grant and undoes an operation that cites it. */
function undoneBy(judge: Judge, cap: OpEntry, entry: OpEntry): OpEntry | undefined {
  const enders = endersOf(judge, cap)
  if (enders.length === 0 || entry.position < reachOf(judge, cap, entry.chain)) return undefined
  judge.work.steps += enders.length
  return enders.find((ender) => entry.position >= leaves(judge, ender, entry.chain))
}

/** How many operations of a chain all that ended a grant leave standing. */
function reachOf(judge: Judge, grant: OpEntry, chain: number): number {
  const key = `${grant.index} ${chain}`
  const known = judge.reaches.get(key)
  if (known !== undefined) return known
  let reach = Infinity
  for (const ender of endersOf(judge, grant)) reach = Math.min(reach, leaves(judge, ender, chain))
  judge.reaches.set(key, reach)
  return reach
}

/** How many operations of a chain one ending leaves: those its author saw and let stand; a leave, those before it. */
function leaves(judge: Judge, ender: OpEntry, chain: number): number {
  judge.work.steps += 1
  const { args } = ender.op
  const run = judge.set.chains[chain]
  if (args.kind === 'leave') return firstAware(judge, run, ender)
  const seen = ender.past[chain] ?? 0
  if (args.kind !== 'revoke' || run === undefined) return seen
  return Math.min(seen, coverOf(judge, lastSeenOf(args.frontier, run.by.slice(64)), chain))
}

/** Position of the first operation of a chain that knows of another, by bisection. */
function firstAware(judge: Judge, run: OpChain | undefined, of: OpEntry): number {
  let low = 0
  let high = run?.entries.length ?? 0
  while (low < high) {
    judge.work.steps += 1
    const middle = (low + high) >> 1
    const entry = run?.entries[middle]
    if (entry === undefined || inPast(entry, of)) high = middle
    else low = middle + 1
  }
  return low
}

/** How many operations of a chain the one that is named stands for: itself and what it has in its past. */
function coverOf(judge: Judge, named: LastSeen | undefined, chain: number): number {
  const id = named?.op?.id
  const entry = id === undefined ? undefined : judge.set.byId.get(toHex(id))
  if (entry === undefined) return 0
  return entry.chain === chain ? entry.position + 1 : (entry.past[chain] ?? 0)
}

/**
 * Whether the author's device stands, or this operation does though the device is out: the account's own other
 * devices say how far its words reach, and as long as they have not, everybody who saw them does. Nothing falls
 * because no word has come yet, and whoever was put out stays out until the account itself has spoken.
 */
function stands(judge: Judge, entry: OpEntry): boolean {
  const { byAccount, byDevice, by } = entry.op
  if (judge.standing(byAccount).has(byDevice)) return true
  const words = wordsOn(judge, by)
  if (words.length === 0) return true
  const covers = ({ seen }: Word): boolean => entry.position < coverOf(judge, seen, entry.chain)
  const cuts = lastCuts(judge, byAccount, by, (word) => reachesTo(judge, word.set, entry))
  if (cuts.length > 0) return cuts.every(covers)
  return words.some(covers) || (takesAway(entry) && isAwaited(judge, entry, words))
}

/** Removals, demotions, and the closing of a link. */
const takesAway = ({ op: { args } }: OpEntry): boolean =>
  args.kind === 'revoke' || args.kind === 'demote' || args.kind === 'close'

/** Whether the account's own word on a device is still to come: nothing has ended its part, and it has a device to speak. */
const isAwaited = (judge: Judge, { op, cap }: OpEntry, words: readonly Word[]): boolean =>
  cap !== undefined &&
  endersOf(judge, cap).length === 0 &&
  judge.standing(op.byAccount).size > 0 &&
  !words.some(({ set }) => set.op.byAccount === op.byAccount)

/** What standing devices said of this one. */
export function wordsOn(judge: Judge, by: string): readonly Word[] {
  const words = judge.words.get(by) ?? []
  judge.work.steps += words.length
  return words.filter(({ set: { op } }) => judge.standing(op.byAccount).has(op.byDevice))
}

/** Of what standing devices of its own account said of a device, the last of those that apply. */
export function lastCuts(
  judge: Judge,
  account: string,
  by: string,
  applies: (word: Word) => boolean,
): readonly Word[] {
  const lastOf = new Map<number, Word>()
  for (const word of wordsOn(judge, by).toReversed()) {
    const { op, chain } = word.set
    if (op.byAccount === account && !lastOf.has(chain) && applies(word)) lastOf.set(chain, word)
  }
  const last = [...lastOf.values()]
  judge.work.steps += last.length * last.length
  return last.filter((word) => !last.some((other) => inPast(other.set, word.set)))
}

/**
 * Whether a cut reaches an operation. What was written as a member it always does; what was written with
 * authority only on a grant no lower, still held: who was removed or has left undoes nothing.
 */
function reachesTo(judge: Judge, cut: OpEntry, entry: OpEntry): boolean {
  if ((entry.cap?.grant?.rank ?? 2) > 1) return true
  const { cap } = cut
  if (cap === undefined || compareAuthority(cut, entry) > 0 || faultOf(judge, cap) !== null) return false
  const enders = endersOf(judge, cap)
  judge.work.steps += enders.length
  return enders.every((ender) =>
    ender.op.args.kind === 'leave' ? inPast(ender, cut) : cut.position < leaves(judge, ender, cut.chain),
  )
}

/** An admin makes admins only where the owners said so. */
function adminGrant(judge: Judge, entry: OpEntry): Fault | null {
  if (entry.cap?.grant?.rank !== 1 || entry.grant?.rank !== 1) return null
  return forbidden(judge, 'adminsGrantAdmin', entry)
}

/**
 * Whether a setting forbids an operation: by what held in its past, or by a concurrent word. Whoever may say it
 * stands above whom it is said of: an owner above admins, an admin above members. Only what counts is asked, so
 * that an undone word permits nothing.
 */
function forbidden(judge: Judge, setting: 'adminsGrantAdmin' | 'membersAdmit', entry: OpEntry): Fault | null {
  const held = settingAt(judge, setting, entry.past)
  if (held === undefined || !allows(held)) return { reason: 'policy', by: held?.op.id ?? null }
  const against = (judge.policies.get(setting) ?? [])
    .flat()
    .filter((policy) => {
      judge.work.steps += 1
      if (allows(policy) || within(entry.past, policy) || inPast(policy, entry)) return false
      return faultOf(judge, policy) === null
    })
    .sort(canonicalOrder)[0]
  return against === undefined ? null : { reason: 'policy', by: against.op.id }
}

const allows = ({ op }: OpEntry): boolean =>
  op.args.kind === 'policy' && 'allowed' in op.args.change && op.args.change.allowed

/** The word on a setting that holds in a causally closed set: the last; of concurrent ones the highest authority's, then the lowest id's. */
export function settingAt(judge: Judge, setting: string, clock: Clock): OpEntry | undefined {
  const last: OpEntry[] = []
  for (const chain of judge.policies.get(setting) ?? []) {
    for (let at = chain.length - 1; at >= 0; at--) {
      judge.work.steps += 1
      const policy = chain[at]
      if (policy === undefined || !within(clock, policy) || faultOf(judge, policy) !== null) continue
      last.push(policy)
      break
    }
  }
  judge.work.steps += last.length * last.length
  return last
    .filter((one) => !last.some((other) => inPast(other, one)))
    .sort((a, b) => compareAuthority(a, b) || (a.op.key < b.op.key ? -1 : 1))[0]
}

/** An admission: by who may, on an invite that counts, that no removal has closed, and that is not used up. */
function admission(judge: Judge, entry: OpEntry, inviteId: OpId, account: string): Fault | null {
  const policy = (entry.cap?.grant?.rank ?? 2) > 1 ? forbidden(judge, 'membersAdmit', entry) : null
  if (policy !== null) return policy
  const invite = judge.set.byId.get(toHex(inviteId))
  if (invite?.op.args.kind !== 'invite' || faultOf(judge, invite) !== null)
    return { reason: 'invite-void', by: inviteId }
  const closer = closersOf(judge, invite, (ending) => inPast(ending, entry))[0]
  if (closer !== undefined) return { reason: 'invite-closed', by: closer.op.id }
  return useUp(judge, invite, invite.op.args.uses, entry, account)
}

/**
 * What counts and closes an invite, canonically first: revocations of it, and removals it did not know of. Those that
 * knew of the admission in question are no reason against it.
 */
export function closersOf(
  judge: Judge,
  invite: OpEntry,
  knew: (ending: OpEntry) => boolean,
): readonly OpEntry[] {
  const found: OpEntry[] = []
  for (const chain of judge.revokes) {
    for (const revoke of chain) {
      judge.work.steps += 1
      if (within(invite.past, revoke)) continue
      if (knew(revoke)) break
      if (faultOf(judge, revoke) === null) {
        found.push(revoke)
        break
      }
    }
  }
  const closes = judge.closes.get(invite.op.key) ?? []
  judge.work.steps += closes.length
  found.push(...closes.filter((close) => !knew(close) && faultOf(judge, close) === null))
  return found.sort(canonicalOrder)
}

function useUp(judge: Judge, invite: OpEntry, uses: number, entry: OpEntry, account: string): Fault | null {
  const users = judge.uses.get(invite.op.key) ?? new Map<string, OpEntry>()
  judge.uses.set(invite.op.key, users)
  if (users.has(account)) return null
  if (users.size < uses) {
    users.set(account, entry)
    return null
  }
  const unaware = [...users.values()].some((other) => !inPast(entry, other))
  return { reason: 'invite-used-up', by: invite.op.id, unaware }
}
