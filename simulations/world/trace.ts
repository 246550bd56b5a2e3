import { createHash } from 'node:crypto'

/** What happened, as one line of the trace: short literals and numbers in a fixed order. */
export type TraceFields = Readonly<Record<string, string | number | boolean>>

/** A rolling SHA-256 over every event in order; the same seed gives the same hash. */
export class Trace {
  readonly #hash = createHash('sha256')
  readonly #now: () => number
  readonly #line: ((line: string) => void) | undefined
  #closed: string | undefined

  constructor(now: () => number, line?: (line: string) => void) {
    this.#now = now
    this.#line = line
  }

  /** Notes an event; `bytes` are hashed whole and shown by their length. */
  note(kind: string, fields: TraceFields = {}, bytes?: Uint8Array): void {
    const shown = bytes === undefined ? fields : { ...fields, bytes: bytes.length }
    const line = this.#lineOf(kind, shown)
    this.#hash.update(line)
    if (bytes !== undefined) this.#hash.update(bytes)
    this.#line?.(line)
  }

  /**
   * Tells readers of the lines what follows from the events noted: it is no part of the hash, and costs nothing
   * when nobody reads.
   */
  tell(kind: string, fields: () => TraceFields): void {
    this.#line?.(this.#lineOf(kind, fields()))
  }

  /** Whether anybody reads the lines. */
  get isRead(): boolean {
    return this.#line !== undefined
  }

  #lineOf(kind: string, fields: TraceFields): string {
    return JSON.stringify({ t: Math.round(this.#now() * 1000) / 1000, kind, ...fields })
  }

  /** The hash over everything noted; nothing is noted after. */
  end(): string {
    this.#closed ??= this.#hash.digest('hex')
    return this.#closed
  }
}

/** How often each kind of thing happened. */
export class Counts {
  readonly #counts = new Map<string, number>()

  /** Names the kinds a world can show, so that one that never happened is seen as zero. */
  constructor(kinds: readonly string[]) {
    for (const kind of kinds) this.#counts.set(kind, 0)
  }

  strike(kind: string, times = 1): void {
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + times)
  }

  toJSON(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1)))
  }
}
