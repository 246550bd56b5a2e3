import { encodeBody, fitsMessage, fitsReaction, recordKinds } from '../history/index.ts'
import { invariant, UsageError } from '../errors.ts'
import { limits } from '../limits.ts'
import { equalBytes, toHex } from '../wire/index.ts'
import type { Commands, MessageView } from './api.ts'
import type { Step } from './context.ts'
import { activeRemotes, conversationNow } from './conversations.ts'
import { isGroup, membershipOf, takesPart } from './groups.ts'
import { requireConversation, requireContact } from './lookup.ts'
import { activeDevice, storedLog } from './logs.ts'
import { isOwn, requireMe } from './me.ts'
import { findMessage, lookAt, tellRecord } from './messages.ts'
import { requireMessage } from './query-history.ts'
import { contactStates, joinRows, type Conversation } from './tables.ts'
import { writeRecord, type Said } from './write-record.ts'

/** Signs a message and makes it durable in the outbox; flushing seals and sends it. */
export async function commandSend(step: Step, input: Commands['send']['in']): Promise<MessageView> {
  requireMe(step)
  const conversation = requireConversation(step, input.conversationId)
  requireMayWrite(step, conversation)
  if (!fitsMessage(input.text))
    throw new UsageError('E_TEXT', `a message is 1 to ${limits.textBytes} bytes of well-formed text`)
  if (waiting(conversation) >= limits.outboxPerContact)
    throw new UsageError('E_OUTBOX_FULL', 'too many messages wait for this contact')
  const target = input.replyTo === undefined ? null : await requireAnswered(step, conversation, input.replyTo)
  return tellOwn(step, conversation, {
    kind: recordKinds.msg,
    target,
    body: encodeBody({ kind: 'msg', text: input.text }),
  })
}

async function requireAnswered(
  step: Step,
  conversation: Conversation,
  messageId: string,
): Promise<Uint8Array> {
  const found = await requireMessage(step, messageId)
  if (!equalBytes(found.conversation.conversation, conversation.conversation))
    throw new UsageError('E_NOT_FOUND', 'the message to answer is in another conversation')
  return found.id
}

/** New text for a message of this account's; the one before stays on devices for a day. */
export async function commandEdit(step: Step, input: Commands['edit']['in']): Promise<MessageView> {
  const { conversation, id, header } = await requireOpen(step, input.messageId)
  if (!isOwn(step, header.content))
    throw new UsageError('E_NOT_AUTHOR', 'only its author can change a message')
  if (!fitsMessage(input.text))
    throw new UsageError('E_TEXT', `a message is 1 to ${limits.textBytes} bytes of well-formed text`)
  const body = encodeBody({ kind: 'edit', text: input.text })
  return tellOwn(step, conversation, { kind: recordKinds.edit, target: id, body })
}

/** Takes a message back: an own one, or another's where the rules of the group let admins do so. */
export async function commandDelete(step: Step, input: Commands['delete']['in']): Promise<MessageView> {
  const { conversation, id, header } = await requireOpen(step, input.messageId)
  if (!isOwn(step, header.content)) {
    const { members, policy } = membershipOf(step, conversation)
    const role = members.get(toHex(requireMe(step).self.account))?.role
    if (!isGroup(conversation) || !policy.adminsRedact || role === undefined || role === 'member')
      throw new UsageError('E_NOT_AUTHOR', 'only its author can take a message back here')
  }
  return tellOwn(step, conversation, {
    kind: recordKinds.redact,
    target: id,
    body: encodeBody({ kind: 'redact' }),
  })
}

/** This account's reaction to a message; an empty one takes it back. */
export async function commandReact(step: Step, input: Commands['react']['in']): Promise<MessageView> {
  const { conversation, id } = await requireOpen(step, input.messageId)
  if (!fitsReaction(input.emoji)) throw new UsageError('E_EMOJI', 'a reaction is one emoji, or nothing')
  const body = encodeBody({ kind: 'react', emoji: input.emoji })
  return tellOwn(step, conversation, { kind: recordKinds.react, target: id, body })
}

/** A message something can be said about: held, not taken back, in a conversation that can be written to. */
async function requireOpen(step: Step, messageId: string) {
  const found = await requireMessage(step, messageId)
  requireMayWrite(step, found.conversation)
  const message = await findMessage(step, await lookAt(step, found.conversation), found.id)
  if (message?.deleted === true) throw new UsageError('E_DELETED', 'this message was deleted')
  return found
}

/** Writes a record and tells faces; the message as it reads now. */
async function tellOwn(step: Step, conversation: Conversation, said: Said): Promise<MessageView> {
  const { header, incoming } = await writeRecord(step, conversation, said)
  await tellRecord(step, conversation, header, incoming)
  const now = conversationNow(step, conversation)
  const look = { ...(await lookAt(step, now)), outbox: [] }
  const shown = await findMessage(
    step,
    look,
    said.kind === recordKinds.msg ? header.id : (said.target ?? header.id),
  )
  invariant(shown, 'E_MESSAGE', 'a message just written is not held')
  return shown
}

/** Own records the device that is furthest behind has not acknowledged. */
const waiting = (conversation: Conversation): number => {
  const reached = activeRemotes(conversation).map((remote) => remote.got.upTo)
  return reached.length === 0 && isGroup(conversation)
    ? 0
    : conversation.aseq - Math.min(...reached, conversation.aseq)
}

/** Refuses to write where nobody would be given it. */
export function requireMayWrite(step: Step, conversation: Conversation): void {
  const { self } = requireMe(step)
  const log = storedLog(step, self.account)
  if (log !== undefined && activeDevice(step, log, self.device) === undefined)
    throw new UsageError('E_DEVICE_REMOVED', 'this device was removed from its account', {
      hint: 'link it again from another device',
    })
  if (isGroup(conversation)) {
    if (step.tx.get(joinRows, conversation.conversation) !== undefined)
      throw new UsageError('E_NOT_ADMITTED', 'nobody has let this account into the group yet', {
        hint: 'somebody of the group has to: sotto requests list',
      })
    if (!takesPart(step, conversation))
      throw new UsageError('E_NOT_MEMBER', 'this account is no member of the group any longer')
    return
  }
  const contact = requireContact(step, conversation.account ?? requireMe(step).self.account)
  if (contact.state === contactStates.blocked)
    throw new UsageError('E_BLOCKED', 'this contact is blocked', { hint: 'sotto contacts unblock' })
  if (contact.refused !== null)
    throw new UsageError(contact.refused, 'the invite of this contact was refused')
}
