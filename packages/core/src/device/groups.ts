import {
  addMembershipOps,
  dropParked,
  emptyOpSet,
  groupHeads,
  membershipAt,
  readMembershipOp,
  type MembershipOp,
  resolveMembership,
  restoreOpSet,
  type AccountLogs,
  type AddedMembershipOps,
  type Conversation as MembershipOf,
  type ConversationId,
  type Membership,
  type OpId,
  type OpSet,
} from '../group/index.ts'
import { lapsed, type AccountId, type ActiveDevice, type DeviceLog } from '../identity/index.ts'
import { invariant, UsageError } from '../errors.ts'
import { limits } from '../limits.ts'
import { concat, equalBytes, idHex, toHex } from '../wire/index.ts'
import type { GroupMemo, Step } from './context.ts'
import { parsedLog, stateOf, storedLog } from './logs.ts'
import { requireMe } from './me.ts'
import { conversationKinds, conversationRows, logRows, opRows, type Conversation } from './tables.ts'
import { sureNow, wakeAt } from './timers.ts'

/** Heads whose meaning is kept. */
const rememberedHeads = 128
/** Segments past the newest known that the word of an operation may open. */
const segmentJump = 64

/** Every device log held here. */
export function logsOf(step: Step): AccountLogs {
  const logs = new Map<string, DeviceLog>()
  for (const row of step.tx.all(logRows)) {
    const log = parsedLog(step, row)
    logs.set(toHex(log.account.id), log)
  }
  return logs
}

const membershipKind = (step: Step, conversation: Conversation): MembershipOf => {
  const id = conversation.conversation as ConversationId
  if (conversation.kind === conversationKinds.group) return { kind: 'group', id }
  invariant(conversation.account, 'E_CONVERSATION', 'a direct conversation has another account')
  return { kind: 'direct', id, accounts: [requireMe(step).self.account, conversation.account] }
}

function memoOf(step: Step, conversation: Conversation): GroupMemo {
  const { live, crypto } = step.context
  const key = idHex(conversation.conversation)
  const { opCount } = step.tx.get(conversationRows, conversation.conversation) ?? conversation
  const known = live.groups.get(key)
  if (known?.opCount === opCount) return known
  const kind = membershipKind(step, conversation)
  const ops =
    opCount === 0
      ? []
      : step.tx.all(opRows).filter((row) => equalBytes(row.conversation, conversation.conversation))
  const set =
    ops.length === 0
      ? emptyOpSet(kind)
      : restoreOpSet(
          crypto,
          kind,
          ops.map(({ bytes }) => bytes),
          logsOf(step),
        )
  const lost = Math.max(0, opCount - set.entries.length)
  if (lost > 0) noteTorn(step, conversation)
  const memo: GroupMemo = { set, opCount, lost, now: undefined, at: new Map() }
  live.groups.set(key, memo)
  return memo
}

function noteTorn(step: Step, { conversation }: Conversation): void {
  const { torn } = step.context.live
  const key = idHex(conversation)
  if (!torn.has(key)) torn.set(key, { conversation, said: false, equal: new Set() })
  wakeAt(step, step.monoMs)
}

/** How many operations of a conversation were lost here and did not come again. */
export const lostOps = (step: Step, conversation: Conversation): number => memoOf(step, conversation).lost

/**
 * Whether it is not known here who is in a group: operations of it were lost. Until they came again nothing that was
 * decided by them is decided anew, and nothing is written there.
 */
export const isTorn = (step: Step, conversation: Conversation): boolean =>
  isGroup(conversation) && lostOps(step, conversation) > 0

/** Throws `E_MEMBERSHIP_DAMAGED` while operations are lost: one written now could say twice what was said before. */
export function requireWhole(step: Step, conversation: Conversation): void {
  if (lostOps(step, conversation) > 0)
    throw new UsageError('E_MEMBERSHIP_DAMAGED', 'what says who is in this conversation was damaged here', {
      hint: 'It is asked for again from the others in it. Try again when one of them was met.',
    })
}

/** The membership operations of a conversation. */
export const opSetOf = (step: Step, conversation: Conversation): OpSet => memoOf(step, conversation).set

/** What a record written now cites. */
export const headsNow = (step: Step, conversation: Conversation): readonly OpId[] =>
  groupHeads(opSetOf(step, conversation))

/** Who is in, and the rules, by everything held here. */
export function membershipOf(step: Step, conversation: Conversation): Membership {
  const memo = memoOf(step, conversation)
  const { logsVersion } = step.context.live
  if (memo.now?.logsVersion === logsVersion) return memo.now.value
  const value = resolveMembership(memo.set, logsOf(step))
  memo.now = { logsVersion, value }
  return value
}

/** What was said at these heads; undefined while one of them is not here. */
export function membershipThen(
  step: Step,
  conversation: Conversation,
  heads: readonly Uint8Array[],
): Membership | undefined {
  const memo = memoOf(step, conversation)
  const key = heads.map(toHex).join()
  const known = memo.at.get(key)
  if (known !== undefined) return known
  const found = membershipAt(memo.set, logsOf(step), heads as readonly OpId[])
  if (found === undefined) return undefined
  if (memo.at.size >= rememberedHeads) memo.at.clear()
  memo.at.set(key, found)
  return found
}

