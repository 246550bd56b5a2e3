import { limits } from '../limits.ts'
import { Secret } from '../crypto/index.ts'
import { UsageError } from '../errors.ts'
import { formatInvite } from '../identity/index.ts'
import { ackRequest, readHello, readReply, type DeliveredItem, type MailboxReply } from '../mailbox/index.ts'
import { toHex } from '../wire/index.ts'
import type { RelayLink, RelayRequest, Step } from './context.ts'
import type { AccountId } from '../identity/index.ts'
import { receiveRatchetFrame } from './frame-ratchet.ts'
import { publishAtRelay, recordHeld } from './invites.ts'
import { logRefused, receiveLogItems } from './epoch-logs.ts'
import { leaveAnswered } from './left-records.ts'
import { rowKey, tellStates } from './outbox-rows.ts'
import { askForInvites, lookupAnswered, relayUnreachable } from './resolve.ts'
import { linkTo, peersOf } from './lookup.ts'
import { queueKeys } from './queues.ts'
import { noteFailure, noteSuccess, storePauseMs, wakeAt } from './timers.ts'
import {
  conversationRows,
  outboxRows,
  peerRows,
  queueRows,
  relayRows,
  selfRows,
  onlyRow,
  type Peer,
  type Relay,
} from './tables.ts'
import { requireMe } from './me.ts'

import { ask, narrow, pauseAfter, peerIdIn, relayLink, settleLater, wantRelay, widen } from './relay-link.ts'
import { tendQueue, tendQueues } from './relay-queues.ts'

/** Keeps a channel to each of our relays, and asks again for what one did not set up. */
export function tendRelays(step: Step): void {
  for (const relay of step.tx.all(relayRows)) {
    const link = wantRelay(step, relay.address)
    if (!link.unsettled || link.session === undefined) continue
    if (step.monoMs >= link.settleMs) settleAt(step, link)
    else wakeAt(step, link.settleMs)
  }
}

/** The channel is open; the relay speaks first. */
export function relayOpened(step: Step, address: string, channel: number): void {
  const link = relayLink(step, address)
  link.channel = channel
  link.opening = false
}

/** The channel is gone, or never came. What was asked on it is asked again on the next. */
export function relayLost(step: Step, link: RelayLink): void {
  const failed = link.session === undefined
  for (const request of link.waiting.values())
    if (request.kind === 'lookup') lookupAnswered(step, request.token, undefined)
  link.channel = undefined
  link.session = undefined
  link.waiting.clear()
  narrow(link)
  link.putting.clear()
  link.putMs = 0
  link.unsettled = false
  link.settleMs = 0
  link.watched.clear()
  link.made.clear()
  link.leaving.clear()
  relayUnreachable(step, link.address)
  if (failed) noteFailure(step, link, limits.relayRetryMaxMs)
  else openAgain(step, link)
  if (ownRelay(step, link.address) !== undefined) wakeAt(step, link.nextMs)
}

/**
 * A channel that worked is opened again soon; one that broke soon after the one before it did, after a longer pause: all
 * that is asked on each anew breaks the next. What our store does not take would only come again.
 */
function openAgain(step: Step, link: RelayLink): void {
  link.breaks = step.monoMs - link.greetedMs < limits.steadyMs ? link.breaks + 1 : 0
  const pauseMs = Math.min(limits.relayAgainMs * 2 ** Math.min(link.breaks, 16), limits.relayAgainMaxMs)
  link.nextMs = step.monoMs + Math.max(pauseMs, storePauseMs(step.context.live))
}

/** A frame of a relay's channel. */
export async function relayFrame(step: Step, link: RelayLink, frame: Uint8Array): Promise<void> {
  if (link.session === undefined) {
    relayGreets(step, link, frame)
    return
  }
  const decoded = readReply(frame)
  if (!decoded.ok) {
    hangUp(step, link)
    return
  }
  const { id, reply } = decoded.value
  if (reply.kind === 'push') return receivePush(step, link, reply)
  if (id === null) {
    hangUp(step, link)
    return
  }
  const request = link.waiting.get(id)
  link.waiting.delete(id)
  if (request !== undefined) await receiveAnswer(step, link, request, reply)
}

