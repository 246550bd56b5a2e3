import type { Clock } from '@sotto/core/ports'
import type { Timeline } from './timeline.ts'

/** When worlds begin: 1 January 2026 UTC, in milliseconds. */
export const epochMs = Date.UTC(2026, 0, 1)

/** The clocks of one machine: the wall clock is off by some error, the monotonic one starts with each boot. */
export class HostClock implements Clock {
  readonly #timeline: Timeline
  #bootedMs = 0
  /** Milliseconds the wall clock is ahead of the world. */
  errorMs = 0

  constructor(timeline: Timeline) {
    this.#timeline = timeline
  }

  nowMs(): number {
    return Math.floor(epochMs + this.#timeline.nowMs + this.errorMs)
  }

  monotonicMs(): number {
    return this.#timeline.nowMs - this.#bootedMs
  }

  boot(): void {
    this.#bootedMs = this.#timeline.nowMs
  }
}
