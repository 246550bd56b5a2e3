import {
  effects,
  erasures,
  expiryOf,
  recordKinds,
  viewMessage,
  type IncomingRecord,
  type RecordHeader,
  type SaidRecord,
  type SaltedBody,
} from '../history/index.ts'
import type { RecordVerdict } from '../group/index.ts'
import { equalBytes, toBase32, toHex } from '../wire/index.ts'
import type { MessageView } from './api.ts'
import type { Step } from './context.ts'
import { aboutOf, noteGone } from './about.ts'
import { conversationNow } from './conversations.ts'
import { emit } from './events.ts'
import { noteSpoilt, whyLacking } from './lacking.ts'
import { isOwn, requireMe } from './me.ts'
import { accountName } from './query-group.ts'
import { eraseBody } from './records.ts'
import { findRecord, placeWithoutBody } from './segments.ts'
import { bodyRows, erasureRows, type Conversation, type OutboxRow, type Place } from './tables.ts'
import { isForgotten, retentionOf } from './retention.ts'
import { judgementOf, rulesOf, type Judgement } from './verdicts.ts'
import { deliveryState, outboxOf } from './delivery.ts'
import { sureNow, wakeAt } from './timers.ts'

/** A record with its body and when it came. */
interface HeldSaid extends SaidRecord {
  readonly firstSeenMs: number
}

/** Later than this after its own time of sending, a message is shown as late. */
const lateMs = 24 * 60 * 60 * 1_000

/** What is the same for all messages of one look at a conversation. */
export interface Look {
  readonly conversation: Conversation
  readonly judge: Judgement
  /** How long its messages are kept, in milliseconds; null for ever. */
  readonly retentionMs: number | null
  readonly outbox: readonly OutboxRow[]
  /** What is about the messages looked at and not here: their edits, reactions, deletions, by id in hexadecimal. */
  readonly lacks: Set<string>
}

export const lookAt = async (step: Step, conversation: Conversation): Promise<Look> => ({
  conversation,
  judge: await judgementOf(step, conversation),
  retentionMs: retentionOf(step, conversation),
  outbox: outboxOf(step, conversation),
  lacks: new Set(),
})

/** A held record with its body; undefined when it is not held or damaged. */
export async function loadSaid(step: Step, id: Uint8Array): Promise<HeldSaid | undefined> {
  const found = await findRecord(step, id)
  if (found === undefined) return undefined
  const [row] = await step.tx.loadMany(bodyRows, [id])
  const { header, segment, receivedAtMs } = found
  const body = await bodyOrNote(
    step,
    id,
    { conversation: header.content.conversation, segment, receivedAtMs },
    row,
  )
  return { header, segment, body, firstSeenMs: receivedAtMs }
}

/** A body as its row has it; null where it is not here. A damaged row is noted, and one that is gone without a trace. */
export async function bodyOrNote(
  step: Step,
  id: Uint8Array,
  place: Place,
  row: { readonly said: SaltedBody } | undefined | 'damaged',
): Promise<Uint8Array | null> {
  if (row !== undefined && row !== 'damaged') return row.said.body
  if (row === 'damaged' || (await placeWithoutBody(step, id)) === undefined) noteSpoilt(step, id, place)
  return null
}

/** The records about a message. That one was lost is noted. */
async function loadAbout(step: Step, id: Uint8Array, { conversation, judge, lacks }: Look) {
  const found = []
  for (const about of await aboutOf(step, conversation, id)) {
    const said = await loadSaid(step, about.id)
    if (said !== undefined) found.push({ ...said, counts: judge(said.header).counts })
    else if (await noteGone(step, conversation, about)) lacks.add(toHex(about.id))
  }
  return found
}

/** A message as faces see it; null when it is not held, or is none. */
export async function findMessage(step: Step, look: Look, id: Uint8Array): Promise<MessageView | null> {
  const message = await loadSaid(step, id)
  return message?.header.content.kind === recordKinds.msg ? showMessage(step, look, message) : null
}

