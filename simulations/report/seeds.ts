const seedLimit = 2n ** 64n

/** Reads a seed: a whole number below 2^64. */
export function readSeed(text: string): bigint | undefined {
  if (!/^[0-9]{1,20}$/.test(text)) return undefined
  const seed = BigInt(text)
  return seed < seedLimit ? seed : undefined
}

/** Reads `A..B`, both included, and lists of those and of single seeds, such as `1..5,9`; at most 100,000 seeds. */
export function readSeeds(text: string): readonly bigint[] | undefined {
  const parts = text.split(',').map(readRange)
  const seeds = parts.flatMap((part) => part ?? [])
  return parts.includes(undefined) || seeds.length > mostSeeds ? undefined : seeds
}

const mostSeeds = 100_000

function readRange(text: string): readonly bigint[] | undefined {
  const ends = text.split('..').map(readSeed)
  const [first, last] = [ends[0], ends.at(-1)]
  if (first === undefined || last === undefined || ends.length > 2) return undefined
  if (last < first || last - first >= BigInt(mostSeeds)) return undefined
  return Array.from({ length: Number(last - first) + 1 }, (_, i) => first + BigInt(i))
}
