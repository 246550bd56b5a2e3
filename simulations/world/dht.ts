import type { NetConditions } from './conditions.ts'
import type { Stream } from './stream.ts'
import type { Counts } from './trace.ts'

/** Values of one key kept to be served again when they are old. */
const versions = 8

/** What the nodes around somebody do when they mean ill. */
export const dhtTricks = ['dht-substitutes', 'dht-rolls-back', 'dht-eclipses'] as const

export type DhtTrick = (typeof dhtTricks)[number]

/** A DHT that promises nothing: values go missing, and old ones come back; and whom hostile nodes surround gets worse. */
export class Dht {
  readonly #values = new Map<string, Uint8Array[]>()
  /** Machines whose every query ends at nodes that mean ill. */
  readonly #surrounded = new Map<string, DhtTrick>()
  readonly #draw: Stream
  readonly #faults: Counts

  constructor(draw: Stream, faults: Counts) {
    this.#draw = draw
    this.#faults = faults
  }

  /** Surrounds a machine with nodes that do this, until the returned function is called. */
  surround(host: string, trick: DhtTrick): () => void {
    this.#surrounded.set(host, trick)
    return () => {
      if (this.#surrounded.get(host) === trick) this.#surrounded.delete(host)
    }
  }

  /** How many nodes took the value, or said so. */
  put(key: string, value: Uint8Array, conditions: NetConditions, host: string): number {
    if (this.#surrounded.get(host) === 'dht-eclipses') {
      this.#faults.strike('dht-eclipses')
      return versions
    }
    if (this.#draw.chance(conditions.dhtLoss)) {
      this.#faults.strike('dht-lost')
      return 0
    }
    const held = this.#values.get(key) ?? []
    this.#values.set(key, [...held.slice(1 - versions), value.slice()])
    return 1 + this.#draw.below(20)
  }

  /** What a query finds; the newest value is not promised. */
  get(key: string, conditions: NetConditions, host: string): readonly Uint8Array[] {
    const held = this.#values.get(key) ?? []
    const trick = this.#surrounded.get(host)
    if (trick !== undefined) return this.#liedAbout(key, held, trick)
    if (held.length === 0) return []
    if (this.#draw.chance(conditions.dhtMissing)) {
      this.#faults.strike('dht-missing')
      return []
    }
    if (held.length > 1 && this.#draw.chance(conditions.dhtStale)) {
      this.#faults.strike('dht-stale')
      return [this.#draw.pick(held.slice(0, -1)).slice()]
    }
    return held.slice(-1).map((value) => value.slice())
  }

  /** What hostile nodes answer: nothing, the oldest they have, or what belongs somewhere else and what they made up. */
  #liedAbout(key: string, held: readonly Uint8Array[], trick: DhtTrick): readonly Uint8Array[] {
    const [oldest] = held
    switch (trick) {
      case 'dht-eclipses':
        this.#faults.strike(trick)
        return []
      case 'dht-rolls-back':
        if (oldest === undefined || held.length < 2) return held.map((value) => value.slice())
        this.#faults.strike(trick)
        return [oldest.slice()]
      case 'dht-substitutes':
        this.#faults.strike(trick)
        return [...this.#ofOthers(key), ...held.slice(-1).map(forged)]
    }
  }

  /** The newest values of other keys. */
  #ofOthers(key: string): readonly Uint8Array[] {
    return [...this.#values]
      .filter(([other]) => other !== key)
      .slice(-2)
      .flatMap(([, values]) => values.slice(-1).map((value) => value.slice()))
  }
}

/** A value with a bit of its end changed. */
function forged(value: Uint8Array): Uint8Array {
  const copy = value.slice()
  copy[copy.length - 1] = (copy.at(-1) ?? 0) ^ 1
  return copy
}
