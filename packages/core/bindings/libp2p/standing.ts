import { limits } from '../../src/limits.ts'

/** What a neighbour did against the rules, fading: as much as at `atMs` counted `weight` whole rejections. */
interface Fault {
  readonly weight: number
  readonly atMs: number
}

/** A message on a topic nobody listens on here counts as this much of a rejection: a few cross with an unsubscribe. */
const strayWeight = 1 / 64
/** Less than this does not count. */
const forgiven = 0.2

/**
 * How neighbours stand with us on topics: the score gossipsub is given for each (its P5). Who is expected in a
 * conversation stands above zero, so that only such peers pass messages on for each other; a stranger stands just
 * below, and may still ask and be told. One rejected message falls below every threshold of the library for some
 * seconds, several for minutes. The library's own count of invalid messages ends with a connection; this one does not.
 */
export class Standing {
  readonly #expected = new Map<string, number>()
  readonly #faults = new Map<string, Fault>()
  readonly #nowMs: () => number

  /** `nowMs` is monotonic. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  /** The peer is expected on one more topic. */
  expect(peer: string): void {
    this.#expected.set(peer, (this.#expected.get(peer) ?? 0) + 1)
  }

  /** On one topic less. */
  unexpect(peer: string): void {
    const topics = (this.#expected.get(peer) ?? 1) - 1
    if (topics === 0) this.#expected.delete(peer)
    else this.#expected.set(peer, topics)
  }

  /** A message of the peer was rejected. */
  rejected(peer: string): void {
    this.#fault(peer, 1)
  }

  /** The peer sent a message on a topic nobody listens on here. */
  strayed(peer: string): void {
    this.#fault(peer, strayWeight)
  }

  /** The score: 1 or −1, less a hundred times the square of what it did wrong. */
  of(peer: string): number {
    const weight = this.#weight(peer)
    const counted = weight < forgiven ? 0 : weight
    return (this.#expected.has(peer) ? 1 : -1) - 100 * counted ** 2
  }

  #weight(peer: string): number {
    const fault = this.#faults.get(peer)
    return fault === undefined
      ? 0
      : fault.weight * 2 ** ((fault.atMs - this.#nowMs()) / limits.topicFaultHalfMs)
  }

  /** The fault noted longest ago makes room: whoever wants to be forgotten needs as many new keys as are remembered. */
  #fault(peer: string, by: number): void {
    const weight = this.#weight(peer) + by
    this.#faults.delete(peer)
    this.#faults.set(peer, { weight, atMs: this.#nowMs() })
    const [oldest] = this.#faults.keys()
    if (this.#faults.size > limits.topicFaults && oldest !== undefined) this.#faults.delete(oldest)
  }
}
