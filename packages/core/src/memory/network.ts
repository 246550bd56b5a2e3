import { UsageError } from '../errors.ts'
import { limits } from '../limits.ts'
import {
  networkError,
  type Network,
  type NetworkEvent,
  type NetworkListener,
  type Route,
  type TopicVerdict,
} from '../ports/index.ts'
import { equalBytes } from '../wire/index.ts'

/** What a node of the hub answers and believes. */
export interface MemoryNodeOptions {
  /** Stream protocols it answers. */
  readonly protocols: readonly string[]
  /** Whether a DHT value may be stored and believed here. Default: every value. */
  readonly validate?: (key: string, value: Uint8Array) => boolean
}

/** Bytes a receiver may leave unread before a write waits. */
const windowBytes = 256 * 1024

/** Microtasks a resolved `open` may take to reach its caller through a few awaits. */
const hopsOfAnswer = 8

/** One end of a channel. */
interface End {
  readonly number: number
  readonly node: MemoryNode
  readonly inbox: Uint8Array[]
  readonly far: () => End
  waitingBytes: number
  draining: boolean
  /** The other end closed; closes when the inbox is empty. */
  ending: 'closed' | 'reset' | undefined
  closed: boolean
  room: (() => void)[]
}

/**
 * Several Network ports joined in memory, without clock or randomness: the same calls give the same events
 * in the same order. Everything is reachable unless it was cut.
 */
export class MemoryHub {
  readonly #nodes = new Map<string, MemoryNode>()
  readonly #cuts = new Set<string>()
  readonly #relayed = new Set<string>()

