import { sizes } from '../crypto/index.ts'
import { equalBytes } from '../wire/index.ts'

/** What opening a store found, worst first; null when nothing speaks against it. */
export const doubts = ['wiped', 'rolled-back', 'broken', 'truncated', 'unmarked', 'unclean'] as const

/** See docs/protocol/storage.md, "Doubt". */
export type Doubt = null | (typeof doubts)[number]

/** The worse of two. */
export const worse = (a: Doubt, b: Doubt): Doubt => doubts.find((doubt) => doubt === a || doubt === b) ?? null

/** First bytes of a Poly1305 tag: which of all versions of a row is meant. */
export const tagBytes = 8
/** Prefix of every database key of a table. */
export const tableBytes = 8
/** Rest of the database key of a row. */
export const rowBytes = 16
/** A multiset sum, and the part of a root's digest that is kept. */
export const sumBytes = 16

/** What every journal row and the head say about the store as a whole. */
export interface Meta {
  readonly generation: number
  readonly boot: number
  /** Written by an orderly close, as the last thing. */
  readonly clean: boolean
  /** A doubt nobody has settled yet. */
  readonly pending: Doubt
  /** Generation of the checkpoint the journal starts from. */
  readonly checkpoint: number
  readonly rootDigest: Uint8Array
  readonly openedAtMs: number
}

/** What one commit did: to a mutable row, or to the totals of an append table. */
export type Entry =
  | { readonly type: 'put'; readonly table: Uint8Array; readonly row: Uint8Array; readonly tag: Uint8Array }
  | { readonly type: 'del'; readonly table: Uint8Array; readonly row: Uint8Array }
  | { readonly type: 'totals'; readonly table: Uint8Array; readonly totals: Totals }

/** Rows of an append table: how many, and the XOR of their secret names. */
export interface Totals {
  readonly count: number
  readonly sum: Uint8Array
}

/** One table in the root. A mutable table has `2 ** bits` pages, each named by its tag (zeros: empty). */
export interface RootTable {
  readonly table: Uint8Array
  readonly bits: number
  readonly pageTags: readonly Uint8Array[]
  /** Pages found damaged and written anew without what they held. */
  readonly lostPages: number
  readonly totals: Totals
}

/** The copy of the counter that is kept outside the database. */
export interface Mark {
  readonly generation: number
  /** Newest generation that a power cut cannot undo. */
  readonly durable: number
  readonly boot: number
  readonly digest: Uint8Array
}

/** Thrown inside a decoder; `attempt` turns it into undefined. */
class Short extends Error {}

class Writer {
  #bytes = new Uint8Array(512)
  #at = 0

  u8(value: number): this {
    this.#room(1)
    this.#bytes[this.#at++] = value
    return this
  }

  u32(value: number): this {
    return this.u8(value >>> 24)
      .u8(value >>> 16)
      .u8(value >>> 8)
      .u8(value)
  }

  u48(value: number): this {
    const high = Math.floor(value / 2 ** 32)
    return this.u8(high >>> 8)
      .u8(high)
      .u32(value % 2 ** 32)
  }

  raw(value: Uint8Array): this {
    this.#room(value.length)
    this.#bytes.set(value, this.#at)
    this.#at += value.length
    return this
  }

  done(): Uint8Array {
    return this.#bytes.slice(0, this.#at)
  }

