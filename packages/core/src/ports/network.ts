/** How a channel reaches its peer: over a connection of its own, or through a relay's circuit. */
export type Route = 'direct' | 'relayed'

/**
 * What becomes of a message on a topic: passed on to others, dropped, or dropped and held against the neighbour it
 * came from.
 */
export type TopicVerdict = 'accept' | 'ignore' | 'reject'

/** What the network tells. Channel numbers are unique within one Network. */
export type NetworkEvent =
  /** A peer opened a channel for one of our protocols. */
  | {
      readonly type: 'opened'
      readonly channel: number
      readonly peer: string
      readonly protocol: string
      readonly route: Route
    }
  | { readonly type: 'frame'; readonly channel: number; readonly frame: Uint8Array }
  /** The channel is gone, either end closed it or it broke. Comes once for each channel, last. */
  | {
      readonly type: 'closed'
      readonly channel: number
      readonly reason: 'closed' | 'reset' | 'oversized' | 'slow'
    }
  /**
   * A message on a subscribed topic, by a neighbour who need not be its author. It goes no further unless `judge`
   * accepts it within `limits.topicVerdictMs`. Numbers are unique within one Network.
   */
  | {
      readonly type: 'message'
      readonly message: number
      readonly topic: string
      readonly data: Uint8Array
      readonly peer: string
    }
  /** First connection to a peer came up, its best route changed, or the last one went. */
  | { readonly type: 'peer'; readonly peer: string; readonly connected: boolean; readonly route: Route }
  /** Seen on the local network. */
  | { readonly type: 'discovered'; readonly peer: string; readonly addresses: readonly string[] }
  /** Own addresses (multiaddrs with /p2p) changed. */
  | { readonly type: 'addresses'; readonly addresses: readonly string[] }

/**
 * Hears every event. A promise returned for a `frame` holds back that channel's next frames, and in the end
 * its sender, until it settles.
 */
export type NetworkListener = (event: NetworkEvent) => unknown

/**
 * The one port to the network. Every argument and result is structured-cloneable, so it may run in another
 * thread or page. Peers are PeerId strings, addresses are multiaddr strings. Failures are `PortError`s:
 * `E_NET_UNREACHABLE`, `E_NET_TIMEOUT`, `E_NET_CLOSED`, `E_NET_REFUSED` (gated address), `E_NET_PROTOCOL`
 * (the peer does not speak it), `E_NET_TOO_LONG`, `E_NET_BUSY` (a cap was reached); all but the last four retryable.
 */
export interface Network {
  /** One listener; events that come before it is set wait. */
  listen(listener: NetworkListener): void
  /** Own PeerId. */
  peerId(): Promise<string>
  addresses(): Promise<readonly string[]>
  /** Dials the peer at the addresses, or where it was found before, and opens a channel. Gives up after `limits.dialMs` a try. */
  open(
    peer: string,
    addresses: readonly string[],
    protocol: string,
  ): Promise<{ readonly channel: number; readonly route: Route }>
  /** Writes one length-prefixed frame; resolves when the transport took it. */
  write(channel: number, frame: Uint8Array): Promise<void>
  close(channel: number): Promise<void>
  /** Keeps a connection to this relay or bootstrap peer up, with a circuit reservation if it gives one. */
  attach(address: string): Promise<void>
  detach(address: string): Promise<void>
  publish(topic: string, data: Uint8Array): Promise<void>
  /** Says once what becomes of a message. Too late, or twice, it changes nothing. */
  judge(message: number, verdict: TopicVerdict): Promise<void>
  /**
   * Listens on a topic. Messages travel among these peers first; others who listen get what is published here, and
   * pass nothing on for us. Called again it changes the peers.
   */
  subscribe(topic: string, peers: readonly string[]): Promise<void>
  unsubscribe(topic: string): Promise<void>
  /** Puts a DHT value; resolves with the number of nodes that took it. */
  put(key: string, value: Uint8Array): Promise<number>
  /** Every DHT value found within the time limit that passes the validator. */
  get(key: string): Promise<readonly Uint8Array[]>
  stop(): Promise<void>
}
