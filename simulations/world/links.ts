import type { Stream } from './stream.ts'
import type { Counts, Trace } from './trace.ts'

/** Bits of a byte. */
const byteBits = 8

/** What stands between a link and its world. */
interface Surroundings {
  readonly draw: Stream
  readonly faults: Counts
  readonly trace: Trace
}

/** What each pair of machines can carry, one way, and whether it carries anything now. */
export class Links {
  readonly #draw: Stream
  readonly #faults: Counts
  readonly #trace: Trace
  /** How wide a direction is among all: the same under every bandwidth. */
  readonly #widths = new Map<string, number>()
  readonly #busyUntil = new Map<string, number>()
  /** Directions that pass nothing, with what waits there, in order. */
  readonly #waiting = new Map<string, (() => void)[]>()
  #stalls = 0

  constructor({ draw, faults, trace }: Surroundings) {
    this.#draw = draw
    this.#faults = faults
    this.#trace = trace
  }

  /**
   * Milliseconds until so many bytes are on their way, behind those written before them. `bandwidth` is in bits a
   * second, the median over all directions; 0 is as much as there is.
   */
  sendMs(from: string, to: string, bytes: number, nowMs: number, bandwidth: number): number {
    if (bandwidth === 0) return 0
    const key = `${from}>${to}`
    const width = this.#widths.get(key) ?? this.#draw.lognormal(1, 0.5)
    this.#widths.set(key, width)
    const free = Math.max(nowMs, this.#busyUntil.get(key) ?? 0)
    if (free > nowMs) this.#faults.strike('frame-queued')
    const until = free + (bytes * byteBits * 1_000) / (bandwidth * width)
    this.#busyUntil.set(key, until)
    return until - nowMs
  }

  isStalled = (from: string, to: string): boolean => this.#waiting.has(`${from}>${to}`)

  /** Lets something arrive: now, or once the direction passes anything again, after all that came before it. */
  pass(from: string, to: string, arrive: () => void): void {
    const waiting = this.#waiting.get(`${from}>${to}`)
    if (waiting === undefined) {
      arrive()
      return
    }
    this.#faults.strike('frame-stalled')
    waiting.push(arrive)
  }

  /** Until the returned function is called these directions stay open and pass nothing. */
  stall(directions: readonly (readonly [from: string, to: string])[]): () => void {
    const keys = directions.map(([from, to]) => `${from}>${to}`).filter((key) => !this.#waiting.has(key))
    for (const key of keys) this.#waiting.set(key, [])
    const stall = ++this.#stalls
    this.#trace.tell('stall-begins', () => ({ stall, directions: keys.join() }))
    let over = false
    return () => {
      if (over) return
      over = true
      this.#trace.tell('stall-ends', () => ({ stall }))
      for (const key of keys) this.#release(key)
    }
  }

  #release(key: string): void {
    const waiting = this.#waiting.get(key) ?? []
    this.#waiting.delete(key)
    for (const arrive of waiting) arrive()
  }
}