/** Adds operations to a conversation and stores those that entered; the caller refreshes its devices. */
export function addOpsTo(
  step: Step,
  conversation: Conversation,
  ops: readonly Uint8Array[],
): AddedMembershipOps {
  const { crypto, live } = step.context
  const memo = memoOf(step, conversation)
  const now = step.tx.get(conversationRows, conversation.conversation) ?? conversation
  const result = addMembershipOps(crypto, memo.set, ops, logsOf(step), step.nowMs)
  for (const op of result.added)
    step.tx.put(opRows, concat(conversation.conversation, op.id), {
      conversation: conversation.conversation,
      bytes: op.bytes,
    })
  const opCount = Math.max(result.set.entries.length, memo.lost > 0 ? now.opCount : 0)
  step.tx.put(conversationRows, conversation.conversation, { ...now, opCount })
  const lost = opCount - result.set.entries.length
  live.groups.set(idHex(conversation.conversation), {
    ...{ set: result.set, opCount, lost, at: memo.at },
    now: undefined,
  })
  tendWaiting(step, result.set)
  return result
}

/** Of operations that somebody shows, those that are new here and stand on what is known. */
export const newAmong = (
  step: Step,
  conversation: Conversation,
  ops: readonly Uint8Array[],
): readonly MembershipOp[] =>
  addMembershipOps(step.context.crypto, opSetOf(step, conversation), ops, logsOf(step), step.nowMs).added

/** Asks to be woken when the first operation from a clock ahead has waited long enough; true when one has by now. */
export function tendWaiting(step: Step, { parked }: OpSet): boolean {
  if (parked.size === 0) return false
  const dated = [...parked.values()].flatMap(({ op, awaiting }) => (awaiting === 'time' ? [op.tsMs] : []))
  const leftMs = Math.min(...dated) - limits.clockSkewMs - step.nowMs
  if (leftMs > 0 && leftMs < Infinity) wakeAt(step, step.monoMs + leftMs)
  return leftMs <= 0
}

/** Goes on with the operations that are here: those that name lost ones go, and come back if those do. */
export function giveUpLost(step: Step, conversation: Conversation): void {
  const { set, at } = memoOf(step, conversation)
  const id = conversation.conversation
  for (const row of step.tx.all(opRows)) {
    const op = equalBytes(row.conversation, id) ? readMembershipOp(step.context.crypto, row.bytes) : undefined
    if (op !== undefined && !set.byId.has(op.key)) step.tx.delete(opRows, concat(id, op.id))
  }
  const opCount = set.entries.length
  step.tx.put(conversationRows, id, {
    ...(step.tx.get(conversationRows, id) ?? conversation),
    opCount,
  })
  const whole = dropParked(set, () => false)
  step.context.live.groups.set(toHex(id), { set: whole, opCount, lost: 0, now: undefined, at })
}

/** Whether a conversation is a group. */
export const isGroup = ({ kind }: Conversation): boolean => kind === conversationKinds.group

/** Accounts that take part now, this one among them. */
export function accountsIn(step: Step, conversation: Conversation): readonly AccountId[] {
  const { self } = requireMe(step)
  if (conversation.kind === conversationKinds.group)
    return [...membershipOf(step, conversation).members.values()].map(({ account }) => account)
  const { account } = conversation
  return account === null || equalBytes(account, self.account) ? [self.account] : [self.account, account]
}

/** Whether this account takes part, or did when that was known last. */
export const takesPart = (step: Step, conversation: Conversation): boolean =>
  conversation.kind === conversationKinds.direct ||
  isTorn(step, conversation) ||
  membershipOf(step, conversation).members.has(toHex(requireMe(step).self.account))

/** Whether a group is known in part only: nothing of what came yet says that this account ever took part. */
export const isArriving = (step: Step, conversation: Conversation): boolean =>
  isGroup(conversation) &&
  !takesPart(step, conversation) &&
  !opSetOf(step, conversation).grants.has(toHex(requireMe(step).self.account))

/** The other devices that are to read what is written now: active by all that is known, and not lapsed. */
export function devicesNow(step: Step, conversation: Conversation): readonly ActiveDevice[] {
  if (!takesPart(step, conversation)) return []
  const { self } = requireMe(step)
  return accountsIn(step, conversation).flatMap((account) => {
    const log = storedLog(step, account)
    if (log === undefined) return []
    return [...stateOf(step, log).active.values()].filter(
      (one) => !equalBytes(one.device, self.device) && !lapsed(one, sureNow(step)),
    )
  })
}

/** Number of the segment that a newcomer's coming, or a rule, has opened: nothing new goes into an older one. */
export function leastSegment(step: Step, conversation: Conversation): number {
  const set = opSetOf(step, conversation)
  if (set.entries.length === 0) return 0
  const { faults } = membershipOf(step, conversation)
  const depths = set.entries.flatMap(({ op }) =>
    op.args.kind === 'seg' && !faults.has(op.key) ? [op.args.depth] : [],
  )
  return openedSegment(depths, conversation.segment)
}

/**
 * The segment that words of operations have opened, by the numbers they name and that of the newest segment held.
 * Who opens one names the next after those it knows; a number far past all others is a liar's and opens none.
 */
export function openedSegment(depths: readonly number[], newest: number): number {
  let opened = 0
  for (const depth of depths.toSorted((a, b) => a - b)) {
    if (depth > Math.max(opened, newest) + segmentJump) break
    opened = depth
  }
  return opened
}
