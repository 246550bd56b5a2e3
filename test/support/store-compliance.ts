/** What every `Store` must do. One suite for memory, level, IndexedDB, postMessage and the faulty store. */
import { expect } from 'chai'
import { PortError } from '../../packages/core/src/errors.ts'
import type { Store, StoreOp } from '../../packages/core/src/ports/index.ts'

/** A store under test. `reopen` closes nothing: it is called after `close` and gives the same rows back. */
export interface StoreUnderTest {
  readonly store: Store
  /** Undefined when nothing outlives the object. */
  readonly reopen?: () => Promise<Store>
  readonly dispose: () => Promise<void>
}

const k = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes)
const put = (key: Uint8Array, ...value: number[]): StoreOp => ({ type: 'put', key, value: k(...value) })
const del = (key: Uint8Array): StoreOp => ({ type: 'del', key })
const plain = (value: Uint8Array | undefined): number[] | undefined => value && [...value]
const durable = { durable: true }

/** One property of a store; throws when it does not hold. */
export interface StoreCheck {
  readonly title: string
  readonly run: (under: StoreUnderTest) => Promise<void>
}

async function code(work: () => Promise<unknown>): Promise<string> {
  try {
    await work()
  } catch (error) {
    return error instanceof PortError || (error as { code?: unknown }).code !== undefined
      ? String((error as { code: unknown }).code)
      : String(error)
  }
  return 'no failure'
}

async function keys(store: Store, gte: Uint8Array, lt: Uint8Array, limit?: number): Promise<number[][]> {
  const rows = await store.range(limit === undefined ? { gte, lt } : { gte, lt, limit })
  return rows.map(({ key }) => [...key])
}

