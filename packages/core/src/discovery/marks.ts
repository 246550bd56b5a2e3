import { compareMarks, type Mark } from './value.ts'

/** High-water marks of the keys used last; the least recently used go first. */
export class Marks {
  readonly #max: number
  readonly #byKey = new Map<string, Mark>()

  constructor(max: number) {
    this.#max = max
  }

  get size(): number {
    return this.#byKey.size
  }

  /** Records a mark unless a better one is known; says whether `mark` is now the best. */
  raise(key: string, mark: Mark): boolean {
    const known = this.#byKey.get(key)
    const stands = known === undefined || compareMarks(mark, known) <= 0
    this.#byKey.delete(key)
    this.#byKey.set(key, stands ? mark : known)
    if (this.#byKey.size > this.#max) this.#forgetOldest()
    return stands
  }

  #forgetOldest(): void {
    const oldest = this.#byKey.keys().next()
    if (oldest.done !== true) this.#byKey.delete(oldest.value)
  }
}
