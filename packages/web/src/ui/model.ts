import type {
  AddedView,
  AuditView,
  ContactView,
  ConversationView,
  DeviceEvent,
  DeviceFace,
  InviteView,
  MemberView,
  MessageView,
  OwnDeviceView,
  PolicyView,
  RequestView,
  SelfView,
  StatusView,
} from '@sotto/core'
import { atom, type WritableAtom } from 'nanostores'

/** The open conversation as it is shown. */
export interface OpenHistory {
  readonly conversationId: string
  readonly messages: readonly MessageView[]
  readonly more: boolean
  readonly missing: number
}

/** Who is in the open conversation, by which rules, and what happened to either. */
export interface OpenAround {
  readonly conversationId: string
  readonly members: readonly MemberView[]
  readonly policy: PolicyView | undefined
  readonly audit: readonly AuditView[]
}

export type LinkEvent = Extract<DeviceEvent, { type: 'link' }>
type ChangeOfDevice = Extract<DeviceEvent, { type: 'device' }>

/** What the screens show: each a copy of a view of the device, read anew when an event says so. */
export interface Model {
  readonly face: DeviceFace
  /** Undefined until known, null when there is no account. */
  readonly self: WritableAtom<SelfView | null | undefined>
  readonly conversations: WritableAtom<readonly ConversationView[] | undefined>
  readonly requests: WritableAtom<readonly RequestView[]>
  readonly invites: WritableAtom<readonly InviteView[]>
  readonly status: WritableAtom<StatusView | undefined>
  readonly history: WritableAtom<OpenHistory | undefined>
  readonly around: WritableAtom<OpenAround | undefined>
  readonly contacts: WritableAtom<readonly ContactView[]>
  /** Undefined until a screen asked for them. */
  readonly devices: WritableAtom<readonly OwnDeviceView[] | undefined>
  /** How linking stands, as the device told last. */
  readonly link: WritableAtom<LinkEvent | undefined>
  /** The last thing that befell a device of this account. */
  readonly ownDevice: WritableAtom<ChangeOfDevice | undefined>
  /** The last message that arrived, for those who listen to the page. */
  readonly arrived: WritableAtom<MessageView | undefined>
  open(conversationId: string | undefined): void
  showEarlier(): void
  refresh(what: Part): void
  /** Reads everything again: another account may be here now. */
  reload(): void
  createAccount(name: string): Promise<void>
  add(link: string, relayHints: readonly string[]): Promise<AddedView>
  stop(): void
}

type Part =
  'self' | 'conversations' | 'requests' | 'invites' | 'status' | 'history' | 'around' | 'contacts' | 'devices'

const pageMessages = 50
const retryMs = 500

/** A model of the device behind the face; `stop` lets the face go. */
export function createModel(face: DeviceFace): Model {
  return new DeviceModel(face)
}

class DeviceModel implements Model {
  readonly face: DeviceFace
  readonly self = atom<SelfView | null | undefined>(undefined)
  readonly conversations = atom<readonly ConversationView[] | undefined>(undefined)
  readonly requests = atom<readonly RequestView[]>([])
  readonly invites = atom<readonly InviteView[]>([])
  readonly status = atom<StatusView | undefined>(undefined)
  readonly history = atom<OpenHistory | undefined>(undefined)
  readonly around = atom<OpenAround | undefined>(undefined)
  readonly contacts = atom<readonly ContactView[]>([])
  readonly devices = atom<readonly OwnDeviceView[] | undefined>(undefined)
  readonly link = atom<LinkEvent | undefined>(undefined)
  readonly ownDevice = atom<ChangeOfDevice | undefined>(undefined)
  readonly arrived = atom<MessageView | undefined>(undefined)
  readonly #refresh: Readonly<Record<Part, () => void>>
  readonly #unsubscribe: () => void
  readonly #onShown = (): void => this.#markRead()
  #openId: string | undefined
  #shown = pageMessages
  #stopped = false

  constructor(face: DeviceFace) {
    this.face = face
    this.#refresh = {
      self: this.#reader(async () => this.self.set(await face.view('self', {}))),
      conversations: this.#reader(async () => this.conversations.set(await face.view('conversations', {}))),
      requests: this.#reader(async () => this.requests.set(await face.view('requests', {}))),
      invites: this.#reader(async () => this.invites.set(await face.view('invites', {}))),
      status: this.#reader(async () => this.status.set(await face.view('status', {}))),
      history: this.#reader(() => this.#readHistory()),
      around: this.#reader(() => this.#readAround()),
      contacts: this.#reader(async () => this.contacts.set(await face.view('contacts', {}))),
      devices: this.#reader(async () => this.devices.set(await face.view('devices', {}))),
    }
    this.#unsubscribe = face.subscribe((event) => this.#hear(event))
    document.addEventListener('visibilitychange', this.#onShown)
    this.reload()
  }

