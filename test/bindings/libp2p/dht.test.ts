import { expect } from 'chai'
import type { KadDHT } from '@libp2p/kad-dht'
import type { RecordRules } from '@sotto/core/libp2p'
import { knows, plainRules, startNode, untilNode, type TestNode } from '../../support/libp2p-world.ts'
import { codeOf } from '../../support/network-compliance.ts'

const key = '/sotto/record'
const version = (n: number): Uint8Array => Uint8Array.of(1, 2, 3, n)

/** Remembers the highest version of a key, as the discovery room's validator does with signed values. */
function rulesWithMemory(): RecordRules {
  const marks = new Map<string, number>()
  return {
    validate: (rawKey, value) => {
      const [name, seen] = [Buffer.from(rawKey).toString(), value.at(-1) ?? 0]
      if (value[0] === 0) return 'forged'
      if (seen < (marks.get(name) ?? 0)) return 'rollback'
      marks.set(name, seen)
      return undefined
    },
    select: (...args) => plainRules.select(...args),
  }
}

describe('libp2p: values in the DHT', () => {
  let nodes: TestNode[] = []
  beforeEach(async () => {
    nodes = await Promise.all(Array.from({ length: 4 }, () => startNode({ rules: rulesWithMemory() })))
    for (const [at, from] of nodes.entries()) {
      for (const to of nodes.slice(at + 1)) await from.network.attach((await to.network.addresses())[0]!)
    }
    for (const { node } of nodes) {
      await untilNode(
        node,
        () => (node.services['dht'] as { routingTable: { size: number } }).routingTable.size === 3,
      )
    }
  })
  afterEach(async () => {
    await Promise.all(nodes.map(({ network }) => network.stop()))
  })

  const networks = () => nodes.map(({ network }) => network)
  const valuesEverywhere = () =>
    Promise.all(networks().map(async (network) => (await network.get(key)).map((value) => value.at(-1))))

  it('are kept by every node and found by every node, the newest first of all', async () => {
    const [a] = networks()
    expect(await a!.put(key, version(1))).to.equal(3)
    expect(await a!.put(key, version(2))).to.equal(3)
    expect(await valuesEverywhere()).to.deep.equal([[2], [2], [2], [2]])
  })

  it('cannot be rolled back by putting an older valid one again', async () => {
    const [a, b] = networks()
    await a!.put(key, version(1))
    await a!.put(key, version(2))
    expect(await codeOf(b!.put(key, version(1)))).to.equal('E_NET_REFUSED')
    // Past our own check, straight to the other nodes.
    const dht = nodes[1]!.node.services['dht'] as KadDHT
    const signal = AbortSignal.timeout(5_000)
    for await (const event of dht.put(Buffer.from(key), version(1), { signal })) {
      if (event.name === 'PEER_RESPONSE' && event.messageName === 'PUT_VALUE')
        expect.fail('a node took the older value')
    }
    for (const values of await valuesEverywhere()) expect(values).to.deep.equal([2])
  })

  it('that are forged or too long are refused by the others as well', async () => {
    const dht = nodes[0]!.node.services['dht'] as KadDHT
    for (const value of [Uint8Array.of(0, 1), new Uint8Array(12 * 1024 + 1).fill(1)]) {
      for await (const event of dht.put(Buffer.from('/sotto/forged'), value, {
        signal: AbortSignal.timeout(5_000),
      })) {
        if (event.name === 'PEER_RESPONSE' && event.messageName === 'PUT_VALUE') expect.fail('a node took it')
      }
    }
    expect(await networks()[1]!.get('/sotto/forged')).to.deep.equal([])
  })

  it('of another name space find no rule and no home', async () => {
    expect(await codeOf(networks()[0]!.put('/other/record', version(1)))).to.equal('E_NET_REFUSED')
    expect(await networks()[0]!.get('/other/record')).to.deep.equal([])
  })

  it('reach a node that comes later', async () => {
    await networks()[0]!.put(key, version(5))
    const late = await startNode({ rules: rulesWithMemory() })
    nodes.push(late)
    await late.network.attach((await networks()[0]!.addresses())[0]!)
    await untilNode(late.node, () => knows(late.node, nodes[0]!.node))
    expect((await late.network.get(key)).map((value) => value.at(-1))).to.deep.equal([5])
  })
})
