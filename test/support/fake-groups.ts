import { UsageError } from '@sotto/core'
import type {
  Commands,
  ContactView,
  ConversationView,
  DeviceEvent,
  GroupRole,
  MemberView,
  PolicyView,
  SelfView,
} from '@sotto/core'
import { fakeId } from './fake-id.ts'

export const fakeGroup = (
  seed: number,
  name: string,
  more: Partial<ConversationView> = {},
): ConversationView => ({
  conversationId: fakeId(seed),
  kind: 'group',
  accountId: null,
  name,
  contactState: 'connected',
  join: null,
  members: 1,
  unread: 0,
  last: null,
  ...more,
})

export const fakeMember = (
  { accountId, name }: Pick<ContactView, 'accountId' | 'name'>,
  role: GroupRole = 'member',
  more: Partial<MemberView> = {},
): MemberView => ({
  accountId,
  name,
  me: false,
  role,
  devices: [{ deviceId: fakeId(9), name: 'Desk', state: 'active' }],
  ...more,
})

/** The rules of a fresh conversation. */
export const freshPolicy: PolicyView = {
  historyDays: 0,
  retentionMs: null,
  timerMs: null,
  adminsGrantAdmin: false,
  membersAdmit: false,
  adminsRedact: false,
}

/** What a group has beside its view. */
interface FakeGroup {
  readonly members: readonly MemberView[]
  readonly policy: PolicyView
}

/** The device whose groups these are. */
interface Owner {
  readonly self: SelfView | null
  contact(accountId: string): ContactView
  emit(event: Extract<DeviceEvent, { type: 'group' }> extends infer E ? Omit<E, 'seq' | 'atMs'> : never): void
}

type GroupCommand = Extract<keyof Commands, 'create-group' | `group-${string}`>

/** Groups in memory that anybody may change in any way: who may is the device's matter. */
export class FakeGroups {
  conversations: ConversationView[] = []
  readonly #groups = new Map<string, FakeGroup>()
  readonly #owner: Owner
  #serial = 9_000

  constructor(owner: Owner) {
    this.#owner = owner
  }

  group(conversationId: string): FakeGroup {
    const found = this.#groups.get(conversationId)
    if (found === undefined) throw new UsageError('E_NOT_FOUND', 'there is no such conversation')
    return found
  }

  run(command: GroupCommand, input: never): unknown {
    const { conversationId, accountId, role, name }: Record<string, string> = input
    const id = conversationId ?? ''
    switch (command) {
      case 'create-group':
        return this.#create(input)
      case 'group-add':
        return this.#admit(id, accountId ?? '')
      case 'group-remove':
        return this.#members(id, (members) => members.filter((one) => one.accountId !== accountId))
      case 'group-role':
        return this.#members(id, (members) =>
          members.map((one) => (one.accountId === accountId ? { ...one, role: role as GroupRole } : one)),
        )
      case 'group-leave':
        this.#change(id, { contactState: 'left' })
        return null
      case 'group-rename':
        return this.#change(id, { name: name ?? '' })
      case 'group-policy':
        return this.#setPolicy(input)
    }
  }

  #change(conversationId: string, change: Partial<ConversationView>): ConversationView {
    const found = this.conversations.find((one) => one.conversationId === conversationId)
    if (found === undefined) throw new UsageError('E_NOT_FOUND', 'there is no such conversation')
    const changed = { ...found, ...change }
    this.conversations = this.conversations.map((one) => (one === found ? changed : one))
    this.#owner.emit({ type: 'group', conversationId })
    return changed
  }

  #members(
    conversationId: string,
    change: (members: readonly MemberView[]) => readonly MemberView[],
  ): readonly MemberView[] {
    const group = this.group(conversationId)
    const members = change(group.members)
    this.#groups.set(conversationId, { ...group, members })
    this.#change(conversationId, { members: members.length })
    return members
  }

  #admit(conversationId: string, accountId: string): readonly MemberView[] {
    const contact = this.#owner.contact(accountId)
    return this.#members(conversationId, (members) => [...members, fakeMember(contact)])
  }

  #create({ name, members = [] }: Commands['create-group']['in']): ConversationView {
    const group = fakeGroup((this.#serial += 1), name)
    const me = fakeMember(this.#owner.self ?? { accountId: '', name: '' }, 'owner', { me: true })
    this.conversations = [...this.conversations, group]
    this.#groups.set(group.conversationId, { members: [me], policy: freshPolicy })
    for (const accountId of members) this.#admit(group.conversationId, accountId)
    return this.#change(group.conversationId, {})
  }

  #setPolicy({ conversationId, ...rules }: Commands['group-policy']['in']): PolicyView {
    const group = this.group(conversationId)
    const policy = { ...group.policy, ...rules }
    this.#groups.set(conversationId, { ...group, policy })
    return policy
  }
}
