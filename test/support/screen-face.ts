/** A device face with nothing behind it, so that every screen can be shown in every state at once. */
import type {
  AuditView,
  ContactView,
  ConversationView,
  DeliveryState,
  DeviceEvent,
  GroupRole,
  InviteView,
  MemberView,
  MessageView,
  OwnDeviceView,
  PolicyView,
  RequestView,
  SelfView,
  StatusView,
} from '@sotto/core'
import { UsageError } from '../../packages/core/src/errors.ts'

/** What the face shows; a test changes it and then tells an event. */
export interface ScreenWorld {
  self: SelfView | null
  conversations: ConversationView[]
  requests: RequestView[]
  invites: InviteView[]
  status: StatusView
  messages: MessageView[]
  missing: number
  /** Messages that are here and not among those shown. */
  others: MessageView[]
  contacts: ContactView[]
  members: MemberView[]
  policy: PolicyView
  audit: AuditView[]
  devices: OwnDeviceView[]
  /** Code with which `add` refuses. */
  refusal: string
  /** Commands that refuse, with the code of each. */
  refusals: Partial<Record<string, string>>
}

export const noon = Date.UTC(2026, 5, 12, 12, 0)
export const minute = 60_000
const day = 24 * 60 * minute
const mine = { accountId: 'aaaa', deviceId: 'aaaadevice', name: 'Ada', me: true }

export const self: SelfView = {
  accountId: 'aaaa',
  deviceId: 'k3yq7wpd',
  name: 'Ada',
  recoveryConfirmed: false,
}