function hangUp(step: Step, link: RelayLink): void {
  step.context.log.event('relay-unreadable')
  if (link.channel !== undefined) step.effects.push({ kind: 'close', channel: link.channel })
}

/** The hello binds every later request to this channel; then our queues there are set up. */
function relayGreets(step: Step, link: RelayLink, frame: Uint8Array): void {
  const session = readHello(peerIdIn(link.address), frame)
  if (session === undefined) {
    noteFailure(step, link, limits.relayRetryMaxMs)
    return hangUp(step, link)
  }
  link.session = session
  link.greetedMs = step.monoMs
  noteSuccess(link)
  settleAt(step, link)
  askForInvites(step, link)
}

/** At a relay of ours that answers, our queues are set up, and what is to be found there is put. */
export function settleAt(step: Step, link: RelayLink): void {
  const relay = ownRelay(step, link.address)
  if (relay === undefined || link.session === undefined) return
  link.unsettled = false
  learnWebHost(step, relay, link.session.web)
  tendQueues(step, relay, link)
  publishAtRelay(step, link)
}

/** Invite links begin with the host a relay of ours says it serves the app under; one no link bears is ignored. */
function learnWebHost(step: Step, relay: Relay, said: string | null): void {
  if (said !== null && !isLinkHost(step, said)) return
  // On another machine "this machine" is nobody's page: such a link would open nothing.
  const web = said !== null && isLoopbackHost(said) && !isLoopbackAddress(relay.address) ? null : said
  if (web !== relay.web) step.tx.put(relayRows, relay.relayId, { ...relay, web })
}

const isLoopbackHost = (host: string): boolean => /^(localhost|127\.[\d.]+|\[::1\])(:\d+)?$/.test(host)
const isLoopbackAddress = (address: string): boolean =>
  /^\/(ip4\/127\.|ip6\/::1\/|dns[46]?\/localhost\/|memory\/)/.test(address)

function isLinkHost(step: Step, host: string): boolean {
  const { account } = requireMe(step).self
  const secret = new Secret(new Uint8Array(16))
  try {
    formatInvite({ account, secret, host, addresses: [] })
    return true
  } catch (thrown) {
    if (thrown instanceof UsageError) return false
    throw thrown
  }
}

const ownRelay = (step: Step, address: string): Relay | undefined =>
  step.tx.all(relayRows).find((relay) => relay.address === address)

async function receiveAnswer(
  step: Step,
  link: RelayLink,
  request: RelayRequest,
  reply: MailboxReply,
): Promise<void> {
  switch (request.kind) {
    case 'create': {
      queueCreated(step, link, request.recvId, reply)
      return
    }
    case 'subscribe': {
      queueWatched(step, link, request.recvId, reply)
      return
    }
    case 'put':
      return putAnswered(step, link, request.row, reply)
    case 'leave':
      return leaveAnswered(step, link, request, reply)
    case 'log': {
      if (reply.kind !== 'done') logRefused(step, link, request.recvId)
      return
    }
    case 'record': {
      if (reply.kind === 'done') recordHeld(step, request.inviteId)
      else settleLater(step, link)
      return
    }
    case 'lookup': {
      lookupAnswered(step, request.token, reply.kind === 'record' ? reply.value : undefined)
      return
    }
    case 'other':
      return
  }
}

