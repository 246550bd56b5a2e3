import { limits } from '../limits.ts'
import { fullBucket, take, type Bucket, type Rate } from '../mailbox/index.ts'
import type { Step } from './context.ts'

/**
 * How fast things may come by topics. What is refused counts against the neighbour who passed it on, what is genuine
 * against its author, whose record it provably is; a claimed index in an envelope counts for nothing, or members could
 * silence each other.
 */

const rate: Rate = { perSecond: limits.topicPerSecond, burst: limits.topicBurst }

/** Buckets by name; of very many the one used longest ago is forgotten. */
type Buckets = Map<string, Bucket>

/** Whether so little of what a neighbour brought was refused lately that more of it is looked at. */
export const mayStillFail = (step: Step, peer: string): boolean =>
  take(bucketOf(step, step.context.live.refusedBy, peer), rate, 1, step.monoMs).waitMs === 0

/** Something a neighbour brought was refused. */
export function noteRefused(step: Step, peer: string): void {
  spend(step, step.context.live.refusedBy, peer)
}

/** Takes one of what an author may say; false where it said too much lately. */
export const maySpeak = (step: Step, device: string): boolean =>
  spend(step, step.context.live.spokenBy, device)

const bucketOf = (step: Step, buckets: Buckets, name: string): Bucket =>
  buckets.get(name) ?? fullBucket(rate, step.monoMs)

function spend(step: Step, buckets: Buckets, name: string): boolean {
  const { bucket, waitMs } = take(bucketOf(step, buckets, name), rate, 1, step.monoMs)
  buckets.delete(name)
  buckets.set(name, bucket)
  const [oldest] = buckets.keys()
  if (buckets.size > limits.topicRates && oldest !== undefined) buckets.delete(oldest)
  return waitMs === 0
}
