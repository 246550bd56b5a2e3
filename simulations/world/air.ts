import { calm, type NetConditions } from './conditions.ts'
import { Dht } from './dht.ts'
import type { Channel, End, Host } from './channel.ts'
import { Gossip, type Gossiper } from './gossip.ts'
import { Links } from './links.ts'
import type { Stream } from './stream.ts'
import type { Timeline } from './timeline.ts'
import type { Counts, Trace } from './trace.ts'

/** Who sees every byte a process hands to the network. */
export type Tap = (from: string, to: string, bytes: Uint8Array) => void

/** Frames of earlier channels kept for replay, a direction. */
const replayed = 32

/** A link that has broken is noticed after this long: at once, or when a keep-alive goes unanswered. */
const noticeMs = { soon: 50, late: 30_000 }

export interface AirOptions {
  readonly timeline: Timeline
  readonly draw: Stream
  /** For how wide links are, apart from all else. */
  readonly drawLinks: Stream
  readonly faults: Counts
  readonly trace: Trace
  readonly tap: Tap
}

/** What joins all nodes: delays, cuts, losses, topics, and the DHT. */
export class Air<Node extends Host & Gossiper> {
  readonly timeline: Timeline
  readonly draw: Stream
  readonly faults: Counts
  readonly trace: Trace
  readonly tap: Tap
  readonly dht: Dht
  readonly links: Links
  readonly gossip = new Gossip(this)
  conditions: NetConditions = calm
  /** Nodes by PeerId; of several under one, the last to come is the one that is found. */
  readonly #nodes = new Map<string, readonly Node[]>()
  /** Machines that lie next to each other on one table. */
  readonly #beside = new Set<string>()
  /** Directions that are cut, with how many cuts lie on each. */
  readonly #cuts = new Map<string, number>()
  /** Where a pair lies among all pairs: the same under every median and sigma. */
  readonly #spreads = new Map<string, number>()
  readonly #recorded = new Map<string, Uint8Array[]>()
  #nextConnection = 1
  #cutsMade = 0

  constructor({ timeline, draw, drawLinks, faults, trace, tap }: AirOptions) {
    this.timeline = timeline
    this.draw = draw
    this.faults = faults
    this.trace = trace
    this.tap = tap
    this.dht = new Dht(draw, faults)
    this.links = new Links({ draw: drawLinks, faults, trace })
  }

  /** The node that runs under this PeerId now. */
  node(peer: string): Node | undefined {
    return this.#nodes.get(peer)?.at(-1)
  }

