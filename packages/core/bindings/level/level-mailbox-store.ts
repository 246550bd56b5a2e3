import type { AbstractLevel } from 'abstract-level'
import { PortError } from '../../src/errors.ts'
import type {
  MailboxItem,
  MailboxQueue,
  MailboxStore,
  MailboxWrite,
  StoredRecord,
} from '../../src/ports/index.ts'
import { asStore } from './level-errors.ts'
import { MailboxBatch, text, type QueueState, type Totals } from './level-mailbox-batch.ts'
import {
  decodeCounters,
  keys,
  lastCursor,
  logFrame,
  placeOfItem,
  queueFrame,
  ranges,
  recordFrame,
} from './level-mailbox-rows.ts'
import { asBytes } from './level-store.ts'

/** Queues whose counters stay in memory. */
const cachedQueues = 20_000
/** Requests committed together; bounds the size of one batch. */
const groupCommits = 1_024

interface Waiting {
  readonly writes: readonly MailboxWrite[]
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/**
 * The `MailboxStore` port on a database that the caller opened; closing the store closes it. Commits that
 * wait at the same time share one synced batch, so that a busy relay pays for one sync, not for each.
 */
export async function createLevelMailboxStore<Format>(
  db: AbstractLevel<Format, Uint8Array, Uint8Array>,
): Promise<MailboxStore> {
  const store = new LevelMailboxStore(db)
  await asStore(() => store.load())
  return store
}

class LevelMailboxStore<Format> implements MailboxStore {
  readonly #db: AbstractLevel<Format, Uint8Array, Uint8Array>
  readonly #queues = new Map<string, QueueState>()
  #totals: Totals = { queues: 0, items: 0, bytes: 0, records: 0 }
  #waiting: Waiting[] = []
  #turn: Promise<unknown> = Promise.resolve()
  #draining = false
  #version = 0
  #closed: Promise<void> | undefined

  constructor(db: AbstractLevel<Format, Uint8Array, Uint8Array>) {
    this.#db = db
  }

  /** Counts what there is. */
  async load(): Promise<void> {
    await this.#db.open()
    let queues = 0
    let items = 0
    let bytes = 0
    for await (const row of this.#db.values({ ...asBytes, ...ranges.counters })) {
      const counters = decodeCounters(row)
      queues++
      items += counters.items
      bytes += counters.bytes
    }
    const records = (await this.#db.keys({ ...asBytes, ...ranges.records }).all()).length
    this.#totals = { queues, items, bytes, records }
  }

  async queueByReader(recvId: Uint8Array): Promise<MailboxQueue | undefined> {
    return (await this.#queue(recvId))?.queue
  }

  async queueByWriter(sendId: Uint8Array): Promise<MailboxQueue | undefined> {
    const recvId = await this.#run(() => this.#db.get(keys.writer(sendId), asBytes))
    return recvId && this.queueByReader(recvId)
  }

  async usage(recvId: Uint8Array): Promise<{ readonly items: number; readonly bytes: number }> {
    const state = await this.#queue(recvId)
    return { items: state?.counters.items ?? 0, bytes: state?.counters.bytes ?? 0 }
  }

  async deposited(sendId: Uint8Array): Promise<{ readonly items: number; readonly bytes: number }> {
    const row = await this.#run(() => this.#db.get(keys.deposited(sendId), asBytes))
    if (row === undefined) return { items: 0, bytes: 0 }
    const { items, bytes } = decodeCounters(row)
    return { items, bytes }
  }

  async holds(recvId: Uint8Array, blobHash: Uint8Array): Promise<boolean> {
    const state = await this.#queue(recvId)
    if (state === undefined) return false
    return (await this.#run(() => this.#db.get(keys.hash(state.serial, blobHash), asBytes))) !== undefined
  }

  async page(recvId: Uint8Array, after: number, limit: number): Promise<readonly MailboxItem[]> {
    const state = await this.#queue(recvId)
    if (state === undefined || after >= lastCursor) return []
    const range = ranges.items(state.serial, after + 1, lastCursor)
    const rows = await this.#run(() => this.#db.iterator({ ...asBytes, ...range, limit }).all())
    return rows.map(([key, blob]) => {
      const { cursor, expiresAtMs } = placeOfItem(key)
      return { cursor, blob, expiresAtMs }
    })
  }

  async record(locator: Uint8Array): Promise<StoredRecord | undefined> {
    const row = await this.#run(() => this.#db.get(keys.record(locator), asBytes))
    if (row === undefined) return undefined
    const record = recordFrame.decode(row)
    if (!record.ok) throw damaged()
    return record.value
  }

  commit(writes: readonly MailboxWrite[]): Promise<void> {
    return this.#run(
      () =>
        new Promise((resolve, reject) => {
          this.#waiting.push({ writes, resolve, reject })
          if (this.#draining) return
          this.#draining = true
          void this.#exclusive(() => this.#drain())
        }),
    )
  }

  async sweep(nowMs: number): Promise<number> {
    let items = 0
    for (let more = true; more;) {
      const swept = await this.#run(() => this.#exclusive(() => this.#write((batch) => batch.sweep(nowMs))))
      items += swept.gone
      more = swept.more
    }
    return items
  }

  async totals(): Promise<Totals> {
    return this.#run(async () => this.#totals)
  }

  async close(): Promise<void> {
    this.#closed ??= asStore(async () => {
      await this.#turn
      await this.#db.close()
    })
    return this.#closed
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#waiting.splice(0, groupCommits)
      try {
        await this.#write((batch) => batch.apply(group.flatMap(({ writes }) => writes)))
        for (const { resolve } of group) resolve()
      } catch (error) {
        for (const { reject } of group) reject(error)
      }
    }
    this.#draining = false
  }

