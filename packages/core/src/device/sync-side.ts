import {
  segmentId,
  summarise,
  type AuthorOf,
  type CountedRecord,
  type SegmentSet,
  type SegmentSummary,
} from '../history/index.ts'
import type { OpId } from '../group/index.ts'
import type { AccountId } from '../identity/index.ts'
import { equalBytes, toHex } from '../wire/index.ts'
import type { Step } from './context.ts'
import { findRemote } from './conversations.ts'
import { identityKeyOf, standingAt } from './frame-records.ts'
import { isGroup, membershipOf, opSetOf } from './groups.ts'
import { requireMe } from './me.ts'
import { segmentKey } from './records.ts'
import { recordsOf } from './query-export.ts'
import { summaryRows, writerRows, type Conversation, type Peer } from './tables.ts'

/** What sync reads of a conversation: its segments, what they hold, and who may see them. */

/** The records of a segment that are held here. */
export async function segmentSetOf(
  step: Step,
  conversation: Conversation,
  segment: number,
): Promise<SegmentSet> {
  const counted = new Map<string, CountedRecord>()
  for await (const { header, signature } of recordsOf(step, conversation, segment, segment))
    counted.set(toHex(header.id), { header, signature })
  return {
    conversation: conversation.conversation,
    segment: segmentId(step.context.crypto, conversation.conversation, segment),
    counted,
    waiting: new Map(),
    arrivals: 0,
  }
}

/** What every segment holds, in order; of segments no longer written to it is kept. */
export async function summariesOf(
  step: Step,
  conversation: Conversation,
): Promise<readonly SegmentSummary[]> {
  const found: SegmentSummary[] = []
  for (let n = 0; n <= conversation.segment; n++) {
    const summary = await summaryOf(step, conversation, n)
    if (summary !== undefined) found.push(summary)
  }
  return found
}

async function summaryOf(
  step: Step,
  conversation: Conversation,
  n: number,
): Promise<SegmentSummary | undefined> {
  const { crypto, live } = step.context
  const cacheKey = `${toHex(conversation.conversation)}/${n}`
  const known = live.summaries.get(cacheKey)
  if (known !== undefined) return known
  const key = segmentKey(conversation.conversation, n)
  if ((await step.tx.load(writerRows, key)) === undefined) return undefined
  const segment = segmentId(crypto, conversation.conversation, n)
  const row = n < conversation.segment ? await step.tx.load(summaryRows, key) : undefined
  const summary =
    row === undefined
      ? summarise(crypto, segment, n, [...(await segmentSetOf(step, conversation, n)).counted.values()])
      : { segment, depth: n, ...row }
  if (row === undefined && n < conversation.segment) {
    const { digest, devices } = summary
    step.tx.put(summaryRows, key, {
      digest,
      devices: devices.map((one) => ({ ...one, tips: [...one.tips] })),
    })
  }
  live.summaries.set(cacheKey, summary)
  return summary
}

/** First segment a device may read: what was written since it, or its account, came. */
export function visibleFrom(step: Step, conversation: Conversation, peer: Peer): number {
  const own = equalBytes(peer.account, requireMe(step).self.account)
  const local = findRemote(conversation, peer.device)?.fromSegment ?? Infinity
  if (own || !isGroup(conversation)) return local
  return Math.max(local, joinSegment(step, conversation, peer.account))
}

/** The segment that was opened when an account came in: the first opened after the grant that makes it a member. */
function joinSegment(step: Step, conversation: Conversation, account: AccountId): number {
  const member = membershipOf(step, conversation).members.get(toHex(account))
  if (member === undefined || member.grant === null || member.via === 'create') return 0
  return firstSegmentAfter(step, conversation, member.grant)
}

function firstSegmentAfter(step: Step, conversation: Conversation, grant: OpId): number {
  const set = opSetOf(step, conversation)
  const from = set.byId.get(toHex(grant))
  let first = Infinity
  for (const entry of set.entries)
    if (entry.op.args.kind === 'seg' && from !== undefined && entry.deps.some((dep) => dep === from))
      first = Math.min(first, entry.op.args.depth)
  return first === Infinity ? 0 : first
}

/** Whether a rule lets newcomers read what was written before, as it stood when that was written. */
export const isOpen = (records: readonly CountedRecord[]): boolean =>
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
