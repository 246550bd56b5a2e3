import { invariant } from '../errors.ts'
import { idHex, toHex } from '../wire/index.ts'
import type { AnyRows, Rows } from './row.ts'
import type { CommitOptions, SealedStore, Write } from './sealed-store-types.ts'

/** A row written in a transaction; `value` is undefined for a deletion. */
interface Pending {
  readonly table: AnyRows
  readonly key: Uint8Array
  readonly value: unknown
}

const slotOf = (table: AnyRows, key: Uint8Array): string => `${table.name}/${toHex(key)}`

/** Rows of tables that are not resident and were written or read lately, at most. */
const latelyRows = 256

/** Decoded rows over the sealed store: resident tables whole, of some others what was written or read lately. */
export class Database {
  readonly #store: SealedStore
  readonly #resident = new Map<string, Map<string, { readonly key: Uint8Array; readonly value: unknown }>>()
  readonly #lately = new Map<string, unknown>()
  /** Rows of resident tables in key order, until one of them changes. */
  readonly #sorted = new Map<string, Sorted>()

  private constructor(store: SealedStore) {
    this.#store = store
  }

  /** Reads every resident table. */
  static async open(store: SealedStore, tables: readonly AnyRows[]): Promise<Database> {
    const database = new Database(store)
    for (const table of tables) {
      if (!table.resident) continue
      const held = new Map<string, { key: Uint8Array; value: unknown }>()
      for (const { key, value } of await store.list(table, { skipDamaged: table.held === 'elsewhere' }))
        held.set(idHex(key), { key, value: table.decode(value) })
      database.#resident.set(table.name, held)
    }
    return database
  }

  begin(): Transaction {
    return new Transaction(this, undefined)
  }

  /** Commits as one batch; only then do readers see it. */
  async commit(transaction: Transaction, options: CommitOptions): Promise<void> {
    const pending = transaction.writes()
    if (pending.length === 0) return
    const writes: Write[] = pending.map(({ table, key, value }) => ({
      table,
      key,
      value: value === undefined ? null : table.encode(value as never),
    }))
    try {
      await this.#store.commit(writes, options)
    } catch (error) {
      // What of it is on the disk, the disk alone knows.
      this.#lately.clear()
      throw error
    }
    for (const { table, key, value } of pending) {
      if (table.lately === true) this.#keep(slotOf(table, key), value)
      const held = this.#resident.get(table.name)
      if (held === undefined) continue
      this.#sorted.delete(table.name)
      if (value === undefined) held.delete(idHex(key))
      else held.set(idHex(key), { key, value })
    }
  }

  resident(table: AnyRows): ReadonlyMap<string, { readonly key: Uint8Array; readonly value: unknown }> {
    const held = this.#resident.get(table.name)
    invariant(held, 'E_TABLE', `${table.name} is not resident`)
    return held
  }

  /** All rows of a resident table, in key order. */
  sorted(table: AnyRows): Sorted {
    const known = this.#sorted.get(table.name)
    if (known !== undefined) return known
    const sorted = inOrder([...this.resident(table)].map(([name, { value }]) => [name, value]))
    this.#sorted.set(table.name, sorted)
    return sorted
  }

  async load(table: AnyRows, key: Uint8Array): Promise<unknown> {
    const slot = slotOf(table, key)
    const lately = this.#lately.get(slot)
    if (lately !== undefined) return lately
    const row = await this.#store.get(table, key)
    const value = row === undefined ? undefined : table.decode(row)
    if (table.lately === true) this.#keep(slot, value)
    return value
  }

  /** The newest value of a row; the ones kept longest make room. */
  #keep(slot: string, value: unknown): void {
    this.#lately.delete(slot)
    if (value === undefined) return
    this.#lately.set(slot, value)
    for (const oldest of this.#lately.keys()) {
      if (this.#lately.size <= latelyRows) break
      this.#lately.delete(oldest)
    }
  }

  /** Rows for scrolling: a damaged one is named, so that the rest can still be shown. */
  async loadMany<T>(
    table: Rows<T>,
    keys: readonly Uint8Array[],
  ): Promise<readonly (T | undefined | 'damaged')[]> {
    const found = await this.#store.getMany(table, keys)
    return found.map((row) => (row instanceof Uint8Array ? table.decode(row) : row))
  }
}

