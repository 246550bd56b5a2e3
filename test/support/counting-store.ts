import type { Store, StoreEntry, StoreOp, StoreRange } from '@sotto/core/ports'

/** A store that counts the rows it is asked for. */
export class CountingStore implements Store {
  readonly #store: Store
  rows = 0

  constructor(store: Store) {
    this.#store = store
  }

  get(key: Uint8Array): Promise<Uint8Array | undefined> {
    this.rows += 1
    return this.#store.get(key)
  }

  getMany(keys: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]> {
    this.rows += keys.length
    return this.#store.getMany(keys)
  }

  range(range: StoreRange): Promise<readonly StoreEntry[]> {
    return this.#store.range(range)
  }

  batch(ops: readonly StoreOp[], options: { readonly durable: boolean }): Promise<void> {
    return this.#store.batch(ops, options)
  }

  readMark(): Promise<Uint8Array | undefined> {
    return this.#store.readMark()
  }

  writeMark(value: Uint8Array): Promise<void> {
    return this.#store.writeMark(value)
  }

  close(): Promise<void> {
    return this.#store.close()
  }
}