/** The queue is there: whoever should deposit in it is told with the next card or bundle. */
function queueCreated(step: Step, link: RelayLink, recvId: Uint8Array, reply: MailboxReply): void {
  const queue = step.tx.get(queueRows, recvId)
  if (queue === undefined) return
  if (reply.kind !== 'done') {
    step.context.log.event('queue-refused')
    settleLater(step, link)
    return
  }
  const created = { ...queue, created: true }
  step.tx.put(queueRows, recvId, created)
  tendQueue(step, link, created)
  if (queue.account === null) {
    const { self } = requireMe(step)
    step.tx.put(selfRows, onlyRow, { ...self, cardSeq: self.cardSeq + 1 })
    publishAtRelay(step, link)
    step.context.live.publishMs = step.monoMs
    wakeAt(step, step.monoMs)
    return
  }
  cardsAgain(step, queue.account)
}

/** The devices of an account are told anew where they may leave things. */
export function cardsAgain(step: Step, account: AccountId): void {
  for (const peer of peersOf(step, account)) step.tx.put(peerRows, peer.device, { ...peer, cardOf: 0 })
}

/** A relay that lost our queue is asked to make it again; what waited in it is gone and comes back from its senders. */
function queueWatched(step: Step, link: RelayLink, recvId: Uint8Array, reply: MailboxReply): void {
  const queue = step.tx.get(queueRows, recvId)
  if (queue === undefined || reply.kind === 'done') return
  link.watched.delete(toHex(recvId))
  if (reply.kind !== 'denied') {
    settleLater(step, link)
    return
  }
  const lost = { ...queue, created: false }
  step.tx.put(queueRows, recvId, lost)
  tendQueue(step, link, lost)
}

/**
 * Items of a queue: opened one by one; the acknowledgement leaves only after all of it is durable. What the relay calls
 * them decides nothing here: one with a disk from before numbers new items as it numbered others already.
 */
async function receivePush(
  step: Step,
  link: RelayLink,
  push: { readonly recvId: Uint8Array; readonly items: readonly DeliveredItem[] },
): Promise<void> {
  if (await receiveLogItems(step, link, push.recvId, push.items)) return
  const queue = step.tx.get(queueRows, push.recvId)
  if (
    queue === undefined ||
    toHex(queue.relayId) !== toHex(ownRelay(step, link.address)?.relayId ?? new Uint8Array())
  )
    return
  for (const { blob } of push.items) await receiveRatchetFrame(step, blob, { via: 'queue', queue })
  const cursor = Math.max(...push.items.map((item) => item.cursor))
  const keys = queueKeys(step, queue)
  ask(step, link, { kind: 'other' }, (session, id) =>
    ackRequest(step.context.crypto, session, id, keys.read, cursor),
  )
}

/** The relay's word on a deposit: durable there, or why not. */
async function putAnswered(step: Step, link: RelayLink, seq: number, reply: MailboxReply): Promise<void> {
  const row = step.tx.get(outboxRows, rowKey(seq))
  link.putting.delete(seq)
  widen(link)
  if (row === undefined) return
  const peer = step.tx.get(peerRows, row.device)
  if (peer === undefined) return
  if (reply.kind === 'denied') {
    refusedDeposit(step, link, peer)
    return
  }
  if (reply.kind !== 'done') {
    step.context.log.event('deposit-refused')
    link.putMs = step.monoMs + pauseAfter(reply)
    wakeAt(step, link.putMs)
    return
  }
  if (row.aseqs.length === 0 && row.cardSeq === 0 && row.state === null) {
    step.tx.delete(outboxRows, rowKey(seq))
    return
  }
  if (row.relays.includes(link.address)) return
  step.tx.put(outboxRows, rowKey(seq), { ...row, relays: [...row.relays, link.address] })
  const conversation = row.conversation === null ? undefined : step.tx.get(conversationRows, row.conversation)
  if (row.relays.length === 0 && conversation !== undefined) await tellStates(step, conversation, row.aseqs)
}

/** The queue is not there: its owner makes it anew when the relay lost it, or names another with a later card. */
function refusedDeposit(step: Step, { address }: RelayLink, peer: Peer): void {
  const untilMs = step.monoMs + limits.relayRetryMaxMs
  linkTo(step, peer.device).denied.set(address, untilMs)
  wakeAt(step, untilMs)
}
