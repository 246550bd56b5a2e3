import {
  acceptEpoch,
  chooseBase,
  createEpoch,
  devicesOf,
  epochChanges,
  epochDue,
  isLagging,
  keepSeed,
  noEpochs,
  onSeed,
  onSeedAck,
  preferredEpoch,
  restoreEpochs,
  sweepEpochs,
  type ConversationEpochs,
  type EpochDevice,
  type EpochNode,
  type EpochReason,
  type MembershipView,
} from '../group/index.ts'
import { Secret, sizes } from '../crypto/index.ts'
import { lapsed, type ActiveDevice, type DeviceAddress } from '../identity/index.ts'
import { invariant } from '../errors.ts'
import { limits } from '../limits.ts'
import { compareBytes, concat, equalBytes, idHex, toHex, utf8 } from '../wire/index.ts'
import type { Step } from './context.ts'
import { activeRemotes, conversationNow, findRemote } from './conversations.ts'
import { pinDevices } from './group-ops.ts'
import { accountsIn, headsNow, isGroup, isTorn, membershipOf, membershipThen, takesPart } from './groups.ts'
import { logItems, placeLog } from './log-places.ts'
import { linkTo } from './lookup.ts'
import { stateOf, storedLog } from './logs.ts'
import { requireMe } from './me.ts'
import type { PayloadItem } from './payload.ts'
import {
  conversationRows,
  epochRows,
  seedRows,
  type Conversation,
  type Peer,
  type SeedRow,
} from './tables.ts'
import { sureNow, wakeAt } from './timers.ts'

/**
 * Epochs of a conversation at this device (epochs.md): in groups large enough that one ciphertext on a topic costs less
 * than one for each device. Sessions carry the seeds, and the records for whoever has not said that it has a seed.
 */

/** Whether records of a conversation are also published on a topic. */
export const hasTopic = (step: Step, conversation: Conversation): boolean =>
  isGroup(conversation) &&
  activeRemotes(conversation).length >= limits.topicDevices &&
  takesPart(step, conversation) &&
  !isTorn(step, conversation)

export function epochsOf(step: Step, { conversation }: Conversation): ConversationEpochs {
  const { live, crypto } = step.context
  const key = idHex(conversation)
  const known = live.epochs.get(key)
  if (known !== undefined) return known
  const rows = step.tx
    .all(epochRows)
    .filter((row) => equalBytes(row.conversation, conversation))
    .map(({ key: name, value }) => ({ key: name, value }))
  const { self } = requireMe(step)
  const state = rows.length === 0 ? noEpochs(conversation, self) : restoreEpochs(crypto, rows)
  invariant(state, 'E_EPOCHS', 'the rows of a conversation’s epochs do not restore')
  live.epochs.set(key, state)
  return state
}

/** Stores what changed; secrets the new state no longer needs are wiped after the commit. */
export function putEpochs(
  step: Step,
  { conversation }: Conversation,
  before: ConversationEpochs,
  after: ConversationEpochs,
  spent: readonly Secret[],
): void {
  const first = step.tx.get(epochRows, concat(conversation, utf8('e'))) === undefined
  for (const { key, value } of epochChanges(before, after, first)) {
    const place = concat(conversation, utf8(key))
    if (value === undefined) step.tx.delete(epochRows, place)
    else step.tx.put(epochRows, place, { conversation, key, value })
  }
  step.context.live.epochs.set(idHex(conversation), after)
  step.spent.push(...spent)
}

const epochDevice = (device: ActiveDevice): EpochDevice => ({
  account: device.account,
  device: device.device,
  identityKey: device.certificate.identityKey,
  notAfterMs: device.notAfterMs,
})

const inOrder = (devices: readonly EpochDevice[]): readonly EpochDevice[] =>
  devices.toSorted((a, b) => compareBytes(a.account, b.account) || compareBytes(a.device, b.device))

