import { equalBytes, toBase32 } from '../wire/index.ts'
import type { ContactView, ConversationView, RequestView } from './api.ts'
import type { Step } from './context.ts'
import { activeRemotes } from './conversations.ts'
import { isNotes } from './group-exchange.ts'
import { accountsIn, isGroup, takesPart } from './groups.ts'
import { contactName } from './contacts.ts'
import { findMessage, lookAt } from './messages.ts'
import {
  contactRows,
  contactStates,
  conversationRows,
  pageRows,
  type Contact,
  type Conversation,
  type Request,
} from './tables.ts'
import { pageKey } from './records.ts'

const stateName = (state: number): ContactView['state'] => {
  if (state === contactStates.blocked) return 'blocked'
  return state === contactStates.connected || state === contactStates.own ? 'connected' : 'pending'
}

export const contactView = (step: Step, contact: Contact): ContactView => ({
  accountId: toBase32(contact.account),
  conversationId: toBase32(contact.conversation),
  name: contactName(contact),
  verified: contact.verified,
  state: stateName(contact.state),
  devices: devicesOf(step, contact),
})

function devicesOf(step: Step, contact: Contact): number {
  const conversation = step.tx.get(conversationRows, contact.conversation)
  if (conversation === undefined) return 0
  return activeRemotes(conversation).filter((one) => equalBytes(one.account, contact.account)).length
}

export const requestView = (request: Request): RequestView => ({
  requestId: toBase32(request.requestId),
  accountId: toBase32(request.account),
  name: request.name,
  atMs: request.atMs,
})

export async function conversationView(step: Step, conversation: Conversation): Promise<ConversationView> {
  const { account } = conversation
  const contact = account === null ? undefined : step.tx.get(contactRows, account)
  const page = await step.tx.load(
    pageRows,
    pageKey(conversation.conversation, Math.max(0, conversation.pages - 1)),
  )
  const last = page?.at(-1)
  const group = isGroup(conversation)
  return {
    conversationId: toBase32(conversation.conversation),
    kind: group ? 'group' : isNotes(step, conversation) ? 'notes' : 'direct',
    accountId: account === null ? null : toBase32(account),
    name: group ? conversation.title : contact === undefined ? '' : contactName(contact),
    contactState: group
      ? takesPart(step, conversation)
        ? 'connected'
        : 'left'
      : stateName(contact?.state ?? contactStates.pending),
    members: accountsIn(step, conversation).length,
    unread: conversation.unread,
    last: last === undefined ? null : await findMessage(step, await lookAt(step, conversation), last.id),
  }
}
