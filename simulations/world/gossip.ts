import type { NetConditions } from './conditions.ts'
import type { Stream } from './stream.ts'
import type { Timeline } from './timeline.ts'
import type { Counts } from './trace.ts'

/** What gossip knows of a process. */
export interface Gossiper {
  readonly host: string
  readonly peer: string
  listensTo(topic: string): boolean
  /** Whom it has a connection to. */
  neighbours(): readonly Gossiper[]
  /**
   * A message on a topic has come, by a neighbour; each process hears of it once, unless it is repeated after the
   * others forgot it. It goes on to the process's own neighbours when `passOn` is called.
   */
  heard(topic: string, data: Uint8Array, by: Gossiper, passOn: () => void): void
}

/** What gossip knows of what lies between processes. */
interface Medium {
  readonly timeline: Timeline
  readonly draw: Stream
  readonly faults: Counts
  readonly conditions: NetConditions
  passes(from: string, to: string): boolean
  delayMs(from: string, to: string, bytes: number): number
  arrive(from: string, to: string, delayMs: number, work: () => void): void
}

/** How long a router remembers what it has passed on; what comes later counts as new. */
const seenMs = 120_000

/**
 * Publish and subscribe with the guarantees of the real one: a message goes from subscriber to subscriber over the
 * connections there are, each hop may lose it, nobody learns of that, and a late copy is heard twice.
 */
export class Gossip {
  readonly #medium: Medium

  constructor(medium: Medium) {
    this.#medium = medium
  }

  publish(from: Gossiper, topic: string, data: Uint8Array): void {
    const { timeline, draw, faults, conditions } = this.#medium
    this.#spread(from, topic, data, new Set([from]))
    if (!draw.chance(conditions.duplication)) return
    timeline.after(seenMs + draw.between(0, seenMs), () => {
      faults.strike('gossip-repeated')
      this.#spread(from, topic, data, new Set([from]))
    })
  }

  #spread(from: Gossiper, topic: string, data: Uint8Array, seen: Set<Gossiper>): void {
    const { draw, faults, conditions } = this.#medium
    for (const to of from.neighbours()) {
      if (seen.has(to) || !to.listensTo(topic) || !this.#medium.passes(from.host, to.host)) continue
      if (draw.chance(Math.max(conditions.loss, conditions.topicLoss))) {
        faults.strike('gossip-lost')
        continue
      }
      const delayMs = this.#medium.delayMs(from.host, to.host, data.length)
      this.#medium.arrive(from.host, to.host, delayMs, () => {
        if (seen.has(to) || !to.listensTo(topic)) return
        seen.add(to)
        to.heard(topic, data, from, () => {
          this.#spread(to, topic, data, seen)
        })
      })
    }
  }
}
