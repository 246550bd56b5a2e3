import type { LastSeen } from '../group/index.ts'
import { cutBefore, writeDeviceOp, type AccountId, type DeviceId, type DeviceLog } from '../identity/index.ts'
import { limits } from '../limits.ts'
import { equalBytes, fromHex, idHex, toHex } from '../wire/index.ts'
import { extendLog } from './accounts.ts'
import type { Step } from './context.ts'
import { isTalkedWith } from './contacts.ts'
import { conversationNow } from './conversations.ts'
import { newestSeen, ownCuts, removedHere, unheardOf } from './cuts.ts'
import { opsCame } from './group-arrival.ts'
import { isRemoved, tellAll, tellOne } from './group-exchange.ts'
import { addOwnOp, admitWaiting, pinnedHeads } from './group-ops.ts'
import { isGroup, lostOps, membershipOf, opSetOf, takesPart } from './groups.ts'
import { stateOf, storedLog } from './logs.ts'
import { requireMe } from './me.ts'
import { conversationRows, type Conversation, type Remote } from './tables.ts'

/**
 * Writes down how far the words of this account's removed devices reach in a conversation. Of one that never wrote
 * there nothing is named, so nothing counts that it may have written unseen. `going` is the one that is put out now.
 */
export async function writeCut(
  step: Step,
  conversation: Conversation,
  going: DeviceId | null = null,
): Promise<void> {
  const takes = takesPart(step, conversation)
  if ((!takes && !hasLeft(step, conversation)) || lostOps(step, conversation) > 0) return
  await admitWaiting(step, conversation)
  const before = membershipOf(step, conversation)
  const { self } = requireMe(step)
  const args = {
    kind: 'deviceset',
    account: self.account,
    heads: pinnedHeads(step, self.account),
    last: ownCuts(step, conversation, going),
  } as const
  await opsCame(step, conversation, before, [addOwnOp(step, conversation, args)])
  const now = conversationNow(step, conversation)
  // Who took part with this account is told by whoever left as well, or a thief would go on speaking for it there.
  const told = takes ? putOutBy(step, now, args.last) : now.remotes
  for (const remote of told) tellOne(step, conversation, remote)
}

/**
 * Takes another device of this account off the list. In the same batch its words are cut in every conversation known
 * here, as far as they came.
 */
export async function revokeOwn(step: Step, log: DeviceLog, device: DeviceId): Promise<void> {
  const { identity, self } = requireMe(step)
  const own = { identity, device: self.device }
  // Everything known of it stands, whatever clocks say: among it may be the removal of a third device.
  const cut = cutBefore(log, device, Infinity)
  const op = writeDeviceOp(step.context.crypto, log, own, { kind: 'revoke', device, cut }, step.nowMs)
  extendLog(step, log, [op.bytes])
  for (const conversation of step.tx.all(conversationRows)) {
    await writeCut(step, conversation, device)
    tellAll(step, conversation)
  }
}

/** Devices of accounts whose part these devices ended: they are out themselves, and may have told nobody. */
function putOutBy(step: Step, conversation: Conversation, gone: readonly LastSeen[]): readonly Remote[] {
  const enders = new Set(gone.map(({ device }) => idHex(device)))
  const ended = new Set(
    opSetOf(step, conversation).entries.flatMap(({ op: { args, byDevice } }) =>
      args.kind === 'revoke' && enders.has(byDevice) ? [idHex(args.account)] : [],
    ),
  )
  return conversation.remotes.filter(({ account, active }) => !active && ended.has(idHex(account)))
}

/** Whether this account went of its own accord; where others put it out, they said how far its words reach. */
const hasLeft = (step: Step, conversation: Conversation): boolean => {
  const own = toHex(requireMe(step).self.account)
  return opSetOf(step, conversation).entries.some(
    ({ op }) => op.args.kind === 'leave' && op.byAccount === own,
  )
}

