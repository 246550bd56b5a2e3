import { idOf } from '../crypto/index.ts'
import {
  groupHeads,
  inPast,
  missingOpsFrom,
  type MembershipOp,
  type OpId,
  type OpSet,
} from '../group/index.ts'
import type { AccountId, DeviceAddress } from '../identity/index.ts'
import { limits } from '../limits.ts'
import { encodeCbor, equalBytes, idHex, idKey, toHex } from '../wire/index.ts'
import { accountItem, sizeOf, withinBytes } from './accounts.ts'
import type { Step } from './context.ts'
import { conversationNow, findRemote } from './conversations.ts'
import { siblingsSeen } from './cuts.ts'
import {
  changesSince,
  keepState,
  keptLogs,
  putStanding,
  saidLogs,
  standingOf,
  tellAtOnce,
} from './group-standing.ts'
import { accountsIn, isArriving, membershipOf, opSetOf, takesPart } from './groups.ts'
import { activeDevice, headsOf, storedLog } from './logs.ts'
import { isOwn, requireMe } from './me.ts'
import { sureNow } from './timers.ts'
import type { AccountHeads, PayloadItem } from './payload.ts'
import {
  contactRows,
  contactStates,
  conversationKinds,
  joinRows,
  type Conversation,
  type Join,
  type Peer,
  type Standing,
} from './tables.ts'

/**
 * How devices come to know the same operations and device logs of a conversation. Who writes an operation tells
 * every device; who meets a device, or is cited heads it does not know, compares. Each message of the exchange says
 * how things stand here and adds what the other side seems to lack; it ends when both say the same digest.
 */

type GroupItem = Extract<PayloadItem, { readonly kind: 'group' }>

/** Operations and device logs of a conversation, by their heads. */
export interface GroupState {
  readonly heads: readonly OpId[]
  readonly logs: readonly AccountHeads[]
  readonly digest: Uint8Array
}

export function groupState(step: Step, conversation: Conversation): GroupState {
  const heads = groupHeads(opSetOf(step, conversation)).slice(0, limits.payloadGroupHeads)
  const logs = withinLogs(
    accountsTold(step, conversation).map((account) => ({
      account,
      heads: headsOf(storedLog(step, account)).slice(0, limits.deviceLogHeads),
    })),
  )
  return { heads, logs, digest: stateDigest(step, heads, logs) }
}

/** Bytes of an account or a head where it is named. */
const namedBytes = 35

const bytesOf = ({ heads }: AccountHeads): number => (heads.length + 1) * namedBytes

/** The first ones that fit their share of a payload; both sides leave out the same. */
export function withinLogs(logs: readonly AccountHeads[]): readonly AccountHeads[] {
  let size = 0
  return logs.filter((one) => (size += bytesOf(one)) <= limits.payloadGroupBytes / 2)
}

/** Digest of what a side says it holds. */
export const stateDigest = (
  step: Step,
  heads: readonly Uint8Array[],
  logs: readonly AccountHeads[],
): Uint8Array =>
  idOf(
    step.context.crypto,
    'group-state',
    encodeCbor([[...heads], logs.map(({ account, heads: own }) => [account, [...own]])]),
  )

/** Accounts whose logs both sides should know: those its operations pin, and among own devices every contact's. */
function accountsTold(step: Step, conversation: Conversation): readonly AccountId[] {
  const found = new Map<string, AccountId>()
  const add = (account: AccountId): void => void found.set(idHex(account), account)
  for (const account of accountsIn(step, conversation)) add(account)
  for (const state of membershipOf(step, conversation).accounts.values()) add(state.account)
  if (isNotes(step, conversation))
    for (const contact of step.tx.all(contactRows)) if (shared.has(contact.state)) add(contact.account)
  return [...found]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, account]) => account)
    .slice(0, limits.conversationAccounts)
}

/** Contacts that all devices of an account know. */
const shared: ReadonlySet<number> = new Set([
  contactStates.connected,
  contactStates.blocked,
  contactStates.own,
])

/** Whether a conversation is the account's with itself. */
export const isNotes = (step: Step, { account, kind }: Conversation): boolean =>
  kind === conversationKinds.direct && account !== null && equalBytes(account, requireMe(step).self.account)

/**
 * Every device of a conversation is to be told how it stands; also those that took part until now, so that whoever
 * was removed knows it.
 */
export function tellAll(step: Step, before: Conversation): void {
  const conversation = conversationNow(step, before)
  for (const remote of conversation.remotes)
    if (remote.active || findRemote(before, remote.device)?.active === true)
      tellOne(step, conversation, remote)
}

