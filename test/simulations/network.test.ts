import { createNodeProvider } from '@sotto/core/crypto-node'
import { expect } from 'chai'
import { setImmediate } from 'node:timers/promises'
import { Node } from '../../simulations/world/node.ts'
import { World } from '../../simulations/world/world.ts'
import { networkCompliance, type NetworkWorld } from '../support/network-compliance.ts'

/** A calm world that lives through what is planned, while a test waits; no time passes when nothing is. */
async function simulatedWorld(): Promise<NetworkWorld> {
  const { air, timeline } = new World({ seed: 1n, crypto: await createNodeProvider() })
  const going = { on: true }
  const ended = (async () => {
    while (going.on) if (!(await timeline.runNext())) await setImmediate()
  })()
  let joined = 0
  const nodeOf = async (network: { peerId(): Promise<string> }): Promise<Node | undefined> =>
    air.node(await network.peerId())
  return {
    join: async (protocols) => {
      const peer = `peer${++joined}`
      return new Node(air, {
        host: peer,
        peer,
        address: `/memory/${peer}/p2p/${peer}`,
        protocols,
        validate: (_key, value) => value[0] !== 0,
        dialable: true,
      })
    },
    introduce: async (a, b) => {
      await a.attach((await b.addresses())[0] ?? '')
      const [one, other] = [await nodeOf(a), await nodeOf(b)]
      while (other !== undefined && one?.neighbours().includes(other) === false) await setImmediate()
    },
    close: async () => {
      going.on = false
      await ended
    },
  }
}

networkCompliance('the simulator’s model', simulatedWorld)

describe('the simulator’s connections', () => {
  // Somebody’s end is noticed at once or in a while, as the seed draws.
  for (const seed of [1n, 2n, 3n, 4n, 5n, 6n])
    it(`carry no new channel once they are over, noticed or not: seed ${seed}`, async () => {
      const { air, timeline } = new World({ seed, crypto: await createNodeProvider() })
      const protocol = '/test/1'
      const node = (peer: string): Node =>
        new Node(air, {
          ...{ host: peer, peer, address: `/memory/${peer}/p2p/${peer}`, protocols: [protocol] },
          ...{ validate: () => true, dialable: true },
        })
      const run = async (): Promise<void> => {
        for (let quiet = 0; quiet < 3;) {
          quiet = (await timeline.runNext()) ? 0 : quiet + 1
          await setImmediate()
        }
      }
      const [ada, bob] = [node('ada'), node('bob')]
      const closed: number[] = []
      ada.listen((event) => {
        if (event.type === 'closed') closed.push(event.channel)
      })
      const first = ada.open('bob', [bob.address], protocol)
      await run()
      bob.die()
      const back = node('bob')
      const second = ada.open('bob', [back.address], protocol)
      await run()
      await back.stop()
      await run()
      expect(closed.sort()).to.deep.equal([(await first).channel, (await second).channel])
    })
})
