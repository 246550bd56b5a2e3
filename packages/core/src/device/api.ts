/**
 * The second interface of a device: what a face (command line, page, bot) may ask and hear. Everything here
 * is structured-cloneable, so it crosses postMessage, a socket or a BroadcastChannel unchanged. Ids are
 * lower-case base32 strings, times milliseconds since 1970 UTC. A refused command is a `UsageError`.
 */

/** Where a message of mine stands; each step is a fact somebody stored or signed. */
export type DeliveryState = 'waiting' | 'relayed' | 'delivered' | 'read' | 'failed'

/** How this device is connected, in the order a person should worry less. */
export type ConnectionState = 'offline' | 'local' | 'limited' | 'relay' | 'direct'

/** What can be asked to be done, with what each gives back. */
export interface Commands {
  'create-account': { readonly in: { readonly name: string }; readonly out: SelfView }
  'create-invite': {
    /** With a `conversationId`, a link into that group. */
    readonly in: {
      readonly expiresInMs?: number
      readonly uses?: number
      readonly direct?: boolean
      readonly conversationId?: string
    }
    readonly out: InviteView
  }
  'revoke-invite': { readonly in: { readonly inviteId: string }; readonly out: InviteView }
  /** Resolves once the invite record was read and checked and the first flight is durable. */
  add: {
    /** `relayHints`: addresses of the relay the link's host names, which the adapter looked up. */
    readonly in: { readonly link: string; readonly relayHints?: readonly string[] }
    readonly out: AddedView
  }
  /** A stranger becomes a contact, or who came by a link into a group a member of it. */
  'accept-request': { readonly in: { readonly requestId: string }; readonly out: ContactView }
  'ignore-request': { readonly in: { readonly requestId: string }; readonly out: null }
  /** Resolves once the message is durable in the outbox. */
  send: {
    readonly in: { readonly conversationId: string; readonly text: string; readonly replyTo?: string }
    readonly out: MessageView
  }
  /** New text for a message of this account's. */
  edit: { readonly in: { readonly messageId: string; readonly text: string }; readonly out: MessageView }
  /** Takes a message back: its text is erased on every device that hears of it. */
  delete: { readonly in: { readonly messageId: string }; readonly out: MessageView }
  /** This account's reaction to a message; an empty text takes it back. */
  react: { readonly in: { readonly messageId: string; readonly emoji: string }; readonly out: MessageView }
  /** Opens a group with these contacts in it, and this account as its owner. */
  'create-group': {
    readonly in: { readonly name: string; readonly members?: readonly string[] }
    readonly out: ConversationView
  }
  'group-add': { readonly in: GroupMemberInput; readonly out: readonly MemberView[] }
  'group-remove': { readonly in: GroupMemberInput; readonly out: readonly MemberView[] }
  'group-role': {
    readonly in: GroupMemberInput & { readonly role: GroupRole }
    readonly out: readonly MemberView[]
  }
  'group-leave': { readonly in: { readonly conversationId: string }; readonly out: null }
  'group-rename': {
    readonly in: { readonly conversationId: string; readonly name: string }
    readonly out: ConversationView
  }
  'group-policy': {
    readonly in: { readonly conversationId: string } & Partial<PolicyView>
    readonly out: PolicyView
  }
  /**
   * On a new device, in a home without an account: shows a code and a link by which an account takes it in. What
   * follows comes as `link` events. The code is good for one device and a few minutes.
   */
  'link-offer': {
    readonly in: { readonly deviceName: string }
    readonly out: { readonly code: string; readonly link: string; readonly expiresAtMs: number }
  }
  /** On a device of the account: meets the device behind a code or link. Resolves once both show the same emoji. */
  'link-approve': {
    readonly in: { readonly code: string; readonly history?: HistoryChoice }
    readonly out: { readonly emoji: readonly string[]; readonly deviceName: string }
  }
  /** On both: whether the person saw the same emoji. Resolves once the device is in, at both ends. */
  'link-confirm': {
    readonly in: { readonly match: boolean }
    readonly out: { readonly accountId: string; readonly deviceId: string }
  }
  /** Puts another device of this account out, everywhere. Who knows of it later, the `devices` query tells. */
  'remove-device': {
    readonly in: { readonly deviceId: string }
    readonly out: { readonly deviceId: string; readonly told: ToldView }
  }
  /** Texts and values a conversation has beside its messages; everybody in it may change them. */
  'set-topic': {
    readonly in: { readonly conversationId: string; readonly topic: string }
    readonly out: DetailsView
  }
  /** The bytes of a small picture as base64url; null takes it away. */
  'set-picture': {
    readonly in: { readonly conversationId: string; readonly picture: string | null }
    readonly out: DetailsView
  }
  pin: { readonly in: { readonly messageId: string }; readonly out: DetailsView }
  unpin: {
    readonly in: { readonly conversationId: string; readonly messageId: string }
    readonly out: DetailsView
  }
  /** The whole shared note; only what differs is written, so that others' edits elsewhere in it stay. */
  'set-note': {
    readonly in: { readonly conversationId: string; readonly note: string }
    readonly out: DetailsView
  }
  /** What was begun and not sent; empty takes it back. Shared with own devices a little later. */
  'set-draft': {
    readonly in: { readonly conversationId: string; readonly text: string }
    readonly out: null
  }
  /** Whether safety numbers were compared with a contact. */
  'verify-contact': {
    readonly in: { readonly accountId: string; readonly verified: boolean }
    readonly out: ContactView
  }
  /** Marks everything shown so far as read; tells the author only when receipts are on at both ends. */
  'mark-read': { readonly in: { readonly conversationId: string }; readonly out: null }
  'rename-contact': {
    readonly in: { readonly accountId: string; readonly name: string }
    readonly out: ContactView
  }
  block: { readonly in: { readonly accountId: string }; readonly out: ContactView }
  unblock: { readonly in: { readonly accountId: string }; readonly out: ContactView }
  'add-relay': { readonly in: { readonly address: string }; readonly out: RelayView }
  'remove-relay': { readonly in: { readonly relayId: string }; readonly out: null }
  /** Keeps this peer as an entry to the DHT. */
  'add-bootstrap': { readonly in: { readonly address: string }; readonly out: null }
  'set-setting': {
    readonly in: { readonly key: SettingKey; readonly value: string }
    readonly out: SettingsView
  }
  /** The 24 words, until they were confirmed. */
  'recovery-words': { readonly in: Record<never, never>; readonly out: { readonly words: readonly string[] } }
  /** Three of the words by position (1 to 24); when right, the recovery secret is erased from this device. */
  'confirm-recovery': {
    readonly in: { readonly words: Readonly<Record<string, string>> }
    readonly out: null
  }
  /** Tries every waiting delivery at once. */
  'retry-now': { readonly in: Record<never, never>; readonly out: null }
}

