import type { StoreOp } from '../ports/index.ts'
import {
  decodePage,
  encodePage,
  encodeRoot,
  noTotals,
  tagBytes,
  type Entry,
  type RootTable,
  type Totals,
} from './sealed-store-codec.ts'
import { tagOf, type Address, type Vault } from './sealed-store-vault.ts'

/** Rows of a page, by the text of their address, with the tag of the version that counts. */
type Page = ReadonlyMap<string, Uint8Array>

/** What the manifest says of a mutable row: the version that counts, that there is none, or where to look. */
export type Expected =
  | { readonly known: true; readonly tag: Uint8Array | null }
  | { readonly known: false; readonly pageKey: Uint8Array }

/** A checkpoint ready to be written: `apply` is called once the batch went through. */
export interface CheckpointPlan {
  readonly ops: readonly StoreOp[]
  readonly root: Uint8Array
  readonly apply: () => void
}

interface Table {
  readonly prefix: Uint8Array
  bits: number
  pageTags: readonly Uint8Array[]
  lostPages: number
  totals: Totals
  /** Changes since the checkpoint. */
  changes: Map<string, Uint8Array | null>
}

interface PagePlan {
  readonly bits: number
  readonly pages: ReadonlyMap<number, Page>
  readonly dirty: ReadonlySet<number>
  readonly lost: number
}

/** Mean number of rows at which a table's pages are split. */
const pageRows = 64
/** Pages kept decoded. */
const cachedPages = 512
const maxBits = 24
const emptyTag = new Uint8Array(tagBytes)
const isEmpty = (tag: Uint8Array | undefined): boolean => tag?.every((byte) => byte === 0) ?? true

/** Reads database rows; what the disk cannot give comes back as 'damaged'. */
export type ReadRaw = (
  keys: readonly Uint8Array[],
) => Promise<readonly (Uint8Array | undefined | 'damaged')[]>

/**
 * Which version of each mutable row counts, and how many rows an append table has. What changed since the
 * checkpoint is in memory; the rest lies in pages named by the root, so that neither can be older than the
 * head without it showing.
 */
export class Manifest {
  readonly #vault: Vault
  readonly #tables = new Map<string, Table>()
  readonly #cache = new Map<string, Page>()

  constructor(vault: Vault, root: readonly RootTable[]) {
    this.#vault = vault
    for (const { table, bits, pageTags, lostPages, totals } of root)
      this.#tables.set(text(table), { prefix: table, bits, pageTags, lostPages, totals, changes: new Map() })
  }

  /** Takes over what a commit did. */
  apply(entries: readonly Entry[]): void {
    for (const entry of entries) {
      const table = this.#table(entry.table)
      if (entry.type === 'totals') table.totals = entry.totals
      else table.changes.set(text(entry.row), entry.type === 'put' ? entry.tag : null)
    }
  }

  totals(prefix: Uint8Array): Totals {
    return this.#tables.get(text(prefix))?.totals ?? noTotals
  }

  /** Pages of a table that were found damaged and written anew without what they held. */
  lostPages(prefix: Uint8Array): number {
    return this.#tables.get(text(prefix))?.lostPages ?? 0
  }

