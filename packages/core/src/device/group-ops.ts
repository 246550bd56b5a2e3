import {
  newestOps,
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
import { equalBytes, toHex } from '../wire/index.ts'
import type { Step } from './context.ts'
import { conversationNow } from './conversations.ts'
import { opsCame } from './group-arrival.ts'
import { tellAll } from './group-exchange.ts'
import {
  addOpsTo,
  headsNow,
  isGroup,
  leastSegment,
  membershipOf,
  membershipThen,
  opSetOf,
  takesPart,
} from './groups.ts'
import { headsOf, stateOf, storedLog } from './logs.ts'
import { requireMe } from './me.ts'
import { joinRows, type Conversation } from './tables.ts'

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
  pinOwnDevice(step, conversation)
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

function addOwnOp(step: Step, conversation: Conversation, args: KnownOpArgs): MembershipOp {
  const set = opSetOf(step, conversation)
  const { self } = requireMe(step)
  const member = membershipOf(step, conversation).members.get(toHex(self.account))
  const terms = {
    cap: citesNone.has(args.kind) ? null : (member?.grant ?? null),
    accountHeads: pinnedHeads(step, self.account),
    tsMs: step.nowMs,
  }
  const op = writeOp(step.context.crypto, set, opAuthor(step), terms, args)
  const { added, rejected } = addOpsTo(step, conversation, [op.bytes])
  if (added.length === 1) return op
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
export function pinOwnDevice(step: Step, conversation: Conversation): void {
  const { self } = requireMe(step)
  const now = conversationNow(step, conversation)
  const heads = headsNow(step, now)
  const then = membershipThen(step, now, heads)
  const state = then?.accounts.get(toHex(self.account))
  const known = state === undefined ? !isGroup(now) : state.active.has(toHex(self.device))
  if (known && heads.length <= limits.recordLinks) return
  addOwnOp(step, now, {
    kind: 'deviceset',
    account: self.account,
    heads: pinnedHeads(step, self.account),
    last: ownCuts(step, now),
  })
  tellAll(step, now)
}

/** Writes down which devices the members have, where the operations do not say what the device logs say now. */
export async function pinDevices(step: Step, before: Conversation): Promise<void> {
  const conversation = conversationNow(step, before)
  const then = membershipThen(step, conversation, headsNow(step, conversation))
  for (const { account } of membershipOf(step, conversation).members.values()) {
    const log = storedLog(step, account)
    if (log === undefined) continue
    const now = stateOf(step, log).active
    const pinned = then?.accounts.get(toHex(account))?.active
    if (pinned !== undefined && pinned.size === now.size && [...now.keys()].every((key) => pinned.has(key)))
      continue
    const own = equalBytes(account, requireMe(step).self.account)
    const last = own
      ? ownCuts(step, conversation)
      : newestSeen(step, conversation, account).filter((seen) => !now.has(toHex(seen.device)))
    const args = { kind: 'deviceset', account, heads: pinnedHeads(step, account), last } as const
    const was = membershipOf(step, conversation)
    await opsCame(step, conversation, was, [addOwnOp(step, conversationNow(step, conversation), args)])
    tellAll(step, conversation)
  }
}

/**
 * Writes down how far the words of this account's removed devices reach in a conversation. Of one that never wrote
 * there nothing is named, so nothing counts that it may have written unseen.
 */
export async function writeCut(step: Step, conversation: Conversation): Promise<void> {
  if (!takesPart(step, conversation)) return
  const before = membershipOf(step, conversation)
  const { self } = requireMe(step)
  const args = {
    kind: 'deviceset',
    account: self.account,
    heads: pinnedHeads(step, self.account),
    last: ownCuts(step, conversation),
  } as const
  await opsCame(step, conversation, before, [addOwnOp(step, conversation, args)])
}

/**
 * The own account's devices that are out, with how far their words reach: as far as this account has said before, or
 * else as they are held here. What such a device went on to write is held, too, and must not come to count with the
 * next word on it; nor may one that wrote nothing be left to what others say of it.
 */
export function ownCuts(step: Step, conversation: Conversation): readonly LastSeen[] {
  const { self } = requireMe(step)
  const log = storedLog(step, self.account)
  if (log === undefined) return []
  const { active } = stateOf(step, log)
  const held = new Map(
    newestSeen(step, conversation, self.account).map((seen) => [toHex(seen.device), seen] as const),
  )
  const said = ownWords(step, conversation, active)
  const cuts = [...log.certificates.values()]
    .filter(({ device }) => !active.has(toHex(device)))
    .map(({ device }) => {
      const key = toHex(device)
      return said.get(key) ?? held.get(key) ?? { device, record: null, op: null }
    })
  const wrote = ({ record, op }: LastSeen): number => (record === null && op === null ? 1 : 0)
  return cuts.toSorted((a, b) => wrote(a) - wrote(b)).slice(0, limits.frontierDevices)
}

/**
 * The narrowest this account has said of each of its devices, by devices that are active, or that are going out only
 * now: a word of one that was out is none, and what one said before it goes must not be forgotten.
 */
function ownWords(
  step: Step,
  conversation: Conversation,
  active: ReadonlyMap<string, unknown>,
): ReadonlyMap<string, LastSeen> {
  const own = toHex(requireMe(step).self.account)
  const words = opSetOf(step, conversation).entries.flatMap(({ op }) =>
    op.args.kind === 'deviceset' && op.byAccount === own && toHex(op.args.account) === own
      ? op.args.last.map((seen) => ({ seen, by: op.byDevice }))
      : [],
  )
  const cut = new Set(words.filter(({ by }) => active.has(by)).map(({ seen }) => toHex(seen.device)))
  const narrowest = new Map<string, LastSeen>()
  for (const { seen, by } of words) {
    const key = toHex(seen.device)
    if (by === key || (!active.has(by) && cut.has(by))) continue
    narrowest.set(key, narrower(narrowest.get(key) ?? seen, seen))
  }
  return narrowest
}

const narrower = (a: LastSeen, b: LastSeen): LastSeen => ({
  device: a.device,
  record: (a.record?.aseq ?? -1) <= (b.record?.aseq ?? -1) ? a.record : b.record,
  op: (a.op?.oseq ?? -1) <= (b.op?.oseq ?? -1) ? a.op : b.op,
})

/** The newest record and operation held of each device of an account. */
export function newestSeen(step: Step, conversation: Conversation, account: AccountId): readonly LastSeen[] {
  const found = new Map<string, LastSeen>()
  for (const seen of newestOps(opSetOf(step, conversation), account)) found.set(toHex(seen.device), seen)
  for (const remote of conversationNow(step, conversation).remotes) {
    if (!equalBytes(remote.account, account) || remote.last === null) continue
    const key = toHex(remote.device)
    found.set(key, { device: remote.device, op: found.get(key)?.op ?? null, record: remote.last })
  }
  return [...found.values()].slice(0, limits.frontierDevices)
}