/** What can be looked at; a query changes nothing. */
export interface Queries {
  self: { readonly in: Record<never, never>; readonly out: SelfView | null }
  status: { readonly in: Record<never, never>; readonly out: StatusView }
  contacts: { readonly in: Record<never, never>; readonly out: readonly ContactView[] }
  requests: { readonly in: Record<never, never>; readonly out: readonly RequestView[] }
  invites: { readonly in: Record<never, never>; readonly out: readonly InviteView[] }
  relays: { readonly in: Record<never, never>; readonly out: readonly RelayView[] }
  conversations: { readonly in: Record<never, never>; readonly out: readonly ConversationView[] }
  /** The newest `limit` messages (default 50) before the given one, oldest first. */
  history: {
    readonly in: {
      readonly conversationId: string
      readonly before?: string
      readonly limit?: number
      readonly sinceMs?: number
    }
    readonly out: HistoryView
  }
  /** Who is in a conversation, highest role first. */
  members: { readonly in: { readonly conversationId: string }; readonly out: readonly MemberView[] }
  policy: { readonly in: { readonly conversationId: string }; readonly out: PolicyView }
  /** Topic, picture, pins and note of a conversation. */
  details: { readonly in: { readonly conversationId: string }; readonly out: DetailsView }
  /** Drafts of this account, from any of its devices. */
  drafts: { readonly in: Record<never, never>; readonly out: readonly DraftView[] }
  /** This account's devices, oldest first. */
  devices: { readonly in: Record<never, never>; readonly out: readonly OwnDeviceView[] }
  /** What happened to devices, members and rules: in one conversation, or everywhere. Never content. */
  audit: { readonly in: { readonly conversationId?: string }; readonly out: readonly AuditView[] }
  /** One message, or an error when it is not here. */
  message: { readonly in: { readonly messageId: string }; readonly out: MessageView }
  /** The canonical export of a conversation: the same text on every device that holds the same. */
  export: { readonly in: { readonly conversationId: string }; readonly out: { readonly json: string } }
  settings: { readonly in: Record<never, never>; readonly out: SettingsView }
  safety: {
    readonly in: { readonly accountId: string }
    readonly out: { readonly number: string; readonly deviceState: string }
  }
  /** Events with `seq` above `since`, at most 1,000. */
  events: { readonly in: { readonly since: number }; readonly out: readonly DeviceEvent[] }
}

