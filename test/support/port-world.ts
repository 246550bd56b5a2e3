import { exposeNetwork, remoteNetwork } from '@sotto/core/message-port'
import type { Network } from '@sotto/core/ports'
import type { NetworkWorld } from './network-compliance.ts'

/** Puts a message port between the test and every network of another world. */
export async function portWorld(inner: NetworkWorld): Promise<NetworkWorld> {
  const behind = new Map<Network, Network>()
  const ends: (() => void)[] = []
  const behindOf = (network: Network): Network => behind.get(network) ?? network
  return {
    join: async (protocols) => {
      const network = await inner.join(protocols)
      const { port1, port2 } = new MessageChannel()
      const withdraw = exposeNetwork(port1, network)
      const remote = remoteNetwork(port2)
      behind.set(remote, network)
      ends.push(() => {
        remote.release()
        withdraw()
        port1.close()
      })
      return remote
    },
    introduce: (a, b) => inner.introduce(behindOf(a), behindOf(b)),
    close: async () => {
      await inner.close()
      for (const end of ends) end()
    },
  }
}
