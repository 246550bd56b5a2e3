import { sizes } from '../crypto/index.ts'
import { limits } from '../limits.ts'
import {
  bytes,
  bytesBetween,
  fields,
  frame,
  list,
  nullable,
  oneOf,
  text,
  toHex,
  uint,
} from '../wire/index.ts'
import type { Infer } from '../wire/index.ts'
import type { CrdtDraft } from './automerge.ts'

/** What a person may change in a natural document: a closed list, said as an intent and never as a change. */
const id = bytes(sizes.hash)

/** Single values. */
export const naturalFields = ['title', 'topic'] as const
/** Tables of `own`, the document of an account with itself. */
export const ownTables = ['settings', 'drafts', 'contacts', 'verifications'] as const

const field = uint(naturalFields.length - 1)
const table = uint(ownTables.length - 1)
const key = bytesBetween(1, 64)

const intentShape = oneOf({
  set: [0, { field, text: text(limits.nameBytes) }],
  pin: [1, { record: id }],
  unpin: [2, { record: id }],
  /** Of the shared note: `at` and `remove` in UTF-16 units, as it was at the tips the author saw. */
  splice: [
    3,
    { at: uint(limits.noteChars), remove: uint(limits.noteChars), insert: text(limits.metaIntentBytes) },
  ],
  /** In a conversation all records of a device below `upTo` are read. */
  read: [4, { marks: list(fields({ conversation: id, device: id, upTo: uint() }), limits.readMarks) }],
  put: [5, { table, key, value: bytesBetween(0, limits.metaIntentBytes) }],
  drop: [6, { table, key }],
  /** The bytes of a small picture, or none. */
  picture: [7, { image: nullable(bytesBetween(1, limits.pictureBytes)) }],
})

/** One intent. */
export type Intent = Infer<typeof intentShape>

const intentFrame = frame('intent', fields({ intent: intentShape }), limits.metaIntentBytes)

/** Encodes an intent, at most `limits.metaIntentBytes`. */
export const encodeIntent = (intent: Intent): Uint8Array => intentFrame.encode({ intent })

/** The intent, or undefined when the bytes are none of the list; such an operation changes nothing. */
export function decodeIntent(input: Uint8Array): Intent | undefined {
  const decoded = intentFrame.decode(input)
  return decoded.ok ? decoded.value.intent : undefined
}

/** Name of a read mark: conversation and author's device. */
export const readKey = (conversation: Uint8Array, device: Uint8Array): string =>
  toHex(conversation) + toHex(device)

/** Makes the edit; one that is impossible at the tips its author saw makes none. */
export function applyIntent(draft: CrdtDraft, intent: Intent): void {
  switch (intent.kind) {
    case 'set': {
      const name = naturalFields[intent.field]
      if (name !== undefined) draft.put('/', name, intent.text)
      return
    }
    case 'pin': {
      const pins = draft.keys('/pins')
      const record = toHex(intent.record)
      if (pins.length < limits.pins && !pins.includes(record)) draft.put('/pins', record, 1)
      return
    }
    case 'unpin':
      return removeFrom(draft, '/pins', toHex(intent.record))
    case 'splice':
      return splice(draft, intent.at, intent.remove, intent.insert)
    case 'read':
      for (const mark of intent.marks) markRead(draft, readKey(mark.conversation, mark.device), mark.upTo)
      return
    case 'put': {
      const path = pathOf(intent.table)
      const name = toHex(intent.key)
      if (draft.keys(path).includes(name) || hasRoom(draft, path)) draft.put(path, name, intent.value)
      return
    }
    case 'drop':
      return removeFrom(draft, pathOf(intent.table), toHex(intent.key))
    case 'picture':
      if (intent.image !== null) draft.put('/', 'picture', intent.image)
      else removeFrom(draft, '/', 'picture')
  }
}

/** A mark only moves forward. */
function markRead(draft: CrdtDraft, name: string, upTo: number): void {
  const known = draft.all('/read', name)
  const further = known.every((mark) => typeof mark === 'number' && mark < upTo)
  if (further && (known.length > 0 || hasRoom(draft, '/read'))) draft.put('/read', name, upTo)
}

const pathOf = (at: number): string => `/${ownTables[at] ?? ownTables[0]}`

const hasRoom = (draft: CrdtDraft, path: string): boolean => draft.keys(path).length < limits.naturalEntries

function removeFrom(draft: CrdtDraft, path: string, name: string): void {
  if (draft.keys(path).includes(name)) draft.remove(path, name)
}

function splice(draft: CrdtDraft, at: number, remove: number, insert: string): void {
  const note = draft.text('/note')
  const end = at + remove
  if (end > note.length || note.length - remove + insert.length > limits.noteChars) return
  if (splitsPair(note, at) || splitsPair(note, end)) return
  if (remove > 0 || insert.length > 0) draft.splice('/note', at, remove, insert)
}

/** Whether a cut there would tear a character of two units. */
function splitsPair(value: string, at: number): boolean {
  const unit = value.charCodeAt(at)
  const before = value.charCodeAt(at - 1)
  return unit >= 0xdc00 && unit <= 0xdfff && before >= 0xd800 && before <= 0xdbff
}