export type CommandName = keyof Commands
export type QueryName = keyof Queries

/** A device as its faces see it. The daemon's socket, the Worker's port and the object itself all are one. */
export interface DeviceFace {
  dispatch<C extends CommandName>(command: C, input: Commands[C]['in']): Promise<Commands[C]['out']>
  view<Q extends QueryName>(query: Q, input: Queries[Q]['in']): Promise<Queries[Q]['out']>
  /** Calls back for every event from now on; the result ends it. */
  subscribe(listener: (event: DeviceEvent) => void): () => void
}

export interface SelfView {
  readonly accountId: string
  readonly deviceId: string
  readonly name: string
  /** The 24 words were confirmed and their secret erased here. */
  readonly recoveryConfirmed: boolean
}

export interface StatusView {
  readonly peerId: string
  readonly listen: readonly string[]
  readonly connection: ConnectionState
  /** Peers with an open connection, contacts or not. */
  readonly peers: number
  readonly relays: readonly RelayView[]
  /** My messages not yet delivered. */
  readonly outbox: number
  /** Records waiting for something they need, in conversations this account takes part in. */
  readonly held: number
  readonly conversations: number
  /** Things the person should know: `E_CLOCK`, `E_STORE_ROLLED_BACK`, `E_STORE_CORRUPT`, … */
  readonly warnings: readonly WarningView[]
}

export interface WarningView {
  readonly code: string
  readonly message: string
  readonly atMs: number
}

export interface ContactView {
  readonly accountId: string
  readonly conversationId: string
  readonly name: string
  readonly verified: boolean
  readonly state: 'pending' | 'connected' | 'blocked'
  readonly devices: number
}

export interface RequestView {
  readonly requestId: string
  readonly accountId: string
  readonly name: string
  readonly atMs: number
  /** The group they want into; null for who wants to write. */
  readonly group: { readonly conversationId: string; readonly name: string } | null
}

export interface InviteView {
  readonly inviteId: string
  readonly link: string
  readonly createdAtMs: number
  readonly expiresAtMs: number
  readonly uses: number
  readonly used: number
  readonly state: 'open' | 'used' | 'revoked' | 'expired'
  /** Who can answer for it while this device is away. */
  readonly heldBy: readonly ('relay' | 'dht')[]
  /** The group it leads into; null for a contact. */
  readonly group: { readonly conversationId: string; readonly name: string } | null
}

