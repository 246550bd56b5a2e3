import { encodeIntent } from '../history/index.ts'
import { limits } from '../limits.ts'
import { compareBytes, equalBytes, toHex } from '../wire/index.ts'
import type { Step } from './context.ts'
import { conversationWith } from './conversations.ts'
import { encodeShared, isShared } from './documents.ts'
import { writeGroupOp } from './group-ops.ts'
import { opSetOf } from './groups.ts'
import { peersOf } from './lookup.ts'
import { requireMe } from './me.ts'
import { contactRows, sharedRows, type Contact, type Conversation } from './tables.ts'

/** Edits of shared documents, written by this device. */

/** Number of the table of contacts among those own devices share. */
const contactsTable = 2

/** Writes an edit of a conversation's document, after the edits known here. */
export async function writeIntent(
  step: Step,
  conversation: Conversation,
  intent: Parameters<typeof encodeIntent>[0],
): Promise<void> {
  const after = newestIntents(step, conversation)
  await writeGroupOp(step, conversation, { kind: 'meta', intent: encodeIntent(intent), after })
}

/** The edits no other edit names. */
function newestIntents(step: Step, conversation: Conversation) {
  const metas = opSetOf(step, conversation).entries.flatMap(({ op }) =>
    op.args.kind === 'meta' ? [{ op, after: op.args.after }] : [],
  )
  const named = new Set(metas.flatMap(({ after }) => after.map(toHex)))
  return metas
    .filter(({ op }) => !named.has(op.key))
    .map(({ op }) => op.id)
    .sort(compareBytes)
    .slice(0, limits.groupOpDeps)
}

/** Contacts that were looked at, as they are: rows are replaced when they change. */
const looked = new WeakSet<Contact>()

/** Tells the account's other devices of every contact that is new or changed here. */
export async function shareContacts(step: Step): Promise<void> {
  const { self } = requireMe(step)
  if (peersOf(step, self.account).length === 0) return
  for (const contact of step.tx.all(contactRows)) {
    if (looked.has(contact) || !isShared(contact)) continue
    const value = encodeShared(contact)
    const told = step.tx.get(sharedRows, contact.account)
    if (told === undefined || !equalBytes(told, value)) {
      step.tx.put(sharedRows, contact.account, value)
      const edit = { kind: 'put', table: contactsTable, key: contact.account, value } as const
      await writeIntent(step, conversationWith(step, self.account), edit)
    }
    looked.add(contact)
  }
}
