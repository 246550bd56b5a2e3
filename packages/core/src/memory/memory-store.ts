import { PortError } from '../errors.ts'
import type { Store, StoreEntry, StoreOp, StoreRange } from '../ports/index.ts'
import { BytesMap } from './bytes-map.ts'

/** The `Store` port in memory: nothing outlives the object, every batch counts as durable. */
export class MemoryStore implements Store {
  #rows = new BytesMap<Uint8Array>()
  #mark: Uint8Array | undefined
  #closed = false

  /** Rows held. */
  get size(): number {
    return this.#rows.size
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    this.#check()
    return this.#rows.get(key)?.slice()
  }

  async getMany(keys: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]> {
    this.#check()
    return keys.map((key) => this.#rows.get(key)?.slice())
  }

  async range({ gte, lt, limit = Infinity }: StoreRange): Promise<readonly StoreEntry[]> {
    this.#check()
    const found: StoreEntry[] = []
    for (const [key, value] of this.#rows.entries(gte, lt)) {
      if (found.length >= limit) break
      found.push({ key: key.slice(), value: value.slice() })
    }
    return found
  }

  async batch(ops: readonly StoreOp[], _options: { readonly durable: boolean }): Promise<void> {
    this.#check()
    for (const op of ops) {
      if (op.type === 'put') this.#rows.set(op.key, op.value.slice())
      else this.#rows.delete(op.key)
    }
  }

  async readMark(): Promise<Uint8Array | undefined> {
    this.#check()
    return this.#mark?.slice()
  }

  async writeMark(value: Uint8Array): Promise<void> {
    this.#check()
    this.#mark = value.slice()
  }

  /** Closes the handle; `reopen` gives a new one to the same rows. */
  async close(): Promise<void> {
    this.#closed = true
  }

  /** A new handle to the same rows, as after a restart of the process; this one stays closed. */
  reopen(): MemoryStore {
    this.#closed = true
    const again = new MemoryStore()
    again.#rows = this.#rows
    again.#mark = this.#mark
    return again
  }

  #check(): void {
    if (this.#closed) throw new PortError('E_STORE_CLOSED', 'The store is closed.')
  }
}