/** A message whose record is at hand. */
export async function showMessage(step: Step, look: Look, message: HeldSaid): Promise<MessageView> {
  const about = await loadAbout(step, message.header.id, look)
  const { conversation } = look
  const rules = rulesOf(step, conversation)
  const shown = viewMessage(message, about, rules)
  const { content, id } = message.header
  const me = isOwn(step, content)
  const own = equalBytes(content.device, requireMe(step).self.device)
  const gone =
    (expiryOf(content, message.firstSeenMs) ?? Infinity) <= sureNow(step) || isPast(step, look, message)
  if (!shown.deleted && !gone)
    for (const { header, body } of effects(message, about, rules).reactions)
      if (body === null) look.lacks.add(toHex(header.id))
  if (!shown.deleted && !gone) noteReturned(step, look, message, about)
  const isLacking = shown.text === null && !shown.deleted && !gone && [message, ...about].some(hasNoBody)
  return {
    messageId: toBase32(id),
    conversationId: toBase32(conversation.conversation),
    author: {
      accountId: toBase32(content.account),
      deviceId: toBase32(content.device),
      name: accountName(step, content.account),
      me,
    },
    text: gone ? null : shown.text,
    textMissing: isLacking ? whyLacking(step, conversation) : null,
    sentAtMs: content.timestampMs,
    receivedAtMs: message.firstSeenMs,
    state: own ? deliveryState(step, conversation, content.aseq, look.outbox) : null,
    replyTo: shown.replyTo === null ? null : toBase32(shown.replyTo),
    edited: shown.edited,
    deleted: shown.deleted || gone,
    outside: outsideOf(look.judge(message.header)),
    late: !me && message.firstSeenMs - content.timestampMs > lateMs,
    reactions: gone
      ? []
      : shown.reactions.map(({ emoji, by }) => ({ emoji, by: by.map((account) => toBase32(account)) })),
    attachments: [],
  }
}

/** A body that went by a word which counts no more, as of a device that was put out since, is needed again. */
function noteReturned(
  step: Step,
  look: Look,
  message: HeldSaid,
  about: readonly (HeldSaid & { readonly counts: boolean })[],
): void {
  const { conversation } = look.conversation
  const without = [message, ...about].filter(hasNoBody)
  if (without.length === 0) return
  const gone = erasures(message, about, rulesOf(step, look.conversation))
  const away = new Set(gone.filter(({ fromMs }) => fromMs <= sureNow(step)).map(({ id }) => toHex(id)))
  for (const { header, segment, firstSeenMs } of without)
    if (!away.has(toHex(header.id)))
      noteSpoilt(step, header.id, { conversation, segment, receivedAtMs: firstSeenMs })
}

/** Whether the conversation's rule has taken a message. */
const isPast = (step: Step, { retentionMs }: Look, { header, firstSeenMs }: HeldSaid): boolean =>
  isForgotten(step, retentionMs, header.content, firstSeenMs)

const hasNoBody = ({ body }: SaidRecord): boolean => body === null

const outsideOf = (verdict: RecordVerdict): MessageView['outside'] => (verdict.counts ? null : verdict.reason)

/** Tells faces what a record says: a message, or that one reads otherwise now. */
export async function tellRecord(
  step: Step,
  conversation: Conversation,
  header: RecordHeader,
  incoming: IncomingRecord,
): Promise<MessageView | undefined> {
  const look = { ...(await lookAt(step, conversationNow(step, conversation))), outbox: [] }
  const { kind, target } = header.content
  const id = kind === recordKinds.msg ? header.id : target
  if (id === null) return undefined
  await forget(step, look, id)
  const message = await findMessage(step, look, id)
  if (message === null) return undefined
  if (kind === recordKinds.msg) {
    // Without its body there is nothing to tell yet but that something is there: it may come, also where the message
    // does not count or was taken back by a word that counts no more.
    if (incoming.said === null) emit(step, { type: 'group', conversationId: message.conversationId })
    // What is about it may have come before it: then it is shown as it stands.
    else emit(step, { type: 'message', message })
    return incoming.said === null || message.outside !== null ? undefined : message
  }
  if (!look.judge(header).counts) return undefined
  emit(step, { type: changeOf[kind] ?? 'message.edited', message })
  return undefined
}

