import { createQueueRequest, subscribeRequest } from '../mailbox/index.ts'
import { toHex } from '../wire/index.ts'
import type { RelayLink, Step } from './context.ts'
import { findMe } from './me.ts'
import { ownQueue, queueKeys } from './queues.ts'
import { ask } from './relay-link.ts'
import { contactRows, contactStates, relayRows, type Queue, type Relay } from './tables.ts'

/** Sees to the queues at every relay of ours that answers: there is a new contact. */
export function tendAllQueues(step: Step): void {
  for (const relay of step.tx.all(relayRows)) {
    const link = step.context.live.relays.get(relay.address)
    if (link?.session !== undefined) tendQueues(step, relay, link)
  }
}

/** Whose devices may leave things for this one. */
const leaving: ReadonlySet<number> = new Set([
  contactStates.connected,
  contactStates.pending,
  contactStates.member,
  contactStates.own,
])

/** One inbox for each contact and one intro queue: created once, then watched on every channel. */
export function tendQueues(step: Step, relay: Relay, link: RelayLink): void {
  if (findMe(step) === undefined) return
  const contacts = step.tx.all(contactRows).filter(({ state }) => leaving.has(state))
  const asked = new Set(
    [...link.waiting.values()].map((request) => ('recvId' in request ? toHex(request.recvId) : '')),
  )
  for (const account of [null, ...contacts.map((one) => one.account)]) {
    const queue = ownQueue(step, relay, account)
    if (!asked.has(toHex(queue.recvId))) tendQueue(step, link, queue)
  }
}

/** Creates a queue, or watches it once on each channel: all that waits there, for what was read is gone. */
export function tendQueue(step: Step, link: RelayLink, queue: Queue): void {
  const { crypto } = step.context
  const keys = queueKeys(step, queue)
  if (queue.created) {
    if (link.watched.has(toHex(queue.recvId))) return
    link.watched.add(toHex(queue.recvId))
    const { recvId } = queue
    ask(step, link, { kind: 'subscribe', recvId }, (session, id) =>
      subscribeRequest(crypto, session, id, keys.read, 0),
    )
  } else {
    const kind = queue.intro ? 'intro' : 'inbox'
    ask(step, link, { kind: 'create', recvId: queue.recvId }, (session, id) =>
      createQueueRequest(crypto, session, id, keys, kind),
    )
  }
}
