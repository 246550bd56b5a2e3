import type { ContactView, ConversationView, MemberView, MessageView, SelfView } from '@sotto/core'
import { strings } from './strings.ts'

const shortIdLength = 8

/** The beginning of an id, for people to tell two apart. */
export const shortId = (id: string): string => id.slice(0, shortIdLength)

/** What a conversation is called in the list and above it. */
export function conversationName({ kind, name }: ConversationView): string {
  if (kind === 'notes') return strings.notes.title
  if (name !== '') return name
  return kind === 'group' ? strings.group.unnamed : strings.chats.unnamed
}

/** What people and devices are called in one conversation. */
export interface Names {
  /** A person's name; "Somebody" and the id's beginning for a stranger. */
  of(accountId: string | null): string
  isMe(accountId: string | null): boolean
  isMember(accountId: string | null): boolean
  /** A device by its name and short id. */
  device(deviceId: string | null): string
}

export interface NameSources {
  readonly self: SelfView | null | undefined
  readonly contacts: readonly ContactView[]
  readonly members: readonly MemberView[]
  readonly messages: readonly MessageView[]
}

/** Gathers every name known; what this account calls somebody comes before what they call themselves. */
export function namesIn({ self, contacts, members, messages }: NameSources): Names {
  const names = new Map<string, string>()
  const devices = new Map<string, string>()
  const add = (accountId: string, name: string): void => {
    if (name !== '' && !names.has(accountId)) names.set(accountId, name)
  }
  for (const contact of contacts) add(contact.accountId, contact.name)
  for (const member of members) {
    add(member.accountId, member.name)
    for (const device of member.devices) devices.set(device.deviceId, device.name)
  }
  for (const { author } of messages) add(author.accountId, author.name)
  const inside = new Set(members.map(({ accountId }) => accountId))
  return {
    of: (accountId) =>
      accountId === null
        ? strings.notices.someone('')
        : (names.get(accountId) ?? strings.notices.someone(shortId(accountId))),
    isMe: (accountId) => accountId !== null && accountId === self?.accountId,
    isMember: (accountId) => accountId !== null && inside.has(accountId),
    device: (deviceId) =>
      deviceId === null
        ? strings.devices.unnamed
        : strings.notices.device(devices.get(deviceId) ?? '', shortId(deviceId)),
  }
}