  /** Adds a peer under this id. A peer that stopped may join again. */
  join(peer: string, options: MemoryNodeOptions): Network {
    if (this.#nodes.has(peer)) throw new UsageError('E_NET_LISTENER', 'this peer has joined already')
    const node = new MemoryNode(this, peer, options)
    this.#nodes.set(peer, node)
    for (const other of this.#nodes.values()) other.greet(node)
    return node
  }

  /** Breaks every channel between the two and refuses new ones. */
  cut(a: string, b: string): void {
    this.#cuts.add(pair(a, b))
    this.#nodes.get(a)?.lose(b)
    this.#nodes.get(b)?.lose(a)
  }

  /** Lets the two reach each other again; attached peers meet at once. */
  heal(a: string, b: string): void {
    this.#cuts.delete(pair(a, b))
    const [left, right] = [this.#nodes.get(a), this.#nodes.get(b)]
    if (left === undefined || right === undefined) return
    left.greet(right)
    right.greet(left)
  }

  /** Says by which route the two meet from now on; direct at first. */
  route(a: string, b: string, route: Route): void {
    if (route === 'relayed') this.#relayed.add(pair(a, b))
    else this.#relayed.delete(pair(a, b))
  }

  routeOf(a: string, b: string): Route {
    return this.#relayed.has(pair(a, b)) ? 'relayed' : 'direct'
  }

  /** The node, if it has joined and is not cut off from `from`. */
  reach(from: string, to: string): MemoryNode | undefined {
    return from === to || this.#cuts.has(pair(from, to)) ? undefined : this.#nodes.get(to)
  }

  /** Everyone `from` reaches, in order of joining. */
  reachable(from: string): readonly MemoryNode[] {
    return [...this.#nodes.values()].filter((node) => this.reach(from, node.id) !== undefined)
  }

  leave(peer: string): void {
    this.#nodes.delete(peer)
    for (const node of this.#nodes.values()) node.lose(peer)
  }
}

const pair = (a: string, b: string): string => (a < b ? `${a} ${b}` : `${b} ${a}`)

/** One port of a hub. Made by `MemoryHub.join`. */
export class MemoryNode implements Network {
  readonly id: string
  readonly #hub: MemoryHub
  readonly #options: MemoryNodeOptions
  readonly #ends = new Map<number, End>()
  readonly #connected = new Set<string>()
  readonly #attached = new Set<string>()
  readonly #topics = new Set<string>()
  /** Messages nobody has judged yet, with the peer each came from; and peers with a rejected one, not heard again. */
  readonly #unjudged = new Map<number, string>()
  readonly #rejected = new Set<string>()
  readonly #values = new Map<string, Uint8Array>()
  readonly #events: NetworkEvent[] = []
  #listener: NetworkListener | undefined
  #heard: (() => void)[] = []
  #nextChannel = 1
  #nextMessage = 1
  #stopped = false

  constructor(hub: MemoryHub, id: string, options: MemoryNodeOptions) {
    this.#hub = hub
    this.id = id
    this.#options = options
  }

  listen(listener: NetworkListener): void {
    if (this.#listener !== undefined)
      throw new UsageError('E_NET_LISTENER', 'the network has its listener already')
    this.#listener = listener
    for (const event of this.#events.splice(0)) void this.#emit(event)
    for (const wake of this.#heard.splice(0)) wake()
  }

  async peerId(): Promise<string> {
    return this.id
  }

  async addresses(): Promise<readonly string[]> {
    return [`/memory/${this.id}/p2p/${this.id}`]
  }

  async open(
    peer: string,
    _addresses: readonly string[],
    protocol: string,
  ): Promise<{ readonly channel: number; readonly route: Route }> {
    this.#mustRun()
    if (peer === this.id) throw networkError('E_NET_REFUSED')
    const other = this.#hub.reach(this.id, peer)
    if (other === undefined) throw networkError('E_NET_UNREACHABLE')
    if (!other.#options.protocols.includes(protocol)) throw networkError('E_NET_PROTOCOL')
    if (!this.#hasRoom(peer) || !other.#hasRoom(this.id)) throw networkError('E_NET_BUSY')
    const route = this.#hub.routeOf(this.id, peer)
    this.meet(other)
    const near: End = newEnd(this, () => far)
    const far: End = newEnd(other, () => near)
    void other.#opened(far, this.id, protocol, route)
    return { channel: near.number, route }
  }

  async write(channel: number, frame: Uint8Array): Promise<void> {
    const far = this.#end(channel).far()
    if (frame.length === 0) throw new UsageError('E_NET_EMPTY', 'a frame has at least one byte')
    if (frame.length > limits.streamFrameBytes) throw networkError('E_NET_TOO_LONG')
    if (far.waitingBytes + frame.length > limits.channelQueueBytes) throw networkError('E_NET_BUSY')
    far.inbox.push(frame.slice())
    far.waitingBytes += frame.length
    void far.node.#drain(far)
    while (!far.closed && far.waitingBytes > windowBytes)
      await new Promise<void>((resolve) => far.room.push(resolve))
  }

  async close(channel: number): Promise<void> {
    const end = this.#ends.get(channel)
    if (end === undefined) return
    const far = end.far()
    this.#finish(end, 'closed')
    far.ending ??= 'closed'
    void far.node.#drain(far)
  }

  async attach(address: string): Promise<void> {
    this.#mustRun()
    const peer = peerOf(address)
    this.#attached.add(peer)
    const other = this.#hub.reach(this.id, peer)
    if (other !== undefined) this.meet(other)
  }

  async detach(address: string): Promise<void> {
    this.#attached.delete(peerOf(address))
  }

  async publish(topic: string, data: Uint8Array): Promise<void> {
    this.#mustRun()
    for (const node of this.#hub.reachable(this.id)) node.#deliver(topic, data, this.id)
  }

  async judge(message: number, verdict: TopicVerdict): Promise<void> {
    this.#mustRun()
    const peer = this.#unjudged.get(message)
    if (peer !== undefined && verdict === 'reject') this.#rejected.add(peer)
    this.#unjudged.delete(message)
  }

  async subscribe(topic: string, peers: readonly string[]): Promise<void> {
    this.#mustRun()
    if (peers.length > limits.topicPeers) throw networkError('E_NET_BUSY')
    this.#topics.add(topic)
  }

  async unsubscribe(topic: string): Promise<void> {
    this.#topics.delete(topic)
  }

  async put(key: string, value: Uint8Array): Promise<number> {
    this.#mustRun()
    if (value.length > limits.recordBytes) throw networkError('E_NET_TOO_LONG')
    if (!this.#keep(key, value)) throw networkError('E_NET_REFUSED')
    return this.#hub.reachable(this.id).filter((node) => node.#keep(key, value)).length
  }

  async get(key: string): Promise<readonly Uint8Array[]> {
    this.#mustRun()
    const found: Uint8Array[] = []
    for (const node of [this, ...this.#hub.reachable(this.id)]) {
      const value = node.#values.get(key)
      if (value === undefined || !this.#isValid(key, value)) continue
      if (!found.some((known) => equalBytes(known, value))) found.push(value.slice())
    }
    return found
  }

  async stop(): Promise<void> {
    if (this.#stopped) return
    for (const end of [...this.#ends.values()]) await this.close(end.number)
    this.#stopped = true
    this.#attached.clear()
    this.#hub.leave(this.id)
  }

  /** Tells both that they are connected. */
  meet(other: MemoryNode): void {
    const route = this.#hub.routeOf(this.id, other.id)
    this.#connect(other.id, route)
    other.#connect(this.id, route)
  }

  /** The peer came into reach. */
  greet(other: MemoryNode): void {
    if (this.#attached.has(other.id) && this.#hub.reach(this.id, other.id) !== undefined) this.meet(other)
  }

  /** The peer went out of reach. */
  lose(peer: string): void {
    for (const end of [...this.#ends.values()]) {
      if (end.far().node.id !== peer) continue
      end.ending ??= 'reset'
      void this.#drain(end)
    }
    if (!this.#connected.delete(peer)) return
    void this.#emit({ type: 'peer', peer, connected: false, route: this.#hub.routeOf(this.id, peer) })
  }

  /** Gives the end its number. */
  adopt(make: (number: number) => End): End {
    const end = make(this.#nextChannel)
    this.#nextChannel += 1
    this.#ends.set(end.number, end)
    return end
  }

  /** Some microtasks later, so that the opener knows its channel before the first frame on it. */
  async #opened(end: End, peer: string, protocol: string, route: Route): Promise<void> {
    end.draining = true
    for (let hop = 0; hop < hopsOfAnswer; hop += 1) await Promise.resolve()
    void this.#emit({ type: 'opened', channel: end.number, peer, protocol, route })
    end.draining = false
    void this.#drain(end)
  }

  /** Everybody hears everybody, so nothing is passed on; who waits longest for a verdict is as good as ignored. */
  #deliver(topic: string, data: Uint8Array, peer: string): void {
    if (!this.#topics.has(topic) || this.#rejected.has(peer)) return
    const message = this.#nextMessage++
    this.#unjudged.set(message, peer)
    this.#unjudged.delete(message - limits.topicWaiting)
    void this.#emit({ type: 'message', message, topic, data: data.slice(), peer })
  }

  #connect(peer: string, route: Route): void {
    if (this.#connected.has(peer)) return
    this.#connected.add(peer)
    void this.#emit({ type: 'peer', peer, connected: true, route })
  }

  /** Hands frames over one by one, each after the listener is ready for it. */
  async #drain(end: End): Promise<void> {
    if (end.draining || !isOpen(end)) return
    end.draining = true
    // A microtask later: the writer's call returns before its frame arrives.
    await Promise.resolve()
    for (let frame = end.inbox.shift(); frame !== undefined && isOpen(end); frame = end.inbox.shift()) {
      // Counted before: a listener may give the buffer away.
      const bytes = frame.length
      await this.#emit({ type: 'frame', channel: end.number, frame })
      end.waitingBytes -= bytes
      for (const wake of end.room.splice(0)) wake()
    }
    end.draining = false
    if (end.ending !== undefined) this.#finish(end, end.ending)
  }

  #finish(end: End, reason: 'closed' | 'reset'): void {
    if (end.closed) return
    end.closed = true
    this.#ends.delete(end.number)
    for (const wake of end.room.splice(0)) wake()
    void this.#emit({ type: 'closed', channel: end.number, reason })
  }

  async #emit(event: NetworkEvent): Promise<void> {
    if (this.#listener === undefined) {
      this.#events.push(event)
      if (event.type === 'frame') await new Promise<void>((resolve) => this.#heard.push(resolve))
      return
    }
    try {
      await this.#listener(event)
    } catch {
      // The listener's failure is not the network's.
    }
  }

  #end(channel: number): End {
    const end = this.#ends.get(channel)
    if (end === undefined || end.far().closed || end.ending !== undefined) throw networkError('E_NET_CLOSED')
    return end
  }

  #hasRoom(peer: string): boolean {
    const ends = [...this.#ends.values()]
    if (ends.length >= limits.channelsTotal) return false
    return ends.filter((end) => end.far().node.id === peer).length < limits.channelsPerPeer
  }

  #isValid(key: string, value: Uint8Array): boolean {
    return this.#options.validate?.(key, value) ?? true
  }

  #keep(key: string, value: Uint8Array): boolean {
    if (!this.#isValid(key, value)) return false
    this.#values.set(key, value.slice())
    return true
  }

  #mustRun(): void {
    if (this.#stopped) throw networkError('E_NET_CLOSED')
  }
}

const isOpen = (end: End): boolean => !end.closed

function newEnd(node: MemoryNode, far: () => End): End {
  return node.adopt((number) => ({
    number,
    node,
    far,
    inbox: [],
    waitingBytes: 0,
    draining: false,
    ending: undefined,
    closed: false,
    room: [],
  }))
}

function peerOf(address: string): string {
  const peer = /[/]p2p[/]([^/]+)$/.exec(address)?.[1]
  if (peer === undefined) throw new UsageError('E_NET_ADDRESS', 'an address to attach ends in /p2p/<peer id>')
  return peer
}