/** A message of the conversation `c1`, so many minutes after noon. */
export function message(
  minutes: number,
  name: string | null,
  text: string | null,
  state: DeliveryState = 'read',
): MessageView {
  const sentAtMs = noon + minutes * minute
  return {
    messageId: `m${minutes}`,
    conversationId: 'c1',
    author: name === null ? mine : { accountId: 'bbbb', deviceId: 'bbbbdevice', name, me: false },
    text,
    sentAtMs,
    receivedAtMs: sentAtMs,
    state: name === null ? state : null,
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

export const conversation = (
  id: string,
  name: string,
  last: MessageView | null,
  more: Partial<ConversationView> = {},
): ConversationView => ({
  conversationId: id,
  kind: 'direct',
  accountId: `account of ${id}`,
  members: 2,
  name,
  contactState: 'connected',
  join: null,
  unread: 0,
  last,
  ...more,
})

export const contact = (accountId: string, name: string, more: Partial<ContactView> = {}): ContactView => ({
  accountId,
  conversationId: `with ${accountId}`,
  name,
  verified: false,
  state: 'connected',
  devices: 1,
  ...more,
})

export const member = (
  accountId: string,
  name: string,
  role: GroupRole = 'member',
  devices: MemberView['devices'] = [{ deviceId: `${accountId}device`, name: 'Phone', state: 'active' }],
): MemberView => ({ accountId, name, me: accountId === self.accountId, role, devices })

let lines = 0

/** Something that happened in `c1`, so many minutes after noon. */
export function line(minutes: number, kind: string, more: Partial<AuditView> = {}): AuditView {
  lines += 1
  const about = { by: null, subject: null, deviceId: null, detail: '', proof: null }
  return { seq: lines, atMs: noon + minutes * minute, conversationId: 'c1', kind, ...about, ...more }
}

export const ownDevice = (
  deviceId: string,
  name: string,
  more: Partial<OwnDeviceView> = {},
): OwnDeviceView => ({
  deviceId,
  name,
  addedAtMs: noon - 90 * day,
  addedBy: null,
  lastSeenMs: noon - 3 * minute,
  expiresAtMs: noon + 40 * day,
  state: 'active',
  thisDevice: deviceId === self.deviceId,
  told: null,
  ...more,
})

/** Somebody in a group of four with everything that can stand in a conversation. */
export function groupWorld(): ScreenWorld {
  const world = busyWorld()
  const from = (minutes: number, accountId: string, name: string, text: string | null): MessageView => ({
    ...message(minutes, name, text),
    author: { accountId, deviceId: `${accountId}device`, name, me: false },
  })
  const question = from(-50, 'cccc', 'Carol', 'Who brings the oars?')
  world.messages = [
    question,
    { ...from(-48, 'bbbb', 'Bob', 'I have two pairs'), replyTo: question.messageId },
    {
      ...from(-47, 'bbbb', 'Bob', 'One is a bit short, but it floats.'),
      reactions: [
        { emoji: '👍', by: ['aaaa', 'cccc'] },
        { emoji: '😂', by: ['dddd'] },
      ],
    },
    { ...message(-30, null, 'Then I bring the rope and the lamp', 'delivered'), edited: true },
    { ...from(-28, 'cccc', 'Carol', null), deleted: true },
    { ...from(-12, 'eeee', 'Eve', 'You will all regret this'), outside: 'sent-while-removed' },
    message(-2, null, 'Eight at the bridge, everybody', 'relayed'),
  ]
  world.conversations[0] = conversation('c1', 'Lake on Saturday', world.messages.at(-1) ?? null, {
    kind: 'group',
    accountId: null,
    members: 4,
  })
  world.conversations.push(
    conversation('n1', '', null, { kind: 'notes', accountId: self.accountId, members: 1 }),
  )
  world.members = [
    member('aaaa', 'Ada', 'owner'),
    member('bbbb', 'Bob', 'admin', [
      { deviceId: 'bbbbphone', name: 'Phone', state: 'active' },
      { deviceId: 'bbbbold', name: 'Old tablet', state: 'expired' },
    ]),
    member('cccc', 'Carol'),
    member('dddd', 'מרים'),
  ]
  world.audit = [
    line(-60, 'member-added', { by: 'aaaa', subject: 'aaaa', detail: 'owner' }),
    line(-59, 'member-added', { by: 'aaaa', subject: 'bbbb', detail: 'member' }),
    line(-45, 'role-changed', { by: 'aaaa', subject: 'bbbb', detail: 'admin' }),
    line(-40, 'policy-changed', { by: 'bbbb', subject: 'bbbb', detail: 'history' }),
    line(-14, 'member-removed', { by: 'bbbb', subject: 'eeee' }),
    line(-8, 'device-added', { conversationId: null, subject: 'bbbb', deviceId: 'bbbbphone' }),
    line(-6, 'conflict-removal-undone', { subject: 'cccc', by: 'eeee', detail: 'aaaa' }),
  ]
  return world
}

/** Somebody who has talked with several people. */
export function busyWorld(): ScreenWorld {
  const messages = [
    message(-1500, 'Bob', 'Are you coming to the lake on Saturday?'),
    message(-1497, null, 'If the rain stops. Shall I bring the small boat?'),
    message(-1495, 'Bob', 'Yes! And the blue rope, the old one gave up.'),
    message(-12, null, 'Rope is packed. I found the lamp as well, it was behind the oars all along.'),
    message(-11, null, 'Meet you at eight by the bridge?'),
    message(-4, 'Bob', 'Eight is good.\nI will be the one with far too much coffee.'),
    { ...message(-3, 'Bob', 'שלום גם לך'), late: true },
    message(-2, null, 'Perfect. See you there', 'delivered'),
    message(-1, null, 'The map is on its way too', 'relayed'),
    message(0, null, 'and a photo of the rope', 'waiting'),
  ]
  const relay = '/ip4/203.0.113.7/tcp/443/wss/p2p/12D3KooWExample'
  return {
    self,
    conversations: [
      conversation('c1', 'Bob', messages.at(-1) ?? null),
      conversation('c2', 'Grandmother', message(-55, 'Grandmother', 'The tomatoes are ready, come by'), {
        unread: 2,
      }),
      conversation('c3', 'Chess club', message(-600, null, 'Knight to f3. Your turn.', 'delivered')),
      conversation('c4', 'מרים', message(-900, 'מרים', 'מתי מתחילים?')),
      conversation('c5', 'A person with a really long name that does not end where names usually end', null, {
        contactState: 'pending',
      }),
    ],
    requests: [{ requestId: 'r1', accountId: 'rrrr', name: 'Charles', atMs: noon, group: null }],
    invites: [],
    status: {
      peerId: '12D3KooWSelf',
      listen: [],
      connection: 'relay',
      peers: 4,
      relays: [
        { relayId: 'one', address: relay, state: 'connected', items: 1 },
        {
          relayId: 'two',
          address: '/dns4/relay.example/tcp/443/wss/p2p/12D3KooWOther',
          state: 'unreachable',
          items: 0,
        },
      ],
      outbox: 2,
      held: 0,
      conversations: 5,
      warnings: [],
    },
    messages,
    missing: 0,
    others: [],
    contacts: [
      contact('bbbb', 'Bob', { conversationId: 'c1', verified: true }),
      contact('cccc', 'Carol'),
      contact('gggg', 'Grandmother', { conversationId: 'c2' }),
      contact('pppp', 'Somebody who has not answered', { state: 'pending' }),
    ],
    members: [],
    policy: {
      historyDays: 0,
      retentionMs: null,
      timerMs: null,
      adminsGrantAdmin: false,
      membersAdmit: false,
      adminsRedact: false,
    },
    audit: [],
    devices: [ownDevice(self.deviceId, 'Laptop'), ownDevice('pd52mnop', 'Phone', { addedBy: self.deviceId })],
    refusal: 'E_INVITE_USED',
    refusals: {},
  }
}

/** Somebody who has just begun. */
export function freshWorld(): ScreenWorld {
  const world = busyWorld()
  return {
    ...world,
    self: null,
    conversations: [],
    requests: [],
    messages: [],
    contacts: [],
    devices: [],
    status: { ...world.status, relays: [], connection: 'limited', peers: 0, outbox: 0 },
  }
}

/** A group just opened and the notes have nothing in them. */
const empty: ReadonlySet<string> = new Set(['g9', 'n1'])

type Input = Readonly<Record<string, unknown>>

/** The face itself: `tell` makes everyone who listens hear an event. */
export class ScreenFace {
  readonly world: ScreenWorld
  readonly sent: string[] = []
  /** Every command with its input, in order. */
  readonly done: (readonly [command: string, input: Input])[] = []
  readonly #listeners = new Set<(event: unknown) => void>()
  #seq = 0

  constructor(world: ScreenWorld) {
    this.world = world
  }

  tell(event: Record<string, unknown> & { readonly type: DeviceEvent['type'] }): void {
    this.#seq += 1
    for (const listener of this.#listeners) listener({ seq: this.#seq, atMs: noon, ...event })
  }

  subscribe(listener: (event: unknown) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Inputs of every such command so far. */
  inputs(command: string): readonly Input[] {
    return this.done.filter(([name]) => name === command).map(([, input]) => input)
  }

  async view(query: string, input: Input = {}): Promise<unknown> {
    const { world } = this
    switch (query) {
      case 'self':
      case 'conversations':
      case 'requests':
      case 'invites':
      case 'status':
      case 'contacts':
      case 'devices':
        return world[query]
      case 'relays':
        return world.status.relays
      case 'members':
      case 'policy':
      case 'audit':
        return query === 'policy' || !empty.has(String(input['conversationId'])) ? world[query] : []
      case 'message': {
        const found = [...world.messages, ...world.others].find(
          ({ messageId }) => messageId === input['messageId'],
        )
        if (found === undefined) throw new UsageError('E_NOT_FOUND', 'no such message')
        return found
      }
      case 'history':
        return empty.has(String(input['conversationId']))
          ? { messages: [], more: false, missing: 0 }
          : { messages: world.messages, more: false, missing: world.missing }
      default:
        throw new UsageError('E_NOT_FOUND', 'no such view here')
    }
  }

  async dispatch(command: string, input: Input): Promise<unknown> {
    this.done.push([command, input])
    const refusal = this.world.refusals[command]
    if (refusal !== undefined) throw new UsageError(refusal, 'refused')
    return this.#answer(command, input)
  }

  #answer(command: string, input: Input): unknown {
    const { world } = this
    const account = String(input['accountId'])
    switch (command) {
      case 'create-account':
        world.self = { ...self, name: String(input['name']) }
        return world.self
      case 'create-invite':
        return this.#invite(input)
      case 'revoke-invite':
        world.invites = world.invites.map((one) => ({ ...one, state: 'revoked' }))
        return world.invites[0]
      case 'send': {
        const text = String(input['text'])
        this.sent.push(text)
        const answered = input['replyTo']
        const sent = {
          ...message(this.sent.length, null, text, 'waiting'),
          replyTo: typeof answered === 'string' ? answered : null,
        }
        world.messages.push(sent)
        this.tell({ type: 'message', message: sent })
        return sent
      }
      case 'edit':
        return this.#change(input, { text: String(input['text']), edited: true })
      case 'delete':
        return this.#change(input, { text: null, deleted: true, reactions: [] })
      case 'react': {
        const emoji = String(input['emoji'])
        return this.#change(input, {
          reactions: emoji === '' ? [] : [{ emoji, by: [self.accountId] }],
        })
      }
      case 'create-group': {
        const made = conversation('g9', String(input['name']), null, {
          kind: 'group',
          accountId: null,
          members: 1 + (input['members'] as readonly string[]).length,
        })
        world.conversations.push(made)
        return made
      }
      case 'group-add': {
        const name = world.contacts.find(({ accountId }) => accountId === account)?.name ?? ''
        world.members.push(member(account, name))
        return world.members
      }
      case 'group-remove':
        world.members = world.members.filter(({ accountId }) => accountId !== account)
        return world.members
      case 'group-role':
        world.members = world.members.map((one) =>
          one.accountId === account ? { ...one, role: input['role'] as GroupRole } : one,
        )
        return world.members
      case 'group-leave':
        if (
          world.conversations.some(
            ({ conversationId: id, join }) => id === input['conversationId'] && join !== null,
          )
        ) {
          world.conversations = world.conversations.filter(
            (one) => one.conversationId !== input['conversationId'],
          )
          return null
        }
        world.members = world.members.filter(({ me }) => !me)
        world.conversations = world.conversations.map((one) =>
          one.conversationId === 'c1' ? { ...one, contactState: 'left' } : one,
        )
        return null
      case 'group-rename':
        world.conversations = world.conversations.map((one) =>
          one.conversationId === 'c1' ? { ...one, name: String(input['name']) } : one,
        )
        return null
      case 'group-policy': {
        const { conversationId: _, ...change } = input
        world.policy = { ...world.policy, ...change }
        return world.policy
      }
      case 'remove-device':
        world.devices = world.devices.map((one) =>
          one.deviceId === input['deviceId']
            ? { ...one, state: 'revoked', told: { devices: 3, of: 5 } }
            : one,
        )
        return { deviceId: input['deviceId'], told: { devices: 0, of: 5 } }
      case 'link-offer':
        return {
          code: 'K3Y7 9QWP',
          link: `sotto:l#${'k3yK3yPa7h'.repeat(20)}`,
          expiresAtMs: Date.now() + 5 * minute,
        }
      case 'link-approve':
        return { emoji: ['🐝', '🚲', '🍒', '⚓', '🍒', '🎺'], deviceName: 'Tablet' }
      case 'link-confirm':
        return { accountId: self.accountId, deviceId: 'newdevice' }
      case 'add':
        throw new UsageError(world.refusal, 'refused')
      case 'accept-request':
        world.requests = []
        return {}
      default:
        return null
    }
  }

  #invite({ conversationId, uses }: Input): InviteView {
    const group = this.world.conversations.find((one) => one.conversationId === conversationId)
    const invite: InviteView = {
      inviteId: 'i1',
      link: `https://relay.example/i#${'k3yK3yPa7h'.repeat(7).slice(0, 64)}`,
      createdAtMs: noon,
      expiresAtMs: noon + 7 * day,
      uses: typeof uses === 'number' ? uses : 1,
      used: 0,
      state: 'open',
      heldBy: ['relay'],
      group: group === undefined ? null : { conversationId: group.conversationId, name: group.name },
    }
    this.world.invites = [invite]
    return invite
  }

  #change(input: Input, change: Partial<MessageView>): MessageView | undefined {
    const { world } = this
    world.messages = world.messages.map((one) =>
      one.messageId === input['messageId'] ? { ...one, ...change } : one,
    )
    return world.messages.find(({ messageId }) => messageId === input['messageId'])
  }
}