/** One device is to be told how the conversation stands here. */
export function tellOne(step: Step, conversation: Conversation, peer: DeviceAddress): void {
  tellAtOnce(step, conversation, peer)
  tellInTurn(step, conversation, peer)
}

/** As `tellOne`, for what others have changed: once for all that comes from relays together. */
export const tellInTurn = (step: Step, conversation: Conversation, peer: DeviceAddress): void =>
  putStanding(step, conversation, { ...standingOf(step, conversation, peer), due: true })

/** Whether a conversation has anything that its devices compare: operations, or contacts shared by own devices. */
export const isCompared = (step: Step, conversation: Conversation): boolean =>
  conversation.opCount > 0 || isNotes(step, conversation)

/** Two devices meet: where they did not agree on what stands here now, they compare. */
export function compareOnMeeting(step: Step, conversation: Conversation, peer: Peer): void {
  const join = step.tx.get(joinRows, conversation.conversation)
  if (join !== undefined) {
    const { agreed } = standingOf(step, conversation, peer)
    const over = join.refused !== null || sureNow(step) >= join.expiresAtMs
    if (!over && (agreed === null || !equalBytes(agreed, join.invite))) tellOne(step, conversation, peer)
    return
  }
  if (!isCompared(step, conversation)) return
  const { agreed } = standingOf(step, conversation, peer)
  if (agreed !== null && equalBytes(agreed, groupState(step, conversation).digest)) return
  tellOne(step, conversation, peer)
}

/**
 * The items that say how a conversation stands here, with what the device seems to lack, as far as it fits. Whoever
 * is out is told what put them out, until they say that they know it, and who is left behind that this account left. Own
 * devices agree on all of it, also when the account is out: whichever of them it left on, the others are to know.
 */
export function stateItems(
  step: Step,
  conversation: Conversation,
  peer: Peer,
  met: boolean,
): { readonly items: readonly PayloadItem[]; readonly digest: Uint8Array | undefined } {
  const standing = standingOf(step, conversation, peer)
  const set = opSetOf(step, conversation)
  const budget = met ? limits.payloadGroupBytes / 2 : limits.payloadGroupBytes / 8
  const id = conversation.conversation
  const join = step.tx.get(joinRows, id)
  if (join !== undefined || isArriving(step, conversation)) {
    const heads = groupHeads(set).slice(0, limits.payloadGroupHeads)
    const known = { ...bareState(conversation, heads), logs: logsKnown(step, standing.logs) }
    return join === undefined
      ? { items: [known], digest: undefined }
      : { items: [joinItem(step, join), known], digest: join.invite }
  }
  if (!isOwn(step, peer) && findRemote(conversation, peer.device)?.active !== true) {
    const heads = endingsFor(step, conversation, peer)
    const lacking = new Set(missingOpsFrom(set, standing.heads).ops)
    const past = pastOf(set, heads).filter((op) => lacking.has(op))
    const bytes = past.map((op) => op.bytes)
    const ops = withinBytes(bytes, limits.groupParkedOps, budget)
    const known = bareState(conversation, heads, ops)
    // Whoever is out, or left behind by this account, says that they know it.
    const digest = heads.length > 0 ? stateDigest(step, heads, []) : undefined
    return { items: [...namedIn(step, conversation, peer, heads, budget), known], digest }
  }
  const state = groupState(step, conversation)
  const lacking = missingOpsFrom(set, standing.heads).ops
  // Whoever agrees speaks against it, also when things have moved on here before that is heard.
  keepState(step, conversation, state)
  const said = logsSaid(step, conversation, standing, state)
  const logsBytes = said.logs.reduce((sum, one) => sum + bytesOf(one), 0)
  const room = met ? limits.payloadGroupBytes - logsBytes : 2 * budget
  const opBytes = Math.max(room / 2, limits.groupOpBytes)
  const ops = withinBytes(
    lacking.map(({ bytes }) => bytes),
    limits.groupParkedOps,
    opBytes,
  )
  const accounts = namesOf(step, conversation)
  const logs = inOrderOf(lacking, state.logs)
  const items = [...introductions(step, conversation, peer, logs, room - sizeOf(ops))]
  items.push({ kind: 'group', conversation: id, accounts, heads: state.heads, ...said, ops })
  const last = standing.agreed === null ? siblingsSeen(step, conversation, peer) : undefined
  if (last !== undefined) items.push({ kind: 'siblings', conversation: id, last })
  return { items, digest: state.digest }
}

