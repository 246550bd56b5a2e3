import { expect } from 'chai'
import { Database } from '../../../packages/core/src/device/database.ts'
import { counterKey, rows } from '../../../packages/core/src/device/row.ts'
import { openSealedStore, type SealedStore } from '../../../packages/core/src/device/sealed-store.ts'
import { PortError } from '../../../packages/core/src/errors.ts'
import { MemoryStore, seededRandom } from '../../../packages/core/src/memory/index.ts'
import { Secret } from '../../../packages/core/src/crypto/index.ts'
import { uint } from '../../../packages/core/src/wire/index.ts'
import { nodeProvider } from '../../support/session-world.ts'

const lately = rows('lately', uint(), { kind: 'mutable', resident: false, lately: true })
const plain = rows('plain', uint(), { kind: 'mutable', resident: false })
const durable = { durable: true }

/** A database over a real sealed store whose reads are counted and whose commits can be made to fail. */
async function counted() {
  const random = seededRandom(nodeProvider, 'database')
  const key = new Secret(random.bytes(32))
  const sealed = await openSealedStore({
    crypto: nodeProvider,
    store: new MemoryStore(),
    random,
    key,
    nowMs: 0,
  })
  const seen = { reads: 0, failsAfterwards: false }
  const store = new Proxy(sealed, {
    get(target, name: keyof SealedStore) {
      if (name === 'get')
        return (...args: Parameters<SealedStore['get']>) => {
          seen.reads += 1
          return target.get(...args)
        }
      if (name === 'commit')
        return async (...args: Parameters<SealedStore['commit']>) => {
          await target.commit(...args)
          if (seen.failsAfterwards) throw new PortError('E_STORE_IO', 'the answer was lost')
        }
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
  const database = await Database.open(store, [lately, plain])
  const put = async (table: typeof lately, n: number, value: number | undefined): Promise<void> => {
    const tx = database.begin()
    if (value === undefined) tx.delete(table, counterKey(n))
    else tx.put(table, counterKey(n), value)
    await database.commit(tx, durable)
  }
  return { seen, put, read: (table: typeof lately, n: number) => database.begin().load(table, counterKey(n)) }
}

describe('database: rows written or read lately', () => {
  it('are not read from the store again, and follow every commit', async () => {
    const { seen, put, read } = await counted()
    await put(lately, 1, 10)
    expect(await read(lately, 1)).to.equal(10)
    await put(lately, 1, 11)
    expect(await read(lately, 1)).to.equal(11)
    expect(seen.reads).to.equal(0)
    await put(lately, 1, undefined)
    expect(await read(lately, 1)).to.equal(undefined)
    expect(seen.reads).to.equal(1)
  })

  it('are kept only of tables that say so', async () => {
    const { seen, put, read } = await counted()
    await put(plain, 1, 10)
    expect([await read(plain, 1), await read(plain, 1)]).to.deep.equal([10, 10])
    expect(seen.reads).to.equal(2)
  })

  it('are forgotten when a commit failed, for the store alone knows what it holds', async () => {
    const { seen, put, read } = await counted()
    await put(lately, 1, 10)
    seen.failsAfterwards = true
    const failed = await put(lately, 1, 12).catch((error: unknown) => error)
    expect(failed).to.have.property('code', 'E_STORE_IO')
    expect(await read(lately, 1)).to.equal(12)
  })

  it('make room for newer ones', async () => {
    const { seen, put, read } = await counted()
    for (let n = 0; n < 300; n++) await put(lately, n, n)
    expect(await read(lately, 299)).to.equal(299)
    expect(seen.reads).to.equal(0)
    expect(await read(lately, 0)).to.equal(0)
    expect(seen.reads).to.equal(1)
  })
})
