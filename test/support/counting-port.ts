import type { Network } from '@sotto/core/ports'
import { directProtocol } from '../../packages/core/src/device/protocols.ts'
import { portOver } from './port-over.ts'

/** Counts the frames a device writes to others, by whom they go to. */
export function countingPort(network: Network, frames: Map<string, number>): Network {
  const channels = new Map<number, string>()
  return portOver(network, {
    listen: (listener) =>
      network.listen((event) => {
        if (event.type === 'opened' && event.protocol === directProtocol)
          channels.set(event.channel, event.peer)
        return listener(event)
      }),
    open: async (peer, addresses, protocol) => {
      const opened = await network.open(peer, addresses, protocol)
      if (protocol === directProtocol) channels.set(opened.channel, peer)
      return opened
    },
    write: (channel, frame) => {
      const to = channels.get(channel)
      if (to !== undefined) frames.set(to, (frames.get(to) ?? 0) + 1)
      return network.write(channel, frame)
    },
  })
}