/** Of device logs that somebody named, how they stand here. */
export const logsKnown = (step: Step, named: readonly AccountHeads[]): readonly AccountHeads[] =>
  withinLogs(
    named.map(({ account }) => ({
      account,
      heads: headsOf(storedLog(step, account)).slice(0, limits.deviceLogHeads),
    })),
  )

/**
 * Device logs in the order in which operations stand on them, then the rest: with as many as fit, the first of these
 * operations count, and the exchange moves on.
 */
function inOrderOf(ops: readonly MembershipOp[], logs: readonly AccountHeads[]): readonly AccountHeads[] {
  const place = new Map<string, number>()
  for (const { account, args } of ops)
    for (const pinned of 'account' in args ? [account, args.account] : [account])
      if (!place.has(toHex(pinned))) place.set(toHex(pinned), place.size)
  const at = ({ account }: AccountHeads): number => place.get(idHex(account)) ?? place.size
  return logs.toSorted((a, b) => at(a) - at(b))
}

/** Heads and operations alone: how things stand with somebody who is not, or not yet, one of a conversation. */
export const bareState = (
  { conversation }: Pick<Conversation, 'conversation'>,
  heads: readonly OpId[] = [],
  ops: readonly Uint8Array[] = [],
): GroupItem => ({ kind: 'group', conversation, accounts: [], heads, since: null, logs: [], ops })

/** The device logs of a state as they are said to a device: what changed since both agreed, where both know that. */
function logsSaid(
  step: Step,
  conversation: Conversation,
  { since }: Standing,
  { logs }: GroupState,
): Pick<GroupItem, 'since' | 'logs'> {
  const base = keptLogs(step, conversation, since)
  const changed = base === undefined ? undefined : changesSince(base, logs)
  return changed === undefined ? { since: null, logs } : { since, logs: changed }
}

const joinItem = (step: Step, { conversation, invite, proof }: Join): PayloadItem => ({
  kind: 'join',
  ...{ conversation, invite, proof },
  account: requireMe(step).self.account,
})

/** Accounts that operations are about and that whoever is told of them may not know. */
function namedIn(
  step: Step,
  conversation: Conversation,
  peer: Peer,
  heads: readonly OpId[],
  budget: number,
): readonly PayloadItem[] {
  const { byId } = opSetOf(step, conversation)
  return heads.flatMap((head) => {
    const args = byId.get(toHex(head))?.op.args
    if (args?.kind !== 'admit' || equalBytes(args.account, peer.account)) return []
    const item = accountItem(step, args.account, [], budget / 4)
    return item === undefined ? [] : [item]
  })
}

/** Accounts of these whose logs the device seems to lack. */
function introductions(
  step: Step,
  conversation: Conversation,
  peer: Peer,
  logs: readonly AccountHeads[],
  budget: number,
): readonly PayloadItem[] {
  const said = saidLogs(step, conversation, standingOf(step, conversation, peer))
  const byAccount = new Map(said.map((one) => [idKey(one.account), one]))
  const { self } = requireMe(step)
  const items: PayloadItem[] = []
  let left = budget
  for (const { account, heads } of logs) {
    const told = byAccount.get(idKey(account))
    // Somebody else's device knows its own account, but for what another one of it did that it has not met since. A
    // sibling hears of the others here: it has no contact's card to find them by.
    const isTheirs = equalBytes(account, peer.account) && !equalBytes(account, self.account)
    if (isTheirs && told === undefined) continue
    if (told !== undefined && heads.every((head) => told.heads.some((one) => equalBytes(one, head)))) continue
    const item = accountItem(step, account, told?.heads ?? [], Math.max(left, 0))
    if (item?.kind !== 'account') continue
    left -= sizeOf([item.genesis, ...item.ops, ...item.bundles])
    items.push(item)
    if (left < limits.bundleBytes || items.length >= limits.payloadItems / 2) break
  }
  return items
}

/** The two accounts of a direct conversation. */
function namesOf(step: Step, { kind, account }: Conversation): readonly AccountId[] {
  if (kind !== conversationKinds.direct || account === null) return []
  return [requireMe(step).self.account, account]
}

/** The operations that ended an account's part. */
const removalsOf = (set: OpSet, account: AccountId): readonly OpId[] =>
  set.entries
    .filter(
      ({ op }) =>
        (op.args.kind === 'revoke' && equalBytes(op.args.account, account)) ||
        (op.args.kind === 'leave' && equalBytes(op.account, account)),
    )
    .map(({ op }) => op.id)
    .slice(-limits.payloadGroupHeads)

