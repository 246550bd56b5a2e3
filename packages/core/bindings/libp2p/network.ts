import type { Connection, Libp2p, PeerId, Stream } from '@libp2p/interface'
import type { KadDHT } from '@libp2p/kad-dht'
import { InvariantError, UsageError } from '../../src/errors.ts'
import { limits } from '../../src/limits.ts'
import type {
  Log,
  Network,
  NetworkEvent,
  NetworkListener,
  Route,
  TopicVerdict,
} from '../../src/ports/index.ts'
import { Channel, type CloseReason } from './channel.ts'
import { Dialer } from './dialer.ts'
import { networkError } from '../../src/ports/index.ts'
import { toNetworkError } from './errors.ts'
import { readAddress, type AddressGate, type LocalPeer } from './gate.ts'
import { bestOf, peerOf, readPeer, routeOf } from './peer.ts'
import { getRecords, putRecord } from './records.ts'
import { Supervisor } from './supervisor.ts'
import { deadline } from './timer.ts'
import { Topics, type JudgedGossip, type TopicBounds } from './topics.ts'

/** What `createLibp2pNetwork` needs beside the node; the numbers default to `limits`. */
export interface Libp2pNetworkOptions {
  /** Stream protocols this node answers. Others may still be opened at a peer. */
  readonly protocols: readonly string[]
  /** The gate given to the recipe of this node. */
  readonly gate: AddressGate
  readonly log?: Log
  readonly monotonicMs?: () => number
  /** 0 ≤ x < 1, for jitter only. */
  readonly random?: () => number
  readonly bounds?: Partial<NetworkBounds>
}

/** The bounds a test may tighten. Milliseconds and bytes. */
export interface NetworkBounds extends TopicBounds {
  readonly dialMs: number
  readonly frameBytes: number
  readonly frameMs: number
  readonly queueBytes: number
  readonly channelsPerPeer: number
  readonly channelsTotal: number
  readonly retryMinMs: number
  readonly retryMaxMs: number
  readonly dhtQueryMs: number
  readonly upgradeMs: number
}

const defaultBounds: NetworkBounds = {
  dialMs: limits.dialMs,
  frameBytes: limits.streamFrameBytes,
  frameMs: limits.streamFrameMs,
  queueBytes: limits.channelQueueBytes,
  channelsPerPeer: limits.channelsPerPeer,
  channelsTotal: limits.channelsTotal,
  retryMinMs: limits.retryMinMs,
  retryMaxMs: limits.attachRetryMaxMs,
  dhtQueryMs: limits.dhtQueryMs,
  upgradeMs: limits.attachRetryMaxMs,
  topicVerdictMs: limits.topicVerdictMs,
  topicWaiting: limits.topicWaiting,
  topicWaitingPerPeer: limits.topicWaitingPerPeer,
}

/** libp2p refuses every stream that is under negotiation at a count above its own cap: ours comes first. */
const streamSlack = 4

interface Entry {
  readonly channel: Channel
  readonly peer: string
}

/** The Network port on a libp2p node of the caller's making. `stop` stops the node too. */
export function createLibp2pNetwork(node: Libp2p, options: Libp2pNetworkOptions): Network {
  return new Libp2pNetwork(node, options)
}

class Libp2pNetwork implements Network {
  readonly #node: Libp2p
  readonly #options: Libp2pNetworkOptions
  readonly #bounds: NetworkBounds
  readonly #dialer: Dialer
  readonly #supervisor: Supervisor
  readonly #topics: Topics | undefined
  readonly #channels = new Map<number, Entry>()
  /** Peers to whom a channel is being opened, each as often as that. */
  readonly #opening: string[] = []
  readonly #routes = new Map<string, Route>()
  readonly #ready: Promise<void>
  readonly #waiting: NetworkEvent[] = []
  #listener: NetworkListener | undefined
  #heard = Promise.withResolvers<undefined>()
  #nextChannel = 1
  #addresses = ''
  #stopped = false
  readonly #unhear: (() => void)[] = []

