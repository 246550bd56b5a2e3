import type { GroupPolicy } from '../group/index.ts'
import type { RecordContent } from '../history/index.ts'
import { limits } from '../limits.ts'
import type { Step } from './context.ts'
import { fileName } from './files.ts'
import { lostOps, membershipOf } from './groups.ts'
import { sweptRows, type Conversation } from './tables.ts'
import { sureNow } from './timers.ts'

/** How long messages are kept by a rule, in milliseconds; null for ever. */
export const keptMs = ({ retentionMs }: Pick<GroupPolicy, 'retentionMs'>): number | null =>
  retentionMs === null ? null : Math.max(retentionMs, limits.retentionLeastMs)

/** How long a conversation keeps its messages by the rule that holds now; for ever while that is not known. */
export const retentionOf = (step: Step, conversation: Conversation): number | null =>
  lostOps(step, conversation) > 0 ? null : keptMs(membershipOf(step, conversation).policy)

/** Since when a message counts as written: by its author's clock, or since it was first seen if that was ahead. */
export const writtenMs = ({ timestampMs }: RecordContent, firstSeenMs: number): number =>
  Math.min(timestampMs, firstSeenMs)

/** Whether a message is to be forgotten by now. */
export const isForgotten = (
  step: Step,
  retentionMs: number | null,
  content: RecordContent,
  firstSeenMs: number,
): boolean => retentionMs !== null && writtenMs(content, firstSeenMs) + retentionMs <= sureNow(step)

/** A body came into a segment: it is looked at again. */
export function noteSaid(step: Step, conversation: Uint8Array, segment: number): void {
  step.context.live.oldest.delete(fileName(conversation, segment))
  const row = step.tx.get(sweptRows, conversation)
  if (row !== undefined && segment < row.below) step.tx.put(sweptRows, conversation, { below: segment })
}
