/** A device face with nothing behind it, so that every screen can be shown in every state at once. */
import type {
  ConversationView,
  DeliveryState,
  DeviceEvent,
  InviteView,
  MessageView,
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
  /** Code with which `add` refuses. */
  refusal: string
}

const noon = Date.UTC(2026, 5, 12, 12, 0)
const minute = 60_000
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
    outside: null,
    late: false,
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
  members: 2,
  accountId: `account of ${id}`,
  name,
  contactState: 'connected',
  unread: 0,
  last,
  ...more,
})

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
    requests: [{ requestId: 'r1', accountId: 'rrrr', name: 'Charles', atMs: noon }],
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
    refusal: 'E_INVITE_USED',
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
    status: { ...world.status, relays: [], connection: 'limited', peers: 0, outbox: 0 },
  }
}

/** The face itself: `tell` makes everyone who listens hear an event. */
export class ScreenFace {
  readonly world: ScreenWorld
  readonly sent: string[] = []
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

  async view(query: string): Promise<unknown> {
    const { world } = this
    switch (query) {
      case 'self':
        return world.self
      case 'conversations':
        return world.conversations
      case 'requests':
        return world.requests
      case 'invites':
        return world.invites
      case 'status':
        return world.status
      case 'relays':
        return world.status.relays
      case 'history':
        return { messages: world.messages, more: false, missing: world.missing }
      default:
        throw new UsageError('E_NOT_FOUND', 'no such view here')
    }
  }

  async dispatch(command: string, input: Record<string, string>): Promise<unknown> {
    const { world } = this
    switch (command) {
      case 'create-account':
        world.self = { ...self, name: input['name'] ?? '' }
        return world.self
      case 'create-invite': {
        const link = `https://relay.example/i#${'k3yK3yPa7h'.repeat(7).slice(0, 64)}`
        const invite: InviteView = {
          inviteId: 'i1',
          link,
          createdAtMs: noon,
          expiresAtMs: noon + 7 * 24 * 60 * minute,
          uses: 1,
          used: 0,
          state: 'open',
          heldBy: ['relay'],
        }
        world.invites = [invite]
        return invite
      }
      case 'send': {
        const text = input['text'] ?? ''
        this.sent.push(text)
        const sent = { ...message(this.sent.length, null, text, 'waiting') }
        world.messages.push(sent)
        this.tell({ type: 'message', message: sent })
        return sent
      }
      case 'add':
        throw new UsageError(world.refusal, 'refused')
      case 'accept-request':
        world.requests = []
        return {}
      default:
        return null
    }
  }
}
