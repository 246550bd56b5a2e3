import type { Network } from '@sotto/core/ports'

/** A port that does what another does, but for what is given here. */
export const portOver = (network: Network, change: Partial<Network>): Network => ({
  listen: (listener) => {
    network.listen(listener)
  },
  peerId: () => network.peerId(),
  addresses: () => network.addresses(),
  open: (peer, addresses, protocol) => network.open(peer, addresses, protocol),
  write: (channel, frame) => network.write(channel, frame),
  close: (channel) => network.close(channel),
  attach: (address) => network.attach(address),
  detach: (address) => network.detach(address),
  publish: (topic, data) => network.publish(topic, data),
  judge: (message, verdict) => network.judge(message, verdict),
  subscribe: (topic, peers) => network.subscribe(topic, peers),
  unsubscribe: (topic) => network.unsubscribe(topic),
  put: (key, value) => network.put(key, value),
  get: (key) => network.get(key),
  stop: () => network.stop(),
  ...change,
})