  #room(more: number): void {
    if (this.#at + more <= this.#bytes.length) return
    const wider = new Uint8Array(Math.max(this.#bytes.length * 2, this.#at + more))
    wider.set(this.#bytes)
    this.#bytes = wider
  }
}

class Reader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get left(): number {
    return this.#bytes.length - this.#at
  }

  raw(length: number): Uint8Array {
    if (this.left < length) throw new Short()
    return this.#bytes.slice(this.#at, (this.#at += length))
  }

  u8(): number {
    if (this.left < 1) throw new Short()
    return this.#bytes[this.#at++] ?? 0
  }

  u32(): number {
    return ((this.u8() << 24) | (this.u8() << 16) | (this.u8() << 8) | this.u8()) >>> 0
  }

  u48(): number {
    return (this.u8() * 256 + this.u8()) * 2 ** 32 + this.u32()
  }
}

function attempt<T>(bytes: Uint8Array | undefined, read: (reader: Reader) => T): T | undefined {
  if (bytes === undefined) return undefined
  const reader = new Reader(bytes)
  try {
    const value = read(reader)
    return reader.left === 0 ? value : undefined
  } catch {
    return undefined
  }
}

const writeMeta = (w: Writer, m: Meta): Writer =>
  w
    .u48(m.generation)
    .u32(m.boot)
    .u8(m.clean ? 1 : 0)
    .u8(m.pending === null ? 0 : 1 + doubts.indexOf(m.pending))
    .u48(m.checkpoint)
    .raw(m.rootDigest)
    .u48(m.openedAtMs)

const readMeta = (r: Reader): Meta => ({
  generation: r.u48(),
  boot: r.u32(),
  clean: r.u8() === 1,
  pending: doubts[r.u8() - 1] ?? null,
  checkpoint: r.u48(),
  rootDigest: r.raw(sumBytes),
  openedAtMs: r.u48(),
})

/** `meta ‖ digest of the journal row of this generation`. */
export const encodeHead = (meta: Meta, digest: Uint8Array): Uint8Array =>
  writeMeta(new Writer(), meta).raw(digest).done()

/** Reads a head; undefined when it is none. */
export const decodeHead = (bytes: Uint8Array | undefined): { meta: Meta; digest: Uint8Array } | undefined =>
  attempt(bytes, (r) => ({ meta: readMeta(r), digest: r.raw(sizes.hash) }))

/** `meta ‖ digest of the previous journal row ‖ entries`; its SHA-256 is the link of the chain. */
export function encodeJournal(meta: Meta, previous: Uint8Array, entries: readonly Entry[]): Uint8Array {
  const w = writeMeta(new Writer(), meta).raw(previous)
  for (const entry of entries) {
    if (entry.type === 'put') w.u8(1).raw(entry.table).raw(entry.row).raw(entry.tag)
    else if (entry.type === 'del') w.u8(2).raw(entry.table).raw(entry.row)
    else w.u8(3).raw(entry.table).u48(entry.totals.count).raw(entry.totals.sum)
  }
  return w.done()
}

function readEntry(r: Reader): Entry {
  const type = r.u8()
  const table = r.raw(tableBytes)
  if (type === 1) return { type: 'put', table, row: r.raw(rowBytes), tag: r.raw(tagBytes) }
  if (type === 2) return { type: 'del', table, row: r.raw(rowBytes) }
  if (type === 3) return { type: 'totals', table, totals: { count: r.u48(), sum: r.raw(sumBytes) } }
  throw new Short()
}

/** Reads a journal row; undefined when it is none. */
export const decodeJournal = (
  bytes: Uint8Array | undefined,
): { meta: Meta; previous: Uint8Array; entries: readonly Entry[] } | undefined =>
  attempt(bytes, (r) => {
    const meta = readMeta(r)
    const previous = r.raw(sizes.hash)
    const entries: Entry[] = []
    while (r.left > 0) entries.push(readEntry(r))
    return { meta, previous, entries }
  })

/** The list of tables with their pages and totals. */
export function encodeRoot(tables: readonly RootTable[]): Uint8Array {
  const w = new Writer()
  for (const { table, bits, pageTags, lostPages, totals } of tables) {
    w.raw(table).u8(bits).u32(lostPages).u48(totals.count).raw(totals.sum).u32(pageTags.length)
    for (const tag of pageTags) w.raw(tag)
  }
  return w.done()
}

/** Reads a root; undefined when it is none. */
export const decodeRoot = (bytes: Uint8Array): readonly RootTable[] | undefined =>
  attempt(bytes, (r) => {
    const tables: RootTable[] = []
    while (r.left > 0) {
      const table = r.raw(tableBytes)
      const bits = r.u8()
      const lostPages = r.u32()
      const totals = { count: r.u48(), sum: r.raw(sumBytes) }
      const pages = r.u32()
      if (pages * tagBytes > r.left) throw new Short()
      tables.push({
        table,
        bits,
        lostPages,
        totals,
        pageTags: Array.from({ length: pages }, () => r.raw(tagBytes)),
      })
    }
    return tables
  })

/** A page: rows of a mutable table with the tag of the one version that counts, as `row ‖ tag`. */
export function encodePage(rows: Iterable<readonly [Uint8Array, Uint8Array]>): Uint8Array {
  const w = new Writer()
  for (const [row, tag] of rows) w.raw(row).raw(tag)
  return w.done()
}

/** Reads a page; undefined when it is none. */
export const decodePage = (
  bytes: Uint8Array | undefined,
): readonly (readonly [Uint8Array, Uint8Array])[] | undefined =>
  attempt(bytes, (r) => {
    const rows: (readonly [Uint8Array, Uint8Array])[] = []
    while (r.left > 0) rows.push([r.raw(rowBytes), r.raw(tagBytes)])
    return rows
  })

/** The outside copy of the counter. */
export const encodeMark = (mark: Mark): Uint8Array =>
  new Writer().u48(mark.generation).u48(mark.durable).u32(mark.boot).raw(mark.digest).done()

/** Reads a mark; undefined when it is none. */
export const decodeMark = (bytes: Uint8Array | undefined): Mark | undefined =>
  attempt(bytes, (r) => ({ generation: r.u48(), durable: r.u48(), boot: r.u32(), digest: r.raw(sizes.hash) }))

/** The inside of a sealed row: `key length ‖ key ‖ value`. */
export function encodeRow(key: Uint8Array, value: Uint8Array): Uint8Array {
  const out = new Uint8Array(2 + key.length + value.length)
  out[0] = key.length >>> 8
  out[1] = key.length & 255
  out.set(key, 2)
  out.set(value, 2 + key.length)
  return out
}

/** Reads the inside of a row; undefined when it is none. */
export function decodeRow(bytes: Uint8Array): { key: Uint8Array; value: Uint8Array } | undefined {
  if (bytes.length < 2) return undefined
  const length = (bytes[0] ?? 0) * 256 + (bytes[1] ?? 0)
  if (2 + length > bytes.length) return undefined
  return { key: bytes.slice(2, 2 + length), value: bytes.slice(2 + length) }
}

/** XOR of two sums of one length. */
export const xor = (a: Uint8Array, b: Uint8Array): Uint8Array => a.map((byte, i) => byte ^ (b[i] ?? 0))

/** Totals of no rows. */
export const noTotals: Totals = { count: 0, sum: new Uint8Array(sumBytes) }

/** Whether two totals are of the same rows. */
export const sameTotals = (a: Totals, b: Totals): boolean => a.count === b.count && equalBytes(a.sum, b.sum)
