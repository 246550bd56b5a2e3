import { UsageError } from '../errors.ts'
import type { LinkRefusal } from '../identity/index.ts'
import type { Effect, Linking, Step } from './context.ts'
import { emit } from './events.ts'

/** What linking shares at both ends: the codes of its failures, and the frames of its one channel. */

const codes: Partial<Record<LinkRefusal, readonly [code: string, message: string]>> = {
  'wrong-secret': ['E_LINK_CODE', 'the code is not the one the other device shows'],
  expired: ['E_LINK_EXPIRED', 'the time for linking is over'],
  used: ['E_LINK_USED', 'this code was used already'],
  burned: ['E_LINK_BURNED', 'this code was tried too often'],
  cancelled: ['E_LINK_CANCELLED', 'linking was cancelled'],
  busy: ['E_LINK_BUSY', 'the other device is linking with somebody else'],
  closed: ['E_LINK_LOST', 'the connection to the other device was lost'],
}

/** Why linking failed, as a caller is told. */
export function linkFailure(reason: LinkRefusal): UsageError {
  const [code, message] = codes[reason] ?? ['E_LINK_FAILED', 'the other device did not keep to the protocol']
  return new UsageError(code, message, { hint: 'begin again on the new device', detail: { reason } })
}

/** Sends frames of linking, in order, and closes the channel when it is over. */
export function sendLinkFrames(
  step: Step,
  channel: number | undefined,
  frames: readonly Uint8Array[],
  close = false,
): void {
  if (channel === undefined) return
  const effects: Effect[] = frames.map((frame) => ({ kind: 'write', channel, frame }))
  step.effects.push(...effects)
  if (close) step.effects.push({ kind: 'close', channel })
}

/** Linking is over without a new device; whoever waits is told. */
export function failLinking(step: Step, linking: Linking, reason: LinkRefusal): void {
  const error = linkFailure(reason)
  linking.waiting?.fail(error)
  linking.waiting = undefined
  emit(step, { type: 'link', state: 'failed', code: error.code })
}
