import { limits } from '../limits.ts'
import { compareBytes, concat, equalBytes, idHex, idKey } from '../wire/index.ts'
import type { AccountId, DeviceAddress } from '../identity/index.ts'
import type { Step } from './context.ts'
import { keyOf } from './conversations.ts'
import { linkTo } from './lookup.ts'
import type { AccountHeads } from './payload.ts'
import { stateRows, standingRows, type Conversation, type Standing } from './tables.ts'
import { wakeAt } from './timers.ts'

/**
 * What other devices said they know of a conversation. What was said here and what two devices agreed on is kept once, by its digest: what
 * either says and what is remembered of it names only the device logs that have changed since.
 */

const standingKey = (conversation: Conversation, { device }: Pick<DeviceAddress, 'device'>): Uint8Array =>
  concat(conversation.conversation, device)

const stateKey = ({ conversation }: Pick<Conversation, 'conversation'>, digest: Uint8Array): Uint8Array =>
  concat(conversation, digest)

/** What a device said of a conversation. */
export const standingOf = (step: Step, conversation: Conversation, peer: DeviceAddress): Standing =>
  step.tx.get(standingRows, standingKey(conversation, peer)) ?? {
    conversation: conversation.conversation,
    device: peer.device,
    agreed: null,
    since: null,
    heads: [],
    logs: [],
    due: false,
  }

/** Of all standings those of devices that are to be told something, for as long as none of them changes: mostly none. */
const dueAmong = new WeakMap<readonly Standing[], readonly Standing[]>()

/** Whether a device is to be told now how a conversation stands. */
export function isStandingDue(
  step: Step,
  { conversation }: Conversation,
  { device }: DeviceAddress,
): boolean {
  const all = step.tx.all(standingRows)
  const due = dueAmong.get(all) ?? all.filter((one) => one.due)
  dueAmong.set(all, due)
  if (!due.some((one) => equalBytes(one.conversation, conversation) && equalBytes(one.device, device)))
    return false
  const untilMs = linkTo(step, device).spokeUntil.get(idHex(conversation)) ?? 0
  if (step.monoMs < untilMs) wakeAt(step, untilMs)
  return step.monoMs >= untilMs
}

/** The device speaks of a conversation: it is answered at once on a channel, and once for all that comes from relays together. */
export function noteSpoke(step: Step, conversation: Conversation, peer: DeviceAddress): void {
  const { channel, spokeUntil } = linkTo(step, peer.device)
  if (channel !== undefined) tellAtOnce(step, conversation, peer)
  else spokeUntil.set(idHex(conversation.conversation), step.monoMs + limits.mailPauseMs)
}

/** Something was done here, or a channel is open: the device is told as soon as anything is due. */
export const tellAtOnce = (
  step: Step,
  { conversation }: Pick<Conversation, 'conversation'>,
  { device }: Pick<DeviceAddress, 'device'>,
): void => void linkTo(step, device).spokeUntil.delete(idHex(conversation))

export const putStanding = (step: Step, conversation: Conversation, standing: Standing): void =>
  step.tx.put(standingRows, standingKey(conversation, standing), standing)

/** The device logs of a state that was said here or agreed on; undefined where it is not kept. */
export const keptLogs = (
  step: Step,
  conversation: Conversation,
  digest: Uint8Array | null,
): readonly AccountHeads[] | undefined =>
  digest === null ? undefined : step.tx.get(stateRows, stateKey(conversation, digest))?.logs

/** All device logs a device said it holds. */
export const saidLogs = (
  step: Step,
  conversation: Conversation,
  { since, logs }: Pick<Standing, 'since' | 'logs'>,
): readonly AccountHeads[] => withChanges(keptLogs(step, conversation, since) ?? [], logs)

