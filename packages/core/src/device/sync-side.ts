import { segmentId, summarise, type AuthorOf, type CountedRecord, type SegmentSet } from '../history/index.ts'
import { idKey } from '../wire/index.ts'
import type { SegmentLook, Step } from './context.ts'
import { fileName } from './files.ts'
import { standingAt } from './record-standing.ts'
import { identityKeyOf } from './logs.ts'
import { segmentKey } from './row.ts'
import { recordsIn, undamaged } from './segments.ts'
import { summaryRows, type Conversation, type Peer } from './tables.ts'
import { visibleFrom } from './visible-from.ts'

/** What sync reads of a conversation: its segments, what they hold, and who may see them. */

/** The records of a segment that are held here. */
export async function segmentSetOf(
  step: Step,
  conversation: Conversation,
  segment: number,
): Promise<SegmentSet> {
  const counted = new Map<string, CountedRecord>()
  for (const { header, signature } of await recordsIn(step, conversation, segment))
    counted.set(idKey(header.id), { header, signature })
  return {
    conversation: conversation.conversation,
    segment: segmentId(step.context.crypto, conversation.conversation, segment),
    counted,
    waiting: new Map(),
    arrivals: 0,
  }
}

/** What every segment holds, in order; of segments no longer written to it is kept. */
export async function summariesOf(step: Step, conversation: Conversation): Promise<readonly SegmentLook[]> {
  const found: SegmentLook[] = []
  for (let n = 0; n <= conversation.segment; n++) {
    const summary = await summaryOf(step, conversation, n)
    if (summary !== undefined) found.push(summary)
  }
  return found
}

/** What a segment holds; undefined where there is none. */
export async function summaryOf(
  step: Step,
  conversation: Conversation,
  n: number,
): Promise<SegmentLook | undefined> {
  const { crypto, live } = step.context
  const cacheKey = fileName(conversation.conversation, n)
  const known = live.summaries.get(cacheKey)
  if (known !== undefined) return known
  const key = segmentKey(conversation.conversation, n)
  const segment = segmentId(crypto, conversation.conversation, n)
  const row = n < conversation.segment ? await undamaged(step.tx.load(summaryRows, key)) : undefined
  const summary = row === undefined ? await summaryAnew(step, conversation, n) : { segment, depth: n, ...row }
  if (summary === undefined) return undefined
  if (row === undefined && n < conversation.segment) keepSummary(step, key, summary)
  live.summaries.set(cacheKey, summary)
  return summary
}

function keepSummary(step: Step, key: Uint8Array, { digest, devices, open }: SegmentLook): void {
  const told = devices.map((one) => ({ ...one, tips: [...one.tips] }))
  step.tx.put(summaryRows, key, { digest, devices: told, open })
}

/** Keeps the summary of a segment whose records are at hand. */
export function putSummary(
  step: Step,
  conversation: Uint8Array,
  n: number,
  records: readonly CountedRecord[],
): void {
  const { crypto } = step.context
  const summary = summarise(crypto, segmentId(crypto, conversation, n), n, records)
  keepSummary(step, segmentKey(conversation, n), { ...summary, open: isOpen(records) })
}

async function summaryAnew(
  step: Step,
  conversation: Conversation,
  n: number,
): Promise<SegmentLook | undefined> {
  const { counted, segment } = await segmentSetOf(step, conversation, n)
  const records = [...counted.values()]
  if (records.length === 0) return undefined
  return { ...summarise(step.context.crypto, segment, n, records), open: isOpen(records) }
}

/** Whether a device may read a segment. */
export async function isVisible(
  step: Step,
  conversation: Conversation,
  peer: Peer,
  segment: number,
): Promise<boolean> {
  if (segment >= visibleFrom(step, conversation, peer)) return true
  return (await summaryOf(step, conversation, segment))?.open === true
}

/** Whether a rule lets newcomers read what was written before, as it stood when that was written. */
const isOpen = (records: readonly CountedRecord[]): boolean =>
  records.length > 0 && records.every(({ header }) => header.content.history === 1)

/** Who wrote a record, for the rules of history. */
export const authorOf =
  (step: Step, conversation: Conversation): AuthorOf =>
  (content) => {
    const standing = standingAt(step, conversation, content)
    const identityKey = identityKeyOf(step, content.account, content.device)
    if (standing === 'unknown' || (standing === 'yes' && identityKey === undefined))
      return { standing: 'unknown' }
    return standing === 'no' || identityKey === undefined
      ? { standing: 'none' }
      : { standing: 'member', identityKey }
  }