/** The properties one by one, for harnesses that run elsewhere (a browser page). */
export const storeChecks: readonly StoreCheck[] = [
  {
    title: 'gives back what was put, and undefined for the rest',
    run: async ({ store }) => {
      await store.batch([put(k(1), 1, 2, 3), put(k(2))], durable)
      expect(plain(await store.get(k(1)))).to.deep.equal([1, 2, 3])
      expect(plain(await store.get(k(2)))).to.deep.equal([])
      expect(await store.get(k(3))).to.equal(undefined)
    },
  },
  {
    title: 'reads many keys in the order asked, duplicates and absent ones included',
    run: async ({ store }) => {
      await store.batch([put(k(1), 1), put(k(2), 2)], durable)
      const rows = await store.getMany([k(2), k(9), k(1), k(2)])
      expect(rows.map(plain)).to.deep.equal([[2], undefined, [1], [2]])
      expect(await store.getMany([])).to.deep.equal([])
    },
  },
  {
    title: 'applies the ops of a batch in their order',
    run: async ({ store }) => {
      await store.batch(
        [put(k(1), 1), del(k(1)), put(k(2), 1), put(k(2), 2), del(k(3)), put(k(3), 3)],
        durable,
      )
      const rows = await store.getMany([k(1), k(2), k(3)])
      expect(rows.map(plain)).to.deep.equal([undefined, [2], [3]])
    },
  },
  {
    title: 'accepts an empty batch, durable or not',
    run: async ({ store }) => {
      await store.batch([], durable)
      await store.batch([], { durable: false })
    },
  },
  {
    title: 'ranges in byte order, from the first bound to below the second',
    run: async ({ store }) => {
      const some = [k(1), k(1, 0), k(1, 255), k(2), k(2, 0, 0), k(127), k(128), k(255), k(255, 255)]
      await store.batch(
        [...some].reverse().map((key) => put(key, key.length)),
        durable,
      )
      expect(await keys(store, k(0), new Uint8Array(9).fill(255))).to.deep.equal(some.map((key) => [...key]))
      expect(await keys(store, k(1, 0), k(2))).to.deep.equal([
        [1, 0],
        [1, 255],
      ])
      expect(await keys(store, k(127), k(255))).to.deep.equal([[127], [128]])
      expect(await keys(store, k(3), k(3))).to.deep.equal([])
      expect(await keys(store, k(1), k(255), 2)).to.deep.equal([[1], [1, 0]])
    },
  },
  {
    title: 'ranges over more rows than a page of any backend',
    run: async ({ store }) => {
      const ops = Array.from({ length: 3_000 }, (_, i) => put(k(7, i >> 8, i & 255), i & 255))
      await store.batch(ops, { durable: false })
      const rows = await store.range({ gte: k(7), lt: k(8) })
      expect(rows).to.have.length(3_000)
      expect(rows.every(({ value }, i) => value[0] === (i & 255))).to.equal(true)
    },
  },
  {
    title: 'keeps its own copy of keys and values',
    run: async ({ store }) => {
      const key = k(5)
      const value = k(1, 1)
      await store.batch([{ type: 'put', key, value }], durable)
      value.fill(9)
      key.fill(9)
      expect(plain(await store.get(k(5)))).to.deep.equal([1, 1])
      const read = await store.get(k(5))
      read?.fill(7)
      expect(plain(await store.get(k(5)))).to.deep.equal([1, 1])
      expect(await store.get(k(9))).to.equal(undefined)
    },
  },
  {
    title: 'takes a value of a megabyte',
    run: async ({ store }) => {
      const value = new Uint8Array(1_000_000).map((_, i) => i % 251)
      await store.batch([{ type: 'put', key: k(6), value }], durable)
      expect(plain((await store.get(k(6)))?.subarray(-3))).to.deep.equal(plain(value.subarray(-3)))
    },
  },
  {
    title: 'serves readers and writers at once without mixing batches',
    run: async ({ store }) => {
      const both = [k(1), k(2)]
      await store.batch([put(k(1), 0), put(k(2), 0)], durable)
      const writing = Array.from({ length: 20 }, (_, i) =>
        store.batch([put(k(1), i), put(k(2), i)], { durable: i % 5 === 0 }),
      )
      const reading = Array.from({ length: 20 }, () => store.getMany(both))
      const seen = await Promise.all([...reading, Promise.all(writing).then(() => store.getMany(both))])
      expect(seen.at(-1)?.map(plain)).to.deep.equal([[19], [19]])
    },
  },
  {
    title: 'keeps a mark apart from the rows',
    run: async ({ store }) => {
      expect(await store.readMark()).to.equal(undefined)
      for (let i = 0; i < 5; i++) await store.writeMark(new Uint8Array(90).fill(i))
      expect(plain(await store.readMark())).to.deep.equal(plain(new Uint8Array(90).fill(4)))
      await store.writeMark(k(1, 2, 3))
      expect(plain(await store.readMark())).to.deep.equal([1, 2, 3])
      expect(await keys(store, k(0), new Uint8Array(9).fill(255))).to.deep.equal([])
    },
  },
  {
    title: 'rejects with E_STORE_CLOSED once closed, and closes twice without harm',
    run: async ({ store }) => {
      await store.close()
      await store.close()
      expect(await code(() => store.get(k(1)))).to.equal('E_STORE_CLOSED')
      expect(await code(() => store.getMany([k(1)]))).to.equal('E_STORE_CLOSED')
      expect(await code(() => store.range({ gte: k(0), lt: k(1) }))).to.equal('E_STORE_CLOSED')
      expect(await code(() => store.batch([put(k(1))], durable))).to.equal('E_STORE_CLOSED')
    },
  },
  {
    title: 'has rows and mark again after a reopening',
    run: async ({ store, reopen }) => {
      if (reopen === undefined) return
      await store.batch([put(k(1), 1), put(k(2), 2)], durable)
      await store.batch([del(k(2))], { durable: false })
      await store.writeMark(k(4, 2))
      await store.close()
      const again = await reopen()
      expect((await again.getMany([k(1), k(2)])).map(plain)).to.deep.equal([[1], undefined])
      expect(plain(await again.readMark())).to.deep.equal([4, 2])
      await again.close()
    },
  },
]

/** Runs the suite; `make` gives an empty store each time. */
export function storeCompliance(name: string, make: () => Promise<StoreUnderTest>): void {
  describe(`Store: ${name}`, () => {
    let under: StoreUnderTest
    beforeEach(async () => {
      under = await make()
    })
    afterEach(() => under.dispose())
    for (const { title, run } of storeChecks) it(title, () => run(under))
  })
}
