import { expect } from 'chai'
import {
  openSealedStore,
  type SealedStore,
  type Table,
  type Write,
} from '../../../packages/core/src/device/sealed-store.ts'
import { nobleProvider, Secret } from '../../../packages/core/src/crypto/index.ts'
import { PortError } from '../../../packages/core/src/errors.ts'
import { MemoryStore, seededRandom } from '../../../packages/core/src/memory/index.ts'
import type { Store } from '../../../packages/core/src/ports/index.ts'
import { utf8 } from '../../../packages/core/src/wire/index.ts'

const crypto = nobleProvider()
const sessions: Table = { name: 'sessions', kind: 'mutable' }
const bodies: Table = { name: 'bodies', kind: 'append' }
const durable = { durable: true }
let openings = 0

const open = (store: Store, checkpointEvery = 8, key = 1): Promise<SealedStore> =>
  openSealedStore({
    crypto,
    store,
    random: seededRandom(crypto, `opening ${openings++}`),
    key: new Secret(new Uint8Array(32).fill(key)),
    nowMs: 1_000,
    checkpointEvery,
  })

const put = (table: Table, key: string, value: string): Write => ({
  table,
  key: utf8(key),
  value: utf8(value),
})
const del = (table: Table, key: string): Write => ({ table, key: utf8(key), value: null })
const asText = (value: Uint8Array | undefined | 'damaged'): string | undefined =>
  value instanceof Uint8Array ? new TextDecoder().decode(value) : value
const read = async (store: SealedStore, table: Table, key: string) =>
  asText(await store.get(table, utf8(key)))
const listed = async (store: SealedStore, table: Table): Promise<Record<string, string | undefined>> =>
  Object.fromEntries((await store.list(table)).map(({ key, value }) => [asText(key) ?? '', asText(value)]))

async function failure(work: Promise<unknown>): Promise<string> {
  try {
    await work
  } catch (error) {
    if (error instanceof PortError) return error.code
    throw error
  }
  return 'no failure'
}

describe('sealed store', () => {
  it('gives back what was committed, in this opening and the next', async () => {
    const below = new MemoryStore()
    const first = await open(below)
    await first.commit([put(sessions, 'a', '1'), put(bodies, 'x', 'text')], durable)
    await first.commit([put(sessions, 'a', '2'), put(sessions, 'b', '3')], { durable: false })
    expect(await read(first, sessions, 'a')).to.equal('2')
    expect([first.boot, first.doubt]).to.deep.equal([1, null])
    await first.close()
    const second = await open(below.reopen())
    expect([second.boot, second.doubt]).to.deep.equal([2, null])
    expect(second.generation).to.be.greaterThan(first.generation)
    expect(await listed(second, sessions)).to.deep.equal({ a: '2', b: '3' })
    expect(await listed(second, bodies)).to.deep.equal({ x: 'text' })
    expect(second.count(bodies)).to.equal(1)
    expect(await read(second, sessions, 'absent')).to.equal(undefined)
  })

  it('keeps its contents over many checkpoints, page splits and deletions', async () => {
    let below = new MemoryStore()
    let store = await open(below)
    for (let i = 0; i < 500; i++) {
      await store.commit([put(sessions, `k${i}`, `v${i}`), del(sessions, `k${i - 250}`)], durable)
      if (i % 97 === 0) {
        await store.close()
        store = await open((below = below.reopen()))
        expect(store.doubt).to.equal(null)
      }
    }
    const rows = await listed(store, sessions)
    expect(Object.keys(rows)).to.have.length(250)
    for (let i = 250; i < 500; i++) expect(await read(store, sessions, `k${i}`)).to.equal(`v${i}`)
    expect(await read(store, sessions, 'k249')).to.equal(undefined)
    expect(store.damaged).to.deep.equal([])
  })

  it('refuses another key and tells a wrong key from damage', async () => {
    const below = new MemoryStore()
    await (await open(below)).close()
    expect(await failure(open(below.reopen(), 8, 2))).to.equal('E_STORE_KEY')
  })
})
