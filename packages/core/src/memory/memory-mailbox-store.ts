import { PortError } from '../errors.ts'
import type { MailboxItem, MailboxQueue, MailboxStore, MailboxWrite, StoredRecord } from '../ports/index.ts'
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
    for (const [, queue] of this.#open().entries()) {
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
      case 'delete': {
        const queue = this.#queues.get(write.recvId)
        if (queue !== undefined) this.#writers.delete(queue.meta.sendId)
        this.#queues.delete(write.recvId)
        return
      }
      case 'record':
        this.#records.set(write.locator, write.record)
    }
  }

  #create(meta: MailboxQueue): void {
    if (this.#queues.get(meta.recvId) !== undefined) return
    this.#queues.set(meta.recvId, { meta, items: [], next: 1, bytes: 0, hashes: new Map() })
    this.#writers.set(meta.sendId, meta.recvId)
  }

  #append({ recvId, blob, blobHash, expiresAtMs }: Extract<MailboxWrite, { readonly type: 'append' }>): void {
    const queue = this.#queues.get(recvId)
    const hash = keyText(blobHash)
    if (queue === undefined || queue.hashes.has(hash)) return
    queue.items.push({ cursor: queue.next++, blob: blob.slice(), expiresAtMs })
    queue.bytes += blob.length
    queue.hashes.set(hash, expiresAtMs)
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