/** The last operation of this device. */
function lastOwn(step: Step, set: OpSet): readonly OpId[] {
  const device = toHex(requireMe(step).self.device)
  const last = set.entries.findLast(({ op }) => op.byDevice === device)
  return last === undefined ? [] : [last.op.id]
}

/**
 * What somebody who is no longer spoken with has to know: what put them out, and what put this account out, with what
 * this device wrote before it knew of that.
 */
function endingsFor(step: Step, conversation: Conversation, peer: Peer): readonly OpId[] {
  const set = opSetOf(step, conversation)
  const own = takesPart(step, conversation)
    ? []
    : [...removalsOf(set, requireMe(step).self.account), ...lastOwn(step, set)]
  const theirs = removalsOf(set, peer.account)
  const ends = [...own, ...theirs, ...undoingsOf(step, conversation, peer.account)]
  const told = new Map([...ends, ...wordsOnAuthors(step, set, ends)].map((id) => [toHex(id), id]))
  return [...told.values()].slice(0, limits.payloadGroupHeads)
}

/**
 * Where the device that wrote an operation is out itself by now, it counts as far as words on that device say: the
 * first of them, the account's own before others'.
 */
function wordsOnAuthors(step: Step, set: OpSet, ids: readonly OpId[]): readonly OpId[] {
  const ops = ids.flatMap((id) => set.byId.get(toHex(id))?.op ?? [])
  return ops.flatMap(({ account, device }) => {
    const log = storedLog(step, account)
    if (log === undefined || activeDevice(step, log, device) !== undefined) return []
    const words = set.entries.filter(
      ({ op: { args } }) =>
        args.kind === 'deviceset' &&
        equalBytes(args.account, account) &&
        args.last.some((one) => equalBytes(one.device, device)),
    )
    // Later words say the same again, and have more in their past that is no matter of whoever is told.
    const own = words.filter(({ op }) => equalBytes(op.account, account))
    return [...new Set([...own, ...words])].slice(0, wordsTold).map(({ op }) => op.id)
  })
}

/** How many words of an account on its devices are told beside what one of them did. */
const wordsTold = 4

/** Whether somebody ended an account's part, as against a grant of it that turned out to count for nothing. */
export const isRemoved = (step: Step, conversation: Conversation, account: AccountId): boolean =>
  removalsOf(opSetOf(step, conversation), account).length > 0

/** Whether a grant of an account turned out to count for nothing, or it is out without anybody's having ended its part. */
export const isUndone = (step: Step, conversation: Conversation, account: AccountId): boolean =>
  undoingsOf(step, conversation, account).length > 0 || !isRemoved(step, conversation, account)

/**
 * Why grants of an account count for nothing: what undid them, words on the device that wrote one, and who came first by
 * a link that was used up. Of those it had before it was put out, or left, nothing: whoever is gone hears no more of what
 * became of the group.
 */
function undoingsOf(step: Step, conversation: Conversation, account: AccountId): readonly OpId[] {
  const set = opSetOf(step, conversation)
  const { faults, judge } = membershipOf(step, conversation)
  const ends = removalsOf(set, account).flatMap((id) => set.byId.get(toHex(id)) ?? [])
  const since = (set.grants.get(idHex(account)) ?? []).filter((grant) =>
    ends.every((end) => inPast(grant, end)),
  )
  return since.flatMap(({ op }) => {
    const fault = faults.get(op.key)
    if (fault?.reason === 'device-out') return wordsOnAuthors(step, set, [op.id])
    if (fault === undefined || !('by' in fault) || fault.by === null) return []
    if (fault.reason !== 'invite-used-up') return [fault.by]
    return [...(judge.uses.get(toHex(fault.by))?.values() ?? [])].map((first) => first.op.id)
  })
}

/** Operations and everything before them, each after those it names. */
function pastOf(set: OpSet, heads: readonly OpId[]): readonly MembershipOp[] {
  const seen = new Set<OpEntryOf>()
  const open = heads.flatMap((head) => set.byId.get(toHex(head)) ?? [])
  for (let entry = open.pop(); entry !== undefined; entry = open.pop()) {
    if (seen.has(entry)) continue
    seen.add(entry)
    open.push(...entry.deps)
  }
  return set.entries.filter((entry) => seen.has(entry)).map(({ op }) => op)
}

type OpEntryOf = OpSet['entries'][number]
