import { limits } from '../limits.ts'
import type { Step } from './context.ts'
import type { PayloadItem } from './payload.ts'
import { relayAddresses } from './queues.ts'
import { epochLogRows, type Conversation } from './tables.ts'

/** Where the logs of epochs lie: their authors choose, and say so with the seeds. */

/** Notes where the log of an own epoch lies: at this device's relays. */
export function placeLog(step: Step, conversation: Conversation, epoch: Uint8Array): void {
  putLog(step, conversation, epoch, relayAddresses(step).slice(0, limits.logPlaces))
}

/** What is told with a seed: where the log of its epoch lies. */
export function logItems(step: Step, conversation: Uint8Array, epoch: Uint8Array): readonly PayloadItem[] {
  const log = step.tx.get(epochLogRows, epoch)
  return log === undefined
    ? []
    : [{ kind: 'epochLog', conversation, epoch, relays: log.places.map(({ relay }) => relay) }]
}

/** Keeps where a log lies. */
export function putLog(
  step: Step,
  { conversation }: Conversation,
  epoch: Uint8Array,
  relays: readonly string[],
): void {
  const places = [...new Set(relays)].map((relay) => ({ relay, cursor: 0 }))
  if (places.length > 0) step.tx.put(epochLogRows, epoch, { conversation, epoch, places })
}
