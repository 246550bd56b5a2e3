/**
 * A store that fails as disks do, repeatably: it loses what was not synced, tears the last batch, rots,
 * fills up and reports I/O errors. Nothing in it is of Node, so simulations use it as well.
 */
import { PortError } from '../../packages/core/src/errors.ts'
import { MemoryStore } from '../../packages/core/src/memory/index.ts'
import type { Store, StoreEntry, StoreOp, StoreRange } from '../../packages/core/src/ports/index.ts'

/**
 * What a power cut leaves of the batches that were not synced: none; some, up to any point; all but a part
 * of the last; all but the last; all. A batch under way when the cut comes counts as not synced. 'tear-last'
 * breaks the promise of the port that a batch is all or nothing; 'lose-last' is what a store with a
 * checksummed log makes of a torn batch.
 */
export type CrashMode = 'drop-unsynced' | 'drop-suffix' | 'tear-last' | 'lose-last' | 'keep'

/** Everything the disk holds at a moment. */
export interface Snapshot {
  readonly rows: readonly StoreEntry[]
  readonly mark: Uint8Array | undefined
}

type Fault = 'full' | 'sync' | undefined

const everything: StoreRange = { gte: Uint8Array.of(), lt: new Uint8Array(64).fill(255) }
const sync = { durable: true }

