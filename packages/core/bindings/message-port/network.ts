import { UsageError } from '../../src/errors.ts'
import type { Network, NetworkEvent, NetworkListener, TopicVerdict } from '../../src/ports/index.ts'
import { exposePort } from './expose.ts'
import type { PortLike } from './port.ts'
import { remotePort, type RemoteOptions } from './remote.ts'

const name = 'network'

/** Offers a Network to the other end of the port; the result withdraws it without stopping the network. */
export function exposeNetwork(port: PortLike, network: Network): () => void {
  return exposePort(port, {
    name,
    methods: {
      peerId: () => network.peerId(),
      addresses: () => network.addresses(),
      open: (peer: string, addresses: readonly string[], protocol: string) =>
        network.open(peer, addresses, protocol),
      write: (channel: number, frame: Uint8Array) => network.write(channel, frame),
      close: (channel: number) => network.close(channel),
      attach: (address: string) => network.attach(address),
      detach: (address: string) => network.detach(address),
      publish: (topic: string, data: Uint8Array) => network.publish(topic, data),
      judge: (message: number, verdict: TopicVerdict) => network.judge(message, verdict),
      subscribe: (topic: string, peers: readonly string[]) => network.subscribe(topic, peers),
      unsubscribe: (topic: string) => network.unsubscribe(topic),
      put: (key: string, value: Uint8Array) => network.put(key, value),
      get: (key: string) => network.get(key),
      stop: () => network.stop(),
    },
    listen: (listener) => network.listen(listener),
    transfer: (event) => frameBuffer(event as NetworkEvent),
  })
}

/** A frame that has its buffer to itself moves over; a view into a larger one is copied. */
function frameBuffer(event: NetworkEvent): readonly ArrayBuffer[] {
  if (event.type !== 'frame') return []
  const { buffer, byteLength } = event.frame
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength ? [buffer] : []
}

/** A Network behind a port, and the way to let the port go without stopping the network. */
export type RemoteNetwork = Network & { release(): void }

/** The Network exposed at the other end of the port. Calls reject with `E_PORT_LOST` once that end is gone. */
export function remoteNetwork(port: PortLike, options: RemoteOptions = {}): RemoteNetwork {
  const remote = remotePort(port, name, options)
  const call = <T>(method: keyof Network, ...args: readonly unknown[]): Promise<T> =>
    remote.call(method, args) as Promise<T>
  let heard = false
  return {
    listen: (listener: NetworkListener) => {
      if (heard) throw new UsageError('E_NET_LISTENER', 'the network has its listener already')
      heard = true
      remote.listen((event) => listener(event as NetworkEvent))
    },
    peerId: () => call('peerId'),
    addresses: () => call('addresses'),
    open: (peer, addresses, protocol) => call('open', peer, addresses, protocol),
    write: (channel, frame) => call('write', channel, frame),
    close: (channel) => call('close', channel),
    attach: (address) => call('attach', address),
    detach: (address) => call('detach', address),
    publish: (topic, data) => call('publish', topic, data),
    judge: (message, verdict) => call('judge', message, verdict),
    subscribe: (topic, peers) => call('subscribe', topic, peers),
    unsubscribe: (topic) => call('unsubscribe', topic),
    put: (key, value) => call('put', key, value),
    get: (key) => call('get', key),
    stop: () => call('stop'),
    release: () => remote.close(),
  }
}
