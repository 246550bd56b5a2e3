import { UsageError } from '@sotto/core'
import type {
  AddedView,
  AuditView,
  CommandName,
  Commands,
  ContactView,
  DetailsView,
  DraftView,
  DeviceEvent,
  DeviceFace,
  InviteView,
  MessageView,
  OwnDeviceView,
  Queries,
  QueryName,
  RelayView,
  RequestView,
  SelfView,
} from '@sotto/core'
import { FakeGroups } from './fake-groups.ts'
import { fakeId } from './fake-id.ts'

type EventBody = DeviceEvent extends infer E
  ? E extends DeviceEvent
    ? Omit<E, 'seq' | 'atMs'>
    : never
  : never

export const fakeContact = (seed: number, name: string, more: Partial<ContactView> = {}): ContactView => ({
  accountId: fakeId(seed),
  conversationId: fakeId(seed + 500),
  name,
  verified: false,
  state: 'connected',
  devices: 1,
  ...more,
})

/** A device in memory that keeps what it is told and delivers nothing, for tests of faces. */
export class FakeFace implements DeviceFace {
  self: SelfView | null = null
  contacts: ContactView[] = []
  requests: RequestView[] = []
  invites: InviteView[] = []
  relays: RelayView[] = []
  messages: MessageView[] = []
  settings = { name: '', deviceName: '', readReceipts: false, previews: false }
  details: DetailsView = { topic: '', picture: null, pins: [], note: '' }
  drafts: readonly DraftView[] = []
  devices: OwnDeviceView[] = []
  audit: AuditView[] = []
  exported = ''
  readonly groups: FakeGroups = new FakeGroups(this)
  /** What the other end of linking does; each may throw or wait. */
  linking: {
    confirm: (match: boolean) => Promise<Commands['link-confirm']['out']>
  } = { confirm: async () => ({ accountId: fakeId(1), deviceId: fakeId(8) }) }
  readonly events: DeviceEvent[] = []
  readonly dispatched: { command: string; input: unknown }[] = []
  /** Awaited before each command, when set. */
  gate: Promise<void> | undefined
  failNext: Error | undefined
  readonly #listeners = new Set<(event: DeviceEvent) => void>()
  #serial = 1_000

  constructor(name?: string) {
    if (name !== undefined) this.#createAccount(name)
  }

  async dispatch<C extends CommandName>(command: C, input: Commands[C]['in']): Promise<Commands[C]['out']> {
    this.dispatched.push({ command, input })
    await this.gate
    const failure = this.failNext
    this.failNext = undefined
    if (failure !== undefined) throw failure
    return this.#run(command, input as never) as Commands[C]['out']
  }

  async view<Q extends QueryName>(query: Q, input: Queries[Q]['in']): Promise<Queries[Q]['out']> {
    return this.#look(query, input as never) as Queries[Q]['out']
  }