/** Says of devices that are out what nobody else can, or did, in every conversation: once for each state of the logs. */
export async function speakOfDevices(step: Step): Promise<void> {
  const owes = removedHere(step).length > 0
  const { devicesSaid, logsVersion } = step.context.live
  for (const conversation of step.tx.all(conversationRows)) {
    const key = idHex(conversation.conversation)
    if (devicesSaid.get(key) === logsVersion) continue
    await vouchForGone(step, conversation)
    if (owes && !mayCut(step, conversation)) continue
    if (owes) await cutUnheard(step, conversation)
    devicesSaid.set(key, logsVersion)
  }
}

/**
 * Says of the devices this one put out that they say nothing in a conversation which came to be known here only since:
 * nobody else does, for whoever let such a device speak there did not know that it was out.
 */
async function cutUnheard(step: Step, conversation: Conversation): Promise<void> {
  if (unheardOf(step, conversation).size === 0) return
  await writeCut(step, conversation)
  tellAll(step, conversation)
}

/**
 * Says how far the words came of devices that went out after their accounts had left, or were put out: those accounts
 * take part no more and do not say it, and what they once did, a grant, say, must not hang on what becomes of their
 * devices, nor on the word of somebody who saw less. Where somebody's word fell that this account's own part rests on,
 * this one brings it back.
 */
async function vouchForGone(step: Step, conversation: Conversation): Promise<void> {
  const { account } = requireMe(step).self
  const { grants } = opSetOf(step, conversation)
  if (!isGroup(conversation) || lostOps(step, conversation) > 0 || !grants.has(idHex(account))) return
  if (!takesPart(step, conversation) && isRemoved(step, conversation, account)) return
  for (const key of grants.keys()) {
    const gone = fromHex(key) as AccountId
    if (equalBytes(gone, account) || membershipOf(step, conversation).members.has(key)) continue
    const log = storedLog(step, gone)
    const last = log === undefined ? [] : unvouched(step, conversation, gone, log)
    if (last.length === 0) continue
    await admitWaiting(step, conversation)
    const args = { kind: 'deviceset', account: gone, heads: pinnedHeads(step, gone), last } as const
    const before = membershipOf(step, conversation)
    await opsCame(step, conversation, before, [addOwnOp(step, conversation, args)])
    tellAll(step, conversationNow(step, conversation))
  }
}

/** Devices of an account that are out, of which this account has not spoken and nobody has said all that is held. */
function unvouched(
  step: Step,
  conversation: Conversation,
  account: AccountId,
  log: DeviceLog,
): readonly LastSeen[] {
  const own = toHex(requireMe(step).self.account)
  const { active } = stateOf(step, log)
  if (active.size === log.certificates.size) return []
  const newest = new Map(newestSeen(step, conversation, account).map((seen) => [idHex(seen.device), seen]))
  const out = [...log.certificates.values()]
    .filter(({ device }) => !active.has(idHex(device)))
    .map(({ device }) => newest.get(idHex(device)) ?? { device, record: null, op: null })
  const words = opSetOf(step, conversation).entries.flatMap(({ op }) =>
    op.args.kind === 'deviceset' && equalBytes(op.args.account, account)
      ? op.args.last.map((seen) => ({ seen, own: op.byAccount === own }))
      : [],
  )
  return out
    .filter(
      (held) =>
        !words.some(({ seen, own }) => equalBytes(seen.device, held.device) && (own || saysAll(seen, held))),
    )
    .slice(0, limits.frontierDevices)
}

const saysAll = (seen: LastSeen, held: LastSeen): boolean =>
  (seen.op?.oseq ?? -1) >= (held.op?.oseq ?? -1) && (seen.record?.aseq ?? -1) >= (held.record?.aseq ?? -1)

/** Whether a word on devices means anything in a conversation: this account takes part, and the person has agreed to it. */
const mayCut = (step: Step, before: Conversation): boolean => {
  const conversation = conversationNow(step, before)
  const { account } = conversation
  return (
    takesPart(step, conversation) &&
    lostOps(step, conversation) === 0 &&
    (account === null || isTalkedWith(step, conversation, account))
  )
}