  nodes(): readonly Node[] {
    return [...this.#nodes.values()].flat()
  }

  enter(node: Node): void {
    this.#nodes.set(node.peer, [...(this.#nodes.get(node.peer) ?? []), node])
  }

  leave(node: Node): void {
    const others = (this.#nodes.get(node.peer) ?? []).filter((other) => other !== node)
    if (others.length === 0) this.#nodes.delete(node.peer)
    else this.#nodes.set(node.peer, others)
  }

  nextConnection(): number {
    return this.#nextConnection++
  }

  /** Whether a frame of `from` reaches `to` now. Hosts are named by the people and relays they belong to. */
  passes(from: string, to: string): boolean {
    return (this.#cuts.get(`${from}>${to}`) ?? 0) === 0
  }

  /** Whether two machines are on one local network, where any of them can be dialled. */
  beside(a: string, b: string): boolean {
    return this.#beside.has(`${a}>${b}`) || this.#beside.has(`${b}>${a}`)
  }

  /** Puts two machines next to each other until the returned function is called. */
  putBeside(a: string, b: string): () => void {
    const key = `${a}>${b}`
    this.#beside.add(key)
    return () => void this.#beside.delete(key)
  }

  /** Cuts directions until the returned function is called. What flows there is lost and its channels break. */
  cut(directions: readonly (readonly [from: string, to: string])[]): () => void {
    const keys = directions.map(([from, to]) => `${from}>${to}`)
    for (const key of keys) this.#cuts.set(key, (this.#cuts.get(key) ?? 0) + 1)
    const cut = ++this.#cutsMade
    this.trace.tell('cut-begins', () => ({ cut, directions: keys.join() }))
    for (const node of this.nodes()) node.noticeCuts()
    let healed = false
    return () => {
      if (healed) return
      healed = true
      this.trace.tell('cut-ends', () => ({ cut }))
      for (const key of keys) this.#cuts.set(key, (this.#cuts.get(key) ?? 1) - 1)
    }
  }

  /**
   * One-way delay of so many bytes: the pair's own, drawn once, and up to half as much again, behind what the link has
   * to carry before.
   */
  delayMs(from: string, to: string, bytes = 0): number {
    const key = `${from}>${to}`
    let spread = this.#spreads.get(key)
    if (spread === undefined) {
      spread = this.draw.lognormal(1, 1)
      this.#spreads.set(key, spread)
    }
    const { medianMs, sigma, bandwidth } = this.conditions
    const sendMs = this.links.sendMs(from, to, bytes, this.timeline.nowMs, bandwidth)
    return sendMs + Math.min(2_000, medianMs * spread ** sigma) * this.draw.between(1, 1.5)
  }

  /** Something comes from one machine to another, later, or once the link between them passes anything again. */
  arrive(from: string, to: string, delayMs: number, work: () => void): void {
    this.timeline.after(delayMs, () => {
      this.links.pass(from, to, work)
    })
  }

  /** How long until an end notices that its link is broken. */
  noticeMs(): number {
    return this.draw.chance(0.5)
      ? noticeMs.soon * this.draw.between(1, 4)
      : this.draw.between(1_000, noticeMs.late)
  }

  /** Sends a frame along a channel: later, twice, or never. */
  carry(channel: Channel, from: End, to: End, frame: Uint8Array): void {
    this.#record(from, to, frame)
    const { timeline, draw, faults, conditions } = this
    const [sender, receiver] = [from.node.host, to.node.host]
    const delayMs = this.delayMs(sender, receiver, frame.length)
    const dueMs = Math.max(to.lastArrivalMs, timeline.nowMs + delayMs)
    to.lastArrivalMs = dueMs
    const lost = draw.chance(conditions.loss)
    const sent = timeline.nowMs
    this.arrive(sender, receiver, dueMs - timeline.nowMs, () => {
      to.onWayBytes -= frame.length
      if (lost) faults.strike('frame-lost')
      const gone = lost || !this.passes(sender, receiver)
      this.#tellCarried(from, to, frame, { sent, gone })
      if (gone) channel.doom(to)
      else to.arrive(frame)
    })
    if (!draw.chance(conditions.duplication)) return
    this.arrive(sender, receiver, dueMs - timeline.nowMs + draw.between(0, 60_000), () => {
      if (to.closed || !this.passes(sender, receiver)) return
      faults.strike('frame-repeated')
      to.arrive(frame)
    })
  }

  /** Frames of earlier channels that a new one begins with, as an attacker on both ends' path would wish. */
  oldFrames(from: End, to: End): readonly Uint8Array[] {
    const old = this.#recorded.get(directionOf(from, to)) ?? []
    if (old.length === 0 || !this.draw.chance(this.conditions.replay)) return []
    const frames = Array.from({ length: 1 + this.draw.below(4) }, () => this.draw.pick(old))
    this.faults.strike('frame-replayed', frames.length)
    return frames
  }

  #tellCarried(from: End, to: End, frame: Uint8Array, { sent, gone }: { sent: number; gone: boolean }): void {
    const lost = gone || to.closed || to.deaf
    this.trace.tell('carried', () => ({
      from: from.node.host,
      to: to.node.host,
      protocol: from.protocol,
      sent: Math.round(sent * 1000) / 1000,
      lost,
      bytes: frame.length,
    }))
  }

  #record(from: End, to: End, frame: Uint8Array): void {
    if (this.conditions.replay === 0) return
    const key = directionOf(from, to)
    const kept = this.#recorded.get(key) ?? []
    kept.push(frame)
    if (kept.length > replayed) kept.shift()
    this.#recorded.set(key, kept)
  }
}

const directionOf = (from: End, to: End): string => `${from.node.host}>${to.node.host} ${from.protocol}`