export interface AddedView {
  /** Whose link it was. */
  readonly accountId: string
  /** The direct conversation, or the group the link is into. */
  readonly conversationId: string
  readonly name: string
  /** A group is `pending` until somebody of it has let this account in. */
  readonly state: 'pending' | 'connected'
  /** Name of the group; null for a contact. */
  readonly group: string | null
}

export interface RelayView {
  readonly relayId: string
  readonly address: string
  readonly state: 'connecting' | 'connected' | 'unreachable'
  /** Items of ours waiting there, as far as known. */
  readonly items: number
}

export interface ConversationView {
  readonly conversationId: string
  readonly kind: 'direct' | 'group' | 'notes'
  /** The other account of a direct conversation, the own one for notes; null for a group. */
  readonly accountId: string | null
  readonly name: string
  /**
   * Of the contact in a direct conversation; for a group `left` when this account is no longer in it, `pending` while
   * it waits to be let in.
   */
  readonly contactState: 'pending' | 'connected' | 'blocked' | 'left'
  /** A group that was asked to let this account in: by whose link, and why it will not. */
  readonly join: { readonly by: string; readonly refused: string | null } | null
  readonly members: number
  readonly unread: number
  readonly last: MessageView | null
}

export interface MessageView {
  readonly messageId: string
  readonly conversationId: string
  readonly author: {
    readonly accountId: string
    readonly deviceId: string
    readonly name: string
    readonly me: boolean
  }
  /** Null when the text is gone: `deleted`, or `textMissing`. */
  readonly text: string | null
  /** The text did not come, or was damaged here: the others are asked for it, or all were and none has it. Else null. */
  readonly textMissing: 'asked-for' | 'nobody-has-it' | null
  readonly sentAtMs: number
  readonly receivedAtMs: number
  /** Of my own messages; null for others'. */
  readonly state: DeliveryState | null
  readonly replyTo: string | null
  readonly edited: boolean
  readonly deleted: boolean
  /** Came more than a day after it says it was sent. */
  readonly late: boolean
  /** Why it counts for nothing: its author was out, or was being removed when it was written. Else null. */
  readonly outside: 'not-a-member' | 'device-out' | 'sent-while-removed' | null
  readonly reactions: readonly { readonly emoji: string; readonly by: readonly string[] }[]
  readonly attachments: readonly {
    readonly fileId: string
    readonly name: string
    readonly size: number
    readonly mime: string
  }[]
}

/** What a new device is given of what was said before: everything, the last days, or nothing. */
export type HistoryChoice = 'all' | 'none' | { readonly days: number }

export type GroupRole = 'owner' | 'admin' | 'member'

export interface GroupMemberInput {
  readonly conversationId: string
  readonly accountId: string
}

export interface MemberView {
  readonly accountId: string
  readonly name: string
  readonly me: boolean
  readonly role: GroupRole
  readonly devices: readonly {
    readonly deviceId: string
    readonly name: string
    readonly state: 'active' | 'expired'
  }[]
}

/** The rules of a conversation. */
export interface PolicyView {
  /** Days of history a newcomer is shown: 0 from the join on, null all. */
  readonly historyDays: number | null
  /** What is older is forgotten, milliseconds; null keeps. */
  readonly retentionMs: number | null
  /** Life of new messages, milliseconds; null for ever. */
  readonly timerMs: number | null
  readonly adminsGrantAdmin: boolean
  readonly membersAdmit: boolean
  readonly adminsRedact: boolean
}

/** What a conversation has beside its messages. Empty where nobody said anything. */
export interface DetailsView {
  readonly topic: string
  /** Bytes as base64url; which kind of picture they are, they say themselves. */
  readonly picture: string | null
  /** Message ids. */
  readonly pins: readonly string[]
  readonly note: string
}

export interface DraftView {
  readonly conversationId: string
  readonly text: string
}