/** What the rules of epochs ask about who is in. */
export function epochView(step: Step, conversation: Conversation): MembershipView {
  const now = accountsIn(step, conversation).flatMap((account) => {
    const log = storedLog(step, account)
    return log === undefined ? [] : [...stateOf(step, log).active.values()]
  })
  return {
    devicesAt: (heads) => {
      const then = membershipThen(step, conversation, heads)
      return then === undefined ? undefined : inOrder(devicesOf(then).map(epochDevice))
    },
    heads: headsNow(step, conversation),
    devices: inOrder(now.filter((device) => !lapsed(device, sureNow(step))).map(epochDevice)),
    history: membershipOf(step, conversation).policy.historyDays === null ? 1 : 0,
    sinceMs: step.nowMs,
    forkProof: ({ account, device }) => {
      const log = storedLog(step, account)
      const forked = log === undefined ? [] : stateOf(step, log).forked
      return forked.find((proof) => equalBytes(proof.device, device))?.bytes
    },
  }
}

/** The epoch this device seals under now, if there is one. */
export const epochInUse = (step: Step, conversation: Conversation): EpochNode | undefined =>
  preferredEpoch(epochsOf(step, conversation), epochView(step, conversation), step.nowMs)

/** Whether a device has said, or shown, that it has the seed of an epoch. */
export function hasSeed(node: EpochNode, { account, device }: DeviceAddress): boolean {
  if (equalBytes(node.record.terms.device, device)) return true
  const index = node.recipients.findIndex(
    (one) => equalBytes(one.account, account) && equalBytes(one.device, device),
  )
  return index >= 0 && (node.acked[index] === true || node.heard[index] === true)
}

/** Begins the epoch that is due before something is sealed; true when one began. */
export async function tendEpoch(step: Step, conversation: Conversation, sending: boolean): Promise<void> {
  const { crypto } = step.context
  const state = epochsOf(step, conversation)
  const situation = { sending, onlineSinceMs: step.context.live.online ? step.nowMs : undefined }
  const due = epochDue(crypto, state, epochView(step, conversation), situation, step.nowMs)
  if (due === undefined) return
  if (due.atMs <= step.nowMs) await beginEpoch(step, conversation, due.reason)
  else wakeAt(step, step.monoMs + due.atMs - step.nowMs)
}

async function beginEpoch(step: Step, before: Conversation, reason: EpochReason): Promise<void> {
  const { crypto, random } = step.context
  await pinDevices(step, before)
  const conversation = conversationNow(step, before)
  const state = epochsOf(step, conversation)
  const { identity } = requireMe(step)
  const base = chooseBase([], conversation.aseq)
  const entropy = random.bytes(sizes.seed)
  const draft = { reason, base: Math.min(base, conversation.publishedUpTo) }
  const made = createEpoch(crypto, state, identity, epochView(step, conversation), draft, entropy, step.nowMs)
  entropy.fill(0)
  putEpochs(step, conversation, state, made.state, made.spent)
  const begun = made.state.nodes.get(toHex(made.seed.epoch))
  if (begun?.record.terms.route === null) placeLog(step, conversation, made.seed.epoch)
  for (const recipient of made.recipients) {
    if (equalBytes(recipient.device, requireMe(step).self.device)) continue
    step.tx.put(seedRows, concat(conversation.conversation, recipient.device), {
      conversation: conversation.conversation,
      device: recipient.device,
      record: made.record,
      epoch: made.seed.epoch,
      context: made.seed.context,
      secret: new Secret(made.seed.secret.slice()),
    })
  }
  made.seed.secret.fill(0)
  retopic(step)
}

/** Seeds this device owes another, once for each channel and again after a while. */
export function seedItems(step: Step, peer: Peer): readonly PayloadItem[] {
  const link = linkTo(step, peer.device)
  const items: PayloadItem[] = []
  if (peer.heardAtMs === 0) return items
  for (const row of step.tx.all(seedRows)) {
    if (!equalBytes(row.device, peer.device) || !isOwed(step, row)) continue
    const sent = link.seeds.get(idHex(row.conversation))
    if (sent?.epoch === toHex(row.epoch) && step.monoMs - sent.atMs < limits.seedAgainMs) {
      wakeAt(step, sent.atMs + limits.seedAgainMs)
      continue
    }
    const { conversation, record, epoch, context, secret } = row
    items.push({ kind: 'seed', conversation, record, epoch, context, secret: secret.expose() })
    items.push(...logItems(step, conversation, epoch))
  }
  return items
}

