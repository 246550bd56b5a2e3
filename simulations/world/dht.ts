import type { NetConditions } from './conditions.ts'
import type { Stream } from './stream.ts'
import type { Counts } from './trace.ts'

/** Values of one key kept to be served again when they are old. */
const versions = 8

/** A DHT that promises nothing: values go missing, and old ones come back. */
export class Dht {
  readonly #values = new Map<string, Uint8Array[]>()
  readonly #draw: Stream
  readonly #faults: Counts

  constructor(draw: Stream, faults: Counts) {
    this.#draw = draw
    this.#faults = faults
  }

  /** How many nodes took the value. */
  put(key: string, value: Uint8Array, conditions: NetConditions): number {
    if (this.#draw.chance(conditions.dhtLoss)) {
      this.#faults.strike('dht-lost')
      return 0
    }
    const held = this.#values.get(key) ?? []
    this.#values.set(key, [...held.slice(1 - versions), value.slice()])
    return 1 + this.#draw.below(20)
  }

  /** What a query finds; the newest value is not promised. */
  get(key: string, conditions: NetConditions): readonly Uint8Array[] {
    const held = this.#values.get(key) ?? []
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
}
