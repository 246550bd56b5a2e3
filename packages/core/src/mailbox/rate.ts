/** A token bucket: `level` tokens at `atMs` of the monotonic clock. */
export interface Bucket {
  readonly level: number
  readonly atMs: number
}

/** How fast a bucket fills and how much it holds. */
export interface Rate {
  readonly perSecond: number
  readonly burst: number
}

/** A full bucket. */
export const fullBucket = (rate: Rate, nowMs: number): Bucket => ({ level: rate.burst, atMs: nowMs })

const filled = (bucket: Bucket, rate: Rate, nowMs: number): number =>
  Math.min(rate.burst, bucket.level + (Math.max(0, nowMs - bucket.atMs) * rate.perSecond) / 1000)

/** Takes `tokens`; when they are not there nothing is taken and `waitMs` says when they will be. */
export function take(
  bucket: Bucket,
  rate: Rate,
  tokens: number,
  nowMs: number,
): { readonly bucket: Bucket; readonly waitMs: number } {
  const level = filled(bucket, rate, nowMs)
  if (level >= tokens) return { bucket: { level: level - tokens, atMs: nowMs }, waitMs: 0 }
  return { bucket: { level, atMs: nowMs }, waitMs: Math.ceil(((tokens - level) * 1000) / rate.perSecond) }
}

/** Whether forgetting the bucket forgives nothing. */
export const isFull = (bucket: Bucket, rate: Rate, nowMs: number): boolean =>
  filled(bucket, rate, nowMs) >= rate.burst
