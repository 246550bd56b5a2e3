import { PortError } from '@sotto/core'
import { MemoryStore } from '@sotto/core/memory'
import type { Store, StoreEntry, StoreOp, StoreRange } from '@sotto/core/ports'
import { FaultyStore, type CrashMode, type Snapshot } from './faulty-store.ts'
import type { Stream } from './stream.ts'
import type { Timeline } from './timeline.ts'
import type { Counts } from './trace.ts'

const never = <T>(): Promise<T> => new Promise<T>(() => undefined)

/**
 * The `Store` of one process over a disk that outlives it. Writes take time, so a crash falls before, within or
 * after them; a process that is dead never hears from its disk again.
 */
export class ProcessDisk implements Store {
  readonly #disk: FaultyStore
  readonly #timeline: Timeline
  readonly #draw: Stream
  readonly #onCut: () => void
  #dead = false

  constructor(disk: FaultyStore, timeline: Timeline, draw: Stream, onCut: () => void) {
    this.#disk = disk
    this.#timeline = timeline
    this.#draw = draw
    this.#onCut = onCut
  }

  get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#alive(() => this.#disk.get(key))
  }

  getMany(keys: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]> {
    return this.#alive(() => this.#disk.getMany(keys))
  }

  range(range: StoreRange): Promise<readonly StoreEntry[]> {
    return this.#alive(() => this.#disk.range(range))
  }

  batch(ops: readonly StoreOp[], options: { readonly durable: boolean }): Promise<void> {
    return this.#write(() => this.#disk.batch(ops, options))
  }

  readMark(): Promise<Uint8Array | undefined> {
    return this.#alive(() => this.#disk.readMark())
  }

  writeMark(value: Uint8Array): Promise<void> {
    return this.#write(() => this.#disk.writeMark(value))
  }

  close(): Promise<void> {
    return this.#alive(() => this.#disk.close())
  }

  /** The process is gone; what it had under way counts as not written. */
  die(): void {
    this.#dead = true
  }

  async #write(work: () => Promise<void>): Promise<void> {
    await this.#timeline.pause(this.#draw.between(0.2, 4))
    await this.#alive(work)
    await this.#timeline.pause(this.#draw.between(0.2, 4))
    if (this.#dead) return never()
  }

  async #alive<T>(work: () => Promise<T>): Promise<T> {
    if (this.#dead) return never()
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof PortError && error.code === 'E_STORE_CLOSED')) throw error
      // The planned cut came with this very write.
      this.#onCut()
      return never()
    }
  }
}

/** A torn batch at the end of the log fails its checksum and is dropped when the store is opened again. */
const faultOf = (mode: CrashMode): string => (mode === 'lose-last' ? 'disk-torn' : `disk-${mode}`)

/** A machine's disk: what is on it, and what befalls it. */
export class Disk {
  readonly #timeline: Timeline
  readonly #draw: Stream
  readonly #faults: Counts
  #store: FaultyStore
  #open: ProcessDisk | undefined
  /** How the disk will look after the cut that is planned. */
  #planned: CrashMode | undefined
  /** A sync failed: what the process above believes is on the disk may not be, so it must start anew. */
  sick = false
  /** Bits of it flipped. */
  rotten = false

  constructor(timeline: Timeline, draw: Stream, faults: Counts) {
    this.#timeline = timeline
    this.#draw = draw
    this.#faults = faults
    this.#store = new FaultyStore(draw.below(2 ** 32))
  }

  /** The disk as a new process finds it. */
  async open(onCut: () => void): Promise<Store> {
    this.#open?.die()
    this.sick = false
    this.#store = await this.#store.reopen()
    this.#planned = undefined
    this.#open = new ProcessDisk(this.#store, this.#timeline, this.#draw, () => {
      if (this.#planned !== undefined) this.#faults.strike(faultOf(this.#planned))
      this.#planned = undefined
      onCut()
    })
    return this.#open
  }

  /** The power goes now. */
  async crash(): Promise<void> {
    this.#open?.die()
    const mode = this.#mode()
    this.#faults.strike(faultOf(mode))
    await this.#store.crash(mode)
  }

  /** The power will go in the middle of a write soon. */
  crashAtWrite(): void {
    const mode = this.#mode()
    this.#planned = mode
    this.#store.cutAt(this.#store.writes + 1 + this.#draw.below(6), mode)
  }

  /** The next sync reports an error, or the next writes find no room. Call `mend` later. */
  fail(kind: 'full' | 'sync'): void {
    if (kind === 'full') this.#store.fullAfter(0)
    else {
      this.sick = true
      this.#store.failSync()
    }
  }

  /** What is on it, on a disk of its own. */
  async copy(): Promise<Store> {
    const { rows, mark } = await this.#store.snapshot()
    const copied = new MemoryStore()
    await copied.batch(
      rows.map((row) => ({ type: 'put', ...row })),
      { durable: true },
    )
    if (mark !== undefined) await copied.writeMark(mark)
    return copied
  }

  /** An image of all that is on it, to be put back. */
  image(): Promise<Snapshot> {
    return this.#store.snapshot()
  }

  /** Puts a copy back while nobody uses it: what was written since is gone, the mark beside the database only with it. */
  async putBack(old: Snapshot, withMark: boolean): Promise<void> {
    this.#open?.die()
    this.#faults.strike(withMark ? 'disk-older-whole' : 'disk-older')
    await this.#store.restore(old, { mark: withMark })
  }

  /** Makes a new disk a copy of another. */
  fill(image: Snapshot): Promise<void> {
    return this.#store.restore(image, { mark: true })
  }

  /** While nobody uses it, a bit of so many rows flips, in the value or, of every fourth, in the key. */
  async rot(rows: number): Promise<void> {
    this.#open?.die()
    this.#store = await this.#store.reopen()
    for (let n = 0; n < rows; n++)
      if (await this.#store.rot(this.#draw.chance(0.25) ? 'key' : 'value')) this.#faults.strike('disk-rot')
    this.rotten = true
  }

  /** Bytes it holds. */
  bytes(): Promise<number> {
    return this.#store.bytes()
  }

  mend(): void {
    this.#store.free()
  }

  /** Nothing befalls it any more. */
  calm(): void {
    this.mend()
    this.#planned = undefined
    this.#store.spare()
  }

  #mode(): CrashMode {
    return this.#draw.pick(['drop-unsynced', 'drop-suffix', 'lose-last', 'keep'] as const)
  }
}
