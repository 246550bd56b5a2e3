import type { AbstractLevel } from 'abstract-level'
import { PortError } from '../../src/errors.ts'
import type { Store, StoreEntry, StoreOp, StoreRange } from '../../src/ports/index.ts'
import { asStore } from './level-errors.ts'

/** A place outside the database for one small value. It need not be synced. */
export interface MarkFile {
  read(): Promise<Uint8Array | undefined>
  write(value: Uint8Array): Promise<void>
  close(): Promise<void>
}

/** Keys and values are handed to the database as they are. */
export const asBytes = { keyEncoding: 'view', valueEncoding: 'view' } as const

/** How a level store is put together. */
export interface LevelStoreOptions {
  readonly markFile: MarkFile
  /**
   * Given for LevelDB: whether the disk has room to open the database anew. After a failed batch that must
   * happen before the next one, for a half-written log record hides the batches written behind it from the
   * next recovery. Until there is room, reads go on and writes fail with `E_STORE_FULL`.
   */
  readonly roomToReopen?: () => Promise<boolean>
}

/** The `Store` port on a database that the caller opened; closing the store closes it. */
export function createLevelStore<Format>(
  db: AbstractLevel<Format, Uint8Array, Uint8Array>,
  options: LevelStoreOptions,
): Store {
  return new LevelStore(db, options)
}

class LevelStore<Format> implements Store {
  readonly #db: AbstractLevel<Format, Uint8Array, Uint8Array>
  readonly #markFile: MarkFile
  readonly #roomToReopen: (() => Promise<boolean>) | undefined
  #writing: Promise<unknown> = Promise.resolve()
  #suspect = false
  #reopening: Promise<void> | undefined
  #closed: Promise<void> | undefined

  constructor(db: AbstractLevel<Format, Uint8Array, Uint8Array>, options: LevelStoreOptions) {
    this.#db = db
    this.#markFile = options.markFile
    this.#roomToReopen = options.roomToReopen
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#run(() => this.#db.get(key, asBytes))
  }

  async getMany(keys: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]> {
    return this.#run(() => this.#db.getMany([...keys], asBytes))
  }

  async range({ gte, lt, limit = -1 }: StoreRange): Promise<readonly StoreEntry[]> {
    const rows = await this.#run(() => this.#db.iterator({ ...asBytes, gte, lt, limit }).all())
    return rows.map(([key, value]) => ({ key, value }))
  }

  /** Batches are written in the order they were asked for; the database alone gives no order to overlapping ones. */
  async batch(ops: readonly StoreOp[], { durable }: { readonly durable: boolean }): Promise<void> {
    const turn = this.#writing.then(() => this.#write(ops, durable))
    this.#writing = turn.catch(() => undefined)
    return turn
  }

  async #write(ops: readonly StoreOp[], durable: boolean): Promise<void> {
    if (this.#suspect) await this.#reopen()
    try {
      // `sync` is an option of the databases, not of the abstraction.
      await this.#run(() => this.#db.batch([...ops], { ...asBytes, sync: durable } as typeof asBytes))
    } catch (error) {
      this.#suspect = this.#roomToReopen !== undefined
      throw error
    }
  }

  async readMark(): Promise<Uint8Array | undefined> {
    return this.#run(() => this.#markFile.read())
  }

  async writeMark(value: Uint8Array): Promise<void> {
    return this.#run(() => this.#markFile.write(value))
  }

  async close(): Promise<void> {
    this.#closed ??= asStore(async () => {
      await this.#reopening?.catch(() => undefined)
      await this.#db.close()
      await this.#markFile.close()
    })
    return this.#closed
  }

  async #run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed !== undefined) throw new PortError('E_STORE_CLOSED', 'The store is closed.')
    if (this.#suspect && this.#db.status === 'closed') await this.#reopen()
    else await this.#reopening
    return asStore(work)
  }

  async #reopen(): Promise<void> {
    this.#reopening ??= asStore(async () => {
      if ((await this.#roomToReopen?.()) === false)
        throw new PortError('E_STORE_FULL', 'The disk is full.', {
          retryable: true,
          hint: 'Free some space; nothing was lost.',
        })
      await this.#db.close()
      await this.#db.open()
      this.#suspect = false
    })
    try {
      await this.#reopening
    } finally {
      this.#reopening = undefined
    }
  }
}
