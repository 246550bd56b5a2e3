import { readRecord } from '../history/index.ts'
import { limits } from '../limits.ts'
import { equalBytes, toHex } from '../wire/index.ts'
import type { Step } from './context.ts'
import { conversationNow, putConversation } from './conversations.ts'
import { tellRecord } from './messages.ts'
import { ownRecordKey, withdrawRecord } from './records.ts'
import { jumpLimit, ownRollback } from './rollback.ts'
import { bodyRows, ownRecordRows, recordRows, type Conversation } from './tables.ts'
import { writeRecord, type Said } from './write-record.ts'

/**
 * The number under which a peer holds another record of ours than this home wrote, if it says so: a copy of this
 * home is in use as well, and neither knows of the other.
 */
export async function forkedAt(
  step: Step,
  { conversation }: Conversation,
  last: { readonly aseq: number; readonly id: Uint8Array } | null,
): Promise<number | undefined> {
  if (last === null) return undefined
  const own = await step.tx.load(ownRecordRows, ownRecordKey(conversation, last.aseq))
  return own === undefined || equalBytes(own, last.id) ? undefined : last.aseq
}

/**
 * A peer holds records of ours that this home does not know of, or one of them in another's place. It goes on behind
 * them, in a new segment, so that no number is used twice. What was written since this home was opened, or since the
 * number the two have differently, bears numbers the peer counts as held; it is withdrawn and written again under
 * new ones.
 */
export async function resumeAfter(
  step: Step,
  before: Conversation,
  upTo: number,
  forkedAseq = Infinity,
): Promise<void> {
  if (upTo - before.aseq > jumpLimit) {
    step.context.log.event('got-beyond')
    return
  }
  ownRollback(step)
  const said: Said[] = []
  let conversation = conversationNow(step, before)
  const openedAt = step.context.live.openedAt.get(toHex(before.conversation)) ?? 0
  const from = Math.min(openedAt, forkedAseq)
  for (let aseq = Math.max(from, ...before.remotes.map(({ got }) => got.upTo)); aseq < before.aseq; aseq++) {
    const id = await step.tx.load(ownRecordRows, ownRecordKey(before.conversation, aseq))
    const row = id === undefined ? undefined : await step.tx.load(recordRows, id)
    const header = row === undefined ? undefined : readRecord(step.context.crypto, row.bytes)
    const body = id === undefined ? undefined : await step.tx.load(bodyRows, id)
    if (id === undefined || header === undefined || body === undefined) continue
    const { kind, target } = header.content
    said.push({ kind, target, body: body.said.body })
    conversation = await withdrawRecord(step, conversation, id)
    step.tx.delete(ownRecordRows, ownRecordKey(before.conversation, aseq))
  }
  // Where others hold this home's record, sync brings it to the peer; by its number it is asked for no more.
  if (forkedAseq < before.aseq) step.tx.delete(ownRecordRows, ownRecordKey(before.conversation, forkedAseq))
  conversation = {
    ...conversation,
    aseq: upTo,
    segmentCount: limits.segmentRecords,
    sseq: limits.segmentRecords,
  }
  putConversation(step, conversation)
  step.context.live.openedAt.set(toHex(before.conversation), upTo)
  for (const one of said) {
    const { header, incoming } = await writeRecord(step, conversationNow(step, before), one)
    await tellRecord(step, before, header, incoming)
  }
}