  /** Forgets lost pages: whoever uses the store has dealt with them. */
  settleLostPages(): void {
    for (const table of this.#tables.values()) table.lostPages = 0
  }

  expected({ table: prefix, row }: Address): Expected {
    const table = this.#tables.get(text(prefix))
    if (table === undefined) return { known: true, tag: null }
    const change = table.changes.get(text(row))
    if (change !== undefined) return { known: true, tag: change }
    const index = pageOf(row, table.bits)
    if (isEmpty(table.pageTags[index])) return { known: true, tag: null }
    return { known: false, pageKey: this.#vault.pageKey(prefix, table.bits, index) }
  }

  /** What a page says of a row; undefined when the page is not in memory. */
  inPage({ row }: Address, pageKey: Uint8Array): { readonly tag: Uint8Array | null } | undefined {
    const page = this.#cache.get(text(pageKey))
    return page && { tag: page.get(text(row)) ?? null }
  }

  /** Takes a page that was read; one the root does not name in these very bytes is left alone. */
  offer(pageKey: Uint8Array, raw: Uint8Array | undefined | 'damaged'): void {
    const [prefix, bits, index] = splitPageKey(pageKey)
    const table = this.#tables.get(text(prefix))
    if (table?.bits !== bits) return
    const page = this.#open(pageKey, raw, table.pageTags[index])
    if (page !== 'damaged') this.#remember(pageKey, page)
  }

  /** Every row a mutable table has, by address text; `damaged` counts pages that cannot be read. */
  async rows(prefix: Uint8Array, read: ReadRaw): Promise<{ rows: Map<string, Uint8Array>; damaged: number }> {
    const rows = new Map<string, Uint8Array>()
    const table = this.#tables.get(text(prefix))
    if (table === undefined) return { rows, damaged: 0 }
    const pages = await this.#load(table, new Set(table.pageTags.keys()), read)
    for (const page of pages.values())
      if (page !== 'damaged') for (const [row, tag] of page) rows.set(row, tag)
    applyChanges(rows, table.changes)
    return { rows, damaged: [...pages.values()].filter((page) => page === 'damaged').length }
  }

  /** Folds what changed since the last checkpoint into pages and a new root. */
  async checkpoint(read: ReadRaw): Promise<CheckpointPlan> {
    const ops: StoreOp[] = []
    const root: RootTable[] = []
    const plans = new Map<Table, { plan: PagePlan; tags: readonly Uint8Array[]; changes: Table['changes'] }>()
    for (const [, table] of [...this.#tables].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const plan = await this.#plan(table, read)
      const tags = this.#write(table, plan, ops)
      const lostPages = table.lostPages + plan.lost
      root.push({ table: table.prefix, bits: plan.bits, pageTags: tags, lostPages, totals: table.totals })
      plans.set(table, { plan, tags, changes: table.changes })
    }
    return {
      ops,
      root: encodeRoot(root),
      apply: () => plans.forEach((done, table) => this.#adopt(table, done)),
    }
  }

  async #plan(table: Table, read: ReadRaw): Promise<PagePlan> {
    const changes = new Map<number, Map<string, Uint8Array | null>>()
    for (const [row, tag] of table.changes) {
      const index = pageOfText(row, table.bits)
      const mine = changes.get(index) ?? new Map<string, Uint8Array | null>()
      changes.set(index, mine.set(row, tag))
    }
    const touched = new Set(changes.keys())
    const loaded = await this.#load(table, touched, read)
    const pages = new Map<number, Page>()
    let lost = 0
    let most = 0
    for (const [index, page] of loaded) {
      if (page === 'damaged') lost++
      const rows = new Map(page === 'damaged' ? [] : page)
      applyChanges(rows, changes.get(index) ?? new Map())
      pages.set(index, rows)
      most = Math.max(most, rows.size)
    }
    if (most <= 2 * pageRows || table.bits >= maxBits)
      return { bits: table.bits, pages, dirty: touched, lost }
    return this.#split(table, pages, lost, read)
  }

  /** Reads the rest of the table and deals all of it out over twice as many pages. */
  async #split(
    table: Table,
    changed: ReadonlyMap<number, Page>,
    lost: number,
    read: ReadRaw,
  ): Promise<PagePlan> {
    const rest = new Set([...table.pageTags.keys()].filter((index) => !changed.has(index)))
    const loaded = await this.#load(table, rest, read)
    const old = [...changed.values(), ...loaded.values()]
    const rows = old.flatMap((page) => (page === 'damaged' ? [] : [...page]))
    let bits = table.bits
    while (rows.length > pageRows * 2 ** bits && bits < maxBits) bits++
    const pages = new Map(
      Array.from({ length: 2 ** bits }, (_, index) => [index, new Map<string, Uint8Array>()]),
    )
    for (const [row, tag] of rows) pages.get(pageOfText(row, bits))?.set(row, tag)
    const damaged = old.filter((page) => page === 'damaged').length
    return { bits, pages, dirty: new Set(pages.keys()), lost: lost + damaged }
  }

  #write(table: Table, { bits, pages, dirty }: PagePlan, ops: StoreOp[]): readonly Uint8Array[] {
    const tags = Array.from({ length: 2 ** bits }, (_, index) =>
      bits === table.bits ? (table.pageTags[index] ?? emptyTag) : emptyTag,
    )
    if (bits !== table.bits)
      for (const [index, tag] of table.pageTags.entries())
        if (!isEmpty(tag))
          ops.push({ type: 'del', key: this.#vault.pageKey(table.prefix, table.bits, index) })
    for (const index of dirty) {
      const key = this.#vault.pageKey(table.prefix, bits, index)
      const rows = pages.get(index)
      if (rows === undefined || rows.size === 0) {
        if (!isEmpty(tags[index])) ops.push({ type: 'del', key })
        tags[index] = emptyTag
        continue
      }
      const value = this.#vault.sealOwn(key, encodePage(sortedRows(rows)))
      ops.push({ type: 'put', key, value })
      tags[index] = tagOf(value)
    }
    return tags
  }

  #adopt(
    table: Table,
    { plan, tags, changes }: { plan: PagePlan; tags: readonly Uint8Array[]; changes: Table['changes'] },
  ): void {
    table.bits = plan.bits
    table.pageTags = tags
    table.lostPages += plan.lost
    if (table.changes === changes) table.changes = new Map()
    for (const index of plan.dirty) {
      const page = plan.pages.get(index)
      const key = this.#vault.pageKey(table.prefix, plan.bits, index)
      if (page === undefined || page.size === 0) this.#cache.delete(text(key))
      else this.#remember(key, page)
    }
  }

  /** The wanted pages of a table; an empty one for a page that was never written. */
  async #load(
    table: Table,
    wanted: ReadonlySet<number>,
    read: ReadRaw,
  ): Promise<Map<number, Page | 'damaged'>> {
    const found = new Map<number, Page | 'damaged'>()
    const missing: { index: number; key: Uint8Array }[] = []
    for (const index of wanted) {
      const key = this.#vault.pageKey(table.prefix, table.bits, index)
      const cached = this.#cache.get(text(key))
      if (isEmpty(table.pageTags[index])) found.set(index, new Map())
      else if (cached !== undefined) found.set(index, cached)
      else missing.push({ index, key })
    }
    const raw = missing.length === 0 ? [] : await read(missing.map(({ key }) => key))
    for (const [i, { index, key }] of missing.entries())
      found.set(index, this.#open(key, raw[i], table.pageTags[index]))
    return found
  }

  #open(
    key: Uint8Array,
    raw: Uint8Array | undefined | 'damaged',
    tag: Uint8Array | undefined,
  ): Page | 'damaged' {
    if (raw === undefined || raw === 'damaged' || tag === undefined) return 'damaged'
    const rows = decodePage(this.#vault.openOwn(key, raw))
    if (rows === undefined || text(tagOf(raw)) !== text(tag)) return 'damaged'
    return new Map(rows.map(([row, rowTag]) => [text(row), rowTag]))
  }

  #remember(pageKey: Uint8Array, page: Page): void {
    const key = text(pageKey)
    this.#cache.delete(key)
    this.#cache.set(key, page)
    if (this.#cache.size <= cachedPages) return
    for (const oldest of this.#cache.keys()) {
      this.#cache.delete(oldest)
      return
    }
  }

  #table(prefix: Uint8Array): Table {
    const key = text(prefix)
    const known = this.#tables.get(key)
    if (known !== undefined) return known
    const made = { prefix, bits: 0, pageTags: [], lostPages: 0, totals: noTotals, changes: new Map() }
    this.#tables.set(key, made)
    return made
  }
}

/** A short byte string as a map key. */
export function text(value: Uint8Array): string {
  let out = ''
  for (let i = 0; i < value.length; i++) out += String.fromCharCode(value[i] ?? 0)
  return out
}

function bytes(value: string): Uint8Array {
  const out = new Uint8Array(value.length)
  for (let i = 0; i < value.length; i++) out[i] = value.charCodeAt(i)
  return out
}

/** `pageOf` for an address that is text already. */
const pageOfText = (row: string, bits: number): number =>
  bits === 0 ? 0 : ((row.charCodeAt(0) << 16) | (row.charCodeAt(1) << 8) | row.charCodeAt(2)) >>> (24 - bits)

/** The page of a row: the first bits of its address. */
const pageOf = (row: Uint8Array, bits: number): number =>
  bits === 0 ? 0 : (((row[0] ?? 0) << 16) | ((row[1] ?? 0) << 8) | (row[2] ?? 0)) >>> (24 - bits)

function* sortedRows(rows: Page): Generator<readonly [Uint8Array, Uint8Array]> {
  for (const row of [...rows.keys()].sort()) yield [bytes(row), rows.get(row) ?? emptyTag]
}

function applyChanges(rows: Map<string, Uint8Array>, changes: ReadonlyMap<string, Uint8Array | null>): void {
  for (const [row, tag] of changes) {
    if (tag === null) rows.delete(row)
    else rows.set(row, tag)
  }
}

function splitPageKey(key: Uint8Array): [prefix: Uint8Array, bits: number, index: number] {
  const [bits = 0, a = 0, b = 0, c = 0] = key.subarray(16)
  return [key.subarray(8, 16), bits, (a << 16) | (b << 8) | c]
}
