/** The value below which a share of the sorted values lies, between neighbours in proportion. */
export function quantile(sorted: readonly number[], share: number): number {
  if (sorted.length === 0) return NaN
  const at = (sorted.length - 1) * share
  const [low, high] = [sorted[Math.floor(at)] ?? NaN, sorted[Math.ceil(at)] ?? NaN]
  return low + (high - low) * (at - Math.floor(at))
}

export const ascending = (values: readonly number[]): readonly number[] => values.toSorted((a, b) => a - b)

/** A mean with its 95 % interval. */
export interface Interval {
  readonly n: number
  readonly mean: number
  readonly low: number
  readonly high: number
}

/** Two-sided 97.5 % points of Student's t by degrees of freedom; the normal one beyond. */
const student = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131,
  2.12, 2.11, 2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042,
]

/** Mean and 95 % interval of independent runs; a single run has no interval. */
export function intervalOf(values: readonly number[]): Interval {
  const n = values.length
  if (n === 0) return { n, mean: NaN, low: NaN, high: NaN }
  const mean = values.reduce((sum, value) => sum + value, 0) / n
  if (n === 1) return { n, mean, low: NaN, high: NaN }
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1)
  const half = (student[n - 2] ?? 1.96) * Math.sqrt(variance / n)
  return { n, mean, low: mean - half, high: mean + half }
}

/** The 95 % interval of a share of successes (Wilson), which stays honest at none and all. */
export function shareOf(successes: number, n: number): Interval {
  if (n === 0) return { n, mean: NaN, low: NaN, high: NaN }
  const z = 1.96
  const share = successes / n
  const middle = (share + (z * z) / (2 * n)) / (1 + (z * z) / n)
  const half = (z / (1 + (z * z) / n)) * Math.sqrt((share * (1 - share)) / n + (z * z) / (4 * n * n))
  return { n, mean: share, low: Math.max(0, middle - half), high: Math.min(1, middle + half) }
}

/** The interval of the difference of two means of independent runs (Welch). */
export function differenceOf(before: readonly number[], after: readonly number[]): Interval {
  const [a, b] = [intervalOf(before), intervalOf(after)]
  const variance = (values: readonly number[], mean: number): number =>
    values.reduce((sum, value) => sum + (value - mean) ** 2, 0) /
    Math.max(1, values.length - 1) /
    values.length
  const [va, vb] = [variance(before, a.mean), variance(after, b.mean)]
  const mean = b.mean - a.mean
  const freedom =
    (va + vb) ** 2 / (va ** 2 / Math.max(1, before.length - 1) + vb ** 2 / Math.max(1, after.length - 1))
  const half = (student[Math.max(0, Math.floor(freedom) - 1)] ?? 1.96) * Math.sqrt(va + vb)
  const n = before.length + after.length
  if (va + vb === 0) return { n, mean, low: mean, high: mean }
  return { n, mean, low: mean - half, high: mean + half }
}

/** The interval of the mean difference of runs that belong together in pairs. */
export const pairedDifferenceOf = (before: readonly number[], after: readonly number[]): Interval =>
  intervalOf(after.map((value, i) => value - (before[i] ?? NaN)))