  constructor(node: Libp2p, options: Libp2pNetworkOptions) {
    this.#node = node
    this.#options = options
    this.#bounds = { ...defaultBounds, ...options.bounds }
    const { dialMs, retryMinMs, retryMaxMs, upgradeMs } = this.#bounds
    const monotonicMs = options.monotonicMs ?? (() => performance.now())
    this.#dialer = new Dialer(node, options.gate, { dialMs, upgradeMs, monotonicMs })
    const random = options.random ?? Math.random
    this.#supervisor = new Supervisor(node, options.gate, { dialMs, retryMinMs, retryMaxMs, random })
    this.#topics = this.#hearTopics(monotonicMs)
    this.#hear()
    this.#ready = this.#answer()
    this.#ready.catch(() => undefined)
  }

  listen(listener: NetworkListener): void {
    if (this.#listener !== undefined)
      throw new UsageError('E_NET_LISTENER', 'the network has its listener already')
    this.#listener = listener
    for (const event of this.#waiting.splice(0)) this.#emit(event)
    this.#heard.resolve(undefined)
  }

  async peerId(): Promise<string> {
    return this.#node.peerId.toString()
  }

  async addresses(): Promise<readonly string[]> {
    return this.#node.getMultiaddrs().map(String)
  }

  async open(
    peer: string,
    addresses: readonly string[],
    protocol: string,
  ): Promise<{ readonly channel: number; readonly route: Route }> {
    const id = readPeer(peer)
    if (id === undefined || id.equals(this.#node.peerId)) throw networkError('E_NET_REFUSED')
    this.#mustRun()
    this.#mustHaveRoom(peer)
    this.#opening.push(peer)
    try {
      await this.#ready
      return await this.#openAt(id, addresses, protocol)
    } catch (failure) {
      throw toNetworkError(failure)
    } finally {
      this.#opening.splice(this.#opening.indexOf(peer), 1)
    }
  }

  async write(channel: number, frame: Uint8Array): Promise<void> {
    const entry = this.#channels.get(channel)
    if (entry === undefined) throw networkError('E_NET_CLOSED')
    await entry.channel.write(frame)
  }

  async close(channel: number): Promise<void> {
    await this.#channels.get(channel)?.channel.close()
  }

  async attach(address: string): Promise<void> {
    this.#mustRun()
    const { peer, multiaddr } = readAttachable(address)
    if (peer.equals(this.#node.peerId)) throw networkError('E_NET_REFUSED')
    this.#supervisor.attach(peer, multiaddr)
  }

  async detach(address: string): Promise<void> {
    const { peer } = readAttachable(address)
    if (!this.#supervisor.detach(peer) || this.#countOf(peer.toString()) > 0) return
    await this.#node.hangUp(peer).catch(() => undefined)
  }

  async publish(topic: string, data: Uint8Array): Promise<void> {
    if (data.length > this.#bounds.frameBytes) throw networkError('E_NET_TOO_LONG')
    try {
      await this.#gossip().publish(topic, data)
    } catch (failure) {
      throw toNetworkError(failure)
    }
  }

  async judge(message: number, verdict: TopicVerdict): Promise<void> {
    this.#gossip().judge(message, verdict)
  }

  async subscribe(topic: string, peers: readonly string[]): Promise<void> {
    this.#gossip().subscribe(topic, peers)
  }

  async unsubscribe(topic: string): Promise<void> {
    this.#gossip().unsubscribe(topic)
  }

  async put(key: string, value: Uint8Array): Promise<number> {
    return putRecord(this.#dht(), key, value, this.#bounds.dhtQueryMs)
  }

  async get(key: string): Promise<readonly Uint8Array[]> {
    return getRecords(this.#dht(), key, this.#bounds.dhtQueryMs)
  }

  async stop(): Promise<void> {
    if (this.#stopped) return
    this.#stopped = true
    this.#dialer.stop()
    this.#supervisor.stop()
    this.#topics?.stop()
    await Promise.all(
      [...this.#channels.values()].map(({ channel }) => channel.close().catch(() => undefined)),
    )
    for (const unhear of this.#unhear) unhear()
    await Promise.resolve(this.#node.stop()).catch(() => this.#options.log?.event('network-stop-failed'))
  }

  async #openAt(
    id: PeerId,
    addresses: readonly string[],
    protocol: string,
  ): Promise<{ readonly channel: number; readonly route: Route }> {
    const known = new Set(this.#node.getConnections(id))
    const connection = await this.#dialer.connect(id, addresses)
    try {
      return await this.#openOn(connection, protocol)
    } catch (failure) {
      const error = toNetworkError(failure)
      if (!known.has(connection) || !error.retryable) throw error
      // The other end of this connection is gone without a word: make a new one, once.
      connection.abort(error)
      return this.#openOn(await this.#dialer.connect(id, addresses), protocol)
    }
  }

  async #openOn(
    connection: Connection,
    protocol: string,
  ): Promise<{ readonly channel: number; readonly route: Route }> {
    const stream = await connection.newStream(protocol, {
      runOnLimitedConnection: true,
      maxOutboundStreams: streamSlack * this.#bounds.channelsPerPeer,
      signal: deadline(this.#bounds.dialMs),
    })
    if (this.#stopped) {
      stream.abort(networkError('E_NET_CLOSED'))
      throw networkError('E_NET_CLOSED')
    }
    const route = routeOf(connection)
    const { number, channel } = this.#adopt(stream, connection.remotePeer.toString())
    // A task later, so that the caller knows the number before its first frame.
    setTimeout(() => channel.start(), 0)
    return { channel: number, route }
  }

  /** Gives the stream a number and an owner; the caller starts the channel. */
  #adopt(stream: Stream, peer: string): { readonly number: number; readonly channel: Channel } {
    const number = this.#nextChannel
    this.#nextChannel += 1
    const channel = new Channel(stream, this.#bounds, {
      frame: (frame) => this.#emit({ type: 'frame', channel: number, frame }),
      closed: (reason) => this.#closed(number, reason),
    })
    this.#channels.set(number, { channel, peer })
    return { number, channel }
  }

  #closed(channel: number, reason: CloseReason): void {
    this.#channels.delete(channel)
    this.#emit({ type: 'closed', channel, reason })
    if (reason === 'oversized' || reason === 'slow') this.#options.log?.event(`channel-${reason}`)
  }

  /** A peer opened a stream. */
  #accept(stream: Stream, connection: Connection): void {
    const peer = connection.remotePeer.toString()
    if (this.#stopped || !this.#hasRoom(peer)) {
      this.#options.log?.event('channel-refused')
      stream.abort(networkError('E_NET_BUSY'))
      return
    }
    const { number, channel } = this.#adopt(stream, peer)
    this.#emit({
      type: 'opened',
      channel: number,
      peer,
      protocol: stream.protocol,
      route: routeOf(connection),
    })
    channel.start()
  }

  async #answer(): Promise<void> {
    for (const protocol of this.#options.protocols) {
      await this.#node.handle(protocol, (stream, connection) => this.#accept(stream, connection), {
        runOnLimitedConnection: true,
        maxInboundStreams: streamSlack * this.#bounds.channelsPerPeer,
        maxOutboundStreams: streamSlack * this.#bounds.channelsPerPeer,
      })
    }
  }

  #hear(): void {
    const node = this.#node
    const on = (
      type: 'connection:open' | 'connection:close',
      listener: (event: CustomEvent<Connection>) => void,
    ): void => {
      node.addEventListener(type, listener)
      this.#unhear.push(() => node.removeEventListener(type, listener))
    }
    // A microtask later, when the connection manager has counted the change.
    const changed = (event: CustomEvent<Connection>): void =>
      queueMicrotask(() => this.#reroute(event.detail.remotePeer))
    on('connection:open', changed)
    on('connection:close', changed)
    const readdress = (): void => this.#readdress()
    node.addEventListener('self:peer:update', readdress)
    this.#unhear.push(() => node.removeEventListener('self:peer:update', readdress))
    this.#options.gate.seenLocally = (seen) => this.#discovered(seen)
  }

  #hearTopics(monotonicMs: () => number): Topics | undefined {
    const gossip = this.#node.services['pubsub'] as JudgedGossip | undefined
    if (gossip === undefined) return undefined
    const topics = new Topics(gossip, this.#bounds, monotonicMs, (event) => this.#emit(event))
    this.#options.gate.standing = (peer) => topics.standing.of(peer)
    return topics
  }

  #reroute(id: PeerId): void {
    const peer = id.toString()
    const best = bestOf(this.#node.getConnections(id))
    const before = this.#routes.get(peer)
    const route = best === undefined ? undefined : routeOf(best)
    if (route !== before) {
      if (route === undefined) this.#routes.delete(peer)
      else this.#routes.set(peer, route)
      this.#emit({ type: 'peer', peer, connected: route !== undefined, route: route ?? before ?? 'direct' })
    }
    this.#supervisor.changed(peer)
  }

  #readdress(): void {
    const addresses = this.#node.getMultiaddrs().map(String)
    const key = addresses.join()
    if (key === this.#addresses || this.#stopped) return
    this.#addresses = key
    this.#emit({ type: 'addresses', addresses })
  }

  /** The gate has permitted what mDNS saw; a peer nearby is worth a connection whoever it is. */
  #discovered(seen: LocalPeer): void {
    if (this.#stopped) return
    this.#emit({ type: 'discovered', ...seen })
    const id = readPeer(seen.peer)
    if (id === undefined || this.#routes.size >= limits.channelsTotal) return
    this.#dialer.connect(id, seen.addresses).catch(() => undefined)
  }

  /** Tells the listener, whose own failure is not the network's. Without one, a frame's promise waits for it. */
  #emit(event: NetworkEvent): unknown {
    if (this.#listener === undefined) {
      this.#waiting.push(event)
      return event.type === 'frame' ? this.#heard.promise : undefined
    }
    try {
      return this.#listener(event)
    } catch {
      this.#options.log?.event('network-listener-failed')
      return undefined
    }
  }

  #countOf(peer: string): number {
    let count = this.#opening.filter((opening) => opening === peer).length
    for (const entry of this.#channels.values()) if (entry.peer === peer) count += 1
    return count
  }

  #hasRoom(peer: string): boolean {
    return (
      this.#channels.size < this.#bounds.channelsTotal && this.#countOf(peer) < this.#bounds.channelsPerPeer
    )
  }

  #mustHaveRoom(peer: string): void {
    if (!this.#hasRoom(peer)) throw networkError('E_NET_BUSY')
  }

  #mustRun(): void {
    if (this.#stopped) throw networkError('E_NET_CLOSED')
  }

  #dht(): KadDHT {
    this.#mustRun()
    const dht = this.#node.services['dht'] as KadDHT | undefined
    if (dht === undefined) throw new InvariantError('E_NET_NO_DHT', 'this node was built without a DHT')
    return dht
  }

  #gossip(): Topics {
    this.#mustRun()
    if (this.#topics === undefined)
      throw new InvariantError('E_NET_NO_GOSSIP', 'this node was built without topics')
    return this.#topics
  }
}

function readAttachable(address: string) {
  const multiaddr = readAddress(address)
  const peer = multiaddr === undefined ? undefined : peerOf(multiaddr)
  if (multiaddr === undefined || peer === undefined) {
    throw new UsageError(
      'E_NET_ADDRESS',
      'an address to attach is a multiaddr that ends in /p2p/<Ed25519 peer id>',
    )
  }
  return { multiaddr, peer }
}
