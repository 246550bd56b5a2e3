import { newQueueKeys, queueEntropyBytes, type QueueKeys } from '../mailbox/index.ts'
import { Secret, sizes } from '../crypto/index.ts'
import type { AccountId, IntroQueue } from '../identity/index.ts'
import { equalBytes } from '../wire/index.ts'
import { concat } from '../wire/index.ts'
import type { Step } from './context.ts'
import { queueRows, relayRows, type Queue, type Relay } from './tables.ts'

/** Addresses of our relays, oldest first. */
export const relayAddresses = (step: Step): readonly string[] =>
  step.tx
    .all(relayRows)
    .toSorted((a, b) => a.addedAtMs - b.addedAtMs)
    .map((relay) => relay.address)

export const queueKeys = (step: Step, queue: Queue): QueueKeys =>
  newQueueKeys(step.context.crypto, concat(queue.readSeed.expose(), queue.writeSeed.expose()))

/** Our queue at a relay for one contact, or for strangers; its keys are drawn when there is none. */
export function ownQueue(step: Step, relay: Relay, account: AccountId | null): Queue {
  const known = queuesFor(step, account).find((queue) => equalBytes(queue.relayId, relay.relayId))
  if (known !== undefined) return known
  const entropy = step.context.random.bytes(queueEntropyBytes)
  const keys = newQueueKeys(step.context.crypto, entropy)
  const queue: Queue = {
    recvId: keys.recvId,
    relayId: relay.relayId,
    intro: account === null,
    account,
    readSeed: new Secret(entropy.slice(0, sizes.seed)),
    writeSeed: new Secret(entropy.slice(sizes.seed)),
    created: false,
    createdAtMs: step.nowMs,
  }
  step.tx.put(queueRows, queue.recvId, queue)
  return queue
}

const queuesFor = (step: Step, account: AccountId | null): readonly Queue[] =>
  step.tx
    .all(queueRows)
    .filter((queue) =>
      account === null ? queue.intro : queue.account !== null && equalBytes(queue.account, account),
    )

/** The intro queue a bundle names: one that its relay confirmed. */
export function introTarget(step: Step): IntroQueue | null {
  const queue = queuesFor(step, null).find((one) => one.created)
  const relay = queue === undefined ? undefined : step.tx.get(relayRows, queue.relayId)
  return queue === undefined || relay === undefined
    ? null
    : { relay: relay.address, writerSeed: queue.writeSeed.expose() }
}

/** Where one contact may deposit: queues their relays confirmed. */
export function depositPlaces(
  step: Step,
  account: AccountId,
): readonly { readonly relay: string; readonly writeSeed: Uint8Array }[] {
  return queuesFor(step, account).flatMap((queue) => {
    const relay = step.tx.get(relayRows, queue.relayId)
    return queue.created && relay !== undefined
      ? [{ relay: relay.address, writeSeed: queue.writeSeed.expose() }]
      : []
  })
}
