import { limits } from '@sotto/core/ports'
import type { CommandName, QueryName } from '@sotto/core'
import { z } from 'zod'

const id = z.string().min(1).max(128)
const address = z.string().min(1).max(512)
const text = z.string().max(limits.textBytes)
const name = z.string().max(limits.nameBytes)
const count = z.int().min(0)
const rule = count.nullable().optional()
const member = { conversationId: id, accountId: id }
const link = z.string().max(2048)
const nothing = z.strictObject({})

/** What each command takes, checked at the doors: a socket's or a page's JSON is not our type system. */
export const commandInputs = {
  'create-account': z.strictObject({ name }),
  'create-invite': z.strictObject({
    expiresInMs: count.max(limits.inviteMaxMs).optional(),
    uses: count.max(limits.inviteUses).optional(),
    direct: z.boolean().optional(),
    conversationId: id.optional(),
  }),
  'revoke-invite': z.strictObject({ inviteId: id }),
  add: z.strictObject({ link, relayHints: z.array(address).max(16).optional() }),
  'accept-request': z.strictObject({ requestId: id }),
  'ignore-request': z.strictObject({ requestId: id }),
  send: z.strictObject({ conversationId: id, text, replyTo: id.optional() }),
  edit: z.strictObject({ messageId: id, text }),
  delete: z.strictObject({ messageId: id }),
  react: z.strictObject({ messageId: id, emoji: z.string().max(limits.emojiBytes) }),
  'create-group': z.strictObject({
    name,
    members: z.array(id).max(limits.conversationAccounts).optional(),
  }),
  'group-add': z.strictObject(member),
  'group-remove': z.strictObject(member),
  'group-role': z.strictObject({ ...member, role: z.enum(['owner', 'admin', 'member']) }),
  'group-leave': z.strictObject({ conversationId: id }),
  'group-rename': z.strictObject({ conversationId: id, name }),
  'group-policy': z.strictObject({
    conversationId: id,
    historyDays: rule,
    retentionMs: rule,
    timerMs: rule,
    adminsGrantAdmin: z.boolean().optional(),
    membersAdmit: z.boolean().optional(),
    adminsRedact: z.boolean().optional(),
  }),
  'link-offer': z.strictObject({ deviceName: name }),
  'link-approve': z.strictObject({
    code: link,
    history: z.union([z.enum(['all', 'none']), z.strictObject({ days: count })]).optional(),
  }),
  'link-confirm': z.strictObject({ match: z.boolean() }),
  'remove-device': z.strictObject({ deviceId: id }),
  'set-topic': z.strictObject({ conversationId: id, topic: text }),
  'set-picture': z.strictObject({ conversationId: id, picture: text.nullable() }),
  pin: z.strictObject({ messageId: id }),
  unpin: z.strictObject({ conversationId: id, messageId: id }),
  'set-note': z.strictObject({ conversationId: id, note: text }),
  'set-draft': z.strictObject({ conversationId: id, text }),
  'verify-contact': z.strictObject({ accountId: id, verified: z.boolean() }),
  'mark-read': z.strictObject({ conversationId: id }),
  'rename-contact': z.strictObject({ accountId: id, name }),
  block: z.strictObject({ accountId: id }),
  unblock: z.strictObject({ accountId: id }),
  'add-relay': z.strictObject({ address }),
  'remove-relay': z.strictObject({ relayId: id }),
  'add-bootstrap': z.strictObject({ address }),
  'set-setting': z.strictObject({
    key: z.enum(['name', 'deviceName', 'readReceipts', 'previews']),
    value: z.string().max(256),
  }),
  'recovery-words': nothing,
  'confirm-recovery': z.strictObject({
    words: z.record(z.string().regex(/^([1-9]|1[0-9]|2[0-4])$/), z.string().max(16)),
  }),
  'retry-now': nothing,
} satisfies Record<CommandName, z.ZodType>

/** What each query takes. */
export const queryInputs = {
  self: nothing,
  status: nothing,
  contacts: nothing,
  requests: nothing,
  invites: nothing,
  relays: nothing,
  conversations: nothing,
  history: z.strictObject({
    conversationId: id,
    before: id.optional(),
    limit: count.max(10_000).optional(),
    sinceMs: z.number().optional(),
  }),
  members: z.strictObject({ conversationId: id }),
  policy: z.strictObject({ conversationId: id }),
  details: z.strictObject({ conversationId: id }),
  drafts: nothing,
  devices: nothing,
  audit: z.strictObject({ conversationId: id.optional() }),
  message: z.strictObject({ messageId: id }),
  export: z.strictObject({ conversationId: id }),
  settings: nothing,
  safety: z.strictObject({ accountId: id }),
  events: z.strictObject({ since: z.int() }),
} satisfies Record<QueryName, z.ZodType>
