import {
  writeOp,
  type KnownOpArgs,
  type LastSeen,
  type Member,
  type MembershipOp,
  type OpAuthor,
} from '../group/index.ts'
import type { AccountId } from '../identity/index.ts'
import { InvariantError, UsageError } from '../errors.ts'
import { limits } from '../limits.ts'
import { idHex, toHex } from '../wire/index.ts'
import type { Step } from './context.ts'
import { conversationNow } from './conversations.ts'
import { newestSeen, ownCuts, ownSeen } from './cuts.ts'
import { opsCame } from './group-arrival.ts'
import { tellAll } from './group-exchange.ts'
import {
  addOpsTo,
  headsNow,
  isGroup,
  leastSegment,
  lostOps,
  membershipOf,
  membershipThen,
  opSetOf,
  requireWhole,
  tendWaiting,
} from './groups.ts'
import { headsOf, stateOf, storedLog } from './logs.ts'
import { isOwn, requireMe } from './me.ts'
import { conversationRows, joinRows, type Conversation } from './tables.ts'

/** Writing operations of a conversation's membership. */

export function opAuthor(step: Step): OpAuthor {
  const { self, identity } = requireMe(step)
  return { account: self.account, device: self.device, identity }
}

/** Heads of an account's device log as an operation pins them. */
export const pinnedHeads = (step: Step, account: AccountId) =>
  headsOf(storedLog(step, account)).slice(0, limits.deviceLogHeads)

/** This account's grant in a group. Throws `E_NOT_MEMBER` when it has none. */
export function requireMember(step: Step, conversation: Conversation): Member {
  requireWhole(step, conversation)
  const member = membershipOf(step, conversation).members.get(toHex(requireMe(step).self.account))
  if (member === undefined && step.tx.get(joinRows, conversation.conversation) !== undefined)
    throw new UsageError('E_NOT_ADMITTED', 'nobody has let this account into the group yet')
  if (member === undefined)
    throw new UsageError('E_NOT_MEMBER', 'this account is no member of the group any longer')
  return member
}

/**
 * Writes an operation, adds it here as a peer would, and has every device told. Throws `E_NOT_ALLOWED` when the rules
 * would not let it count: then nothing of it is kept.
 */
export async function writeGroupOp(
  step: Step,
  conversation: Conversation,
  args: KnownOpArgs,
): Promise<MembershipOp> {
  requireWhole(step, conversation)
  await pinOwnDevice(step, conversation)
  const before = membershipOf(step, conversation)
  const op = addOwnOp(step, conversation, args)
  if (resolveFault(step, conversation, op))
    throw new UsageError('E_NOT_ALLOWED', 'the rules of this conversation do not allow that', {
      hint: 'sotto group members GROUP',
    })
  await opsCame(step, conversation, before, [op])
  tellAll(step, conversation)
  return op
}

const resolveFault = (step: Step, conversation: Conversation, op: MembershipOp): boolean =>
  membershipOf(step, conversation).faults.has(op.key)

/** `leave` and `deviceset` cite no grant; nothing in a direct conversation does. */
const citesNone: ReadonlySet<KnownOpArgs['kind']> = new Set(['leave', 'deviceset', 'create'])

/**
 * Takes in the operations that waited for a time or for a device log and need not any more: they are not to enter
 * unnoticed beside an own one.
 */
export async function admitWaiting(step: Step, conversation: Conversation): Promise<void> {
  if (opSetOf(step, conversation).parked.size === 0) return
  const before = membershipOf(step, conversation)
  const { added } = addOpsTo(step, conversation, [])
  if (added.length > 0) await opsCame(step, conversation, before, added)
}

/** Takes in operations from clocks ahead when their time has come. */
export async function admitInTime(step: Step): Promise<void> {
  for (const conversation of step.tx.all(conversationRows))
    if (tendWaiting(step, opSetOf(step, conversation))) await admitWaiting(step, conversation)
}

/**
 * Writes an operation and adds it here as a peer would, after `admitWaiting`. Throws `E_NOT_ALLOWED` when it is
 * refused.
 */
