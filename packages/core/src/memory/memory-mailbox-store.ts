import { PortError } from '../errors.ts'
import {
  writersOf,
  type MailboxItem,
  type MailboxQueue,
  type MailboxStore,
  type MailboxWrite,
  type StoredRecord,
} from '../ports/index.ts'
import { BytesMap, keyText } from './bytes-map.ts'

interface Queue {
  readonly meta: MailboxQueue
  /** Items waiting, oldest first, with the hash of each blob. */
  items: MailboxItem[]
  next: number
  bytes: number
  /** Hashes of blobs that wait or were acknowledged, until the item would have expired. */
  readonly hashes: Map<string, number>
}

/** The `MailboxStore` port in memory. */
export class MemoryMailboxStore implements MailboxStore {
  readonly #queues = new BytesMap<Queue>()
  readonly #writers = new BytesMap<Uint8Array>()
  readonly #deposited = new BytesMap<{ readonly items: number; readonly bytes: number }>()
  readonly #records = new BytesMap<StoredRecord>()
  #closed = false

  async queueByReader(recvId: Uint8Array): Promise<MailboxQueue | undefined> {
    return this.#open().get(recvId)?.meta
  }

  async queueByWriter(sendId: Uint8Array): Promise<MailboxQueue | undefined> {
    const recvId = this.#writers.get(sendId)
    return recvId === undefined ? undefined : this.#open().get(recvId)?.meta
  }

  async usage(recvId: Uint8Array): Promise<{ readonly items: number; readonly bytes: number }> {
    const queue = this.#open().get(recvId)
    return { items: queue?.items.length ?? 0, bytes: queue?.bytes ?? 0 }
  }

  async deposited(sendId: Uint8Array): Promise<{ readonly items: number; readonly bytes: number }> {
    this.#open()
    return this.#deposited.get(sendId) ?? { items: 0, bytes: 0 }
  }

  async holds(recvId: Uint8Array, blobHash: Uint8Array): Promise<boolean> {
    return this.#open().get(recvId)?.hashes.has(keyText(blobHash)) ?? false
  }

  async page(recvId: Uint8Array, after: number, limit: number): Promise<readonly MailboxItem[]> {
    const items = this.#open().get(recvId)?.items ?? []
    return items.filter(({ cursor }) => cursor > after).slice(0, limit)
  }

  async record(locator: Uint8Array): Promise<StoredRecord | undefined> {
    this.#open()
    return this.#records.get(locator)
  }

  async commit(writes: readonly MailboxWrite[]): Promise<void> {
    this.#open()
    for (const write of writes) this.#apply(write)
  }

  async sweep(nowMs: number): Promise<number> {
    let gone = 0
    for (const [recvId, queue] of [...this.#open().entries()]) {
      const { kind, createdAtMs, ttlMs } = queue.meta
      if (kind === 'log' && createdAtMs + ttlMs < nowMs) {
        gone += queue.items.length
        this.#delete(recvId)
        continue
      }
      gone += keep(queue, ({ expiresAtMs }) => expiresAtMs >= nowMs)
      for (const [hash, expiresAtMs] of queue.hashes) if (expiresAtMs < nowMs) queue.hashes.delete(hash)
    }
    const expired = [...this.#records.entries()].filter(([, { expiresAtMs }]) => expiresAtMs < nowMs)
    for (const [locator] of expired) this.#records.delete(locator)
    return gone
  }

  async totals(): Promise<{
    readonly queues: number
    readonly items: number
    readonly bytes: number
    readonly records: number
  }> {
    let items = 0
    let bytes = 0
    for (const [, queue] of this.#open().entries()) {
      items += queue.items.length
      bytes += queue.bytes
    }
    return { queues: this.#queues.size, items, bytes, records: this.#records.size }
  }

  /** A store of its own that holds what this one holds now. */
  copy(): MemoryMailboxStore {
    const copy = new MemoryMailboxStore()
    for (const [recvId, queue] of this.#open().entries())
      copy.#queues.set(recvId, { ...queue, items: [...queue.items], hashes: new Map(queue.hashes) })
    for (const [sendId, recvId] of this.#writers.entries()) copy.#writers.set(sendId, recvId)
    for (const [sendId, sums] of this.#deposited.entries()) copy.#deposited.set(sendId, sums)
    for (const [locator, record] of this.#records.entries()) copy.#records.set(locator, record)
    return copy
  }

  async close(): Promise<void> {
    this.#closed = true
  }

  #apply(write: MailboxWrite): void {
    switch (write.type) {
      case 'create':
        this.#create(write.queue)
        return
      case 'append':
        this.#append(write)
        return
      case 'ack': {
        const queue = this.#queues.get(write.recvId)
        if (queue !== undefined) keep(queue, ({ cursor }) => cursor > write.upTo)
        return
      }
      case 'delete':
        this.#delete(write.recvId)
        return
      case 'record':
        this.#records.set(write.locator, write.record)
    }
  }

  #create(meta: MailboxQueue): void {
    if (this.#queues.get(meta.recvId) !== undefined) return
    this.#queues.set(meta.recvId, { meta, items: [], next: 1, bytes: 0, hashes: new Map() })
    for (const { sendId } of writersOf(meta)) this.#writers.set(sendId, meta.recvId)
  }

  #delete(recvId: Uint8Array): void {
    const queue = this.#queues.get(recvId)
    for (const { sendId } of queue === undefined ? [] : writersOf(queue.meta)) {
      this.#writers.delete(sendId)
      this.#deposited.delete(sendId)
    }
    this.#queues.delete(recvId)
  }

  #append(write: Extract<MailboxWrite, { readonly type: 'append' }>): void {
    const { recvId, blob, blobHash, expiresAtMs, sendId } = write
    const queue = this.#queues.get(recvId)
    const hash = keyText(blobHash)
    if (queue === undefined || queue.hashes.has(hash)) return
    queue.items.push({ cursor: queue.next++, blob: blob.slice(), expiresAtMs })
    queue.bytes += blob.length
    queue.hashes.set(hash, expiresAtMs)
    if (sendId === undefined) return
    const { items, bytes } = this.#deposited.get(sendId) ?? { items: 0, bytes: 0 }
    this.#deposited.set(sendId, { items: items + 1, bytes: bytes + blob.length })
  }

  #open(): BytesMap<Queue> {
    if (this.#closed) throw new PortError('E_STORE_CLOSED', 'The mailbox store is closed.')
    return this.#queues
  }
}

/** Keeps the items that fit and returns how many went. */
function keep(queue: Queue, fits: (item: MailboxItem) => boolean): number {
  const before = queue.items.length
  queue.items = queue.items.filter(fits)
  queue.bytes = queue.items.reduce((sum, { blob }) => sum + blob.length, 0)
  return before - queue.items.length
}
