import type { Network, NetworkListener } from '@sotto/core/ports'
import { directProtocol } from '../../packages/core/src/device/protocols.ts'
import { portOver } from './port-over.ts'

/** A port whose channels to devices go silent both ways without breaking, until they are found to be broken. */
export class HalfOpen {
  silent = false
  readonly #channels = new Set<number>()
  #listener: NetworkListener | undefined

  port(network: Network): Network {
    return portOver(network, {
      open: async (peer, addresses, protocol) => {
        const opened = await network.open(peer, addresses, protocol)
        if (protocol === directProtocol) this.#channels.add(opened.channel)
        return opened
      },
      listen: (listener) => {
        this.#listener = listener
        network.listen((event) => {
          if (event.type === 'opened' && event.protocol === directProtocol) this.#channels.add(event.channel)
          if (this.silent && 'channel' in event && this.#channels.has(event.channel)) return undefined
          return listener(event)
        })
      },
      write: (channel, frame) =>
        this.silent && this.#channels.has(channel) ? Promise.resolve() : network.write(channel, frame),
    })
  }

  async break(network: Pick<Network, 'close'>): Promise<void> {
    for (const channel of this.#channels) await network.close(channel)
    this.silent = false
    for (const channel of this.#channels) this.#listener?.({ type: 'closed', channel, reason: 'reset' })
    this.#channels.clear()
  }
}