/** Repeatable choices (mulberry32); good enough to pick faults, never keys. */
export function seededChoice(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

/** The `Store` port over memory with faults on demand. */
export class FaultyStore implements Store {
  /** What would survive a power cut, and what a reader sees. */
  #disk = new MemoryStore()
  #seen = new MemoryStore()
  #unsynced: (readonly StoreOp[])[] = []
  /** Marks since the one the disk surely has; none of them is ever synced. */
  #marks: (Uint8Array | undefined)[] = [undefined]
  #writes = 0
  #cut: { readonly at: number; readonly mode: CrashMode } | undefined
  #fault: { readonly kind: Fault; readonly at: number } | undefined
  #down = false
  #choose: (below: number) => number

  constructor(seed = 1) {
    this.#choose = seededChoice(seed)
  }

  /** Write boundaries so far: batches and marks. */
  get writes(): number {
    return this.#writes
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    this.#check()
    return this.#seen.get(key)
  }

  async getMany(keys: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]> {
    this.#check()
    return this.#seen.getMany(keys)
  }

  async range(range: StoreRange): Promise<readonly StoreEntry[]> {
    this.#check()
    return this.#seen.range(range)
  }

  async batch(ops: readonly StoreOp[], { durable }: { readonly durable: boolean }): Promise<void> {
    this.#check()
    const copy = ops.map((op) => (op.type === 'put' ? { ...op, value: op.value.slice() } : op))
    const fault = this.#faultNow(durable)
    if (fault === 'full') throw new PortError('E_STORE_FULL', 'The disk is full.', { retryable: true })
    this.#unsynced.push(copy)
    await this.#boundary()
    if (fault === 'sync') throw new PortError('E_STORE_IO', 'The disk did not take the write.')
    await this.#seen.batch(copy, sync)
    if (durable) await this.#flush()
  }

  /** Bytes of every row a reader sees. */
  async bytes(): Promise<number> {
    const rows = await this.#seen.range(everything)
    return rows.reduce((sum, { key, value }) => sum + key.length + value.length, 0)
  }

  async readMark(): Promise<Uint8Array | undefined> {
    this.#check()
    return this.#marks.at(-1)
  }

  async writeMark(value: Uint8Array): Promise<void> {
    this.#check()
    this.#marks = [...this.#marks.slice(-8), value.slice()]
    await this.#boundary()
  }

  /** Closing writes everything out, as an orderly shutdown of the machine does. */
  async close(): Promise<void> {
    if (this.#down) return
    await this.#flush()
    this.#marks = this.#marks.slice(-1)
    this.#down = true
  }

  /** Cuts the power now: every later call fails until `reopen`. */
  async crash(mode: CrashMode): Promise<void> {
    if (this.#down) return
    this.#down = true
    const batches = this.#unsynced
    const whole = this.#survivors(mode, batches.length)
    for (const ops of batches.slice(0, whole)) await this.#disk.batch(ops, sync)
    const torn = mode === 'tear-last' ? batches[whole] : undefined
    if (torn !== undefined) await this.#disk.batch(torn.slice(0, this.#choose(torn.length + 1)), sync)
    const mark = mode === 'keep' ? this.#marks.length - 1 : this.#choose(this.#marks.length)
    this.#marks = [this.#marks[mark]]
  }

  /** Cuts the power at the `boundary`-th write from the beginning (1 is the first). */
  cutAt(boundary: number, mode: CrashMode): void {
    this.#cut = { at: boundary, mode }
  }

  /**
   * The machine starts again over what the disk holds: a new handle, planned faults forgotten. This one stays
   * down, for whatever still holds it belongs to a dead process.
   */
  async reopen(): Promise<FaultyStore> {
    if (!this.#down) await this.crash('keep')
    const again = new FaultyStore()
    again.#disk = this.#disk
    again.#choose = this.#choose
    again.#marks = this.#marks.slice(-1)
    again.#writes = this.#writes
    await again.#seen.batch(await this.#puts(this.#disk), sync)
    return again
  }

  /** Every batch fails with `E_STORE_FULL` after `batches` more, until `free`. */
  fullAfter(batches: number): void {
    this.#fault = { kind: 'full', at: batches }
  }

  /** The next sync fails with `E_STORE_IO`; whether its batch reached the disk shows after a restart. */
  failSync(): void {
    this.#fault = { kind: 'sync', at: 0 }
  }

  /** Space again. */
  free(): void {
    this.#fault = undefined
  }

  /** The power stays, whatever was planned. */
  spare(): void {
    this.#cut = undefined
  }

  /** Flips one bit of one row's value (or key) on the disk. Returns false when there is no row. */
  async rot(part: 'value' | 'key' = 'value'): Promise<boolean> {
    await this.#flush()
    const rows = await this.#disk.range(everything)
    const row = rows[this.#choose(rows.length)]
    if (row === undefined) return false
    const bit = this.#choose(row[part].length * 8)
    const rotten = { key: row.key.slice(), value: row.value.slice() }
    rotten[part][bit >> 3] = (rotten[part][bit >> 3] ?? 0) ^ (1 << (bit & 7))
    const ops: StoreOp[] = [
      { type: 'del', key: row.key },
      { type: 'put', ...rotten },
    ]
    await this.#disk.batch(ops, sync)
    await this.#seen.batch(ops, sync)
    return true
  }

  /** Everything on the disk, unsynced writes included. */
  async snapshot(): Promise<Snapshot> {
    await this.#flush()
    return { rows: await this.#disk.range(everything), mark: this.#marks.at(-1) }
  }

  /**
   * Puts old rows back: all of them, or those `which` picks (a row that did not exist then is deleted). The
   * mark stays unless `mark` is set, for it lies elsewhere. The store must be reopened afterwards.
   */
  async restore(old: Snapshot, { which, mark = false }: RestoreOptions = {}): Promise<void> {
    this.#down = true
    const now = await this.#disk.range(everything)
    const before = new Map(old.rows.map((row) => [row.key.join(), row]))
    const picked = (key: Uint8Array): boolean => which?.(key) ?? true
    for (const { key } of now)
      if (!before.has(key.join()) && picked(key)) await this.#disk.batch([{ type: 'del', key }], sync)
    for (const row of old.rows) if (picked(row.key)) await this.#disk.batch([{ type: 'put', ...row }], sync)
    if (mark) this.#marks = [old.mark]
  }

  #survivors(mode: CrashMode, batches: number): number {
    switch (mode) {
      case 'drop-unsynced':
        return 0
      case 'drop-suffix':
        return this.#choose(batches + 1)
      case 'tear-last':
      case 'lose-last':
        return Math.max(0, batches - 1)
      case 'keep':
        return batches
    }
  }

  /** Counts a write and cuts the power when it is the planned one. */
  async #boundary(): Promise<void> {
    this.#writes++
    if (this.#cut?.at !== this.#writes) return
    await this.crash(this.#cut.mode)
    this.#check()
  }

  #faultNow(durable: boolean): Fault {
    if (this.#fault === undefined) return undefined
    const { kind, at } = this.#fault
    if (kind === 'sync') {
      if (durable) this.#fault = undefined
      return durable ? 'sync' : undefined
    }
    if (at <= 0) return 'full'
    this.#fault = { kind, at: at - 1 }
    return undefined
  }

  async #flush(): Promise<void> {
    const batches = this.#unsynced
    this.#unsynced = []
    for (const ops of batches) await this.#disk.batch(ops, sync)
  }

  async #puts(store: MemoryStore): Promise<StoreOp[]> {
    return (await store.range(everything)).map((row) => ({ type: 'put', ...row }))
  }

  #check(): void {
    if (this.#down) throw new PortError('E_STORE_CLOSED', 'The store is closed.')
  }
}

/** Which rows `restore` touches, and whether the mark goes back with them. */
export interface RestoreOptions {
  readonly which?: (key: Uint8Array) => boolean
  readonly mark?: boolean
}
