/**
 * A sealed store beside a plain model of what it should hold: random histories are committed to both, and
 * after any fault every reading must be what the model says, or a typed failure.
 */
import { createNodeProvider } from '../../packages/core/bindings/crypto-node/index.ts'
import { Secret, type CryptoProvider } from '../../packages/core/src/crypto/index.ts'
import {
  openSealedStore,
  type SealedStore,
  type Table,
  type Write,
} from '../../packages/core/src/device/sealed-store.ts'
import { PortError } from '../../packages/core/src/errors.ts'
import { seededRandom } from '../../packages/core/src/memory/index.ts'
import type { Store } from '../../packages/core/src/ports/index.ts'
import { utf8 } from '../../packages/core/src/wire/index.ts'

/** Logical rows as `table/key` to value. */
export type Model = ReadonlyMap<string, string>

/** Picks a number from 0 to below the bound. */
export type Choose = (below: number) => number

/** Tables a random history writes to. */
export const tables: readonly Table[] = [
  { name: 'sessions', kind: 'mutable' },
  { name: 'outbox', kind: 'mutable' },
  { name: 'records', kind: 'append' },
  { name: 'bodies', kind: 'append' },
]

const nodeCrypto = await createNodeProvider()
let openings = 0

/** Opens the sealed store over `store` with the key all tests share and few commits between checkpoints. */
export const openSealed = (
  store: Store,
  crypto: CryptoProvider = nodeCrypto,
  every = 6,
): Promise<SealedStore> =>
  openSealedStore({
    crypto,
    store,
    random: seededRandom(crypto, `opening ${openings++}`),
    key: new Secret(new Uint8Array(32).fill(7)),
    nowMs: 1_000,
    checkpointEvery: every,
  })

/** One commit of a history: writes for the store, and the model after them. */
export interface Step {
  readonly writes: readonly Write[]
  readonly durable: boolean
  readonly after: Model
}

/** Makes a commit of one to five writes; append rows get keys that were never used. */
export function randomStep(model: Model, choose: Choose, serial: number): Step {
  const after = new Map(model)
  const writes: Write[] = []
  for (let i = 0; i <= choose(5); i++) {
    const table = tables[choose(tables.length)] ?? { name: 'sessions', kind: 'mutable' }
    const present = [...after.keys()].filter((id) => id.startsWith(`${table.name}/`))
    const removed = choose(4) === 0 ? present[choose(present.length)] : undefined
    const fresh = table.kind === 'append' ? `${serial}.${i}` : String(choose(40))
    const key = removed?.slice(table.name.length + 1) ?? fresh
    const value = removed === undefined ? `v${serial}.${i}` : null
    if (writes.some((write) => write.table === table && text(write.key) === key)) continue
    writes.push({ table, key: utf8(key), value: value === null ? null : utf8(value) })
    if (value === null) after.delete(`${table.name}/${key}`)
    else after.set(`${table.name}/${key}`, value)
  }
  return { writes, durable: choose(3) === 0, after }
}

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

/** Rows that read differently from the model, and rows that could not be read. */
export interface Comparison {
  readonly wrong: readonly string[]
  readonly failed: readonly string[]
}

async function readOne(
  store: SealedStore,
  table: Table,
  key: string,
): Promise<string | undefined | PortError> {
  try {
    const value = await store.get(table, utf8(key))
    return value && text(value)
  } catch (error) {
    if (error instanceof PortError) return error
    throw error
  }
}

/** Reads every key anybody ever used by `get`, and every table by `list`. */
export async function compare(
  store: SealedStore,
  model: Model,
  everUsed: Iterable<string>,
): Promise<Comparison> {
  const wrong: string[] = []
  const failed: string[] = []
  for (const id of everUsed) {
    const [name = '', key = ''] = id.split('/')
    const table = tables.find((known) => known.name === name)
    if (table === undefined) continue
    const value = await readOne(store, table, key)
    if (value instanceof PortError) failed.push(`${id} ${value.code}`)
    else if (value !== model.get(id)) wrong.push(id)
  }
  for (const table of tables) {
    try {
      const rows = await store.list(table)
      const listed = new Map(rows.map(({ key, value }) => [`${table.name}/${text(key)}`, text(value)]))
      const expected = new Map([...model].filter(([id]) => id.startsWith(`${table.name}/`)))
      if (!sameModel(listed, expected)) wrong.push(`list ${table.name}`)
    } catch (error) {
      if (!(error instanceof PortError)) throw error
      failed.push(`list ${table.name} ${error.code}`)
    }
  }
  return { wrong, failed }
}

/** Whether two models hold the same rows. */
export const sameModel = (a: Model, b: Model): boolean =>
  a.size === b.size && [...a].every(([id, value]) => b.get(id) === value)
