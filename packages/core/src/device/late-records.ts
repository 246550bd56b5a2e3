import type { DeviceAddress } from '../identity/index.ts'
import { readRecord, type RecordContent, type RecordHeader } from '../history/index.ts'
import { limits } from '../limits.ts'
import { concat, equalBytes, idHex, toHex } from '../wire/index.ts'
import type { LateSync, Step } from './context.ts'
import { activeRemotes, findRemote, keyOf, segmentNumber } from './conversations.ts'
import { membershipThen } from './groups.ts'
import { findMe, isOwn, requireMe } from './me.ts'
import { standingAt } from './record-standing.ts'
import { isConnected } from './sync-mail.ts'
import { givenFrom, visibleFrom } from './visible-from.ts'
import {
  conversationRows,
  heldRows,
  lateRows,
  peerRows,
  type Conversation,
  type Peer,
  type Remote,
} from './tables.ts'
import { sureNow, wakeAt } from './timers.ts'

/**
 * Records whose author does not send them to all who are to have them: it did not know of a device when it wrote them,
 * or it is out by now and speaks with nobody who knows that. Whoever has them compares.
 */

/**
 * Another own device is compared with, a little later, when the author of a record that came cannot have known it; by
 * those its author brings the record to itself, so is a device of anybody else; and some of all others, when the author
 * no longer takes part.
 */
export function noteLate(
  step: Step,
  conversation: Conversation,
  carrier: DeviceAddress,
  content: RecordContent,
  segment: number,
): void {
  if (findRemote(conversation, content.device)?.active === false)
    for (const within of [isConnected, hasRelaysAlone])
      for (const neighbour of neighbours(step, conversation, carrier, within))
        lookLater(step, conversation, neighbour)
  const { self } = requireMe(step)
  const byAuthor = equalBytes(carrier.device, content.device)
  for (const other of activeRemotes(conversation)) {
    const isCarrier = equalBytes(other.device, carrier.device)
    if (
      !isCarrier &&
      (byAuthor || equalBytes(other.account, self.account)) &&
      isShown(step, conversation, other, content, segment) &&
      isUnknown(step, conversation, other, content)
    )
      lookLater(step, conversation, other)
  }
}

/**
 * The few devices that come after this one, going round by their ids, of those within reach: connected, or otherwise. Each
 * that hears of something passes it on to its own, until all have it.
 */
