import type {
  AddedView,
  ContactView,
  DeliveryState,
  DeviceEvent,
  InviteView,
  MessageView,
  RelayView,
  RequestView,
  StatusView,
  WarningView,
} from '@sotto/core'
import { isoTime } from './duration.ts'

/** The JSON of the command line. Fields are only ever added. */
export const inviteJson = (invite: InviteView) => ({
  inviteId: invite.inviteId,
  link: invite.link,
  createdAt: isoTime(invite.createdAtMs),
  expiresAt: isoTime(invite.expiresAtMs),
  uses: invite.uses,
  used: invite.used,
  state: invite.state,
  heldBy: invite.heldBy,
  group: invite.group,
})

export const addedJson = (added: AddedView) => ({
  accountId: added.accountId,
  name: added.name,
  conversationId: added.conversationId,
  state: added.state,
  group: added.group,
})

export const contactJson = (contact: ContactView) => ({
  accountId: contact.accountId,
  conversationId: contact.conversationId,
  name: contact.name,
  verified: contact.verified,
  state: contact.state,
  devices: contact.devices,
})

export const requestJson = (request: RequestView) => ({
  requestId: request.requestId,
  accountId: request.accountId,
  name: request.name,
  at: isoTime(request.atMs),
  group: request.group,
})

export const relayJson = (relay: RelayView) => ({
  id: relay.relayId,
  address: relay.address,
  state: relay.state,
  items: relay.items,
})

export const warningJson = (warning: WarningView) => ({
  code: warning.code,
  message: warning.message,
  at: isoTime(warning.atMs),
})

export const messageJson = (message: MessageView) => ({
  messageId: message.messageId,
  conversationId: message.conversationId,
  author: message.author,
  text: message.text,
  textMissing: message.textMissing,
  sentAt: isoTime(message.sentAtMs),
  receivedAt: isoTime(message.receivedAtMs),
  state: message.state,
  replyTo: message.replyTo,
  edited: message.edited,
  deleted: message.deleted,
  late: message.late,
  outside: message.outside,
  reactions: message.reactions,
  attachments: message.attachments,
})

export const statusJson = (status: StatusView, running: boolean) => ({
  running,
  peerId: status.peerId,
  listen: status.listen,
  connection: status.connection,
  peers: status.peers,
  relays: status.relays.map(relayJson),
  outbox: status.outbox,
  held: status.held,
  conversations: status.conversations,
  warnings: status.warnings.map(warningJson),
})

type WithoutName<T extends { readonly name: string }> = Omit<T, 'name'>
function withoutName<T extends { readonly name: string }>(value: T): WithoutName<T> {
  const { name: _name, ...rest } = value
  return rest
}

function messageEvent(message: MessageView, previews: boolean) {
  const json = messageJson(message)
  if (previews) return json
  const { text: _text, attachments: _attachments, reactions: _reactions, ...rest } = json
  return { ...rest, author: withoutName(message.author) }
}

function linkEvent(event: Extract<DeviceEvent, { type: 'link' }>): object {
  switch (event.state) {
    case 'compare':
      return { state: event.state, emoji: event.emoji }
    case 'linked':
      return { state: event.state, accountId: event.accountId, deviceId: event.deviceId }
    case 'failed':
      return { state: event.state, code: event.code }
  }
}

function eventBody(event: DeviceEvent, previews: boolean): object {
  switch (event.type) {
    case 'message':
    case 'message.edited':
    case 'message.deleted':
    case 'message.reacted':
      return messageEvent(event.message, previews)
    case 'group':
      return {
        conversationId: event.conversationId,
        ...(event.change === undefined ? {} : { change: event.change }),
        ...(event.code === undefined ? {} : { code: event.code }),
      }
    case 'state':
      return { messageId: event.messageId, conversationId: event.conversationId, state: event.state }
    case 'contact': {
      const contact = contactJson(event.contact)
      const code = event.code === undefined ? {} : { code: event.code }
      return { ...(previews ? contact : withoutName(contact)), change: event.change, ...code }
    }
    case 'request': {
      const request = requestJson(event.request)
      const group = request.group === null ? null : withoutName(request.group)
      return previews ? request : { ...withoutName(request), group }
    }
    case 'invite': {
      const { link: _link, ...invite } = inviteJson(event.invite)
      const group = invite.group === null ? null : withoutName(invite.group)
      return previews ? invite : { ...invite, group }
    }
    case 'device':
      return { accountId: event.accountId, deviceId: event.deviceId, change: event.change }
    case 'account':
      return { accountId: event.accountId, change: event.change }
    case 'link':
      return linkEvent(event)
    case 'draft':
      return { conversationId: event.conversationId }
    case 'read':
      return { conversationId: event.conversationId, unread: event.unread }
    case 'settings':
      return {}
    case 'connection':
      return { connection: event.connection }
    case 'warning':
      return warningJson(event.warning)
  }
}

/** One line of `sotto listen`. Without `previews` it holds neither a text nor a name. */
export const eventJson = (event: DeviceEvent, previews: boolean) => ({
  ...eventBody(event, previews),
  event: event.type,
  seq: event.seq,
  at: isoTime(event.atMs),
})

/** The delivery ladder as a mark of one column. */
export const marks: Readonly<Record<DeliveryState, string>> = {
  waiting: '◷',
  relayed: '⇡',
  delivered: '✓',
  read: '✓✓',
  failed: '!',
}

/** The delivery ladder in words. */
export const stateWords: Readonly<Record<DeliveryState, string>> = {
  waiting: 'waiting on this device',
  relayed: 'left at a relay',
  delivered: 'reached every device it is for',
  read: 'read',
  failed: 'could not be sent',
}

/** The connection in words. */
export const connectionWords: Readonly<Record<StatusView['connection'], string>> = {
  offline: 'Offline: messages wait on this device',
  local: 'On this network only',
  limited: 'No relay reachable: messages reach only people who are online',
  relay: 'Connected, through a relay',
  direct: 'Connected, directly',
}
