import { limits, UsageError } from '@sotto/core'
import {
  networkError,
  type Network,
  type NetworkEvent,
  type NetworkListener,
  type Route,
  type TopicVerdict,
} from '@sotto/core/ports'
import { Standing } from '../../packages/core/bindings/libp2p/standing.ts'
import type { Air } from './air.ts'
import { Channel, End, type Host } from './channel.ts'
import type { Gossiper } from './gossip.ts'

/** What a node answers and believes. */
export interface NodeOptions {
  /** Name of the machine: cuts and delays are between machines. */
  readonly host: string
  readonly peer: string
  readonly address: string
  readonly protocols: readonly string[]
  readonly validate: (key: string, value: Uint8Array) => boolean
  /** Whether others can dial this machine at all; a machine behind a firewall only dials. */
  readonly dialable: boolean
}

/** A connection carries channels; both nodes hold it. */
interface Connection {
  readonly number: number
  readonly nodes: readonly [Node, Node]
  readonly channels: Set<Channel>
  noticing: boolean
  over: boolean
}

/** Of a neighbour with a score this low gossipsub takes nothing (its graylist threshold). */
const unheardBelow = -80

const never = <T>(): Promise<T> => new Promise<T>(() => undefined)

/** One `Network` port of a process. It dies with its process: from then on nothing settles and nothing sounds. */
export class Node implements Network, Host, Gossiper {
  readonly host: string
  readonly peer: string
  readonly address: string
  readonly #air: Air<Node>
  readonly #options: NodeOptions
  readonly #ends = new Map<number, End>()
  readonly #channels = new Map<End, Channel>()
  readonly #connections = new Map<string, Connection>()
  readonly #attached = new Map<string, string>()
  readonly #early: NetworkEvent[] = []
  readonly #topics = new Set<string>()
  /** Messages nobody has judged yet, with who brought each and what sends it on. */
  readonly #unjudged = new Map<number, { readonly by: string; readonly passOn: () => void }>()
  /** How neighbours stand, by the binding's own rules. */
  readonly #standing: Standing
  #nextMessage = 0
  #listener: NetworkListener | undefined
  #nextChannel = 1
  #dead = false
  #stopped = false
  /** Whether it has been connected to anybody, by whom it finds the DHT. */
  #met = false
  /** What happened while it was frozen, in order; undefined while it runs. */
  #slept: NetworkEvent[] | undefined

  constructor(air: Air<Node>, options: NodeOptions) {
    this.#air = air
    this.#options = options
    this.#standing = new Standing(() => air.timeline.nowMs)
    this.host = options.host
    this.peer = options.peer
    this.address = options.address
    air.enter(this)
  }

