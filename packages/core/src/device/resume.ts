import { encodeBody, readRecord, recordKinds, type RecordHeader } from '../history/index.ts'
import { limits } from '../limits.ts'
import { equalBytes, idHex, toHex } from '../wire/index.ts'
import type { Step } from './context.ts'
import { conversationNow, putConversation, segmentNumber } from './conversations.ts'
import { isTorn } from './groups.ts'
import { tellRecord } from './messages.ts'
import { ownRecordKey, putBody, withdrawRecord } from './records.ts'
import { jumpLimit, ownRollback } from './rollback.ts'
import { placeWithoutBody, undamaged } from './segments.ts'
import {
  bodyRows,
  conversationRows,
  ownRecordRows,
  recordRows,
  withdrawnRows,
  type Conversation,
  type Withdrawal,
} from './tables.ts'
import { writeRecord, type Said } from './write-record.ts'

/**
 * Goes on behind records that bear this device's own signature and that this home did not write: it is an older copy of
 * itself, or a copy of it is in use as well. Nothing but such a record moves a number.
 */
export async function resumeBehind(step: Step, shown: readonly RecordHeader[]): Promise<void> {
  for (const header of shown.toSorted((a, b) => b.content.aseq - a.content.aseq)) {
    const known = step.tx.get(conversationRows, header.content.conversation)
    // A torn conversation is not written to; what is refused for its number is shown once more.
    if (known === undefined || isTorn(step, known)) continue
    await takeReturned(step, known, header)
    const conversation = conversationNow(step, known)
    const { aseq } = header.content
    if (aseq >= conversation.aseq || (await isAnother(step, conversation, { aseq, id: header.id })))
      await goOnBehind(step, conversation, header)
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
 * Goes on behind a record whose number is taken, in a segment after its own, so that none is used twice. What was
 * written since this home was opened, or from that number on, and nobody acknowledged is withdrawn and written again
 * under new ones.
 */
async function goOnBehind(step: Step, before: Conversation, shown: RecordHeader): Promise<void> {
  const taken = shown.content.aseq
  if (taken - before.aseq > jumpLimit) {
    step.context.log.event('shown-beyond')
    return
  }
  ownRollback(step)
  const key = idHex(before.conversation)
  const openedAt = step.context.live.openedAt.get(key) ?? 0
  const from = Math.max(Math.min(openedAt, taken), ...before.remotes.map(({ got }) => got.upTo))
  const withdrawn = await withdrawFrom(step, before, from)
  // Where others hold this home's record, sync brings it to the rest; by its number it is asked for no more.
  if (taken < before.aseq) step.tx.delete(ownRecordRows, ownRecordKey(before.conversation, taken))
  const aseq = Math.max(taken + 1, Math.min(from, before.aseq))
  const now = conversationNow(step, before)
  const shownIn = segmentNumber(step, now, shown.content.segment) ?? 0
  const nextSegment = Math.max(now.nextSegment, now.segment + 1, shownIn + 1)
  const selfPrev = aseq === taken + 1 ? shown.id : await ownIdOf(step, now, aseq - 1)
  putConversation(step, { ...now, aseq, selfPrev, nextSegment })
  step.context.live.openedAt.set(key, aseq)
  const renamed = new Map<string, Uint8Array>()
  for (const { id, salt, said } of withdrawn) {
    const target = said.target === null ? null : (renamed.get(toHex(said.target)) ?? said.target)
    const again = await writeAndTell(step, before, { ...said, target })
    renamed.set(toHex(id), again.id)
    noteWithdrawn(step, id, { salt, again: again.id })
  }
}

/** Remembers a withdrawn record and the one that says the same again. */
export function noteWithdrawn(step: Step, id: Uint8Array, row: Withdrawal): void {
  if (step.tx.all(withdrawnRows).length < limits.withdrawnRecords) step.tx.put(withdrawnRows, id, row)
  else step.context.log.event('withdrawal-not-noted')
}

/**
 * Somebody has a record that was withdrawn: it had come with a comparison, without its body, before the withdrawal. A
 * message is taken back, for it was written again; what was said about one is given its body once more.
 */
async function takeReturned(step: Step, conversation: Conversation, header: RecordHeader): Promise<void> {
  const row = step.tx.get(withdrawnRows, header.id)
  if (row === undefined || (await placeWithoutBody(step, header.id)) === undefined) return
  step.tx.delete(withdrawnRows, header.id)
  if (header.content.kind === recordKinds.msg) {
    const body = encodeBody({ kind: 'redact' })
    await writeAndTell(step, conversation, { kind: recordKinds.redact, target: header.id, body })
    return
  }
  const again = await undamaged(step.tx.load(bodyRows, row.again))
  if (again !== undefined) await putBody(step, header.id, { salt: row.salt, body: again.said.body })
}

async function writeAndTell(step: Step, before: Conversation, said: Said): Promise<RecordHeader> {
  const { header, incoming } = await writeRecord(step, conversationNow(step, before), said)
  await tellRecord(step, before, header, incoming)
  return header
}

/** The own record under a number, or the newest one known where there is none. */
const ownIdOf = async (step: Step, { conversation, selfPrev }: Conversation, aseq: number) =>
  (await step.tx.load(ownRecordRows, ownRecordKey(conversation, aseq))) ?? selfPrev

interface Withdrawn {
  readonly id: Uint8Array
  readonly salt: Uint8Array
  readonly said: Said
}

/** Takes own records from a number on back; what they said. */
async function withdrawFrom(step: Step, before: Conversation, from: number): Promise<readonly Withdrawn[]> {
  const withdrawn: Withdrawn[] = []
  for (let aseq = from; aseq < before.aseq; aseq++) {
    const id = await step.tx.load(ownRecordRows, ownRecordKey(before.conversation, aseq))
    const row = id === undefined ? undefined : await undamaged(step.tx.load(recordRows, id))
    const header = row === undefined ? undefined : readRecord(step.context.crypto, row.bytes)
    const body = id === undefined ? undefined : await undamaged(step.tx.load(bodyRows, id))
    if (id === undefined || header === undefined || body === undefined) continue
    const { kind, target } = header.content
    withdrawn.push({ id, salt: body.said.salt, said: { kind, target, body: body.said.body } })
    putConversation(step, await withdrawRecord(step, conversationNow(step, before), id))
    step.tx.delete(ownRecordRows, ownRecordKey(before.conversation, aseq))
  }
  return withdrawn
}
