import { covers } from '../history/index.ts'
import type { DeviceAddress } from '../identity/index.ts'
import { limits } from '../limits.ts'
import { putRequest, type MailboxReply } from '../mailbox/index.ts'
import { concat, equalBytes, toHex } from '../wire/index.ts'
import type { RelayLink, Step } from './context.ts'
import { activeRemotes, findRemote, putConversation, withRemote } from './conversations.ts'
import { logKeys, makeLog } from './epoch-logs.ts'
import { epochsOf, hasSeed } from './epochs.ts'
import { linkTo } from './lookup.ts'
import { tellStates } from './outbox-rows.ts'
import { ask, hasRoom, pauseAfter, wantRelay, widen } from './relay-link.ts'
import { counterKey } from './row.ts'
import {
  conversationRows,
  epochLogRows,
  leftRows,
  peerRows,
  type Conversation,
  type LeftRow,
  type Peer,
} from './tables.ts'
import { sureNow, wakeAt } from './timers.ts'

/**
 * Own records left in the log of their epoch, once for every device that is away and has the seed, instead of a copy
 * in the queue of each.
 */

/** From so many devices away on: for one, its own queue costs as much. */
const worthwhile = 2

/** Key of an own record that was left in a log. */
export const leftKey = (conversation: Uint8Array, aseq: number): Uint8Array =>
  concat(conversation, counterKey(aseq))

/** Keeps an envelope for the log of its topic's epoch, if there is one and enough devices are away to read it there. */
export function leaveRecord(
  step: Step,
  conversation: Conversation,
  aseq: number,
  sealed: { readonly envelope: Uint8Array; readonly epoch: Uint8Array; readonly route: Uint8Array },
): void {
  if (step.tx.get(epochLogRows, sealed.route) === undefined) return
  const away = activeRemotes(conversation).filter(
    (device) =>
      linkTo(step, device.device).channel === undefined && reads(step, conversation, sealed, device),
  )
  if (away.length < worthwhile) return
  const { envelope, epoch, route } = sealed
  step.tx.put(leftRows, leftKey(conversation.conversation, aseq), {
    conversation: conversation.conversation,
    aseq,
    epoch,
    route,
    envelope,
    relays: [],
    atMs: step.nowMs,
  })
}

/** Whether a device has what it takes to read a record in the log: the seeds of its epoch and of its topic's. */
function reads(
  step: Step,
  conversation: Conversation,
  { epoch, route }: { readonly epoch: Uint8Array; readonly route: Uint8Array },
  device: DeviceAddress,
): boolean {
  const { nodes } = epochsOf(step, conversation)
  return [epoch, route].every((id) => {
    const node = nodes.get(toHex(id))
    return node !== undefined && hasSeed(node, device)
  })
}

/** Puts what is to be left where it is not yet. */
export function tendLeft(step: Step): void {
  for (const row of step.tx.all(leftRows)) {
    if (sureNow(step) - row.atMs > limits.mailboxTtlMs)
      step.tx.delete(leftRows, leftKey(row.conversation, row.aseq))
    else if (row.envelope.length > 0) leaveAt(step, row)
  }
}

function leaveAt(step: Step, row: LeftRow): void {
  const log = step.tx.get(epochLogRows, row.route)
  const keys = log === undefined ? undefined : logKeys(step, log)
  if (log === undefined || keys === undefined) return
  const name = toHex(leftKey(row.conversation, row.aseq))
  for (const { relay } of log.places) {
    if (row.relays.includes(relay)) continue
    const link = wantRelay(step, relay)
    if (link.session === undefined || link.leaving.has(name) || !hasRoom(link)) continue
    if (step.monoMs < link.putMs) {
      wakeAt(step, link.putMs)
      continue
    }
    makeLog(step, link, keys)
    link.leaving.add(name)
    const { conversation, aseq, envelope } = row
    ask(step, link, { kind: 'leave', conversation, aseq }, (session, id) =>
      putRequest(step.context.crypto, session, id, keys.own, envelope),
    )
  }
}

