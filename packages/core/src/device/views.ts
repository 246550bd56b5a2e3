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
  joinRows,
  type Contact,
  type Conversation,
  type JoinRequest,
  type Request,
} from './tables.ts'
import { pagesBack } from './segments.ts'
import { sureNow } from './timers.ts'

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
  group: null,
})

/** Somebody who wants into a group. */
export function joinRequestView(step: Step, request: JoinRequest): RequestView {
  const contact = step.tx.get(contactRows, request.account)
  const group = step.tx.get(conversationRows, request.conversation)
  return {
    requestId: toBase32(request.requestId),
    accountId: toBase32(request.account),
    name: contact === undefined ? '' : contactName(contact),
    atMs: request.atMs,
    group: { conversationId: toBase32(request.conversation), name: group?.title ?? '' },
  }
}

/** What came of asking to be let into a group; null when nothing was asked. */
function joinView(step: Step, { conversation }: Conversation): ConversationView['join'] {
  const join = step.tx.get(joinRows, conversation)
  if (join === undefined) return null
  const inviter = step.tx.get(contactRows, join.inviter)
  const expired = sureNow(step) >= join.expiresAtMs ? 'E_INVITE_EXPIRED' : null
  return { by: inviter === undefined ? '' : contactName(inviter), refused: join.refused ?? expired }
}

function groupState(step: Step, conversation: Conversation): ConversationView['contactState'] {
  if (takesPart(step, conversation)) return 'connected'
  return step.tx.get(joinRows, conversation.conversation) === undefined ? 'left' : 'pending'
}

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
    contactState: group ? groupState(step, conversation) : stateName(contact?.state ?? contactStates.pending),
    join: group ? joinView(step, conversation) : null,
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
