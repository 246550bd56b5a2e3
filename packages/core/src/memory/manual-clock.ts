import type { Clock } from '../ports/index.ts'

/** A clock that moves only when told. */
export class ManualClock implements Clock {
  #nowMs: number
  #monotonicMs = 0

  /** Starts at wall time `nowMs`. */
  constructor(nowMs = 0) {
    this.#nowMs = nowMs
  }

  nowMs(): number {
    return this.#nowMs
  }

  monotonicMs(): number {
    return this.#monotonicMs
  }

  /** Lets time pass: both clocks move by `ms`, which is not negative. */
  advance(ms: number): void {
    this.#nowMs += ms
    this.#monotonicMs += ms
  }

  /** Sets the wall clock, as a person or NTP does; monotonic time goes on undisturbed. */
  setWall(nowMs: number): void {
    this.#nowMs = nowMs
  }
}
