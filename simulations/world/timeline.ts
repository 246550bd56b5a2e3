import { setImmediate } from 'node:timers'

interface Entry {
  readonly atMs: number
  readonly order: number
  readonly run: () => void
}

/** What no honest world plans for one moment: a device that asks to be woken at once, for ever, is a bug to name. */
const momentEvents = 100_000

const before = (a: Entry, b: Entry): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)

/**
 * Virtual time: a heap of moments. Between two of them nothing passes, however far apart they are; after each
 * everything that follows from it without waiting is allowed to happen.
 */
export class Timeline {
  readonly #heap: Entry[] = []
  #nowMs = 0
  #order = 0
  #events = 0

  /** Milliseconds since the world began. */
  get nowMs(): number {
    return this.#nowMs
  }

  /** Moments lived through. */
  get events(): number {
    return this.#events
  }

  /** Runs something `delayMs` from now, after whatever was planned for the same moment earlier. */
  after(delayMs: number, run: () => void): void {
    this.#push({ atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, run })
  }

  /** Resolves `delayMs` from now. */
  pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.after(delayMs, resolve))
  }

  /** Lives through everything up to and including `endMs`, or until `done` says so after an event. */
  async runUntil(endMs: number, done: () => boolean = () => false): Promise<void> {
    await settle()
    let standing = 0
    for (let next = this.#heap[0]; next !== undefined && next.atMs <= endMs; next = this.#heap[0]) {
      this.#pop()
      standing = next.atMs > this.#nowMs ? 0 : standing + 1
      if (standing > momentEvents) throw new Error(`time stands still at ${next.atMs} ms`)
      this.#nowMs = next.atMs
      this.#events += 1
      next.run()
      await settle()
      if (done()) return
    }
    this.#nowMs = Math.max(this.#nowMs, endMs)
  }

  /** Lives through the next moment that is planned; false when there is none. */
  async runNext(): Promise<boolean> {
    await settle()
    const next = this.#heap[0]
    if (next !== undefined) await this.runUntil(next.atMs, () => true)
    return next !== undefined
  }

  /** Lives on until the promise settles. Throws when nothing more is planned before `limitMs` from now. */
  async until<T>(promise: Promise<T>, limitMs: number): Promise<T> {
    const state = { settled: false }
    const note = (): void => void (state.settled = true)
    const isSettled = (): boolean => state.settled
    promise.then(note, note)
    // What needs nothing of the world takes no time in it.
    await settle()
    if (isSettled()) return promise
    await this.runUntil(this.#nowMs + limitMs, isSettled)
    if (!isSettled()) throw new Error('a promise outlived its time in the world')
    return promise
  }

  #push(entry: Entry): void {
    const heap = this.#heap
    let at = heap.length
    heap.push(entry)
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = heap[parent]
      if (above === undefined || !before(entry, above)) break
      heap[at] = above
      at = parent
    }
    heap[at] = entry
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      let below = heap[child]
      const right = heap[child + 1]
      if (below !== undefined && right !== undefined && before(right, below)) {
        child += 1
        below = right
      }
      if (below === undefined || !before(below, last)) break
      heap[at] = below
      at = child
    }
    heap[at] = last
  }
}

/** Every promise that can settle without time passing has settled when this resolves. */
const settle = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))
