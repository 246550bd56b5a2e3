import { PortError } from '@sotto/core'
import { MemoryMailboxStore } from '@sotto/core/memory'
import type { MailboxItem, MailboxQueue, MailboxStore, MailboxWrite, StoredRecord } from '@sotto/core/ports'
import { itemsUnder, writesUnder, type RelayTrick } from './relay-tricks.ts'
import type { Stream } from './stream.ts'
import type { Timeline } from './timeline.ts'

const never = <T>(): Promise<T> => new Promise<T>(() => undefined)

/** What a relay's disk holds, across the deaths of its process. A commit is all or nothing. */
export class RelayDisk {
  rows = new MemoryMailboxStore()
  readonly timeline: Timeline
  readonly draw: Stream
  readonly seen: (writes: readonly MailboxWrite[]) => void
  /** The next commits fail. */
  failing = false
  /** Its operator means ill. */
  trick: RelayTrick | undefined

  /** `seen` is told every write that became durable. */
  constructor(timeline: Timeline, draw: Stream, seen: (writes: readonly MailboxWrite[]) => void) {
    this.timeline = timeline
    this.draw = draw
    this.seen = seen
  }

  /** What is on it now, to be put back later as a disk from before would be. */
  remember(): () => void {
    const old = this.rows.copy()
    return () => (this.rows = old)
  }

  open(): RelayStore {
    return new RelayStore(this)
  }
}

/** The `MailboxStore` of one relay process. */
export class RelayStore implements MailboxStore {
  readonly #disk: RelayDisk
  #dead = false

  constructor(disk: RelayDisk) {
    this.#disk = disk
  }

  /** The process is gone: a commit under way is on the disk or not, and nobody is told. */
  die(): void {
    this.#dead = true
  }

  async commit(writes: readonly MailboxWrite[]): Promise<void> {
    const { timeline, draw } = this.#disk
    const keeps = draw.chance(0.5)
    await timeline.pause(draw.between(0.2, 6))
    if (this.#dead && !keeps) return never()
    if (!this.#dead && this.#disk.failing)
      throw new PortError('E_STORE_IO', 'The disk did not take the write.')
    await this.#disk.rows.commit(writesUnder(this.#disk.trick, draw, writes))
    this.#disk.seen(writes)
    await timeline.pause(draw.between(0.2, 6))
    if (this.#dead) return never()
  }

  queueByReader(recvId: Uint8Array): Promise<MailboxQueue | undefined> {
    return this.#disk.rows.queueByReader(recvId)
  }

  queueByWriter(sendId: Uint8Array): Promise<MailboxQueue | undefined> {
    return this.#disk.rows.queueByWriter(sendId)
  }

  usage(recvId: Uint8Array): Promise<{ readonly items: number; readonly bytes: number }> {
    return this.#disk.rows.usage(recvId)
  }

  deposited(sendId: Uint8Array): Promise<{ readonly items: number; readonly bytes: number }> {
    return this.#disk.rows.deposited(sendId)
  }

  holds(recvId: Uint8Array, blobHash: Uint8Array): Promise<boolean> {
    return this.#disk.rows.holds(recvId, blobHash)
  }

  async page(recvId: Uint8Array, after: number, limit: number): Promise<readonly MailboxItem[]> {
    const { rows, trick, draw } = this.#disk
    return itemsUnder(trick, draw, recvId, await rows.page(recvId, after, limit))
  }

  record(locator: Uint8Array): Promise<StoredRecord | undefined> {
    return this.#disk.rows.record(locator)
  }

  sweep(nowMs: number): Promise<number> {
    return this.#disk.rows.sweep(nowMs)
  }

  totals(): ReturnType<MailboxStore['totals']> {
    return this.#disk.rows.totals()
  }

  async close(): Promise<void> {
    this.#dead = true
  }
}
