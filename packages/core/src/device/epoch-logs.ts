import { epochQueue } from '../group/index.ts'
import { createLogRequest, logIdOf, subscribeRequest, type DeliveredItem } from '../mailbox/index.ts'
import { equalBytes, toHex } from '../wire/index.ts'
import type { EpochLogKeys, RelayLink, Step } from './context.ts'
import { epochsOf } from './epochs.ts'
import { putLog } from './log-places.ts'
import type { PayloadItem } from './payload.ts'
import { ask, settleLater, wantRelay } from './relay-link.ts'
import { wakeAt } from './timers.ts'
import { conversationRows, epochLogRows, type Conversation, type EpochLog, type Peer } from './tables.ts'
import { receiveEnvelope } from './topic-input.ts'

/**
 * Log queues of routing epochs (mailbox.md §1, epochs.md §9): what was published while somebody was away lies there
 * once for all of them. The epoch's author says with the seed at which relays.
 */

/** Takes the author's word of where the log of a keyed routing epoch lies, once. */
export function receiveLogPlaces(
  step: Step,
  conversation: Conversation,
  peer: Peer,
  { epoch, relays }: Extract<PayloadItem, { readonly kind: 'epochLog' }>,
): void {
  const node = epochsOf(step, conversation).nodes.get(toHex(epoch))
  if (node?.seeded !== true || node.record.terms.route !== null) return
  if (!equalBytes(node.record.terms.device, peer.device)) return
  if (step.tx.get(epochLogRows, epoch) === undefined) putLog(step, conversation, epoch, relays)
}

/** Watches every log whose keys are here, at each relay it lies at, once on each channel; forgets those without keys. */
export function tendLogs(step: Step): void {
  for (const log of step.tx.all(epochLogRows)) {
    const keys = logKeys(step, log)
    if (keys === undefined) {
      forgetLog(step, log)
      continue
    }
    for (const { relay, cursor } of log.places) {
      const link = wantRelay(step, relay)
      if (link.session === undefined || link.watched.has(toHex(keys.recvId))) continue
      if (link.unsettled && step.monoMs < link.settleMs) {
        wakeAt(step, link.settleMs)
        continue
      }
      link.watched.add(toHex(keys.recvId))
      makeLog(step, link, keys)
      watchLog(step, link, keys, cursor)
    }
  }
}

function forgetLog(step: Step, { epoch }: EpochLog): void {
  step.tx.delete(epochLogRows, epoch)
  step.context.live.logs.delete(toHex(epoch))
}

/** The keys of a log, derived once; undefined when its epoch's are gone. */
export function logKeys(step: Step, { conversation, epoch }: EpochLog): EpochLogKeys | undefined {
  const { live, crypto } = step.context
  const row = step.tx.get(conversationRows, conversation)
  const state = row === undefined ? undefined : epochsOf(step, row)
  if (state?.keys.get(toHex(epoch))?.route === undefined) return undefined
  const known = live.logs.get(toHex(epoch))
  if (known !== undefined) return known
  const queue = epochQueue(crypto, state, epoch)
  if (queue === undefined) return undefined
  const writeKeys = queue.writers.map(({ publicKey }) => publicKey)
  const recvId = logIdOf(crypto, queue.read.publicKey, writeKeys)
  const keys = { epoch, recvId, read: queue.read, own: queue.own, writeKeys }
  live.logs.set(toHex(epoch), keys)
  return keys
}

/** Asks for the log to be there: whoever comes first makes it, and it is made again where a relay lost it. */
export function makeLog(step: Step, link: RelayLink, keys: EpochLogKeys): void {
  const name = toHex(keys.recvId)
  if (link.made.has(name)) return
  link.made.add(name)
  ask(step, link, { kind: 'log', recvId: keys.recvId }, (session, id) =>
    createLogRequest(step.context.crypto, session, id, keys),
  )
}

/** A log that was not made, or is not watched, is asked for again later. */
export function logRefused(step: Step, link: RelayLink, recvId: Uint8Array): void {
  link.watched.delete(toHex(recvId))
  link.made.delete(toHex(recvId))
  settleLater(step, link)
}

function watchLog(step: Step, link: RelayLink, { read, recvId }: EpochLogKeys, cursor: number): void {
  ask(step, link, { kind: 'log', recvId }, (session, id) =>
    subscribeRequest(step.context.crypto, session, id, read, cursor, recvId),
  )
}

/** Items of a log, opened one by one; asking from the last one on opens the relay's window again. False: no log of ours. */
export async function receiveLogItems(
  step: Step,
  link: RelayLink,
  recvId: Uint8Array,
  items: readonly DeliveredItem[],
): Promise<boolean> {
  const keys = [...step.context.live.logs.values()].find((one) => equalBytes(one.recvId, recvId))
  const log = keys === undefined ? undefined : step.tx.get(epochLogRows, keys.epoch)
  const place = log?.places.find(({ relay }) => relay === link.address)
  if (keys === undefined || log === undefined || place === undefined) return false
  let { cursor } = place
  for (const item of items) {
    if (item.cursor <= cursor) continue
    const conversation = step.tx.get(conversationRows, log.conversation)
    if (conversation !== undefined) await receiveEnvelope(step, conversation, log.epoch, item.blob)
    cursor = item.cursor
  }
  const places = log.places.map((one) => (one.relay === link.address ? { ...one, cursor } : one))
  step.tx.put(epochLogRows, log.epoch, { ...log, places })
  watchLog(step, link, keys, cursor)
  return true
}
