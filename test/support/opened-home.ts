/** A home read from outside: what a thief of the store and its key has, and what a test may look at. */
import { Secret, type CryptoProvider } from '../../packages/core/src/crypto/index.ts'
import { Database, type Transaction } from '../../packages/core/src/device/database.ts'
import { prepareMe } from '../../packages/core/src/device/me.ts'
import type { AnyRows } from '../../packages/core/src/device/row.ts'
import { openSealedStore } from '../../packages/core/src/device/sealed-store.ts'
import type { SealedStore } from '../../packages/core/src/device/sealed-store-types.ts'
import { onlyRow, selfRows, tables } from '../../packages/core/src/device/tables.ts'
import type { Me } from '../../packages/core/src/device/context.ts'
import { MemoryStore, seededRandom } from '../../packages/core/src/memory/index.ts'
import { toHex, utf8 } from '../../packages/core/src/wire/index.ts'
import type { Person } from './devices.ts'

/** The rows of a device that is closed, or at rest, in a store of their own. */
export async function copyOf({ store: home }: Person): Promise<MemoryStore> {
  if (!(home instanceof MemoryStore)) throw new Error('only a home in memory is copied')
  const closed = await home.readMark().then(
    () => false,
    () => true,
  )
  const source = closed ? home.reopen() : home
  const copy = new MemoryStore()
  const all = await source.range({ gte: new Uint8Array(0), lt: new Uint8Array(64).fill(255) })
  await copy.batch(
    all.map(({ key, value }) => ({ type: 'put', key, value })),
    { durable: true },
  )
  const mark = await source.readMark()
  if (mark !== undefined) await copy.writeMark(mark)
  return copy
}

/** Every row of a device, opened. */
export class OpenedHome {
  readonly crypto: CryptoProvider
  readonly sealed: SealedStore
  readonly rows: Transaction

  private constructor(crypto: CryptoProvider, sealed: SealedStore, rows: Transaction) {
    this.crypto = crypto
    this.sealed = sealed
    this.rows = rows
  }

  /** Opens a copy of the home of a device that is closed, or at rest; the home itself is left as it is. */
  static async of(crypto: CryptoProvider, person: Person, nowMs: number): Promise<OpenedHome> {
    const store = await copyOf(person)
    const key = new Secret(crypto.sha256(utf8(person.name)))
    const random = seededRandom(crypto, `thief of ${person.name}`)
    const sealed = await openSealedStore({ crypto, store, random, key, nowMs })
    return new OpenedHome(crypto, sealed, (await Database.open(sealed, tables)).begin())
  }

  /** The keys of the device. */
  get me(): Me {
    const self = this.rows.get(selfRows, onlyRow)
    if (self === undefined) throw new Error('nobody lives here')
    return prepareMe(this.crypto, self)
  }

  /** Rows of a table by hexadecimal key, as they are stored. */
  async raw(table: AnyRows): Promise<ReadonlyMap<string, Uint8Array>> {
    return new Map((await this.sealed.list(table)).map(({ key, value }) => [toHex(key), value]))
  }

  /** Every row of these tables, as text to compare. */
  async dump(some: readonly AnyRows[] = tables): Promise<string> {
    const lines: string[] = []
    for (const table of some)
      for (const [key, value] of await this.raw(table)) lines.push(`${table.name} ${key} ${toHex(value)}`)
    return lines.sort().join('\n')
  }
}
