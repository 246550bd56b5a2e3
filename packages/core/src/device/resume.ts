import { readRecord, type RecordHeader } from '../history/index.ts'
import { limits } from '../limits.ts'
import { equalBytes, toHex } from '../wire/index.ts'
import type { Step } from './context.ts'
import { conversationNow, putConversation } from './conversations.ts'
import { tellRecord } from './messages.ts'
import { ownRecordKey, withdrawRecord } from './records.ts'
import { jumpLimit, ownRollback } from './rollback.ts'
import { undamaged } from './segments.ts'
import { bodyRows, conversationRows, ownRecordRows, recordRows, type Conversation } from './tables.ts'
import { writeRecord, type Said } from './write-record.ts'

/**
 * Goes on behind records that bear this device's own signature and that this home did not write: it is an older copy of
 * itself, or a copy of it is in use as well. Nothing but such a record moves a number.
 */
export async function resumeBehind(step: Step, shown: readonly RecordHeader[]): Promise<void> {
  for (const header of shown.toSorted((a, b) => b.content.aseq - a.content.aseq)) {
    const conversation = step.tx.get(conversationRows, header.content.conversation)
    if (conversation === undefined) continue
    const { aseq } = header.content
    if (aseq >= conversation.aseq || (await isAnother(step, conversation, { aseq, id: header.id })))
      await goOnBehind(step, conversation, aseq)
  }
}

/** Whether this home wrote another record than the named one under its number. */
export async function isAnother(
  step: Step,
  { conversation }: Conversation,
  { aseq, id }: { readonly aseq: number; readonly id: Uint8Array },
): Promise<boolean> {
  const own = await step.tx.load(ownRecordRows, ownRecordKey(conversation, aseq))
  return own !== undefined && !equalBytes(own, id)
}

/**
 * Goes on behind a number that is taken, in a new segment, so that none is used twice. What was written since this home
 * was opened, or from that number on, and nobody acknowledged is withdrawn and written again under new ones.
 */
async function goOnBehind(step: Step, before: Conversation, taken: number): Promise<void> {
  if (taken - before.aseq > jumpLimit) {
    step.context.log.event('shown-beyond')
    return
  }
  ownRollback(step)
  const key = toHex(before.conversation)
  const openedAt = step.context.live.openedAt.get(key) ?? 0
  const from = Math.max(Math.min(openedAt, taken), ...before.remotes.map(({ got }) => got.upTo))
  const said = await withdrawFrom(step, before, from)
  // Where others hold this home's record, sync brings it to the rest; by its number it is asked for no more.
  if (taken < before.aseq) step.tx.delete(ownRecordRows, ownRecordKey(before.conversation, taken))
  const aseq = Math.max(taken + 1, Math.min(from, before.aseq))
  const full = { segmentCount: limits.segmentRecords, sseq: limits.segmentRecords }
  putConversation(step, { ...conversationNow(step, before), aseq, ...full })
  step.context.live.openedAt.set(key, aseq)
  for (const one of said) {
    const { header, incoming } = await writeRecord(step, conversationNow(step, before), one)
    await tellRecord(step, before, header, incoming)
  }
}

/** Takes own records from a number on back; what they said. */
async function withdrawFrom(step: Step, before: Conversation, from: number): Promise<readonly Said[]> {
  const said: Said[] = []
  for (let aseq = from; aseq < before.aseq; aseq++) {
    const id = await step.tx.load(ownRecordRows, ownRecordKey(before.conversation, aseq))
    const row = id === undefined ? undefined : await undamaged(step.tx.load(recordRows, id))
    const header = row === undefined ? undefined : readRecord(step.context.crypto, row.bytes)
    const body = id === undefined ? undefined : await undamaged(step.tx.load(bodyRows, id))
    if (id === undefined || header === undefined || body === undefined) continue
    const { kind, target } = header.content
    said.push({ kind, target, body: body.said.body })
    putConversation(step, await withdrawRecord(step, conversationNow(step, before), id))
    step.tx.delete(ownRecordRows, ownRecordKey(before.conversation, aseq))
  }
  return said
}
