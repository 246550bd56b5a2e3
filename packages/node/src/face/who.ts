import { UsageError } from '@sotto/core/ports'
import type { ContactView, ConversationView, DeviceFace, MemberView } from '@sotto/core'
import { AmbiguousError } from './failure.ts'
import type { Candidate } from './failure.ts'

/** The shortest beginning of an id that is taken for it. */
export const minPrefix = 8

/** Whether a text may be the beginning of an id. */
export const isIdPrefix = (text: string): boolean => text.length >= minPrefix && /^[a-z2-7]+$/.test(text)

const sameName = (a: string, b: string): boolean => a.normalize('NFC') === b.normalize('NFC')
const foldName = (name: string): string => name.normalize('NFKC').toLocaleLowerCase('und')

/** Something WHO may mean. */
interface Known<T> {
  readonly value: T
  /** Its ids; the first is the one it is listed by. */
  readonly ids: readonly string[]
  /** Empty for what goes by no name. */
  readonly name: string
}

const candidateOf = ({ ids, name }: Known<unknown>): Candidate => ({ id: ids[0] ?? '', name })

/** The one WHO means: an id, else a name as written or the beginning of an id, else a name in other case. */
function match<T>(all: readonly Known<T>[], who: string, what: string): T | undefined {
  const tests: readonly ((known: Known<T>) => boolean)[] = [
    ({ ids }) => ids.includes(who),
    ({ ids, name }) =>
      (name !== '' && sameName(name, who)) || (isIdPrefix(who) && ids.some((id) => id.startsWith(who))),
    ({ name }) => name !== '' && foldName(name) === foldName(who),
  ]
  for (const test of tests) {
    const found = all.filter(test)
    if (found.length > 1)
      throw new AmbiguousError(`“${who}” means more than one ${what}`, found.map(candidateOf))
    if (found[0] !== undefined) return found[0].value
  }
  return undefined
}

const notFound = (message: string, hint: string): UsageError =>
  new UsageError('E_NOT_FOUND', message, { hint })

const knownContact = (contact: ContactView): Known<ContactView> => ({
  value: contact,
  ids: [contact.accountId, contact.conversationId],
  name: contact.name,
})

/**
 * Finds whom WHO means: an id, else a name as written, else the beginning of an id, else a name in other
 * case. Errors: `E_AMBIGUOUS` with the candidates, `E_NOT_FOUND`.
 */
export function resolveContact(contacts: readonly ContactView[], who: string): ContactView {
  const found = match(contacts.map(knownContact), who, 'contact')
  if (found !== undefined) return found
  throw notFound('no contact has this name or id', 'sotto contacts list shows all.')
}

/** Finds whom WHO means among the contacts of this device. */
export const findContact = async (face: DeviceFace, who: string): Promise<ContactView> =>
  resolveContact(await face.view('contacts', {}), who)

/** A place where something can be said. */
export type Place = Pick<ConversationView, 'conversationId' | 'name' | 'kind'>

const knownDirect = ({ accountId, conversationId, name }: ContactView): Known<Place> => ({
  value: { conversationId, name, kind: 'direct' },
  ids: [accountId, conversationId],
  name,
})

/** Groups go by their name, notes by the own account's id alone: their name is the account's own. */
function knownOther({ conversationId, accountId, kind, name }: ConversationView): Known<Place> {
  const value: Place = { conversationId, name, kind }
  return kind === 'group'
    ? { value, ids: [conversationId], name }
    : { value, ids: accountId === null ? [conversationId] : [accountId, conversationId], name: '' }
}

async function knownPlaces(face: DeviceFace): Promise<readonly Known<Place>[]> {
  const contacts = await face.view('contacts', {})
  const others = (await face.view('conversations', {})).filter(({ kind }) => kind !== 'direct')
  return [...contacts.map(knownDirect), ...others.map(knownOther)]
}

/** Finds the conversation WHO means: with a contact, in a group, or with oneself. Errors as `resolveContact`. */
export async function findPlace(face: DeviceFace, who: string): Promise<Place> {
  const found = match(await knownPlaces(face), who, 'conversation')
  if (found !== undefined) return found
  throw notFound('no contact or group has this name or id', 'sotto contacts list shows contacts.')
}

/** Finds the group WHO means; a contact of the same name is not in the way. Errors also: `E_NOT_GROUP`. */
export async function findGroup(face: DeviceFace, who: string): Promise<Place> {
  const places = await knownPlaces(face)
  const isGroup = ({ value }: Known<Place>): boolean => value.kind === 'group'
  const group = match(places.filter(isGroup), who, 'group')
  if (group !== undefined) return group
  if (match(places, who, 'conversation') === undefined)
    throw notFound('no group has this name or id', 'sotto group new NAME opens one.')
  throw new UsageError('E_NOT_GROUP', 'this conversation is no group')
}

/** Finds whom WHO means among the members of a conversation, contacts or not. */
export function resolveMember(members: readonly MemberView[], who: string): MemberView {
  const known = members.map((member) => ({ value: member, ids: [member.accountId], name: member.name }))
  const found = match(known, who, 'member')
  if (found !== undefined) return found
  throw notFound('no member of the group has this name or id', 'sotto group members GROUP shows all.')
}

/** The one id that is, or begins with, what was typed. Errors: `E_AMBIGUOUS`, `E_NOT_FOUND`. */
export function resolveId(ids: readonly Candidate[], typed: string, what: string): string {
  const exact = ids.find(({ id }) => id === typed)
  if (exact !== undefined) return exact.id
  const found = typed.length >= minPrefix ? ids.filter(({ id }) => id.startsWith(typed)) : []
  if (found.length > 1) throw new AmbiguousError(`more than one ${what} begins like this`, found)
  if (found[0] !== undefined) return found[0].id
  throw new UsageError('E_NOT_FOUND', `no ${what} has this id`)
}

/** The one of these that is meant by an id, its beginning or a name. Errors as `resolveContact`. */
export function resolveNamed(all: readonly Candidate[], who: string, what: string): string {
  const known = all.map(({ id, name }) => ({ value: id, ids: [id], name }))
  const found = match(known, who, what)
  if (found !== undefined) return found
  throw new UsageError('E_NOT_FOUND', `no ${what} has this name or id`)
}