  subscribe(listener: (event: DeviceEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  emit(body: EventBody): void {
    const event = {
      ...body,
      seq: this.events.length + 1,
      atMs: 1_700_000_000_000 + this.events.length,
    } as DeviceEvent
    this.events.push(event)
    for (const listener of this.#listeners) listener(event)
  }

  get listeners(): number {
    return this.#listeners.size
  }

  message(conversationId: string, text: string, from?: ContactView): MessageView {
    const me = from === undefined
    return {
      messageId: fakeId((this.#serial += 1)),
      conversationId,
      author: {
        accountId: me ? (this.self?.accountId ?? '') : from.accountId,
        deviceId: fakeId(9),
        name: me ? (this.self?.name ?? '') : from.name,
        me,
      },
      text,
      sentAtMs: 1_700_000_000_000 + this.messages.length * 1_000,
      receivedAtMs: 1_700_000_000_500 + this.messages.length * 1_000,
      state: me ? 'waiting' : null,
      replyTo: null,
      edited: false,
      deleted: false,
      late: false,
      outside: null,
      textMissing: null,
      reactions: [],
      attachments: [],
    }
  }

  #createAccount(name: string): SelfView {
    this.self = { accountId: fakeId(1), deviceId: fakeId(2), name, recoveryConfirmed: false }
    this.settings = { ...this.settings, name }
    return this.self
  }

  contact(accountId: string): ContactView {
    const found = this.contacts.find((contact) => contact.accountId === accountId)
    if (found === undefined) throw new UsageError('E_NOT_FOUND', 'no such contact')
    return found
  }

  #change(accountId: string, change: Partial<ContactView>): ContactView {
    const changed = { ...this.contact(accountId), ...change }
    this.contacts = this.contacts.map((contact) => (contact.accountId === accountId ? changed : contact))
    return changed
  }

  #run(command: CommandName, input: never): unknown {
    const given: Record<string, unknown> = input
    switch (command) {
      case 'create-account':
        return this.#createAccount(given['name'] as string)
      case 'create-invite':
        return this.#createInvite(given)
      case 'revoke-invite':
        this.invites = this.invites.map((invite) =>
          invite.inviteId === given['inviteId'] ? { ...invite, state: 'revoked' } : invite,
        )
        return this.invites.find((invite) => invite.inviteId === given['inviteId'])
      case 'add':
        return this.#add()
      case 'accept-request':
        return this.#accept(given['requestId'] as string)
      case 'send':
        return this.#send(input)
      case 'edit':
        return this.#amend(given['messageId'] as string, 'message.edited', {
          text: given['text'] as string,
          edited: true,
        })
      case 'delete':
        return this.#amend(given['messageId'] as string, 'message.deleted', { text: null, deleted: true })
      case 'react':
        return this.#react(given['messageId'] as string, given['emoji'] as string)
      case 'create-group':
      case 'group-add':
      case 'group-remove':
      case 'group-role':
      case 'group-leave':
      case 'group-rename':
      case 'group-policy':
        return this.groups.run(command, input)
      case 'link-offer':
        return { code: '7K3-9QWTX', link: 'sotto:l#abc', expiresAtMs: 1_700_000_300_000 }
      case 'link-approve':
        return { emoji: ['🐝', '🐘', '🐙', '🐌', '🐢', '🐧'], deviceName: 'Pocket' }
      case 'link-confirm':
        return this.linking.confirm(given['match'] as boolean)
      case 'remove-device':
        this.devices = this.devices.map((one) =>
          one.deviceId === given['deviceId']
            ? { ...one, state: 'revoked', told: { devices: 2, of: 2 } }
            : one,
        )
        return { deviceId: given['deviceId'], told: { devices: 1, of: 2 } }
      case 'rename-contact':
        return this.#change(given['accountId'] as string, { name: given['name'] as string })
      case 'block':
        return this.#change(given['accountId'] as string, { state: 'blocked' })
      case 'unblock':
        return this.#change(given['accountId'] as string, { state: 'connected' })
      case 'add-relay':
        return this.#addRelay(given['address'] as string)
      case 'remove-relay':
        this.relays = this.relays.filter((relay) => relay.relayId !== given['relayId'])
        return null
      case 'set-setting':
        this.settings = {
          ...this.settings,
          [given['key'] as string]: given['value'] === 'on' ? true : given['value'],
        }
        return this.settings
      case 'set-topic':
        return this.#say({ topic: given['topic'] as string })
      case 'set-picture':
        return this.#say({ picture: given['picture'] as string | null })
      case 'set-note':
        return this.#say({ note: given['note'] as string })
      case 'pin':
        return this.#say({ pins: [...this.details.pins, given['messageId'] as string] })
      case 'unpin':
        return this.#say({ pins: this.details.pins.filter((pin) => pin !== given['messageId']) })
      case 'verify-contact':
        return this.#change(given['accountId'] as string, { verified: given['verified'] as boolean })
      case 'set-draft': {
        const { conversationId, text } = input as Commands['set-draft']['in']
        const others = this.drafts.filter((draft) => draft.conversationId !== conversationId)
        this.drafts = text === '' ? others : [...others, { conversationId, text }]
        return null
      }
      case 'recovery-words':
        return { words: Array.from({ length: 24 }, (_, at) => `word${at}`) }
      case 'ignore-request':
      case 'mark-read':
      case 'add-bootstrap':
      case 'confirm-recovery':
      case 'retry-now':
        return null
    }
  }

