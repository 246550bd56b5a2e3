import { AbstractLevel, type AbstractDatabaseOptions, type AbstractIteratorOptions } from 'abstract-level'
import { boundsOf, IdbIterator, rangeOf, type Bounds } from './idb-iterator.ts'
import { answered, compact, completed, openDatabase } from './idb-request.ts'

const rows = 'rows'

type Operation =
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: Uint8Array }

type WriteOptions = { readonly sync?: boolean }
type ClearOptions = Bounds & { readonly limit?: number; readonly reverse?: boolean }

/**
 * A small AbstractLevel over one IndexedDB database. With `sync: true` a batch resolves once it is on the
 * disk (strict durability), without it once it is handed to the system. Unlike LevelDB a second tab can open
 * the same database: whoever uses it holds a Web Lock.
 */
export class IdbLevel extends AbstractLevel<Uint8Array, Uint8Array, Uint8Array> {
  readonly #name: string
  #db: IDBDatabase | undefined

  /** `name` is the database's name within the origin. */
  constructor(name: string, options?: AbstractDatabaseOptions<Uint8Array, Uint8Array>) {
    super(
      {
        encodings: { view: true },
        has: true,
        implicitSnapshots: false,
        seek: true,
        createIfMissing: false,
        errorIfExists: false,
      },
      options,
    )
    this.#name = name
  }

  async _open(): Promise<void> {
    this.#db = await openDatabase(this.#name, rows)
  }

  async _close(): Promise<void> {
    this.#db?.close()
    this.#db = undefined
  }

  async _get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return answered<Uint8Array | undefined>(this.#reading().get(compact(key)))
  }

  async _getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    const store = this.#reading()
    return Promise.all(keys.map((key) => answered<Uint8Array | undefined>(store.get(compact(key)))))
  }

  async _has(key: Uint8Array): Promise<boolean> {
    return (await answered<number>(this.#reading().count(compact(key)))) > 0
  }

  async _hasMany(keys: readonly Uint8Array[]): Promise<boolean[]> {
    const store = this.#reading()
    return Promise.all(keys.map(async (key) => (await answered<number>(store.count(compact(key)))) > 0))
  }

  async _put(key: Uint8Array, value: Uint8Array, options: WriteOptions): Promise<void> {
    return this._batch([{ type: 'put', key, value }], options)
  }

  async _del(key: Uint8Array, options: WriteOptions): Promise<void> {
    return this._batch([{ type: 'del', key }], options)
  }

  async _batch(operations: readonly Operation[], { sync = false }: WriteOptions): Promise<void> {
    if (operations.length === 0) return
    await this.#write(sync, (store) => {
      for (const operation of operations) {
        if (operation.type === 'put') store.put(compact(operation.value), compact(operation.key))
        else store.delete(compact(operation.key))
      }
    })
  }

  async _clear(options: ClearOptions): Promise<void> {
    if (options.limit !== undefined && options.limit >= 0) {
      const keys = await this.keys({ ...options, keyEncoding: 'view' }).all()
      return this._batch(
        keys.map((key) => ({ type: 'del', key })),
        {},
      )
    }
    const range = rangeOf(boundsOf(options))
    if (range === null) return
    await this.#write(false, (store) => (range === undefined ? store.clear() : store.delete(range)))
  }

  _iterator(options: AbstractIteratorOptions<Uint8Array, Uint8Array>): IdbIterator {
    return new IdbIterator(this, () => this.#reading(), options)
  }

  #reading(): IDBObjectStore {
    return this.#open().transaction(rows, 'readonly').objectStore(rows)
  }

  async #write(sync: boolean, work: (store: IDBObjectStore) => unknown): Promise<void> {
    const durability = sync ? 'strict' : 'relaxed'
    const transaction = this.#open().transaction(rows, 'readwrite', { durability })
    const done = completed(transaction)
    try {
      work(transaction.objectStore(rows))
      transaction.commit()
    } catch (error) {
      transaction.abort()
      await done.catch(() => undefined)
      throw error
    }
    await done
  }

  #open(): IDBDatabase {
    if (this.#db === undefined) throw new Error('IndexedDB database is not open')
    return this.#db
  }
}