export interface OwnDeviceView {
  readonly deviceId: string
  readonly name: string
  readonly addedAtMs: number
  /** The device that added it; null for the first, and by the recovery key. */
  readonly addedBy: string | null
  readonly lastSeenMs: number | null
  readonly expiresAtMs: number
  readonly state: 'active' | 'revoked' | 'expired' | 'forked'
  readonly thisDevice: boolean
  /** Who knows that it was put out; null when it was not. */
  readonly told: ToldView | null
}

/** Of the devices this account talks with (own ones, those of contacts and of members), how many know something. */
export interface ToldView {
  readonly devices: number
  readonly of: number
}

export interface AuditView {
  readonly seq: number
  readonly atMs: number
  /** Null: about an account, in every conversation it takes part in. */
  readonly conversationId: string | null
  readonly kind: string
  readonly by: string | null
  readonly subject: string | null
  readonly deviceId: string | null
  /** A role, a rule, or of a removal that was undone, so that somebody is back, the account that undid it. */
  readonly detail: string
  /** Of a device that contradicted itself: the two signed operations that prove it, in base32; else null. */
  readonly proof: string | null
}

export interface HistoryView {
  readonly messages: readonly MessageView[]
  readonly more: boolean
  /** Messages known to exist and not yet here, or damaged here; shown as a gap, being repaired. */
  readonly missing: number
}

export interface SettingsView {
  readonly name: string
  readonly deviceName: string
  readonly readReceipts: boolean
  readonly previews: boolean
}
export type SettingKey = keyof SettingsView

/** What happened, in order. `seq` grows by one and survives restarts. Text and names ride along for faces that may show them. */
export type DeviceEvent = { readonly seq: number; readonly atMs: number } & (
  | { readonly type: 'message'; readonly message: MessageView }
  /** A message reads otherwise than before: edited, taken back, or with other reactions. */
  | { readonly type: 'message.edited'; readonly message: MessageView }
  | { readonly type: 'message.deleted'; readonly message: MessageView }
  | { readonly type: 'message.reacted'; readonly message: MessageView }
  /**
   * Members, roles, rules, name, topic, picture, pins or note of a conversation changed; `joined` and `refused`: what
   * came of asking to be let in.
   */
  | {
      readonly type: 'group'
      readonly conversationId: string
      readonly change?: 'joined' | 'refused'
      readonly code?: string
    }
  | {
      readonly type: 'state'
      readonly messageId: string
      readonly conversationId: string
      readonly state: DeliveryState
    }
  | {
      readonly type: 'contact'
      readonly contact: ContactView
      readonly change: 'added' | 'connected' | 'changed' | 'refused'
      readonly code?: string
    }
  | { readonly type: 'request'; readonly request: RequestView }
  | { readonly type: 'invite'; readonly invite: InviteView }
  | {
      readonly type: 'device'
      readonly accountId: string
      readonly deviceId: string
      readonly change: 'added' | 'revoked' | 'expired' | 'forked' | 'rolled-back'
    }
  /**
   * About a whole account: its recovery key spoke; its recovery key, or two of its devices, contradict each other, and
   * only its person can say who is right.
   */
  | {
      readonly type: 'account'
      readonly accountId: string
      readonly change: 'recovered' | 'contested' | 'accused'
    }
  /** How linking goes: compare the emoji, then it is done or failed. */
  | { readonly type: 'link'; readonly state: 'compare'; readonly emoji: readonly string[] }
  | {
      readonly type: 'link'
      readonly state: 'linked'
      readonly accountId: string
      readonly deviceId: string
    }
  | { readonly type: 'link'; readonly state: 'failed'; readonly code: string }
  /** Another own device began to write, or took it back. */
  | { readonly type: 'draft'; readonly conversationId: string }
  /** Another own device has shown messages to the person. */
  | { readonly type: 'read'; readonly conversationId: string; readonly unread: number }
  /** Another own device changed a setting. */
  | { readonly type: 'settings' }
  | { readonly type: 'connection'; readonly connection: ConnectionState }
  | { readonly type: 'warning'; readonly warning: WarningView }
)