/** The newest device log heads of each account, by account. */
function withChanges(
  base: readonly AccountHeads[],
  changed: readonly AccountHeads[],
): readonly AccountHeads[] {
  if (base.length === 0) return changed
  const all = new Map(base.map((one) => [idKey(one.account), one]))
  for (const one of changed) all.set(idKey(one.account), one)
  return [...all.values()].sort((a, b) => compareBytes(a.account, b.account))
}

/** What has to be said of device logs to whoever holds `base`; undefined where that does not say it all. */
export function changesSince(
  base: readonly AccountHeads[],
  now: readonly AccountHeads[],
): readonly AccountHeads[] | undefined {
  const before = new Map(base.map((one) => [idKey(one.account), one]))
  const changed = now.filter((one) => {
    const was = before.get(idKey(one.account))
    before.delete(idKey(one.account))
    return was === undefined || !sameHeads(was, one)
  })
  return before.size === 0 ? changed : undefined
}

const sameHeads = (a: AccountHeads, b: AccountHeads): boolean =>
  a.heads.length === b.heads.length &&
  a.heads.every((head, i) => equalBytes(head, b.heads[i] ?? new Uint8Array(0)))

/** Heads of an account's log that a device said it holds. */
export const saidHeads = (
  step: Step,
  conversation: Conversation,
  peer: DeviceAddress,
  account: AccountId,
): readonly Uint8Array[] | undefined =>
  saidLogs(step, conversation, standingOf(step, conversation, peer)).find((one) =>
    equalBytes(one.account, account),
  )?.heads

/** Both hold the same: it is kept once for all who hold it, and what each says next is said against it. */
export function putAgreed(
  step: Step,
  conversation: Conversation,
  peer: DeviceAddress,
  { heads, logs, digest }: Pick<Standing, 'heads' | 'logs'> & { readonly digest: Uint8Array },
): void {
  const known = { agreed: digest, since: digest, heads, logs: [], due: false }
  putStanding(step, conversation, { ...standingOf(step, conversation, peer), ...known })
  // What either says next is a new difference, though it were one they had before.
  step.context.live.compared.delete(keyOf(conversation, peer))
  keepState(step, conversation, { logs, digest })
}

/** A device may no longer hold what was agreed on with it: it is told again how everything stands when the two compare. */
export function forgetAgreed(step: Step, device: DeviceAddress['device']): void {
  for (const one of step.tx.all(standingRows))
    if (equalBytes(one.device, device))
      step.tx.put(standingRows, concat(one.conversation, device), {
        ...one,
        ...{ agreed: null, since: null, logs: [] },
      })
}

/** Keeps what was said or agreed on, for whoever speaks against it. */
export function keepState(
  step: Step,
  conversation: Conversation,
  { logs, digest }: { readonly logs: readonly AccountHeads[]; readonly digest: Uint8Array },
): void {
  if (keptLogs(step, conversation, digest) !== undefined) return
  const { conversation: id } = conversation
  const kept = statesOf(step, conversation)
  const at = 1 + Math.max(0, ...kept.map((one) => one.at))
  step.tx.put(stateRows, stateKey(conversation, digest), { conversation: id, digest, logs, at })
  if (kept.length >= limits.keptStates) dropUnused(step, conversation)
}

const statesOf = (step: Step, { conversation }: Conversation) =>
  step.tx.all(stateRows).filter((one) => equalBytes(one.conversation, conversation))

/** States that nobody's standing is said against go, but for the newest: somebody may yet speak against those. */
function dropUnused(step: Step, conversation: Conversation): void {
  const { conversation: id } = conversation
  const used = new Set(
    step.tx
      .all(standingRows)
      .flatMap((one) => (one.since !== null && equalBytes(one.conversation, id) ? [idKey(one.since)] : [])),
  )
  const unused = statesOf(step, conversation)
    .filter(({ digest }) => !used.has(idKey(digest)))
    .sort((a, b) => a.at - b.at)
  for (const { digest } of unused.slice(0, -limits.keptStates / 4))
    step.tx.delete(stateRows, stateKey(conversation, digest))
}