  /** Builds one batch and writes it; what is in memory changes only when it is on the disk. */
  async #write<T>(build: (batch: MailboxBatch<Format>) => Promise<T>): Promise<T> {
    const batch = new MailboxBatch(this.#db, (recvId) => this.#load(recvId), this.#totals)
    const result = await build(batch)
    // `sync` is an option of the databases, not of the abstraction.
    await this.#db.batch([...batch.ops], { ...asBytes, sync: true } as typeof asBytes)
    this.#version++
    for (const [id, state] of batch.queues) {
      if (state === undefined) this.#queues.delete(id)
      else this.#remember(id, state)
    }
    this.#totals = batch.totals
    return result
  }

  async #queue(recvId: Uint8Array): Promise<QueueState | undefined> {
    return this.#run(() => this.#load(recvId))
  }

  async #load(recvId: Uint8Array): Promise<QueueState | undefined> {
    const id = text(recvId)
    const known = this.#queues.get(id)
    if (known !== undefined) return known
    const version = this.#version
    const [row, counters] = await this.#db.getMany([keys.queue(recvId), keys.counters(recvId)], asBytes)
    if (row === undefined) return undefined
    const read = readQueue(row)
    if (read === undefined || counters === undefined) throw damaged()
    const state = { ...read, counters: decodeCounters(counters) }
    // A batch that went through meanwhile may know better.
    if (version === this.#version) this.#remember(id, state)
    return state
  }

  #remember(id: string, state: QueueState): void {
    this.#queues.delete(id)
    this.#queues.set(id, state)
    if (this.#queues.size <= cachedQueues) return
    for (const oldest of this.#queues.keys()) {
      this.#queues.delete(oldest)
      return
    }
  }

  #exclusive<T>(task: () => Promise<T>): Promise<T> {
    const run = this.#turn.then(task)
    this.#turn = run.catch(() => undefined)
    return run
  }

  async #run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed !== undefined) throw new PortError('E_STORE_CLOSED', 'The mailbox store is closed.')
    return asStore(work)
  }
}

function readQueue(row: Uint8Array): { readonly queue: MailboxQueue; readonly serial: number } | undefined {
  const single = queueFrame.decode(row)
  if (single.ok) {
    const { intro, serial, ...rest } = single.value
    return { queue: { kind: intro ? 'intro' : 'inbox', ...rest }, serial }
  }
  const log = logFrame.decode(row)
  if (!log.ok) return undefined
  const { serial, ...rest } = log.value
  return { queue: { kind: 'log', ...rest }, serial }
}

const damaged = (): PortError => new PortError('E_STORE_CORRUPT', "A row of the relay's database is damaged.")
