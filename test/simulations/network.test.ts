import { createNodeProvider } from '@sotto/core/crypto-node'
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