  #say(change: Partial<DetailsView>): DetailsView {
    this.details = { ...this.details, ...change }
    return this.details
  }

  #createInvite(given: Record<string, unknown>): InviteView {
    const createdAtMs = 1_700_000_000_000
    const invite: InviteView = {
      inviteId: fakeId((this.#serial += 1)),
      link: `sotto:i#${'A'.repeat(64)}`,
      createdAtMs,
      expiresAtMs: createdAtMs + ((given['expiresInMs'] as number | undefined) ?? 604_800_000),
      uses: (given['uses'] as number | undefined) ?? 1,
      used: 0,
      state: 'open',
      heldBy: [],
      group: this.#groupNamed(given['conversationId']),
    }
    this.invites = [...this.invites, invite]
    return invite
  }

  #groupNamed(conversationId: unknown): InviteView['group'] {
    const group = this.groups.conversations.find((one) => one.conversationId === conversationId)
    return group === undefined ? null : { conversationId: group.conversationId, name: group.name }
  }

  #add(): AddedView {
    const contact = fakeContact((this.#serial += 1), 'Bob', { state: 'pending' })
    this.contacts = [...this.contacts, contact]
    const { accountId, conversationId, name } = contact
    return { accountId, conversationId, name, state: 'pending', group: null }
  }

  #accept(requestId: string): ContactView {
    const request = this.requests.find((open) => open.requestId === requestId)
    if (request === undefined) throw new UsageError('E_NOT_FOUND', 'no such request')
    const contact = { ...fakeContact(3, request.name), accountId: request.accountId }
    this.requests = this.requests.filter((open) => open !== request)
    this.contacts = [...this.contacts, contact]
    return contact
  }

  #addRelay(address: string): RelayView {
    const relay: RelayView = { relayId: fakeId((this.#serial += 1)), address, state: 'connecting', items: 0 }
    this.relays = [...this.relays, relay]
    return relay
  }

  #send({ conversationId, text, replyTo }: Commands['send']['in']): MessageView {
    const message = { ...this.message(conversationId, text), replyTo: replyTo ?? null }
    this.messages = [...this.messages, message]
    this.emit({ type: 'message', message })
    return message
  }

  #message(messageId: string): MessageView {
    const found = this.messages.find((message) => message.messageId === messageId)
    if (found === undefined) throw new UsageError('E_NOT_FOUND', 'there is no such message')
    return found
  }

  #amend(
    messageId: string,
    type: 'message.edited' | 'message.deleted' | 'message.reacted',
    change: Partial<MessageView>,
  ): MessageView {
    const message = { ...this.#message(messageId), ...change }
    this.messages = this.messages.map((one) => (one.messageId === messageId ? message : one))
    this.emit({ type, message })
    return message
  }

  #react(messageId: string, emoji: string): MessageView {
    const me = this.self?.accountId ?? ''
    const others = this.#message(messageId)
      .reactions.map((one) => ({ ...one, by: one.by.filter((by) => by !== me) }))
      .filter(({ by }) => by.length > 0)
    const reactions = emoji === '' ? others : [...others, { emoji, by: [me] }]
    return this.#amend(messageId, 'message.reacted', { reactions })
  }

  #look(query: QueryName, input: never): unknown {
    const { conversationId = '' }: { conversationId?: string } = input
    switch (query) {
      case 'self':
        return this.self
      case 'status':
        return {
          peerId: 'peer',
          listen: ['/ip4/127.0.0.1/tcp/4001'],
          connection: 'offline',
          peers: 0,
          relays: this.relays,
          outbox: this.messages.length,
          held: 0,
          conversations: this.contacts.length,
          warnings: [],
        } satisfies Queries['status']['out']
      case 'contacts':
        return this.contacts
      case 'requests':
        return this.requests
      case 'invites':
        return this.invites
      case 'relays':
        return this.relays
      case 'conversations':
        return this.groups.conversations
      case 'members':
        return this.groups.group(conversationId).members
      case 'policy':
        return this.groups.group(conversationId).policy
      case 'devices':
        return this.devices
      case 'audit':
        return this.audit.filter((line) => conversationId === '' || line.conversationId === conversationId)
      case 'message':
        return this.#message((input as { messageId: string }).messageId)
      case 'export':
        return { json: this.exported }
      case 'history':
        return this.#history(input)
      case 'settings':
        return this.settings
      case 'details':
        return this.details
      case 'drafts':
        return this.drafts
      case 'safety':
        return { number: '1234567890'.repeat(6), deviceState: '0987654321'.repeat(3) }
      case 'events':
        return this.events.filter((event) => event.seq > (input as { since: number }).since).slice(0, 1_000)
    }
  }

  #history({
    conversationId,
    before,
    limit = 50,
    sinceMs = 0,
  }: Queries['history']['in']): Queries['history']['out'] {
    const all = this.messages.filter(
      (message) => message.conversationId === conversationId && message.sentAtMs >= sinceMs,
    )
    const end = before === undefined ? all.length : all.findIndex(({ messageId }) => messageId === before)
    const from = Math.max(0, end - limit)
    return { messages: all.slice(from, end), more: from > 0, missing: 0 }
  }
}