  open(conversationId: string | undefined): void {
    if (this.#openId === conversationId) return
    this.#openId = conversationId
    this.#shown = pageMessages
    if (this.history.get()?.conversationId !== conversationId) this.history.set(undefined)
    if (this.around.get()?.conversationId !== conversationId) this.around.set(undefined)
    this.#refresh.history()
    this.#refresh.around()
  }

  showEarlier(): void {
    this.#shown += pageMessages
    this.#refresh.history()
  }

  refresh(what: Part): void {
    this.#refresh[what]()
  }

  reload(): void {
    this.#refresh.self()
    this.#refreshLists()
  }

  async createAccount(name: string): Promise<void> {
    this.self.set(await this.face.dispatch('create-account', { name }))
    this.#refreshLists()
  }

  async add(link: string, relayHints: readonly string[]): Promise<AddedView> {
    const added = await this.face.dispatch('add', { link, relayHints })
    this.#refresh.conversations()
    return added
  }

  stop(): void {
    this.#stopped = true
    this.#unsubscribe()
    document.removeEventListener('visibilitychange', this.#onShown)
  }

  #refreshLists(): void {
    this.#refresh.conversations()
    this.#refresh.requests()
    this.#refresh.invites()
    this.#refresh.status()
    this.#refresh.contacts()
    this.#refresh.history()
    this.#refresh.around()
  }

  #hear(event: DeviceEvent): void {
    switch (event.type) {
      case 'message':
        if (!event.message.author.me && event.message.outside === null) this.arrived.set(event.message)
        this.#changed(event.message.conversationId)
        return
      case 'message.edited':
      case 'message.deleted':
      case 'message.reacted':
        this.#changed(event.message.conversationId)
        return
      case 'state':
        this.#changed(event.conversationId)
        return
      case 'group':
        this.#changed(event.conversationId)
        this.#refresh.requests()
        if (event.conversationId === this.#openId) this.#refresh.around()
        return
      case 'contact':
        this.#refresh.conversations()
        this.#refresh.requests()
        this.#refresh.contacts()
        this.#refresh.history()
        this.#refresh.around()
        return
      case 'request':
        this.#refresh.requests()
        return
      case 'invite':
        this.#refresh.invites()
        return
      case 'device':
        if (event.accountId === this.self.get()?.accountId) this.ownDevice.set(event)
        this.#refresh.conversations()
        this.#refresh.around()
        if (this.devices.get() !== undefined) this.#refresh.devices()
        return
      case 'account':
        this.#refresh.around()
        return
      case 'link':
        this.link.set(event)
        if (event.state === 'linked') this.reload()
        return
      case 'read':
        this.#changed(event.conversationId)
        return
      case 'draft':
      case 'settings':
        return
      case 'connection':
      case 'warning':
        this.#refresh.status()
    }
  }

  #changed(conversationId: string): void {
    this.#refresh.conversations()
    if (conversationId === this.#openId) this.#refresh.history()
  }

  /** A conversation that has just begun may have no members or rules yet. */
  async #readAround(): Promise<void> {
    const conversationId = this.#openId
    if (conversationId === undefined) return
    const input = { conversationId }
    const [members, policy, audit] = await Promise.all([
      this.face.view('members', input).catch(unlessLost([])),
      this.face.view('policy', input).catch(unlessLost(undefined)),
      this.face.view('audit', input).catch(unlessLost([])),
    ])
    if (conversationId === this.#openId) this.around.set({ conversationId, members, policy, audit })
  }

  async #readHistory(): Promise<void> {
    const conversationId = this.#openId
    if (conversationId === undefined) return
    const { messages, more, missing } = await this.face.view('history', {
      conversationId,
      limit: this.#shown,
    })
    if (conversationId !== this.#openId) return
    this.history.set({ conversationId, messages, more, missing })
    this.#markRead()
  }

  /** What is in front of the person counts as seen. */
  #markRead(): void {
    const conversationId = this.#openId
    if (conversationId === undefined || document.visibilityState !== 'visible') return
    const conversation = this.conversations.get()?.find((one) => one.conversationId === conversationId)
    if (conversation === undefined || conversation.unread === 0) return
    this.face.dispatch('mark-read', { conversationId }).then(
      () => this.#refresh.conversations(),
      () => undefined,
    )
  }

  /** Reads at most once at a time, and once more when asked meanwhile; a face that is away is asked again. */
  #reader(read: () => Promise<void>): () => void {
    let running = false
    let again = false
    const run = async (): Promise<void> => {
      running = true
      do {
        again = false
        try {
          await read()
        } catch (failure) {
          if (isLost(failure)) {
            await new Promise((resolve) => setTimeout(resolve, retryMs))
            again = true
          }
        }
      } while (again && !this.#stopped)
      running = false
    }
    return () => {
      if (running) again = true
      else if (!this.#stopped) void run()
    }
  }
}

const isLost = (failure: unknown): boolean =>
  typeof failure === 'object' && failure !== null && 'code' in failure && failure.code === 'E_PORT_LOST'

const unlessLost =
  <T>(otherwise: T) =>
  (failure: unknown): T => {
    if (isLost(failure)) throw failure
    return otherwise
  }