  listen(listener: NetworkListener): void {
    this.#listener = listener
    for (const event of this.#early.splice(0)) void this.emit(event)
  }

  async peerId(): Promise<string> {
    return this.peer
  }

  async addresses(): Promise<readonly string[]> {
    return [this.address]
  }

  async open(
    peer: string,
    addresses: readonly string[],
    protocol: string,
  ): Promise<{ readonly channel: number; readonly route: Route }> {
    this.#mustRun()
    if (peer === this.peer) throw networkError('E_NET_REFUSED')
    const { other, connection } = await this.#connect(peer, addresses)
    if (!other.#options.protocols.includes(protocol)) throw networkError('E_NET_PROTOCOL')
    if (!this.#hasRoom(peer) || !other.#hasRoom(this.peer)) throw networkError('E_NET_BUSY')
    const channel = new Channel(this.#air, new End(this, protocol), new End(other, protocol))
    connection.channels.add(channel)
    this.#channels.set(channel.near, channel)
    other.#channels.set(channel.far, channel)
    this.#announce(channel, protocol)
    return { channel: channel.near.number, route: 'direct' }
  }

  async write(number: number, frame: Uint8Array): Promise<void> {
    this.#mustRun()
    const end = this.#ends.get(number)
    const channel = end === undefined ? undefined : this.#channels.get(end)
    if (end === undefined || channel === undefined || end.closed) throw networkError('E_NET_CLOSED')
    if (frame.length === 0) throw new UsageError('E_NET_EMPTY', 'a frame has at least one byte')
    if (frame.length > limits.streamFrameBytes) throw networkError('E_NET_TOO_LONG')
    const far = channel.other(end)
    if (far.onWayBytes + frame.length > limits.channelQueueBytes) throw networkError('E_NET_BUSY')
    this.#air.tap(this.host, far.node.host, frame)
    far.onWayBytes += frame.length
    this.#air.carry(channel, end, far, frame.slice())
  }

  async close(number: number): Promise<void> {
    const end = this.#ends.get(number)
    if (end !== undefined) this.#channels.get(end)?.close(end)
  }

  async attach(address: string): Promise<void> {
    this.#mustRun()
    const peer = address.split('/p2p/').at(-1) ?? ''
    this.#attached.set(peer, address)
    this.#keep(peer, 1_000)
  }

  async detach(address: string): Promise<void> {
    this.#attached.delete(address.split('/p2p/').at(-1) ?? '')
  }

  async publish(topic: string, data: Uint8Array): Promise<void> {
    this.#mustRun()
    this.#air.tap(this.host, topic, data)
    this.#air.tap(this.host, topic, new TextEncoder().encode(topic))
    this.#air.trace.note('publish', { host: this.host }, data)
    this.#air.gossip.publish(this, topic, data.slice())
  }

  async judge(message: number, verdict: TopicVerdict): Promise<void> {
    this.#mustRun()
    const unjudged = this.#unjudged.get(message)
    this.#unjudged.delete(message)
    if (verdict === 'accept') unjudged?.passOn()
    if (verdict === 'reject' && unjudged !== undefined) this.#standing.rejected(unjudged.by)
  }

  async subscribe(topic: string, peers: readonly string[]): Promise<void> {
    this.#mustRun()
    if (peers.length > limits.topicPeers) throw networkError('E_NET_BUSY')
    this.#topics.add(topic)
  }

  async unsubscribe(topic: string): Promise<void> {
    this.#mustRun()
    this.#topics.delete(topic)
  }

  listensTo(topic: string): boolean {
    return !this.#dead && !this.#stopped && this.#slept === undefined && this.#topics.has(topic)
  }

  neighbours(): readonly Node[] {
    return [...this.#connections.values()].map(({ nodes: [a, b] }) => (a === this ? b : a))
  }

  heard(topic: string, data: Uint8Array, by: Gossiper, passOn: () => void): void {
    if (this.#standing.of(by.peer) <= unheardBelow) return
    this.#air.trace.note('heard', { host: this.host }, data)
    const message = this.#nextMessage++
    this.#unjudged.set(message, { by: by.peer, passOn })
    this.#unjudged.delete(message - limits.topicWaiting)
    void this.emit({ type: 'message', message, topic, data: data.slice(), peer: by.peer })
  }

  async put(key: string, value: Uint8Array): Promise<number> {
    this.#mustRun()
    if (value.length > limits.recordBytes) throw networkError('E_NET_TOO_LONG')
    if (!this.#options.validate(key, value)) throw networkError('E_NET_REFUSED')
    this.#air.tap(this.host, 'dht', value)
    this.#air.tap(this.host, 'dht', new TextEncoder().encode(key))
    if (!(await this.#dhtAnswers())) return 0
    const took = this.#air.dht.put(key, value, this.#air.conditions, this.host)
    const nodes = Math.min(took, this.#air.nodes().length - 1)
    this.#air.trace.note('dht-put', { host: this.host, nodes }, value)
    return nodes
  }

  async get(key: string): Promise<readonly Uint8Array[]> {
    this.#mustRun()
    this.#air.tap(this.host, 'dht', new TextEncoder().encode(key))
    if (!(await this.#dhtAnswers())) return []
    const found = this.#air.dht.get(key, this.#air.conditions, this.host)
    return found.filter((value) => this.#options.validate(key, value))
  }

  /** Leaves in order: every peer hears it soon. */
  async stop(): Promise<void> {
    if (this.#stopped) return
    this.#stopped = true
    for (const connection of [...this.#connections.values()])
      this.#end(connection, () => this.#air.delayMs(this.host, ''))
    this.#air.leave(this)
  }

  /** The process is gone in the middle of whatever it did: peers find out when they find out. */
  die(): void {
    this.#dead = true
    for (const connection of [...this.#connections.values()])
      this.#end(connection, () => this.#air.noticeMs())
    this.#air.leave(this)
  }

  /** The process stands still: it hears nothing, and after a while its peers give it up. */
  freeze(): void {
    if (this.#slept !== undefined) return
    this.#slept = []
    for (const connection of this.#connections.values())
      this.#air.timeline.after(this.#air.draw.between(20_000, 90_000), () => {
        if (this.#slept !== undefined) this.#end(connection, () => 0)
      })
  }

  /** It goes on, and hears all at once what reached it meanwhile. */
  thaw(): void {
    const slept = this.#slept ?? []
    this.#slept = undefined
    for (const event of slept) void this.emit(event)
  }

  /** A cut may lie on a connection: with no keep-alive answered it ends at both ends. */
  noticeCuts(): void {
    for (const connection of this.#connections.values()) {
      const [a, b] = connection.nodes
      if (connection.noticing || (this.#air.passes(a.host, b.host) && this.#air.passes(b.host, a.host)))
        continue
      connection.noticing = true
      this.#air.timeline.after(this.#air.draw.between(5_000, 60_000), () => this.#end(connection, () => 0))
    }
  }

  adopt(end: End): number {
    const number = this.#nextChannel++
    this.#ends.set(number, end)
    return number
  }

  forget(end: End): void {
    const channel = this.#channels.get(end)
    this.#ends.delete(end.number)
    this.#channels.delete(end)
    if (channel !== undefined) for (const one of this.#connections.values()) one.channels.delete(channel)
  }

  traceFrame(end: End, frame: Uint8Array): void {
    if (this.#dead || this.#stopped) return
    this.#air.trace.note('frame', { host: this.host, channel: end.number, protocol: end.protocol }, frame)
  }

  async emit(event: NetworkEvent): Promise<void> {
    if (this.#dead || this.#stopped) return
    if (this.#slept !== undefined) return void this.#slept.push(event)
    if (this.#listener === undefined) {
      this.#early.push(event)
      return
    }
    try {
      await this.#listener(event)
    } catch {
      // The listener's failure is not the network's.
    }
  }

  /** The connection to a peer: the one there is, or a new one by an address that leads to it today. */
  async #connect(
    peer: string,
    addresses: readonly string[],
  ): Promise<{ other: Node; connection: Connection }> {
    const { timeline, draw } = this.#air
    const known = this.#connected(peer)
    const target = this.#air.node(peer)
    const host = target?.host ?? peer
    if (known === undefined) {
      await this.#dialable(target, addresses)
    }
    await timeline.pause(2 * this.#air.delayMs(this.host, host))
    if (this.#isDead()) return never()
    this.#mustRun()
    const other = this.#air.node(peer)
    if (other === undefined || other !== target) throw networkError('E_NET_UNREACHABLE')
    const cut = !this.#air.passes(this.host, other.host) || !this.#air.passes(other.host, this.host)
    const { links } = this.#air
    const stalled = links.isStalled(this.host, other.host) || links.isStalled(other.host, this.host)
    if (cut || stalled || other.#slept !== undefined) {
      await timeline.pause(limits.dialMs)
      if (this.#isDead()) return never()
      throw networkError('E_NET_TIMEOUT')
    }
    if (draw.chance(this.#air.conditions.dialFailure)) {
      this.#air.faults.strike('dial-failed')
      throw networkError('E_NET_UNREACHABLE')
    }
    return { other, connection: this.#connected(peer) ?? this.#meet(other) }
  }

  /** The connection to a peer, unless it is over: nothing comes of a channel on one whose end has not been noticed yet. */
  #connected(peer: string): Connection | undefined {
    const known = this.#connections.get(peer)
    return known?.over === true ? undefined : known
  }

  /** Throws as a dial that leads nowhere does: refused soon, or after the whole time-out. */
  async #dialable(target: Node | undefined, addresses: readonly string[]): Promise<void> {
    const { timeline, draw } = this.#air
    const reachable =
      target !== undefined &&
      (target.#options.dialable || this.#air.beside(this.host, target.host)) &&
      addresses.includes(target.address)
    if (reachable) return
    await timeline.pause(draw.chance(0.5) ? draw.between(50, 500) : limits.dialMs)
    if (this.#isDead()) return never()
    throw networkError(addresses.length === 0 ? 'E_NET_UNREACHABLE' : 'E_NET_TIMEOUT')
  }

  #meet(other: Node): Connection {
    const connection: Connection = {
      number: this.#air.nextConnection(),
      nodes: [this, other],
      channels: new Set(),
      noticing: false,
      over: false,
    }
    for (const [one, peer] of [
      [this, other],
      [other, this],
    ] as const) {
      one.#connections.set(peer.peer, connection)
      one.#met = true
      void one.emit({ type: 'peer', peer: peer.peer, connected: true, route: 'direct' })
    }
    return connection
  }

  /** Both ends learn that a connection is over, each in its own time. */
  #end(connection: Connection, delayMs: () => number): void {
    if (connection.over) return
    connection.over = true
    const channels = [...connection.channels]
    for (const channel of channels) for (const end of [channel.near, channel.far]) end.deaf = true
    for (const node of connection.nodes) {
      const peer = connection.nodes[0] === node ? connection.nodes[1] : connection.nodes[0]
      this.#air.timeline.after(node === this ? 0 : delayMs(), () => node.#lose(peer, connection, channels))
    }
  }

  #lose(peer: Node, connection: Connection, channels: readonly Channel[]): void {
    for (const channel of channels)
      for (const end of [channel.near, channel.far]) if (end.node === this) end.finish('reset')
    if (this.#connections.get(peer.peer) !== connection) return
    this.#connections.delete(peer.peer)
    void this.emit({ type: 'peer', peer: peer.peer, connected: false, route: 'direct' })
    if (this.#attached.has(peer.peer)) this.#keep(peer.peer, 1_000)
  }

  /** Holds on to an attached peer: tries until there is a connection, less and less often. */
  #keep(peer: string, pauseMs: number): void {
    const address = this.#attached.get(peer)
    if (this.#dead || this.#stopped || address === undefined || this.#connections.has(peer)) return
    this.#connect(peer, [address]).catch(() => {
      const next = Math.min(limits.attachRetryMaxMs, pauseMs * 2)
      this.#air.timeline.after(pauseMs * this.#air.draw.between(0.75, 1.25), () => this.#keep(peer, next))
    })
  }

  /** The far end hears of a channel one way later; some begin with frames of earlier ones. */
  #announce(channel: Channel, protocol: string): void {
    const { near, far } = channel
    const delay = this.#air.delayMs(this.host, far.node.host)
    far.lastArrivalMs = this.#air.timeline.nowMs + delay
    this.#air.arrive(this.host, far.node.host, delay, () => {
      if (far.closed) return
      void far.node.emit({ type: 'opened', channel: far.number, peer: this.peer, protocol, route: 'direct' })
      for (const frame of this.#air.oldFrames(near, far)) far.arrive(frame)
    })
  }

  /** Whoever has met nobody finds no node to ask. */
  async #dhtAnswers(): Promise<boolean> {
    await this.#air.timeline.pause(this.#air.draw.between(100, 3_000))
    if (this.#isDead()) return never()
    return this.#met && !this.#stopped && this.#air.passes(this.host, 'dht')
  }

  /** Asked anew after each pause. */
  #isDead(): boolean {
    return this.#dead
  }

  #hasRoom(peer: string): boolean {
    return (this.#connections.get(peer)?.channels.size ?? 0) < limits.channelsPerPeer
  }

  #mustRun(): void {
    if (this.#stopped) throw networkError('E_NET_CLOSED')
  }
}
