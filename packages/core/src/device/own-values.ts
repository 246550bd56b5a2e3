import { readKey, type NaturalView } from '../history/index.ts'
import { limits } from '../limits.ts'
import { concat, equalBytes, fields, frame, fromHex, text, toBase32, toHex, utf8 } from '../wire/index.ts'
import type { SettingKey } from './api.ts'
import type { Step } from './context.ts'
import { conversationNow, putConversation } from './conversations.ts'
import { emit } from './events.ts'
import { requireMe } from './me.ts'
import {
  conversationRows,
  onlyRow,
  ownRows,
  selfRows,
  type Conversation,
  type OwnRow,
  type Self,
} from './tables.ts'
import { wakeAt } from './timers.ts'

/**
 * What own devices tell each other beside contacts: settings, drafts, and how far was read. A change is kept here and
 * written into the shared document of the account when there is another device; drafts and read marks a while later and
 * all at once, for each edit stays in the operations for ever.
 */

/** Tables of the shared document (history.md §8). */
export const ownTables = { settings: 0, drafts: 1 } as const

/** Settings own devices share: all but the name of the device. */
const sharedSettings = ['name', 'readReceipts', 'previews'] as const

const textFrame = frame('own-text', fields({ text: text(limits.draftBytes) }), limits.draftBytes + 16)
/** A text as a value of a table. */
export const encodeText = (value: string): Uint8Array => textFrame.encode({ text: value })
export function textOf(value: Uint8Array): string | undefined {
  const read = textFrame.decode(value)
  return read.ok ? read.value.text : undefined
}

const keyOf = (table: number, key: Uint8Array): Uint8Array => concat(Uint8Array.of(table), key)

/** A person changed a value here; null takes it back. */
export function putOwn(step: Step, table: number, key: Uint8Array, value: Uint8Array | null): void {
  const told = step.tx.get(ownRows, keyOf(table, key))?.told ?? null
  step.tx.put(ownRows, keyOf(table, key), { table, key, value, told })
  dueIn(step, table === ownTables.drafts ? limits.ownPauseMs : 0)
}

/** A setting was changed here. */
export function noteSetting(step: Step, key: SettingKey, value: string | boolean): void {
  if (key !== 'deviceName') putOwn(step, ownTables.settings, utf8(key), encodeText(String(value)))
}

/** Notes that own devices were told of a value. */
export const noteTold = (step: Step, row: OwnRow): void => {
  step.tx.put(ownRows, keyOf(row.table, row.key), { ...row, told: row.value })
}

export const ownValue = (step: Step, table: number, key: Uint8Array): Uint8Array | null =>
  step.tx.get(ownRows, keyOf(table, key))?.value ?? null

/** Own devices are to be told of what was read, or of whatever they do not know yet, in a while. */
export const shareLater = (step: Step): void => {
  dueIn(step, limits.ownPauseMs)
}

function dueIn(step: Step, pauseMs: number): void {
  const { live } = step.context
  live.ownDueMs = Math.min(live.ownDueMs, step.monoMs + pauseMs)
  wakeAt(step, live.ownDueMs)
}

/** Whether own devices know the value. */
export const isTold = ({ value, told }: OwnRow): boolean =>
  value === null || told === null ? value === told : equalBytes(value, told)

/** Takes over what the shared document says now. A value changed here and not told yet stays, and is told. */
export function takeOwn(step: Step, { own, read }: NaturalView): void {
  takeTable(step, ownTables.settings, own.settings)
  takeTable(step, ownTables.drafts, own.drafts)
  for (const conversation of step.tx.all(conversationRows)) takeReads(step, conversation, read)
}

function takeTable(step: Step, table: number, said: ReadonlyMap<string, Uint8Array>): void {
  for (const [key, value] of said) takeValue(step, table, fromHex(key), value)
  for (const row of step.tx.all(ownRows))
    if (row.table === table && row.told !== null && !said.has(toHex(row.key)))
      takeValue(step, table, row.key, null)
}

function takeValue(step: Step, table: number, key: Uint8Array, said: Uint8Array | null): void {
  const known = step.tx.get(ownRows, keyOf(table, key)) ?? { table, key, value: null, told: null }
  if (isTold({ ...known, value: said })) return
  const isOurs = !isTold(known)
  step.tx.put(ownRows, keyOf(table, key), { ...known, told: said, value: isOurs ? known.value : said })
  if (isOurs) {
    dueIn(step, limits.ownPauseMs)
    return
  }
  if (table === ownTables.drafts) emit(step, { type: 'draft', conversationId: toBase32(key) })
  else takeSetting(step, key, said)
}

function takeSetting(step: Step, key: Uint8Array, said: Uint8Array | null): void {
  const name = sharedSettings.find((one) => equalBytes(utf8(one), key))
  const value = said === null ? undefined : textOf(said)
  const { self } = requireMe(step)
  if (name === undefined || value === undefined) return
  const next: Self =
    name === 'name'
      ? { ...self, name: value, cardSeq: self.cardSeq + 1 }
      : { ...self, [name]: value === 'true' }
  step.tx.put(selfRows, onlyRow, next)
  emit(step, { type: 'settings' })
}

function takeReads(step: Step, before: Conversation, read: NaturalView['read']): void {
  const conversation = conversationNow(step, before)
  const remotes = conversation.remotes.map((remote) => {
    const key = readKey(conversation.conversation, remote.device)
    const seenUpTo = read.get(key) ?? 0
    return seenUpTo <= remote.seenUpTo ? remote : { ...remote, seenUpTo }
  })
  if (remotes.every((remote, i) => remote === conversation.remotes[i])) return
  const left = remotes.reduce((sum, { received, seenUpTo }) => sum + Math.max(0, received.upTo - seenUpTo), 0)
  const unread = Math.min(conversation.unread, left)
  putConversation(step, { ...conversation, remotes, unread })
  emit(step, { type: 'read', conversationId: toBase32(conversation.conversation), unread })
}
