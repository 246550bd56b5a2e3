import { MemoryStore } from '@sotto/core/memory'
import type { Store, StoreOp, StoreRange } from '@sotto/core/ports'

/** A store in memory whose process can die around its next batch. */
export class DyingStore implements Store {
  readonly rows: MemoryStore
  #left = Infinity
  #lastAnswers = true
  readonly #died = Promise.withResolvers<never>()
  readonly #reached = Promise.withResolvers<undefined>()

  constructor(rows = new MemoryStore()) {
    this.rows = rows
    this.#died.promise.catch(() => undefined)
  }

  /** The next batch is the last to be stored. Whoever wrote it hears so, or nothing ever again. */
  endAfterNextBatch({ answers }: { readonly answers: boolean }): Promise<undefined> {
    this.#left = 1
    this.#lastAnswers = answers
    return this.#reached.promise
  }

  /** Fails whatever still waits, so that the object above can be put away. */
  die(): void {
    this.#died.reject(new Error('this process is dead'))
  }

  async batch(ops: readonly StoreOp[], options: { readonly durable: boolean }): Promise<void> {
    if (this.#left === 0) {
      this.#reached.resolve(undefined)
      return this.#died.promise
    }
    this.#left -= 1
    await this.rows.batch(ops, options)
    if (this.#left > 0 || this.#lastAnswers) return
    this.#reached.resolve(undefined)
    return this.#died.promise
  }

  get = (key: Uint8Array) => this.rows.get(key)
  getMany = (keys: readonly Uint8Array[]) => this.rows.getMany(keys)
  range = (range: StoreRange) => this.rows.range(range)
  readMark = () => this.rows.readMark()
  writeMark = async (value: Uint8Array): Promise<void> =>
    this.#left === 0 ? this.#died.promise : this.rows.writeMark(value)
  close = () => this.rows.close()
}