/** The relay's word on a record that was left: durable there, or to be tried again, or to go to each device's queue. */
export async function leaveAnswered(
  step: Step,
  link: RelayLink,
  { conversation, aseq }: { readonly conversation: Uint8Array; readonly aseq: number },
  reply: MailboxReply,
): Promise<void> {
  const key = leftKey(conversation, aseq)
  link.leaving.delete(toHex(key))
  widen(link)
  const row = step.tx.get(leftRows, key)
  if (row === undefined) return
  if (reply.kind === 'busy') {
    link.putMs = step.monoMs + pauseAfter(reply)
    wakeAt(step, link.putMs)
    return
  }
  if (reply.kind !== 'done') {
    step.context.log.event('deposit-refused')
    if (row.relays.length === 0) step.tx.delete(leftRows, key)
    return
  }
  const relays = [...row.relays, link.address]
  const everywhere = step.tx.get(epochLogRows, row.route)?.places.every(({ relay }) => relays.includes(relay))
  const envelope = everywhere === false ? row.envelope : new Uint8Array(0)
  step.tx.put(leftRows, key, { ...row, relays, envelope })
  const now = step.tx.get(conversationRows, conversation)
  if (row.relays.length === 0 && now !== undefined) await tellStates(step, now, [aseq])
}

/** Whether a device has yet to look into the log: it was not heard of since, and has what it takes to read there. */
const waitsInLog = (step: Step, conversation: Conversation, row: LeftRow, peer: Peer): boolean =>
  row.relays.length > 0 &&
  peer.heardAtMs <= row.atMs + limits.topicAckMs &&
  reads(step, conversation, row, peer)

/**
 * Passes over what a device that is away finds in a log when it is back, and over what it has acknowledged: neither
 * goes by its session, and what comes after does not wait for it.
 */
export function passLeft(step: Step, conversation: Conversation, peer: Peer): void {
  const remote = findRemote(conversation, peer.device)
  if (remote?.active !== true || linkTo(step, peer.device).channel !== undefined) return
  const passed = (aseq: number): boolean => {
    const row = step.tx.get(leftRows, leftKey(conversation.conversation, aseq))
    return (row !== undefined && waitsInLog(step, conversation, row, peer)) || covers(remote.got, aseq)
  }
  let { sealedUpTo } = remote
  while (sealedUpTo < conversation.aseq && passed(sealedUpTo)) sealedUpTo += 1
  if (sealedUpTo > remote.sealedUpTo)
    putConversation(step, withRemote(conversation, { ...remote, sealedUpTo }))
}

/** Who was heard of after a record was left, and has not acknowledged it, did not find it there: its session carries it. */
export function askAfterLeft(step: Step): void {
  for (const row of step.tx.all(leftRows)) {
    const conversation = step.tx.get(conversationRows, row.conversation)
    if (conversation === undefined || row.relays.length === 0) continue
    let now = conversation
    for (const remote of activeRemotes(conversation)) {
      const peer = step.tx.get(peerRows, remote.device)
      if (peer === undefined || waitsInLog(step, conversation, row, peer)) continue
      if (remote.sealedUpTo <= row.aseq || covers(remote.got, row.aseq)) continue
      now = withRemote(now, { ...remote, sealedUpTo: row.aseq })
    }
    if (now !== conversation) putConversation(step, now)
  }
}

/** Forgets what everybody has acknowledged. */
export function forgetLeft(step: Step, conversation: Conversation): void {
  const remotes = activeRemotes(conversation)
  for (const row of step.tx.all(leftRows))
    if (
      equalBytes(row.conversation, conversation.conversation) &&
      remotes.every(({ got }) => covers(got, row.aseq))
    )
      step.tx.delete(leftRows, leftKey(row.conversation, row.aseq))
}
