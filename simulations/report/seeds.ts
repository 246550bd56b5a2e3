const seedLimit = 2n ** 64n

/** Reads a seed: a whole number below 2^64. */
export function readSeed(text: string): bigint | undefined {
  if (!/^[0-9]{1,20}$/.test(text)) return undefined
  const seed = BigInt(text)
  return seed < seedLimit ? seed : undefined
}

/** Reads `A..B`, both included, at most 100,000 seeds. */
export function readSeeds(text: string): readonly bigint[] | undefined {
  const [first, last, ...rest] = text.split('..').map(readSeed)
  if (
    first === undefined ||
    last === undefined ||
    rest.length > 0 ||
    last < first ||
    last - first >= 100_000n
  )
    return undefined
  return Array.from({ length: Number(last - first) + 1 }, (_, i) => first + BigInt(i))
}
