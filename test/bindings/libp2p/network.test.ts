import { expect } from 'chai'
import type { ConnectionGater } from '@libp2p/interface'
import { limits } from '@sotto/core'
import { AddressGate } from '@sotto/core/libp2p'
import { codeOf, networkCompliance, testProtocol } from '../../support/network-compliance.ts'
import { libp2pWorld, startNode } from '../../support/libp2p-world.ts'

networkCompliance('libp2p over loopback TCP', libp2pWorld)

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Takes a connection up only when it is told to; for the other end it is up before. */
class HesitantGate extends AddressGate {
  #takeUp: () => void = () => undefined
  readonly #told = new Promise<void>((resolve) => (this.#takeUp = resolve))

  takeUp(): void {
    this.#takeUp()
  }

  override connectionGater(): ConnectionGater {
    const denyInboundUpgradedConnection = async () => {
      await this.#told
      return false
    }
    return { ...super.connectionGater(), denyInboundUpgradedConnection }
  }
}

describe('libp2p: a connection that is up at one end alone', () => {
  it('bears all channels its peer may open at once', async () => {
    const gate = new HesitantGate()
    const [{ network: a, node }, { network: b }] = [
      await startNode({ protocols: [testProtocol] }),
      await startNode({ protocols: [testProtocol], gate }),
    ]
    try {
      const [peer, addresses] = [await b.peerId(), await b.addresses()]
      const codes = Array.from({ length: limits.channelsPerPeer }, () =>
        codeOf(a.open(peer, addresses, testProtocol)),
      )
      const streams = (): number => node.getConnections()[0]?.streams.length ?? 0
      while (streams() < limits.channelsPerPeer) await pause(5)
      // Time for all of them to arrive.
      await pause(200)
      gate.takeUp()
      expect(await Promise.all(codes)).to.deep.equal(codes.map(() => 'resolved'))
    } finally {
      gate.takeUp()
      await Promise.all([a.stop(), b.stop()])
    }
  })
})
