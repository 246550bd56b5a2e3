import {
  encodeMessageBody,
  fitsMessage,
  issueRecord,
  recordKinds,
  segmentId,
  type CarriedRecord,
  type RecordDraft,
  type RecordHeader,
} from '../history/index.ts'
import { sizes } from '../crypto/index.ts'
import { UsageError } from '../errors.ts'
import { limits } from '../limits.ts'
import { concat, equalBytes } from '../wire/index.ts'
import type { Commands, MessageView } from './api.ts'
import type { Me, Step } from './context.ts'
import { putConversation } from './conversations.ts'
import { emit } from './events.ts'
import { requireConversation, requireContact } from './lookup.ts'
import { requireMe } from './me.ts'
import { storeRecord } from './records.ts'
import { counterKey } from './row.ts'
import { contactStates, ownRecordRows, type Conversation } from './tables.ts'
import { messageView } from './views.ts'

/** Signs a message and makes it durable in the outbox; flushing seals and sends it. */
export async function commandSend(step: Step, input: Commands['send']['in']): Promise<MessageView> {
  requireMe(step)
  const conversation = requireConversation(step, input.conversationId)
  const contact = requireContact(step, conversation.account)
  if (contact.state === contactStates.blocked)
    throw new UsageError('E_BLOCKED', 'this contact is blocked', { hint: 'sotto contacts unblock' })
  if (contact.refused !== null)
    throw new UsageError(contact.refused, 'the invite of this contact was refused')
  if (!fitsMessage(input.text))
    throw new UsageError('E_TEXT', `a message is 1 to ${limits.textBytes} bytes of well-formed text`)
  if (waiting(conversation) >= limits.outboxPerContact)
    throw new UsageError('E_OUTBOX_FULL', 'too many messages wait for this contact')
  return writeMessage(step, conversation, input.text)
}

/** Signs and stores a message as this device's next record. */
export async function writeMessage(
  step: Step,
  conversation: Conversation,
  text: string,
): Promise<MessageView> {
  const me = requireMe(step)
  const { header, carried, segment } = issueNext(step, me, conversation, encodeMessageBody(text))
  const stored = await storeRecord(step, conversation, header, carried, segment)
  putConversation(step, {
    ...stored,
    aseq: header.content.aseq + 1,
    sseq: header.content.sseq,
    selfPrev: header.id,
    selfLamport: header.content.lamport,
  })
  step.tx.put(ownRecordRows, ownRecordKey(conversation.conversation, header.content.aseq), header.id)
  const view = messageView(step, stored, { header, body: carried.body, receivedAtMs: step.nowMs })
  emit(step, { type: 'message', message: view })
  return view
}

/** Key of an own record by conversation and aseq. */
export const ownRecordKey = (conversation: Uint8Array, aseq: number): Uint8Array =>
  concat(conversation, counterKey(aseq))

const waiting = (conversation: Conversation): number => {
  const [first] = conversation.remotes
  return conversation.aseq - (first?.got.upTo ?? 0)
}

/**
 * The next record of this device: in the newest segment, or in the next one when that is full. It refers to
 * every tip of its segment but the device's own last record, which `selfPrev` names.
 */
function issueNext(
  step: Step,
  me: Me,
  conversation: Conversation,
  body: Uint8Array,
): { readonly header: RecordHeader; readonly carried: CarriedRecord; readonly segment: number } {
  const { crypto, random } = step.context
  const full =
    conversation.sseq >= limits.segmentRecords || conversation.segmentCount >= limits.segmentRecords
  const segment = full ? conversation.segment + 1 : conversation.segment
  const sseq = full ? 1 : conversation.sseq + 1
  const others = conversation.tips.filter(
    (tip) => conversation.selfPrev === null || !equalBytes(tip.id, conversation.selfPrev),
  )
  const near = others.filter((tip) => tip.segment === segment).slice(-limits.recordLinks)
  const room = limits.recordLinks - near.length
  const far = room === 0 ? [] : others.filter((tip) => tip.segment !== segment).slice(-room)
  const before = Math.max(0, ...near.map((tip) => tip.lamport), sseq > 1 ? conversation.selfLamport : 0)
  const draft: RecordDraft = {
    conversation: conversation.conversation,
    segment: segmentId(crypto, conversation.conversation, segment),
    kind: recordKinds.msg,
    account: me.self.account,
    device: me.self.device,
    aseq: conversation.aseq,
    sseq,
    selfPrev: conversation.selfPrev,
    refs: near.map((tip) => tip.id),
    xrefs: far.map((tip) => tip.id),
    groupHeads: [],
    lamport: before + 1,
    timestampMs: step.nowMs,
    ttlMs: null,
    target: null,
    history: 0,
  }
  return { ...issueRecord(crypto, me.identity, draft, body, random.bytes(sizes.hash)), segment }
}
