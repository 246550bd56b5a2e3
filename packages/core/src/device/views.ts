import { recordKinds } from '../history/index.ts'
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
  type Contact,
  type Conversation,
  type Request,
} from './tables.ts'
import { pagesBack } from './segments.ts'

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
  const last = await lastMessage(step, conversation)
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
    last: last === undefined ? null : await findMessage(step, await lookAt(step, conversation), last),
  }
}

/** The newest message of a conversation. */
async function lastMessage(step: Step, conversation: Conversation): Promise<Uint8Array | undefined> {
  for await (const page of pagesBack(step, conversation, conversation.segment)) {
    const last = (await page.read()).findLast(({ kind }) => kind === recordKinds.msg)
    if (last !== undefined) return last.id
  }
  return undefined
}
