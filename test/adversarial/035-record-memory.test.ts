import { expect } from 'chai'
import { limits } from '@sotto/core'
import { BoundedDatastore } from '../../packages/core/bindings/libp2p/datastore.ts'

/** The store's own key class, which libp2p hands out only through its calls. */
type Key = Parameters<BoundedDatastore['put']>[0]
const keyOf = (name: string): Key => ({ toString: () => name }) as unknown as Key

describe('035 record bombs', () => {
  it('035 a million identities leave a node with the configured number of values', async () => {
    const store = new BoundedDatastore(100)
    for (let n = 0; n < 1_000_000; n += 1)
      await store.put(keyOf(`/dht/record/${String(n)}`), Uint8Array.of(1))
    let held = 0
    for (let n = 999_000; n < 1_000_000; n += 1)
      if (await store.has(keyOf(`/dht/record/${String(n)}`))) held += 1
    expect(held).to.equal(100)
    expect(await store.has(keyOf('/dht/record/999999'))).to.equal(true)
    expect(await store.has(keyOf('/dht/record/0'))).to.equal(false)
  })

  it('035 values that are put again stay, and what is no value of the DHT is never pushed out', async () => {
    const store = new BoundedDatastore(3)
    await store.put(keyOf('/peers/a'), Uint8Array.of(9))
    for (const name of ['a', 'b', 'c', 'a', 'd'])
      await store.put(keyOf(`/dht/record/${name}`), Uint8Array.of(1))
    const has = async (name: string) => store.has(keyOf(name))
    expect([
      await has('/dht/record/a'),
      await has('/dht/record/b'),
      await has('/dht/record/d'),
    ]).to.deep.equal([true, false, true])
    expect(await has('/peers/a')).to.equal(true)
  })

  it('035 the values a node holds for others fit in 48 MiB', () => {
    expect(limits.dhtRecords * limits.recordBytes).to.be.at.most(48 * 1024 * 1024)
  })
})