/** Rows in key order, and their values alone: the same array for as long as no row changes. */
interface Sorted {
  readonly entries: readonly (readonly [string, unknown])[]
  readonly values: readonly unknown[]
}

function inOrder(rows: readonly (readonly [string, unknown])[]): Sorted {
  const entries = rows.toSorted(([a], [b]) => (a < b ? -1 : 1))
  return { entries, values: entries.map(([, value]) => value) }
}

/**
 * Writes that become one batch. A fork sees its parent's writes and is merged or forgotten whole, so that an
 * input that fails leaves nothing behind while its neighbours in the batch go through.
 */
export class Transaction {
  readonly #database: Database
  readonly #parent: Transaction | undefined
  /** By table, then by key: most tables are looked at in most steps and written to in few. */
  readonly #pending = new Map<string, Map<string, Pending>>()
  readonly #merged = new Map<string, { readonly before: Sorted; readonly sorted: Sorted }>()

  constructor(database: Database, parent: Transaction | undefined) {
    this.#database = database
    this.#parent = parent
  }

  fork(): Transaction {
    return new Transaction(this.#database, this)
  }

  merge(): void {
    const parent = this.#parent
    if (parent === undefined) return
    for (const writes of this.#pending.values())
      for (const [name, write] of writes) parent.#write(write.table, name, write)
    this.#pending.clear()
  }

  writes(): readonly Pending[] {
    return [...this.#pending.values()].flatMap((writes) => [...writes.values()])
  }

  put<T>(table: Rows<T>, key: Uint8Array, value: T): void {
    this.#write(table, idHex(key), { table, key, value })
  }

  delete<T>(table: Rows<T>, key: Uint8Array): void {
    this.#write(table, idHex(key), { table, key, value: undefined })
  }

  /** A row of a resident table. */
  get<T>(table: Rows<T>, key: Uint8Array): T | undefined {
    const name = idHex(key)
    const pending = this.#find(table, name)
    if (pending !== undefined) return pending.value as T | undefined
    return this.#database.resident(table).get(name)?.value as T | undefined
  }

  /** All rows of a resident table, in key order. */
  all<T>(table: Rows<T>): readonly T[] {
    return this.#sorted(table).values as readonly T[]
  }

  /** A row of any table. */
  async load<T>(table: Rows<T>, key: Uint8Array): Promise<T | undefined> {
    const pending = this.#find(table, toHex(key))
    if (pending !== undefined) return pending.value as T | undefined
    if (table.resident) return this.get(table, key)
    return (await this.#database.load(table, key)) as T | undefined
  }

  /** Rows of any table that is not resident: a damaged one is named, so that the rest can still be used. */
  async loadMany<T>(
    table: Rows<T>,
    keys: readonly Uint8Array[],
  ): Promise<readonly (T | undefined | 'damaged')[]> {
    const pending = keys.map((key) => this.#find(table, toHex(key)))
    const stored = await this.#database.loadMany(
      table,
      keys.filter((_, i) => pending[i] === undefined),
    )
    let next = 0
    return pending.map((one) => (one === undefined ? stored[next++] : (one.value as T | undefined)))
  }

  #write(table: AnyRows, name: string, write: Pending): void {
    this.#merged.delete(table.name)
    const known = this.#pending.get(table.name)
    if (known !== undefined) known.set(name, write)
    else this.#pending.set(table.name, new Map([[name, write]]))
  }

  #find(table: AnyRows, name: string): Pending | undefined {
    const own = this.#pending.get(table.name)?.get(name)
    const parent = this.#parent
    return own ?? (parent === undefined ? undefined : parent.#find(table, name))
  }

  /** What is seen of a table here; what the parent sees where nothing was written. */
  #sorted(table: AnyRows): Sorted {
    const before = this.#parent === undefined ? this.#database.sorted(table) : this.#parent.#sorted(table)
    const own = this.#pending.get(table.name)
    if (own === undefined) return before
    const known = this.#merged.get(table.name)
    if (known?.before === before) return known.sorted
    const merged = new Map(before.entries)
    for (const [name, { value }] of own) {
      if (value === undefined) merged.delete(name)
      else merged.set(name, value)
    }
    const sorted = inOrder([...merged])
    this.#merged.set(table.name, { before, sorted })
    return sorted
  }
}
