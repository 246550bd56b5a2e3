import { limits } from '../limits.ts'
import type { Attempts, Live, Step } from './context.ts'
import { metaRows, onlyRow } from './tables.ts'

/** Asks to be woken at a monotonic moment, rounded up to the whole milliseconds steps count in; the earliest counts. */
export function wakeAt(step: Step, monoMs: number): void {
  const { live } = step.context
  live.wakeMs = Math.min(live.wakeMs, Math.ceil(monoMs))
}

/**
 * The moment by which things of our own expire: while the clock is in doubt, the last one that was sure. It is
 * never ahead of the clock, so that one set back expires nothing either.
 */
export function sureNow(step: Step): number {
  const last = step.context.live.clockDoubted ? step.tx.get(metaRows, onlyRow)?.lastMs : undefined
  return last === undefined ? step.nowMs : Math.min(step.nowMs, last)
}

/** How long a device leaves its store alone that took nothing the last few times; what its person asks is tried at once. */
export const storePauseMs = ({ storeFailures }: Live): number =>
  Math.min(limits.storePauseMaxMs, limits.storePauseMs * 2 ** Math.min(storeFailures, 16))

/** Notes a failed attempt: the pause doubles each time, with a quarter of jitter, up to its limit. */
export function noteFailure(step: Step, attempts: Attempts, longestMs: number = limits.retryMaxMs): void {
  attempts.opening = false
  const pause = Math.min(longestMs, limits.retryMinMs * 2 ** Math.min(attempts.failures, 16))
  const [jitter = 0] = step.context.random.bytes(1)
  attempts.failures += 1
  attempts.nextMs = step.monoMs + pause * (0.875 + jitter / 1_024)
}

/** Notes a success: the next failure starts from the shortest pause. */
export function noteSuccess(attempts: Attempts): void {
  attempts.opening = false
  attempts.failures = 0
  attempts.nextMs = 0
}
