import { readRecord } from '../history/index.ts'
import { limits } from '../limits.ts'
import { toHex } from '../wire/index.ts'
import type { Step } from './context.ts'
import { conversationNow, putConversation } from './conversations.ts'
import { tellRecord } from './messages.ts'
import { ownRecordKey, withdrawRecord } from './records.ts'
import { jumpLimit, ownRollback } from './rollback.ts'
import { bodyRows, ownRecordRows, recordRows, type Conversation } from './tables.ts'
import { writeRecord, type Said } from './write-record.ts'

/**
 * A peer holds records of ours that this home does not know of. It goes on behind them, in a new segment, so
 * that no number is used twice. What was written since this home was opened bears numbers the peer counts as
 * held; it is withdrawn and written again under new ones.
 */
export async function resumeAfter(step: Step, before: Conversation, upTo: number): Promise<void> {
  if (upTo - before.aseq > jumpLimit) {
    step.context.log.event('got-beyond')
    return
  }
  ownRollback(step)
  const said: Said[] = []
  let conversation = conversationNow(step, before)
  const from = step.context.live.openedAt.get(toHex(before.conversation)) ?? 0
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
