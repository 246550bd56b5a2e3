import {
  TopicValidatorResult,
  type GossipSub,
  type GossipsubMessage,
  type TopicValidatorFn,
} from '@libp2p/gossipsub'
import { limits } from '../../src/limits.ts'
import { networkError, type NetworkEvent, type TopicVerdict } from '../../src/ports/index.ts'
import { Standing } from './standing.ts'
import { later } from './timer.ts'

/** What the library's service does beside its declared interface. */
export interface JudgedGossip extends GossipSub {
  reportMessageValidationResult(message: string, peer: string, result: TopicValidatorResult): void
  readonly mcache: { readonly msgs: Map<string, { readonly message: { from?: Uint8Array | undefined } }> }
}

/** The bounds a test may tighten. Milliseconds and counts. */
export interface TopicBounds {
  readonly topicVerdictMs: number
  readonly topicWaiting: number
  readonly topicWaitingPerPeer: number
}

/** A message nobody has judged yet. */
interface Waiting {
  readonly id: string
  readonly peer: string
  readonly cancel: () => void
}

const results = {
  accept: TopicValidatorResult.Accept,
  ignore: TopicValidatorResult.Ignore,
  reject: TopicValidatorResult.Reject,
} as const

/**
 * The topics of one node. A message on a topic that is listened on waits, within bounds, for its verdict; one on any
 * other topic is dropped before anything keeps it.
 */
export class Topics {
  readonly standing: Standing
  readonly #gossip: JudgedGossip
  readonly #bounds: TopicBounds
  readonly #tell: (event: NetworkEvent) => unknown
  /** Peers expected, by topic. */
  readonly #listened = new Map<string, readonly string[]>()
  readonly #waiting = new Map<number, Waiting>()
  readonly #waitingOf = new Map<string, number>()
  readonly #onMessage = ({ detail }: CustomEvent<GossipsubMessage>): void => this.#hear(detail)
  #next = 1

  constructor(
    gossip: JudgedGossip,
    bounds: TopicBounds,
    nowMs: () => number,
    tell: (event: NetworkEvent) => unknown,
  ) {
    this.#gossip = gossip
    this.#bounds = bounds
    this.#tell = tell
    this.standing = new Standing(nowMs)
    gossip.topicValidators = new EveryTopic((peer, { topic }) => this.#admit(String(peer), topic))
    gossip.addEventListener('gossipsub:message', this.#onMessage)
  }

  async publish(topic: string, data: Uint8Array): Promise<void> {
    await this.#gossip.publish(topic, data)
  }

  subscribe(topic: string, peers: readonly string[]): void {
    if (peers.length > limits.topicPeers) throw networkError('E_NET_BUSY')
    const before = this.#listened.get(topic)
    for (const peer of peers) this.standing.expect(peer)
    for (const peer of before ?? []) this.standing.unexpect(peer)
    this.#listened.set(topic, [...peers])
    if (before === undefined) this.#gossip.subscribe(topic)
  }

  unsubscribe(topic: string): void {
    for (const peer of this.#listened.get(topic) ?? []) this.standing.unexpect(peer)
    if (this.#listened.delete(topic)) this.#gossip.unsubscribe(topic)
  }

  judge(message: number, verdict: TopicVerdict): void {
    const waiting = this.#waiting.get(message)
    if (waiting === undefined) return
    this.#waiting.delete(message)
    waiting.cancel()
    const left = (this.#waitingOf.get(waiting.peer) ?? 1) - 1
    if (left === 0) this.#waitingOf.delete(waiting.peer)
    else this.#waitingOf.set(waiting.peer, left)
    if (verdict === 'reject') this.standing.rejected(waiting.peer)
    // The library passes on an author that an unsigned message must not name: a mark to trace it by.
    const kept = this.#gossip.mcache.msgs.get(waiting.id)
    if (kept !== undefined) kept.message.from = undefined
    this.#gossip.reportMessageValidationResult(waiting.id, waiting.peer, results[verdict])
  }

  stop(): void {
    this.#gossip.removeEventListener('gossipsub:message', this.#onMessage)
    for (const { cancel } of this.#waiting.values()) cancel()
    this.#waiting.clear()
    this.#waitingOf.clear()
  }

  /** Whether a message is on a topic that is listened on at all. */
  #admit(peer: string, topic: string): TopicValidatorResult {
    if (this.#listened.has(topic)) return TopicValidatorResult.Accept
    this.standing.strayed(peer)
    return TopicValidatorResult.Ignore
  }

  #hear({ msgId, msg, propagationSource }: GossipsubMessage): void {
    const peer = propagationSource.toString()
    if (!this.#hasRoom(peer)) {
      this.#gossip.reportMessageValidationResult(msgId, peer, results.ignore)
      return
    }
    const message = this.#next++
    const cancel = later(this.#bounds.topicVerdictMs, () => this.judge(message, 'ignore'))
    this.#waiting.set(message, { id: msgId, peer, cancel })
    this.#waitingOf.set(peer, (this.#waitingOf.get(peer) ?? 0) + 1)
    this.#tell({ type: 'message', message, topic: msg.topic, data: msg.data, peer })
  }

  #hasRoom(peer: string): boolean {
    return (
      this.#waiting.size < this.#bounds.topicWaiting &&
      (this.#waitingOf.get(peer) ?? 0) < this.#bounds.topicWaitingPerPeer
    )
  }
}

/** One validator for every topic there is, so that no message gets past it. */
class EveryTopic extends Map<string, TopicValidatorFn> {
  readonly #validator: TopicValidatorFn

  constructor(validator: TopicValidatorFn) {
    super()
    this.#validator = validator
  }

  override get(): TopicValidatorFn {
    return this.#validator
  }
}