/** Whether a device still takes part in what a seed is for. */
function isOwed(step: Step, { conversation: id, device }: Pick<SeedRow, 'conversation' | 'device'>): boolean {
  const conversation = step.tx.get(conversationRows, id)
  return conversation !== undefined && findRemote(conversation, device)?.active === true
}

/** Seeds kept for devices that are out by now are wiped: nobody will ask for them. */
export function dropSeeds(step: Step): void {
  for (const row of step.tx.all(seedRows)) {
    if (isOwed(step, row)) continue
    step.tx.delete(seedRows, concat(row.conversation, row.device))
    step.spent.push(row.secret)
  }
}

/** These seeds are in a frame now. */
export function noteSeeds(step: Step, peer: Peer, items: readonly PayloadItem[]): void {
  const { seeds } = linkTo(step, peer.device)
  for (const item of items) {
    if (item.kind !== 'seed') continue
    seeds.set(idHex(item.conversation), { epoch: toHex(item.epoch), atMs: step.monoMs })
    wakeAt(step, step.monoMs + limits.seedAgainMs)
  }
}

/** Takes a seed that came through its author's session, with the record it belongs to. */
export function receiveSeed(
  step: Step,
  conversation: Conversation,
  peer: Peer,
  item: Extract<PayloadItem, { readonly kind: 'seed' }>,
): void {
  const { crypto, log } = step.context
  const before = epochsOf(step, conversation)
  const view = epochView(step, conversation)
  const accepted = acceptEpoch(crypto, before, item.record, view, step.nowMs)
  if (accepted.verdict !== 'accepted') return log.event('epoch-not-accepted')
  const seed = { epoch: item.epoch, context: item.context, secret: item.secret }
  const taken = onSeed(crypto, accepted.value.state, seed, peer, step.nowMs)
  const state =
    taken.verdict === 'accepted'
      ? taken.value.state
      : taken.verdict === 'held'
        ? keepSeed(accepted.value.state, seed, peer, step.nowMs)
        : accepted.value.state
  const spent = taken.verdict === 'accepted' ? taken.value.spent : []
  putEpochs(step, conversation, before, state, [...accepted.value.spent, ...spent])
  item.secret.fill(0)
  const known = state.nodes.get(toHex(item.epoch))
  if (known?.seeded !== true) return log.event('seed-refused')
  linkTo(step, peer.device).seedAcks.set(idHex(conversation.conversation), item.epoch)
  retopic(step)
}

/** A device has the seed of an epoch of ours; what was kept for it goes. */
export function receiveSeedAck(step: Step, conversation: Conversation, peer: Peer, epoch: Uint8Array): void {
  const before = epochsOf(step, conversation)
  const after = onSeedAck(before, epoch, peer)
  if (after !== before) putEpochs(step, conversation, before, after, [])
  const key = concat(conversation.conversation, peer.device)
  const row = step.tx.get(seedRows, key)
  if (row === undefined || !equalBytes(row.epoch, epoch)) return
  step.tx.delete(seedRows, key)
  step.spent.push(row.secret)
}

/** Erases what its time has come for. */
export function sweepConversation(step: Step, conversation: Conversation): void {
  const before = epochsOf(step, conversation)
  if (before.nodes.size === 0) return
  const { devices } = epochView(step, conversation)
  const waiting = devices.filter((device) => !isLagging(before, device, step.nowMs))
  const { state, spent } = sweepEpochs(before, waiting, step.nowMs)
  if (state !== before) putEpochs(step, conversation, before, state, spent)
}

/** The topics changed: they are compared with what is subscribed to before the batch ends. */
export const retopic = (step: Step): void => {
  step.context.live.topicsDue = true
}
