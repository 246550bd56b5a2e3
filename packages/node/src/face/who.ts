import { UsageError } from '@sotto/core/ports'
import type { ContactView, DeviceFace } from '@sotto/core'
import { AmbiguousError } from './failure.ts'
import type { Candidate } from './failure.ts'

/** The shortest beginning of an id that is taken for it. */
export const minPrefix = 8

const isIdPrefix = (text: string): boolean => text.length >= minPrefix && /^[a-z2-7]+$/.test(text)

const sameName = (a: string, b: string): boolean => a.normalize('NFC') === b.normalize('NFC')
const foldName = (name: string): string => name.normalize('NFKC').toLocaleLowerCase('und')

const candidateOf = (contact: ContactView): Candidate => ({ id: contact.accountId, name: contact.name })

function pickOne(found: readonly ContactView[], who: string): ContactView | undefined {
  if (found.length > 1)
    throw new AmbiguousError(`“${who}” means more than one contact`, found.map(candidateOf))
  return found[0]
}

/**
 * Finds whom WHO means: an id, else a name as written, else the beginning of an id, else a name in other
 * case. Errors: `E_AMBIGUOUS` with the candidates, `E_NOT_FOUND`.
 */
export function resolveContact(contacts: readonly ContactView[], who: string): ContactView {
  const tests: readonly ((contact: ContactView) => boolean)[] = [
    (contact) => contact.accountId === who || contact.conversationId === who,
    (contact) =>
      sameName(contact.name, who) ||
      (isIdPrefix(who) && (contact.accountId.startsWith(who) || contact.conversationId.startsWith(who))),
    (contact) => foldName(contact.name) === foldName(who),
  ]
  for (const test of tests) {
    const found = pickOne(contacts.filter(test), who)
    if (found !== undefined) return found
  }
  throw new UsageError('E_NOT_FOUND', 'no contact has this name or id', {
    hint: 'sotto contacts list shows all.',
  })
}

/** Finds whom WHO means among the contacts of this device. */
export const findContact = async (face: DeviceFace, who: string): Promise<ContactView> =>
  resolveContact(await face.view('contacts', {}), who)

/** The one id that is, or begins with, what was typed. Errors: `E_AMBIGUOUS`, `E_NOT_FOUND`. */
export function resolveId(ids: readonly Candidate[], typed: string, what: string): string {
  const exact = ids.find(({ id }) => id === typed)
  if (exact !== undefined) return exact.id
  const found = typed.length >= minPrefix ? ids.filter(({ id }) => id.startsWith(typed)) : []
  if (found.length > 1) throw new AmbiguousError(`more than one ${what} begins like this`, found)
  if (found[0] !== undefined) return found[0].id
  throw new UsageError('E_NOT_FOUND', `no ${what} has this id`)
}
