import { fitsMessage, type Intent } from '../history/index.ts'
import { UsageError } from '../errors.ts'
import { limits } from '../limits.ts'
import { fromBase64Url, fromHex, toBase32, toBase64Url, utf8 } from '../wire/index.ts'
import type { Commands, ContactView, DetailsView, DraftView } from './api.ts'
import { requireMayWrite } from './command-message.ts'
import type { Step } from './context.ts'
import { conversationNow } from './conversations.ts'
import { readDocument } from './documents.ts'
import { emit } from './events.ts'
import { writeIntent } from './intents.ts'
import { readId, requireContact, requireConversation } from './lookup.ts'
import { encodeText, ownTables, ownValue, putOwn, textOf } from './own-values.ts'
import { requireMessage } from './query-history.ts'
import { contactRows, ownRows, type Conversation } from './tables.ts'
import { contactView } from './views.ts'

/** What a conversation says beside its messages, and what own devices share of it: edits of shared documents. */

/** Topic, picture, pins and note of a conversation. */
export async function queryDetails(
  step: Step,
  input: { readonly conversationId: string },
): Promise<DetailsView> {
  return detailsOf(step, requireConversation(step, input.conversationId))
}

async function detailsOf(step: Step, conversation: Conversation): Promise<DetailsView> {
  const view = await readDocument(step, conversationNow(step, conversation))
  const picture = view?.picture ?? null
  return {
    topic: view?.topic ?? '',
    picture: picture === null ? null : toBase64Url(picture),
    pins: (view?.pins ?? []).map((record) => toBase32(fromHex(record))),
    note: view?.note ?? '',
  }
}

async function say(
  step: Step,
  conversation: Conversation,
  ...intents: readonly Intent[]
): Promise<DetailsView> {
  for (const intent of intents) await writeIntent(step, conversationNow(step, conversation), intent)
  return detailsOf(step, conversation)
}

function requireOpen(step: Step, conversationId: string): Conversation {
  const conversation = requireConversation(step, conversationId)
  requireMayWrite(step, conversation)
  return conversation
}

export async function commandSetTopic(step: Step, input: Commands['set-topic']['in']): Promise<DetailsView> {
  const conversation = requireOpen(step, input.conversationId)
  const text = input.topic.trim()
  if (text !== '' && (!fitsMessage(text) || utf8(text).length > limits.nameBytes))
    throw new UsageError('E_TOPIC', `a topic has at most ${limits.nameBytes} bytes of well-formed text`)
  return say(step, conversation, { kind: 'set', field: 1, text })
}

export async function commandSetPicture(
  step: Step,
  input: Commands['set-picture']['in'],
): Promise<DetailsView> {
  const conversation = requireOpen(step, input.conversationId)
  const image = input.picture === null ? null : fromBase64Url(input.picture)
  if (image === undefined || image?.length === 0 || (image?.length ?? 0) > limits.pictureBytes)
    throw new UsageError('E_PICTURE', `a picture has 1 to ${limits.pictureBytes} bytes, as base64url`)
  return say(step, conversation, { kind: 'picture', image })
}

export async function commandPin(step: Step, input: Commands['pin']['in']): Promise<DetailsView> {
  const { conversation, id } = await requireMessage(step, input.messageId)
  requireMayWrite(step, conversation)
  const { pins } = await detailsOf(step, conversation)
  if (pins.length >= limits.pins && !pins.includes(input.messageId))
    throw new UsageError('E_PINS_FULL', `at most ${limits.pins} messages are pinned`)
  return say(step, conversation, { kind: 'pin', record: id })
}

export async function commandUnpin(step: Step, input: Commands['unpin']['in']): Promise<DetailsView> {
  const conversation = requireOpen(step, input.conversationId)
  return say(step, conversation, { kind: 'unpin', record: readId(input.messageId, 'a message id') })
}

/** Makes the shared note read so: what is the same at both ends stays, so that others' edits there do as well. */
export async function commandSetNote(step: Step, input: Commands['set-note']['in']): Promise<DetailsView> {
  const conversation = requireOpen(step, input.conversationId)
  if (input.note.length > limits.noteChars || (input.note !== '' && !isWellFormed(input.note)))
    throw new UsageError('E_TEXT', `a note has at most ${limits.noteChars} characters of well-formed text`)
  const { note } = await detailsOf(step, conversation)
  return say(step, conversation, ...splices(note, input.note))
}

const isWellFormed = (text: string): boolean => chunks(text).every(fitsMessage)

/** UTF-16 units one edit of a note inserts: three bytes each at most. */
const chunkUnits = 1_024

function chunks(text: string): readonly string[] {
  const found: string[] = []
  for (let at = 0; at < text.length;) {
    const whole = isHigh(text, at + chunkUnits - 1) ? chunkUnits - 1 : chunkUnits
    found.push(text.slice(at, at + whole))
    at += whole
  }
  return found
}

const isHigh = (text: string, at: number): boolean => (text.charCodeAt(at) & 0xfc00) === 0xd800
const isLow = (text: string, at: number): boolean => (text.charCodeAt(at) & 0xfc00) === 0xdc00

/** The edits that make one text of another, none within a character. */
export function splices(before: string, after: string): readonly Intent[] {
  let start = 0
  while (start < before.length && start < after.length && before[start] === after[start]) start += 1
  if (isHigh(before, start - 1) || isHigh(after, start - 1)) start -= 1
  let end = 0
  const room = Math.min(before.length, after.length) - start
  while (end < room && before.at(-1 - end) === after.at(-1 - end)) end += 1
  if (isLow(before, before.length - end) || isLow(after, after.length - end)) end -= 1
  const remove = before.length - end - start
  const [first = '', ...rest] = chunks(after.slice(start, after.length - end))
  if (remove === 0 && first === '') return []
  const found: Intent[] = [{ kind: 'splice', at: start, remove, insert: first }]
  let at = start + first.length
  for (const insert of rest) {
    found.push({ kind: 'splice', at, remove: 0, insert })
    at += insert.length
  }
  return found
}

/** Keeps what a person has begun to write; own devices hear of it a little later. */
export function commandSetDraft(step: Step, input: Commands['set-draft']['in']): null {
  const { conversation } = requireConversation(step, input.conversationId)
  const fits = fitsMessage(input.text) && utf8(input.text).length <= limits.draftBytes
  if (input.text !== '' && !fits)
    throw new UsageError('E_TEXT', `a draft has at most ${limits.draftBytes} bytes of well-formed text`)
  const value = input.text === '' ? null : encodeText(input.text)
  if (value !== null || ownValue(step, ownTables.drafts, conversation) !== null)
    putOwn(step, ownTables.drafts, conversation, value)
  return null
}

/** What was begun and not sent, on any device of the account. */
export const queryDrafts = (step: Step): readonly DraftView[] =>
  step.tx.all(ownRows).flatMap(({ table, key, value }) => {
    const text = table === ownTables.drafts && value !== null ? textOf(value) : undefined
    return text === undefined ? [] : [{ conversationId: toBase32(key), text }]
  })

/** Whether the person compared safety numbers with a contact; own devices share it. */
export function commandVerify(step: Step, input: Commands['verify-contact']['in']): ContactView {
  const contact = requireContact(step, readId(input.accountId, 'an account id'))
  const verified = { ...contact, verified: input.verified }
  step.tx.put(contactRows, contact.account, verified)
  const view = contactView(step, verified)
  emit(step, { type: 'contact', contact: view, change: 'changed' })
  return view
}
