import { recordKinds, type RecordHeader } from '../history/index.ts'
import { limits } from '../limits.ts'
import { idKey, toBase32 } from '../wire/index.ts'
import type { Step } from './context.ts'
import { emit } from './events.ts'
import { fileName } from './files.ts'
import { forget, lookAt } from './messages.ts'
import { eraseBody } from './records.ts'
import { retentionOf, writtenMs } from './retention.ts'
import { findRecord, recordsIn } from './segments.ts'
import { bodyRows, conversationRows, sweptRows, type Conversation, type Place } from './tables.ts'
import { sureNow, wakeAt } from './timers.ts'

/**
 * Erases what conversations forget by their rule: a segment is looked at when its oldest message has come of age, a
 * hundred messages a step. Of segments that are bare of bodies it is remembered how far they reach; whatever comes into
 * one of them later takes that back.
 */

const dayMs = 24 * 60 * 60 * 1_000

/** Looks at the next segment that is due, if there is one. */
export async function tendRetention(step: Step): Promise<void> {
  for (const conversation of step.tx.all(conversationRows)) {
    const retentionMs = retentionOf(step, conversation)
    const segment = retentionMs === null ? undefined : nextDue(step, conversation, retentionMs)
    if (retentionMs === null || segment === undefined) continue
    await sweep(step, conversation, segment, retentionMs)
    wakeAt(step, step.monoMs + limits.foldPauseMs)
    return
  }
}

/** The first segment in which something has come of age, as far as is known; one not looked at yet may have. */
function nextDue(step: Step, conversation: Conversation, retentionMs: number): number | undefined {
  const { below } = step.tx.get(sweptRows, conversation.conversation) ?? { below: 0 }
  for (let n = below; n <= conversation.segment; n++) {
    const known = step.context.live.oldest.get(fileName(conversation.conversation, n))
    if (known === undefined) return n
    const leftMs = Math.max(known.writtenMs + retentionMs - sureNow(step), known.lookMs - step.monoMs)
    if (leftMs <= 0) return n
    if (leftMs < Infinity) wakeAt(step, step.monoMs + Math.min(leftMs, dayMs))
  }
  return undefined
}

async function sweep(step: Step, conversation: Conversation, n: number, retentionMs: number): Promise<void> {
  const records = await recordsIn(step, conversation, n)
  const ids = records.map(({ header }) => header.id)
  const bodies = await step.tx.loadMany(bodyRows, ids)
  const [due, old] = [[] as Uint8Array[], new Map<string, Uint8Array>()]
  let oldestMs = Infinity
  for (const [i, { header }] of records.entries()) {
    const body = bodies[i]
    if (body === undefined || body === 'damaged' || !forgets.has(header.content.kind)) continue
    const about = await governing(step, header, body.place)
    if (about.writtenMs + retentionMs > sureNow(step)) oldestMs = Math.min(oldestMs, about.writtenMs)
    else {
      due.push(header.id)
      old.set(idKey(about.id), about.id)
    }
    if (due.length === limits.retentionBatch) return forgetAll(step, conversation, [...old.values()], due)
  }
  await forgetAll(step, conversation, [...old.values()], due)
  const looked = { writtenMs: oldestMs, lookMs: step.monoMs + limits.retentionLookMs }
  step.context.live.oldest.set(fileName(conversation.conversation, n), looked)
  const { below } = step.tx.get(sweptRows, conversation.conversation) ?? { below: 0 }
  if (n === below && n < conversation.segment && oldestMs === Infinity)
    step.tx.put(sweptRows, conversation.conversation, { below: n + 1 })
}

/** What says something to people. A timer stands until another one does. */
const forgets: ReadonlySet<number> = new Set([recordKinds.msg, recordKinds.edit, recordKinds.react])

/** The record whose age counts: the message it is or is about, where that is held. */
async function governing(
  step: Step,
  { id, content }: RecordHeader,
  place: Place,
): Promise<{ readonly id: Uint8Array; readonly writtenMs: number }> {
  const { kind, target } = content
  const message = kind === recordKinds.msg || target === null ? undefined : await findRecord(step, target)
  if (message === undefined) return { id, writtenMs: writtenMs(content, place.receivedAtMs) }
  return { id: message.header.id, writtenMs: writtenMs(message.header.content, message.receivedAtMs) }
}

/** Erases all that is said by and about messages, and what only claims to be about them. */
async function forgetAll(
  step: Step,
  conversation: Conversation,
  messages: readonly Uint8Array[],
  due: readonly Uint8Array[],
): Promise<void> {
  if (due.length === 0) return
  const look = { ...(await lookAt(step, conversation)), outbox: [] }
  for (const id of messages) await forget(step, look, id)
  for (const id of due) await eraseBody(step, id)
  step.context.log.event('messages-forgotten')
  emit(step, { type: 'group', conversationId: toBase32(conversation.conversation) })
}