export function addOwnOp(step: Step, conversation: Conversation, args: KnownOpArgs): MembershipOp {
  const set = opSetOf(step, conversation)
  const { self } = requireMe(step)
  const member = membershipOf(step, conversation).members.get(idHex(self.account))
  const terms = {
    cap: citesNone.has(args.kind) ? null : (member?.grant ?? null),
    accountHeads: pinnedHeads(step, self.account),
    tsMs: step.nowMs,
  }
  const op = writeOp(step.context.crypto, set, opAuthor(step), terms, args)
  const { added, rejected } = addOpsTo(step, conversation, [op.bytes])
  if (added.some(({ key }) => key === op.key)) return op
  const reason = rejected[0]?.reason
  if (reason === undefined) throw new InvariantError('E_GROUP_OP', 'an own operation had to wait')
  throw new UsageError('E_NOT_ALLOWED', 'the rules of this conversation do not allow that', {
    detail: { reason },
    hint: 'sotto group members GROUP',
  })
}

/** What is written from now on goes into a segment of its own, unless nothing was written yet: somebody comes. */
export async function openSegment(step: Step, conversation: Conversation): Promise<void> {
  const now = conversationNow(step, conversation)
  if (now.count === 0 && now.aseq === 0 && leastSegment(step, now) === 0) return
  const depth = Math.max(now.segment, leastSegment(step, now)) + 1
  await writeGroupOp(step, now, { kind: 'seg', depth })
}

/**
 * A record counts only if its device is active at the heads it cites. Before a device writes for the first time after
 * it was added, or when there are more heads than a record can cite, it writes down which devices its account has.
 */
export async function pinOwnDevice(step: Step, conversation: Conversation): Promise<void> {
  const { self } = requireMe(step)
  if (lostOps(step, conversation) > 0) return
  await admitWaiting(step, conversation)
  const now = conversationNow(step, conversation)
  const heads = headsNow(step, now)
  const then = membershipThen(step, now, heads)
  const state = then?.accounts.get(idHex(self.account))
  const known = state === undefined ? !isGroup(now) : state.active.has(idHex(self.device))
  if (known && heads.length <= limits.recordLinks) return
  addOwnOp(step, now, {
    kind: 'deviceset',
    account: self.account,
    heads: pinnedHeads(step, self.account),
    last: ownWord(step, now),
  })
  tellAll(step, now)
}

/** How far the words reach of the account's devices that are out, and have come of this one, for whoever may remove it. */
const ownWord = (step: Step, conversation: Conversation): readonly LastSeen[] => [
  ...ownCuts(step, conversation).slice(0, limits.frontierDevices - 1),
  ownSeen(step, conversation),
]

/** Writes down which devices the members have, where the operations do not say what the device logs say now. */
export async function pinDevices(step: Step, before: Conversation): Promise<void> {
  const { members } = membershipOf(step, conversationNow(step, before))
  for (const { account } of members.values()) await pinDevicesOf(step, before, account)
}

/** The same of one account. */
export async function pinDevicesOf(step: Step, before: Conversation, account: AccountId): Promise<void> {
  await admitWaiting(step, before)
  const conversation = conversationNow(step, before)
  const log = storedLog(step, account)
  if (log === undefined) return
  const now = stateOf(step, log).active
  const then = membershipThen(step, conversation, headsNow(step, conversation))
  const pinned = then?.accounts.get(idHex(account))?.active
  if (pinned !== undefined && pinned.size === now.size && [...now.keys()].every((key) => pinned.has(key)))
    return
  const own = isOwn(step, { account })
  const last = own
    ? ownWord(step, conversation)
    : newestSeen(step, conversation, account).filter((seen) => !now.has(idHex(seen.device)))
  const args = { kind: 'deviceset', account, heads: pinnedHeads(step, account), last } as const
  const was = membershipOf(step, conversation)
  await opsCame(step, conversation, was, [addOwnOp(step, conversation, args)])
  tellAll(step, conversation)
}
