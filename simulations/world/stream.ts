/** One source of repeatable choices. Never for keys: those come from `seededRandom`. */
export interface Stream {
  /** From 0 up to 1. */
  fraction(): number
  /** A whole number from 0 to below `bound`. */
  below(bound: number): number
  /** Anywhere from `low` to `high`. */
  between(low: number, high: number): number
  chance(probability: number): boolean
  pick<T>(items: readonly [T, ...T[]] | readonly T[]): T
  /** Lognormal with this median. */
  lognormal(median: number, sigma: number): number
  /** Time to the next event of a Poisson process with this mean distance. */
  exponential(mean: number): number
}

/** What is drawn from: one stream each, so that a draw more in one moves nothing in another. */
export type StreamName = 'net' | 'disk' | 'clock' | 'workload' | 'crypto' | 'faults' | 'plan'

/** 128 bits of state out of a name: four rounds of a string hash (cyrb128). */
function hash128(text: string): [number, number, number, number] {
  const state: [number, number, number, number] = [1779033703, 3144134277, 1013904242, 2773480762]
  const factors = [597399067, 2869860233, 951274213, 2716044179] as const
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    const [a, b, c, d] = state
    state[0] = b ^ Math.imul(a ^ code, factors[0])
    state[1] = c ^ Math.imul(b ^ code, factors[1])
    state[2] = d ^ Math.imul(c ^ code, factors[2])
    state[3] = a ^ Math.imul(d ^ code, factors[3])
  }
  return state
}

/** The small fast counting generator (sfc32) under a name: `seed/net`, `seed/faults`. */
export function streamOf(name: string): Stream {
  let [a, b, c, d] = hash128(name)
  const next = (): number => {
    const sum = (((a + b) | 0) + d) | 0
    d = (d + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + sum
    return sum >>> 0
  }
  for (let round = 0; round < 16; round++) next()
  const fraction = (): number => next() / 2 ** 32
  const below = (bound: number): number => Math.floor(fraction() * bound)
  return {
    fraction,
    below,
    between: (low, high) => low + fraction() * (high - low),
    chance: (probability) => fraction() < probability,
    pick: <T>(items: readonly T[]): T => {
      const item = items[below(items.length)]
      if (item === undefined) throw new RangeError('nothing to pick from')
      return item
    },
    lognormal: (median, sigma) => {
      const normal = Math.sqrt(-2 * Math.log(1 - fraction())) * Math.cos(2 * Math.PI * fraction())
      return median * Math.exp(sigma * normal)
    },
    exponential: (mean) => -mean * Math.log(1 - fraction()),
  }
}

/** The named streams of one 64-bit seed. */
export function streamsOf(seed: bigint): (name: StreamName, of?: string) => Stream {
  const root = BigInt.asUintN(64, seed).toString(16)
  return (name, of = '') => streamOf(`${root}/${name}/${of}`)
}
