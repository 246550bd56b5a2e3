import { UsageError } from '../errors.ts'
import type { CommandName, QueryName } from './api.ts'

/** What a field of an input may be. Faces pass on what a socket or a page gave them, whatever their types say. */
type Check = (value: unknown) => boolean

const text: Check = (value) => typeof value === 'string'
const number: Check = (value) => typeof value === 'number' && Number.isFinite(value)
const numberOrNone: Check = (value) => value === null || number(value)
const textOrNone: Check = (value) => value === null || text(value)
const flag: Check = (value) => typeof value === 'boolean'
const texts: Check = (value) => Array.isArray(value) && value.every(text)
const textMap: Check = (value) =>
  typeof value === 'object' && value !== null && Object.values(value).every(text)
const maybe =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value)

const historyChoice: Check = (value) =>
  value === 'all' ||
  value === 'none' ||
  (typeof value === 'object' && value !== null && 'days' in value && number(value.days))

type Fields = Readonly<Record<string, Check>>

const commandFields: Readonly<Record<CommandName, Fields>> = {
  'create-account': { name: text },
  'create-invite': {
    expiresInMs: maybe(number),
    uses: maybe(number),
    direct: maybe(flag),
    conversationId: maybe(text),
  },
  'revoke-invite': { inviteId: text },
  add: { link: text, relayHints: maybe(texts) },
  'accept-request': { requestId: text },
  'ignore-request': { requestId: text },
  send: { conversationId: text, text, replyTo: maybe(text) },
  edit: { messageId: text, text },
  delete: { messageId: text },
  react: { messageId: text, emoji: text },
  'create-group': { name: text, members: maybe(texts) },
  'group-add': { conversationId: text, accountId: text },
  'group-remove': { conversationId: text, accountId: text },
  'group-role': { conversationId: text, accountId: text, role: text },
  'group-leave': { conversationId: text },
  'group-rename': { conversationId: text, name: text },
  'group-policy': {
    conversationId: text,
    historyDays: maybe(numberOrNone),
    retentionMs: maybe(numberOrNone),
    timerMs: maybe(numberOrNone),
    adminsGrantAdmin: maybe(flag),
    membersAdmit: maybe(flag),
    adminsRedact: maybe(flag),
  },
  'link-offer': { deviceName: text },
  'link-approve': { code: text, history: maybe(historyChoice) },
  'link-confirm': { match: flag },
  'remove-device': { deviceId: text },
  'set-topic': { conversationId: text, topic: text },
  'set-picture': { conversationId: text, picture: textOrNone },
  pin: { messageId: text },
  unpin: { conversationId: text, messageId: text },
  'set-note': { conversationId: text, note: text },
  'set-draft': { conversationId: text, text },
  'verify-contact': { accountId: text, verified: flag },
  'mark-read': { conversationId: text },
  'rename-contact': { accountId: text, name: text },
  block: { accountId: text },
  unblock: { accountId: text },
  'add-relay': { address: text },
  'remove-relay': { relayId: text },
  'add-bootstrap': { address: text },
  'set-setting': { key: text, value: text },
  'recovery-words': {},
  'confirm-recovery': { words: textMap },
  'retry-now': {},
}

const queryFields: Readonly<Record<QueryName, Fields>> = {
  self: {},
  status: {},
  contacts: {},
  requests: {},
  invites: {},
  relays: {},
  conversations: {},
  history: { conversationId: text, before: maybe(text), limit: maybe(number), sinceMs: maybe(number) },
  members: { conversationId: text },
  policy: { conversationId: text },
  details: { conversationId: text },
  drafts: {},
  devices: {},
  audit: { conversationId: maybe(text) },
  message: { messageId: text },
  export: { conversationId: text },
  settings: {},
  safety: { accountId: text },
  events: { since: number },
}

function check(table: Readonly<Record<string, Fields>>, name: string, input: unknown): void {
  const fields = Object.hasOwn(table, name) ? table[name] : undefined
  if (fields === undefined) throw new UsageError('E_INPUT', 'there is no such command or query')
  if (typeof input !== 'object' || input === null)
    throw new UsageError('E_INPUT', 'the input is an object of named fields')
  for (const [field, fits] of Object.entries(fields)) {
    const value: unknown = (input as Readonly<Record<string, unknown>>)[field]
    if (!fits(value)) throw new UsageError('E_INPUT', `the field ${field} is missing or of the wrong kind`)
  }
}

/** Throws UsageError `E_INPUT` unless the command exists and its fields are of their kinds. */
export const checkCommand = (name: string, input: unknown): void => {
  check(commandFields, name, input)
}

/** As `checkCommand`, for queries. */
export const checkQuery = (name: string, input: unknown): void => {
  check(queryFields, name, input)
}
