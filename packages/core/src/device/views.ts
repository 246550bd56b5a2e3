import { covers, decodeMessageBody, readRecord, type RecordHeader } from '../history/index.ts'
import { equalBytes, toBase32 } from '../wire/index.ts'
import type { ContactView, ConversationView, DeliveryState, MessageView, RequestView } from './api.ts'
import type { Step } from './context.ts'
import { requireMe } from './me.ts'
import {
  bodyRows,
  contactRows,
  contactStates,
  conversationRows,
  outboxRows,
  pageRows,
  recordRows,
  type Contact,
  type Conversation,
  type OutboxRow,
  type Request,
} from './tables.ts'
import { pageKey } from './records.ts'

/** Later than this after its own time of sending, a message is shown as late. */
const lateMs = 24 * 60 * 60 * 1_000

export const contactName = (contact: Contact): string => contact.alias ?? contact.name

const stateName = (state: number): ContactView['state'] => {
  if (state === contactStates.blocked) return 'blocked'
  return state === contactStates.connected ? 'connected' : 'pending'
}

export const contactView = (step: Step, contact: Contact): ContactView => ({
  accountId: toBase32(contact.account),
  conversationId: toBase32(contact.conversation),
  name: contactName(contact),
  verified: contact.verified,
  state: stateName(contact.state),
  devices: devicesOf(step, contact),
})

const devicesOf = (step: Step, contact: Contact): number =>
  step.tx.get(conversationRows, contact.conversation)?.remotes.length ?? 0

export const requestView = (request: Request): RequestView => ({
  requestId: toBase32(request.requestId),
  accountId: toBase32(request.account),
  name: request.name,
  atMs: request.atMs,
})

/** Where an own record stands: what every device of the contact acknowledged, else what a relay confirmed. */
export function deliveryState(
  step: Step,
  conversation: Conversation,
  aseq: number,
  rows: readonly OutboxRow[],
): DeliveryState {
  const { remotes } = conversation
  const { readReceipts } = requireMe(step).self
  if (remotes.length > 0 && remotes.every((remote) => covers(remote.got, aseq))) {
    return readReceipts && remotes.some((remote) => aseq < remote.readUpTo) ? 'read' : 'delivered'
  }
  const contact = step.tx.get(contactRows, conversation.account)
  if (contact?.refused !== null && contact?.refused !== undefined) return 'failed'
  return rows.some((row) => row.relays.length > 0 && row.aseqs.includes(aseq)) ? 'relayed' : 'waiting'
}

/** Rows of a conversation on their way. */
export const outboxOf = (step: Step, conversation: Conversation): readonly OutboxRow[] =>
  step.tx
    .all(outboxRows)
    .filter((row) => row.conversation !== null && equalBytes(row.conversation, conversation.conversation))

/** A record with its body, as far as it is there. */
export interface ShownRecord {
  readonly header: RecordHeader
  readonly body: Uint8Array | undefined
  readonly receivedAtMs: number
}

export function messageView(
  step: Step,
  conversation: Conversation,
  shown: ShownRecord,
  rows: readonly OutboxRow[] = outboxOf(step, conversation),
): MessageView {
  const { self } = requireMe(step)
  const { content, id } = shown.header
  const me = equalBytes(content.account, self.account)
  const contact = step.tx.get(contactRows, conversation.account)
  return {
    messageId: toBase32(id),
    conversationId: toBase32(conversation.conversation),
    author: {
      accountId: toBase32(content.account),
      deviceId: toBase32(content.device),
      name: me ? self.name : contact === undefined ? '' : contactName(contact),
      me,
    },
    text: shown.body === undefined ? null : (decodeMessageBody(shown.body) ?? null),
    sentAtMs: content.timestampMs,
    receivedAtMs: shown.receivedAtMs,
    state: me ? deliveryState(step, conversation, content.aseq, rows) : null,
    replyTo: null,
    edited: false,
    deleted: false,
    late: !me && shown.receivedAtMs - content.timestampMs > lateMs,
    reactions: [],
    attachments: [],
  }
}

/** A held message by id, or null when it is not held whole. */
export async function findMessage(
  step: Step,
  conversation: Conversation,
  id: Uint8Array,
): Promise<MessageView | null> {
  const row = await step.tx.load(recordRows, id)
  const header = row === undefined ? undefined : readRecord(step.context.crypto, row.bytes)
  if (row === undefined || header === undefined) return null
  const body = await step.tx.load(bodyRows, id)
  return messageView(step, conversation, { header, body, receivedAtMs: row.receivedAtMs })
}

export async function conversationView(step: Step, conversation: Conversation): Promise<ConversationView> {
  const contact = step.tx.get(contactRows, conversation.account)
  const page = await step.tx.load(
    pageRows,
    pageKey(conversation.conversation, Math.max(0, conversation.pages - 1)),
  )
  const last = page?.at(-1)
  return {
    conversationId: toBase32(conversation.conversation),
    accountId: toBase32(conversation.account),
    name: contact === undefined ? '' : contactName(contact),
    contactState: stateName(contact?.state ?? contactStates.pending),
    unread: conversation.unread,
    last: last === undefined ? null : await findMessage(step, conversation, last.id),
  }
}
