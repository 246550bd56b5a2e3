import { AbstractIterator, type AbstractIteratorOptions, type AbstractLevel } from 'abstract-level'
import { answered, compact } from './idb-request.ts'

/** Bounds as abstract-level gives them. */
export interface Bounds {
  readonly gt?: Uint8Array
  readonly gte?: Uint8Array
  readonly lt?: Uint8Array
  readonly lte?: Uint8Array
}

type Loose = { readonly [K in keyof Bounds]: Bounds[K] | undefined }
type Level = AbstractLevel<Uint8Array, Uint8Array, Uint8Array>
type Entry = [key: Uint8Array, value: Uint8Array]
type Options = AbstractIteratorOptions<Uint8Array, Uint8Array> & Bounds

/** Opens a read-only view of the rows. */
export type Rows = () => IDBObjectStore

const chunk = 256

/** The IndexedDB range of some bounds; undefined for all rows, null for none. */
export function rangeOf({ gt, gte, lt, lte }: Bounds): IDBKeyRange | undefined | null {
  const lower = gte ?? gt
  const upper = lte ?? lt
  const openLower = gte === undefined && gt !== undefined
  const openUpper = lte === undefined && lt !== undefined
  try {
    if (lower !== undefined && upper !== undefined)
      return IDBKeyRange.bound(compact(lower), compact(upper), openLower, openUpper)
    if (lower !== undefined) return IDBKeyRange.lowerBound(compact(lower), openLower)
    return upper === undefined ? undefined : IDBKeyRange.upperBound(compact(upper), openUpper)
  } catch {
    return null // the lower bound lies above the upper one
  }
}

/** Walks rows in chunks, one transaction each; it sees what is committed while it walks. */
export class IdbIterator extends AbstractIterator<Level, Uint8Array, Uint8Array> {
  readonly #rows: Rows
  readonly #reverse: boolean
  readonly #bounds: Bounds
  #rest: Bounds
  #read: Entry[] = []
  #ended = false

  constructor(db: Level, rows: Rows, options: Options) {
    super(db, options)
    this.#rows = rows
    this.#reverse = options.reverse === true
    this.#bounds = this.#rest = boundsOf(options)
  }

  async _next(): Promise<Entry | undefined> {
    if (this.#read.length === 0) await this.#fill(chunk)
    return this.#read.shift()
  }

  async _nextv(size: number): Promise<Entry[]> {
    if (this.#read.length === 0) await this.#fill(size)
    return this.#read.splice(0, size)
  }

  async _all(): Promise<Entry[]> {
    const found = this.#read.splice(0)
    const wanted = this.limit - this.count - found.length
    for (let left = wanted; left > 0 && !this.#ended;) {
      await this.#fill(Math.min(left, 16 * chunk))
      left -= this.#read.length
      found.push(...this.#read.splice(0))
    }
    return found
  }

  _seek(target: Uint8Array): void {
    this.#read = []
    this.#ended = !within(target, this.#bounds, this.#reverse)
    this.#rest = this.#reverse
      ? { ...without(this.#bounds, 'upper'), lte: target }
      : { ...without(this.#bounds, 'lower'), gte: target }
    const stop = this.#reverse ? upperOf(this.#bounds) : lowerOf(this.#bounds)
    if (stop !== undefined && beyond(target, stop, this.#reverse)) {
      this.#ended = false
      this.#rest = this.#bounds
    }
  }

  async #fill(wanted: number): Promise<void> {
    const range = this.#ended ? null : rangeOf(this.#rest)
    this.#read =
      range === null
        ? []
        : await (this.#reverse ? this.#backward(range, wanted) : this.#forward(range, wanted))
    const last = this.#read.at(-1)
    if (last === undefined || this.#read.length < wanted) this.#ended = true
    else
      this.#rest = this.#reverse
        ? { ...without(this.#rest, 'upper'), lt: last[0] }
        : { ...without(this.#rest, 'lower'), gt: last[0] }
  }

  async #forward(range: IDBKeyRange | undefined, wanted: number): Promise<Entry[]> {
    const rows = this.#rows()
    const [keys, values] = await Promise.all([
      answered<ArrayBuffer[]>(rows.getAllKeys(range, wanted)),
      answered<Uint8Array[]>(rows.getAll(range, wanted)),
    ])
    return keys.map((key, i) => [new Uint8Array(key), values[i] ?? new Uint8Array(0)])
  }

  #backward(range: IDBKeyRange | undefined, wanted: number): Promise<Entry[]> {
    const request = this.#rows().openCursor(range, 'prev')
    const found: Entry[] = []
    return new Promise((resolve, reject) => {
      request.onerror = () => reject(request.error ?? new Error('IndexedDB cursor failed'))
      request.onsuccess = () => {
        const cursor = request.result
        if (cursor === null) {
          resolve(found)
          return
        }
        found.push([new Uint8Array(cursor.key as ArrayBuffer), cursor.value as Uint8Array])
        if (found.length === wanted) resolve(found)
        else cursor.continue()
      }
    })
  }
}

/** Only the bounds that are set. */
export function boundsOf({ gt, gte, lt, lte }: Loose): Bounds {
  return {
    ...(gte !== undefined ? { gte } : gt !== undefined ? { gt } : {}),
    ...(lte !== undefined ? { lte } : lt !== undefined ? { lt } : {}),
  }
}

const without = ({ gt, gte, lt, lte }: Bounds, side: 'upper' | 'lower'): Bounds =>
  boundsOf(side === 'upper' ? { gt, gte } : { lt, lte })

const lowerOf = ({ gt, gte }: Bounds): Uint8Array | undefined => gte ?? gt
const upperOf = ({ lt, lte }: Bounds): Uint8Array | undefined => lte ?? lt

/** Whether a target lies before the first row of the walk. */
const beyond = (target: Uint8Array, stop: Uint8Array, reverse: boolean): boolean => {
  const order = indexedDB.cmp(compact(target), compact(stop))
  return reverse ? order > 0 : order < 0
}

function within(target: Uint8Array, bounds: Bounds, reverse: boolean): boolean {
  const end = reverse ? lowerOf(bounds) : upperOf(bounds)
  if (end === undefined) return true
  const order = indexedDB.cmp(compact(target), compact(end))
  const inclusive = reverse ? bounds.gte !== undefined : bounds.lte !== undefined
  return order === 0 ? inclusive : reverse ? order > 0 : order < 0
}