/** Bodies of records came by sync: what they replace goes, and faces are told, one by one if asked to. */
export async function tellBodies(
  step: Step,
  conversation: Conversation,
  headers: readonly RecordHeader[],
  each: boolean,
): Promise<void> {
  const look = { ...(await lookAt(step, conversation)), outbox: [] }
  for (const { id, content } of headers) {
    const about = content.kind === recordKinds.msg ? id : content.target
    if (about === null) continue
    await forget(step, look, about)
    const message = each ? await findMessage(step, look, about) : null
    const type = content.kind === recordKinds.msg ? 'message' : changeOf[content.kind]
    if (message !== null && type !== undefined) emit(step, { type, message })
  }
}

/** Bodies that were here before are back: what was told once is not again, only that the conversation reads otherwise. */
export async function tellBack(
  step: Step,
  conversation: Conversation,
  headers: readonly RecordHeader[],
): Promise<void> {
  if (headers.length === 0) return
  await tellBodies(step, conversation, headers, false)
  emit(step, { type: 'group', conversationId: toBase32(conversation.conversation) })
}

const changeOf: Readonly<Record<number, 'message.edited' | 'message.deleted' | 'message.reacted'>> = {
  [recordKinds.edit]: 'message.edited',
  [recordKinds.redact]: 'message.deleted',
  [recordKinds.react]: 'message.reacted',
}

/** Of these records those that are held, and whose bodies are still to be had. */
export async function neededBodies(
  step: Step,
  look: Look,
  ids: readonly Uint8Array[],
): Promise<readonly RecordHeader[]> {
  const needed: RecordHeader[] = []
  for (const id of ids) {
    const header = (await findRecord(step, id))?.header
    if (header !== undefined && !(await isToGo(step, look, header))) needed.push(header)
  }
  return needed
}

/** Whether the body of a record is to be erased by now, whether it is here or not. */
async function isToGo(step: Step, look: Look, { id, content }: RecordHeader): Promise<boolean> {
  const about = content.kind === recordKinds.msg ? id : content.target
  const message = about === null ? undefined : await loadSaid(step, about)
  if (about === null || message === undefined) return false
  const all = await loadAbout(step, about, look)
  const gone = erasures(message, all, rulesOf(step, look.conversation), isPast(step, look, message))
  return gone.some((one) => equalBytes(one.id, id) && one.fromMs <= sureNow(step))
}

/** Erases the bodies that a message no longer needs, and notes when others go. */
export async function forget(step: Step, look: Look, id: Uint8Array): Promise<void> {
  const message = await loadSaid(step, id)
  if (message === undefined) return
  const about = await loadAbout(step, id, look)
  const past = isPast(step, look, message)
  if (about.length === 0 && message.header.content.ttlMs === null && !past) return
  for (const { id: gone, fromMs } of erasures(message, about, rulesOf(step, look.conversation), past)) {
    if (fromMs <= sureNow(step)) {
      await eraseBody(step, gone)
      step.tx.delete(erasureRows, gone)
    } else {
      step.tx.put(erasureRows, gone, { id: gone, fromMs })
      wakeAt(step, step.monoMs + fromMs - sureNow(step))
    }
  }
}

/** Erases what is due. */
export async function eraseDue(step: Step): Promise<void> {
  for (const { id, fromMs } of step.tx.all(erasureRows)) {
    if (fromMs > sureNow(step)) {
      wakeAt(step, step.monoMs + fromMs - sureNow(step))
      continue
    }
    await eraseBody(step, id)
    step.tx.delete(erasureRows, id)
  }
}
