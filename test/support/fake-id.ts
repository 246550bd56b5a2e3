const base32 = 'abcdefghijklmnopqrstuvwxyz234567'

/** A made-up id of 52 base32 characters, one for each seed. */
export function fakeId(seed: number): string {
  let state = seed + 1
  const next = (): string => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return base32[state >>> 27] ?? ''
  }
  return Array.from({ length: 52 }, next).join('')
}
