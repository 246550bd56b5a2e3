import { NaturalDocument, type Crdt, type IntentOp, type NaturalView } from '../history/index.ts'
import type { AccountId } from '../identity/index.ts'
import { limits } from '../limits.ts'
import { bool, fields, frame, fromHex, idHex, nullable, text, toHex, uint } from '../wire/index.ts'
import type { DocumentMemo, Step } from './context.ts'
import { conversationNow, conversationWith, putConversation } from './conversations.ts'
import { emit } from './events.ts'
import { isNotes } from './group-exchange.ts'
import { membershipOf, opSetOf } from './groups.ts'
import { newContact } from './contacts.ts'
import { requireMe } from './me.ts'
import { takeOwn } from './own-values.ts'
import { tendAllQueues } from './relay-queues.ts'
import { contactRows, contactStates, sharedRows, type Contact, type Conversation } from './tables.ts'
import { contactView } from './views.ts'

/** The shared documents of conversations: a group's name, and among own devices the contacts. */

/** Documents kept in memory, so that one more edit costs as much as one edit. */
const keptDocuments = 64

/** What the edits of a conversation that count say together. */
export async function readDocument(step: Step, conversation: Conversation): Promise<NaturalView | undefined> {
  const set = opSetOf(step, conversation)
  const { faults } = membershipOf(step, conversation)
  const ops = new Map<string, IntentOp>()
  for (const { op } of set.entries)
    if (op.args.kind === 'meta') ops.set(op.key, { id: op.id, intent: op.args.intent, after: op.args.after })
  if (ops.size === 0) return undefined
  const memo = documentOf(step, conversation, await step.context.documents())
  const { document, folded } = isStillTrue(memo, ops, faults)
    ? memo
    : anew(step, conversation, await step.context.documents())
  const fresh = [...ops].filter(([key]) => !folded.has(key))
  for (const [key] of fresh) folded.set(key, !faults.has(key))
  document.fold(fresh.map(([, op]) => op))
  return document.view()
}

/** Whether all that was folded is still there, and still counts or not as it did. */
const isStillTrue = (
  { folded }: DocumentMemo,
  ops: ReadonlyMap<string, unknown>,
  faults: ReadonlyMap<string, unknown>,
): boolean => [...folded].every(([key, counted]) => ops.has(key) && counted === !faults.has(key))

const documentOf = (step: Step, conversation: Conversation, crdt: Crdt): DocumentMemo =>
  step.context.live.documents.get(idHex(conversation.conversation)) ?? anew(step, conversation, crdt)

function anew(step: Step, { conversation }: Conversation, crdt: Crdt): DocumentMemo {
  const { crypto, live } = step.context
  const key = idHex(conversation)
  const folded = new Map<string, boolean>()
  const document = new NaturalDocument(crdt, crypto, conversation, ({ id }) => folded.get(toHex(id)) === true)
  live.documents.get(key)?.document.free()
  live.documents.delete(key)
  live.documents.set(key, { document, folded })
  const [oldest] = live.documents
  if (live.documents.size > keptDocuments && oldest !== undefined) {
    oldest[1].document.free()
    live.documents.delete(oldest[0])
  }
  return { document, folded }
}

/** Takes over what the shared document says now. */
export async function refreshDocument(step: Step, conversation: Conversation): Promise<void> {
  const view = await readDocument(step, conversation)
  if (view === undefined) return
  if (isNotes(step, conversation)) {
    for (const [key, value] of view.own.contacts) takeContact(step, fromHex(key) as AccountId, value)
    takeOwn(step, view)
    return
  }
  const now = conversationNow(step, conversation)
  if (now.title !== view.title) putConversation(step, { ...now, title: view.title })
}

/** What own devices tell each other of a contact. */
const sharedContact = frame(
  'shared-contact',
  fields({
    name: text(limits.nameBytes),
    alias: nullable(text(limits.nameBytes)),
    blocked: bool,
    verified: bool,
    addedAtMs: uint(),
  }),
  limits.metaIntentBytes,
)

/** What own devices are told of a contact. */
export const encodeShared = (contact: Contact): Uint8Array =>
  sharedContact.encode({
    name: contact.name,
    alias: contact.alias,
    blocked: contact.state === contactStates.blocked,
    verified: contact.verified,
    addedAtMs: contact.addedAtMs,
  })

/** Whether own devices share a contact: one that answered, or was blocked. */
export const isShared = ({ state }: Contact): boolean =>
  state === contactStates.connected || state === contactStates.blocked

/** Another device of this account has, renamed or blocked a contact. */
function takeContact(step: Step, account: AccountId, value: Uint8Array): void {
  const read = sharedContact.decode(value)
  const known = step.tx.get(contactRows, account)
  if (!read.ok || account.length !== requireMe(step).self.account.length) return
  const { name, alias, blocked, verified, addedAtMs } = read.value
  const base = known ?? { ...newContact(step, account), addedAtMs }
  const state = blocked ? contactStates.blocked : contactStates.connected
  if (known?.state === state && known.alias === alias && known.verified === verified) return
  const contact: Contact = {
    ...base,
    name: base.name === '' ? name : base.name,
    alias,
    verified,
    state,
    stateBefore: contactStates.connected,
  }
  step.tx.put(contactRows, account, contact)
  step.tx.put(sharedRows, account, value)
  conversationWith(step, account)
  tendAllQueues(step)
  emit(step, {
    type: 'contact',
    contact: contactView(step, contact),
    change: known === undefined ? 'added' : 'changed',
  })
}