export function neighbours(
  step: Step,
  conversation: Conversation,
  carrier: DeviceAddress,
  within: (step: Step, remote: Remote) => boolean = isConnected,
): readonly Remote[] {
  const own = toHex(requireMe(step).self.device)
  const reached = activeRemotes(conversation)
    .filter((one) => within(step, one))
    .filter(({ device }) => !equalBytes(device, carrier.device))
    .map((remote) => ({ remote, name: idHex(remote.device) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  const after = reached.filter(({ name }) => name > own)
  return [...after, ...reached.filter(({ name }) => name < own)]
    .slice(0, limits.passedOnTo)
    .map(({ remote }) => remote)
}

/** Whether nothing but mail finds a device. */
const hasRelaysAlone = (step: Step, remote: Remote): boolean =>
  !isConnected(step, remote) && (step.tx.get(peerRows, remote.device)?.deposits.length ?? 0) > 0

/** Whether another device than the author's may see a record of this segment. */
const isShown = (
  step: Step,
  conversation: Conversation,
  other: Remote,
  content: RecordContent,
  segment: number,
): boolean =>
  !equalBytes(other.device, content.device) &&
  (content.history === 1 || segment >= visibleFrom(step, conversation, other))

/** Whether a device is not among those its account had at the heads a record cites. */
function isUnknown(
  step: Step,
  conversation: Conversation,
  { account, device }: DeviceAddress,
  { groupHeads }: Pick<RecordContent, 'groupHeads'>,
): boolean {
  const then = membershipThen(step, conversation, groupHeads)
  return then?.accounts.get(idHex(account))?.active.has(idHex(device)) !== true
}

/** A device is compared with a little later. Records come many at a time, and a comparison is for all of them. */
export function lookLater(
  step: Step,
  about: Pick<Conversation, 'conversation'>,
  { device }: Pick<DeviceAddress, 'device'>,
  forHeld = false,
): void {
  const { conversation } = about
  const known = step.context.live.lateSyncs.get(keyOf(about, { device }))
  if (known?.due === true)
    return setLate(step, { ...known, notedMs: step.monoMs, forHeld: known.forHeld && forHeld })
  const atMs = Math.max(step.monoMs + limits.lateSyncMs, (known?.atMs ?? -Infinity) + limits.lateSyncPauseMs)
  setLate(step, { conversation, device, atMs, notedMs: step.monoMs, due: true, forHeld })
  wakeAt(step, atMs)
}

/** A comparison that is due outlives this opening: two who meet at relays alone compare for no other reason. */
function setLate(step: Step, late: LateSync): void {
  const { lateSyncs } = step.context.live
  const { conversation, device, due, forHeld } = late
  const key = keyOf({ conversation }, { device })
  const before = lateSyncs.get(key)
  lateSyncs.set(key, late)
  const row = concat(conversation, device)
  if (due && (before?.due !== true || before.forHeld !== forHeld))
    step.tx.put(lateRows, row, { conversation, device, forHeld })
  if (!due && before?.due === true) step.tx.delete(lateRows, row)
}

/** Comparisons that were due when this home was closed, but for those of others of whom nothing was heard for long. */
export function resumeLate(step: Step): void {
  const own = findMe(step)?.self.account
  for (const { conversation, device, forHeld } of step.tx.all(lateRows)) {
    const peer = step.tx.get(peerRows, device)
    const isSibling = peer !== undefined && own !== undefined && equalBytes(peer.account, own)
    const isGone = peer === undefined || sureNow(step) - peer.heardAtMs > limits.mailboxTtlMs
    if (isGone && !isSibling) step.tx.delete(lateRows, concat(conversation, device))
    else lookLater(step, { conversation }, { device }, forHeld)
  }
}

/**
 * A record waits for others: whoever brought it has them, though their author, who is out by now, may bring them to
 * nobody. It is compared with, if the record still waits then.
 */
export const lookForHeld = (step: Step, about: Conversation, carrier: DeviceAddress): void =>
  lookLater(step, about, carrier, true)

const isStillHeld = (step: Step, { conversation, device }: LateSync): boolean =>
  step.tx
    .all(heldRows)
    .some((row) => equalBytes(row.device, device) && equalBytes(row.conversation, conversation))

/**
 * A device was compared with, and gave all it may: what it brought from before this account came, and still waits for
 * other records of then, waits for what nobody gives.
 */
export function dropFromBefore(step: Step, about: Conversation, carrier: DeviceAddress): void {
  if (isOwn(step, carrier)) return
  const from = givenFrom(step, about)
  if (from === 0) return
  for (const { id, content } of heldFrom(step, about, carrier)) {
    const segment = segmentNumber(step, about, content.segment)
    const isBefore = segment !== undefined && segment < from
    if (isBefore && standingAt(step, about, content) === 'yes') step.tx.delete(heldRows, id)
  }
}

/** Forgets what waits of a device in a conversation: what it waits for will not come. */
export function dropHeld(
  step: Step,
  about: Pick<Conversation, 'conversation'>,
  carrier: DeviceAddress,
): void {
  for (const { id } of heldFrom(step, about, carrier)) step.tx.delete(heldRows, id)
}

/** What waits in a conversation and was brought by a device. */
const heldFrom = (
  step: Step,
  { conversation }: Pick<Conversation, 'conversation'>,
  { device }: DeviceAddress,
): readonly RecordHeader[] =>
  step.tx
    .all(heldRows)
    .filter((row) => equalBytes(row.device, device) && equalBytes(row.conversation, conversation))
    .flatMap((row) => readRecord(step.context.crypto, row.record.bytes) ?? [])

/** Conversations to be compared with own devices now; `untilMs`: when one that is due has to wait, until then. */
export function lateDue(
  step: Step,
  untilMs: (conversation: Conversation, peer: Peer) => number,
): readonly { readonly conversation: Conversation; readonly peer: Peer }[] {
  const { lateSyncs } = step.context.live
  return [...lateSyncs].flatMap(([key, late]) => {
    if (!late.due && step.monoMs >= late.atMs + limits.lateSyncPauseMs) lateSyncs.delete(key)
    if (!late.due) return []
    const conversation = step.tx.get(conversationRows, late.conversation)
    const peer = step.tx.get(peerRows, late.device)
    const isIdle = late.forHeld && !isStillHeld(step, late)
    const found = conversation === undefined || peer === undefined || isIdle ? [] : [{ conversation, peer }]
    const waits = step.monoMs < late.atMs ? [] : found.map((one) => untilMs(one.conversation, one.peer))
    const atMs = Math.max(late.atMs, ...waits)
    const due = step.monoMs < atMs
    if (due) wakeAt(step, atMs)
    setLate(step, { ...late, atMs, due })
    return due ? [] : found
  })
}

/** A comparison by relays is made again from this moment on, unless it is answered. */
export function lateAgain(step: Step, conversation: Conversation, peer: Peer, atMs: number): void {
  const late = step.context.live.lateSyncs.get(keyOf(conversation, peer))
  if (late === undefined) return
  setLate(step, { ...late, atMs, due: true })
  wakeAt(step, atMs)
}

/** A device answered what it was asked by relays: it lacks nothing of what had come by then. */
export function lateAnswered(step: Step, conversation: Conversation, peer: Peer, askedMs: number): void {
  const late = step.context.live.lateSyncs.get(keyOf(conversation, peer))
  if (late?.due !== true) return
  const due = late.notedMs > askedMs
  setLate(step, { ...late, atMs: step.monoMs, due })
  if (due) wakeAt(step, step.monoMs)
}
