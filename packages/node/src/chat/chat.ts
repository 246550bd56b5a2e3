import { SottoError } from '@sotto/core/ports'
import type { DeviceEvent, DeviceFace, MessageView } from '@sotto/core'
import { messageLine, readHistory } from '../cli/message.ts'
import { inviteWords } from '../cli/people.ts'
import { printableLine } from '../cli/printable.ts'
import { qrText } from '../cli/qr.ts'
import { connectionWords, marks, stateWords } from '../cli/shapes.ts'
import { short } from '../cli/table.ts'
import { findPlace, resolveId } from '../face/who.ts'
import type { Place } from '../face/who.ts'
import { Notices } from './notices.ts'

/** What a chat on a terminal needs around the device. */
export interface ChatHost {
  say(text: string): void
  /** Shows with whom the next line goes. */
  prompt(name: string | undefined): void
  /** A fresh address of the app; undefined when it is not served. */
  openWeb(): string | undefined
}

/** A chat: typed lines in, events in, text out. */
export interface Chat {
  /** Handles one typed line; true when the person wants to leave. */
  line(text: string): Promise<boolean>
  event(event: DeviceEvent): void
  start(): Promise<void>
}

const help = `Type a line to send it. Commands:
  /to NAME      write to a person or group   /who      people and groups
  /invite       a fresh link and QR code     /add LINK open somebody’s link
  /requests     who asks to write to you     /accept ID
  /open         address of the app           /status   how this device stands
  /quit         leave`

/** How many earlier lines are shown when a conversation is opened. */
const shownBefore = 10

type Command = (rest: string) => Promise<void>

class TerminalChat implements Chat {
  readonly #face: DeviceFace
  readonly #host: ChatHost
  readonly #sent = new Map<string, string>()
  readonly #notices: Notices
  readonly #commands: ReadonlyMap<string, Command>
  #current: Pick<Place, 'conversationId' | 'name'> | undefined

  constructor(face: DeviceFace, host: ChatHost) {
    this.#face = face
    this.#host = host
    this.#notices = new Notices(face)
    this.#commands = new Map<string, Command>([
      ['help', async () => host.say(help)],
      ['to', (who) => this.#choose(who)],
      ['who', () => this.#showContacts()],
      ['invite', () => this.#invite()],
      ['add', (link) => this.#add(link)],
      ['requests', () => this.#showRequests()],
      ['accept', (id) => this.#accept(id)],
      ['open', async () => host.say(host.openWeb() ?? 'The app is not served here.')],
      ['status', () => this.#showStatus()],
    ])
  }

  async start(): Promise<void> {
    await this.#notices.start()
    const contacts = await this.#face.view('contacts', {})
    const [only] = contacts.filter(({ state }) => state !== 'blocked')
    if (only !== undefined && contacts.length === 1) await this.#open(only)
    else
      this.#host.say(
        contacts.length === 0
          ? 'Nobody here yet. /help shows what you can do.'
          : 'Choose somebody: /to NAME (/who lists all).',
      )
    this.#host.prompt(this.#current?.name)
  }

  async line(text: string): Promise<boolean> {
    const typed = text.trim()
    if (typed === '/quit' || typed === '/exit') return true
    try {
      if (typed.startsWith('/')) await this.#command(typed.slice(1))
      else if (typed !== '') await this.#send(text)
    } catch (error) {
      if (!(error instanceof SottoError)) throw error
      this.#host.say([`! ${error.message}`, error.hint].filter((part) => part !== '').join('\n  '))
    }
    this.#host.prompt(this.#current?.name)
    return false
  }

  event(event: DeviceEvent): void {
    switch (event.type) {
      case 'message':
        if (!event.message.author.me) this.#received(event.message)
        return
      case 'message.edited':
      case 'message.deleted':
        if (!event.message.author.me) this.#host.say(`~ ${messageLine(event.message)}`)
        return
      case 'state':
        this.#moved(event.messageId, event.state)
        return
      case 'contact':
        void this.#contact(event)
        return
      case 'request':
        this.#host.say(
          `* ${printableLine(event.request.name)} asks to write to you: /accept ${short(event.request.requestId)}`,
        )
        return
      case 'connection':
        this.#host.say(`* ${connectionWords[event.connection]}`)
        return
      case 'warning':
        this.#host.say(`! ${event.warning.message} (${event.warning.code})`)
        return
      case 'device':
      case 'account':
      case 'group':
        void this.#notice()
        return
      case 'message.reacted':
      case 'invite':
      case 'link':
      case 'draft':
      case 'read':
      case 'settings':
        return
    }
  }

  async #notice(): Promise<void> {
    for (const line of await this.#notices.next()) this.#host.say(line)
  }

  #command(typed: string): Promise<void> {
    const [name = '', ...rest] = typed.split(/\s+/)
    const command = this.#commands.get(name)
    if (command !== undefined) return command(rest.join(' '))
    this.#host.say(`There is no /${printableLine(name)}. /help shows what there is.`)
    return Promise.resolve()
  }

  async #send(text: string): Promise<void> {
    const conversationId = this.#current?.conversationId
    if (conversationId === undefined) {
      this.#host.say('To whom? /to NAME')
      return
    }
    const message = await this.#face.dispatch('send', { conversationId, text })
    this.#sent.set(message.messageId, text.length > 24 ? `${text.slice(0, 23)}…` : text)
  }

  #received(message: MessageView): void {
    this.#host.say(messageLine(message))
    if (message.conversationId !== this.#current?.conversationId) return
    this.#face.dispatch('mark-read', { conversationId: message.conversationId }).catch(() => undefined)
  }

  #moved(messageId: string, state: keyof typeof marks): void {
    const text = this.#sent.get(messageId)
    if (text === undefined || state === 'waiting') return
    this.#host.say(`  ${marks[state]} ${stateWords[state]}: ${text}`)
    if (state === 'read' || state === 'failed') this.#sent.delete(messageId)
  }

  async #contact({ contact, change }: Extract<DeviceEvent, { type: 'contact' }>): Promise<void> {
    const name = printableLine(contact.name)
    if (change === 'connected') {
      this.#host.say(`* Connected with ${name}`)
      if (this.#current === undefined) await this.#open(contact)
      this.#host.prompt(this.#current?.name)
    } else if (change === 'refused') this.#host.say(`! ${name} did not take your request.`)
  }

  async #open(place: Pick<Place, 'conversationId' | 'name'>): Promise<void> {
    const { conversationId } = place
    this.#current = place
    const { messages } = await readHistory(this.#face, conversationId, shownBefore, undefined)
    for (const message of messages) this.#host.say(messageLine(message))
    await this.#face.dispatch('mark-read', { conversationId })
  }

  async #choose(who: string): Promise<void> {
    await this.#open(await findPlace(this.#face, who))
  }

  async #showContacts(): Promise<void> {
    const contacts = await this.#face.view('contacts', {})
    const groups = (await this.#face.view('conversations', {})).filter(({ kind }) => kind === 'group')
    const lines = [
      ...contacts.map(
        ({ accountId, name, state }) => `  ${short(accountId)}  ${printableLine(name)} (${state})`,
      ),
      ...groups.map(
        ({ conversationId, name, members }) =>
          `  ${short(conversationId)}  ${printableLine(name)} (group of ${members})`,
      ),
    ]
    this.#host.say(lines.length > 0 ? lines.join('\n') : 'Nobody yet: /invite or /add LINK')
  }

  async #invite(): Promise<void> {
    const invite = await this.#face.dispatch('create-invite', {})
    this.#host.say(`${qrText(invite.link)}\n${invite.link}\nGive it to one person. ${inviteWords(invite)}`)
  }

  async #add(link: string): Promise<void> {
    const added = await this.#face.dispatch('add', { link })
    this.#host.say(`* Asked ${printableLine(added.name)}; you can write already.`)
    await this.#choose(added.accountId)
  }

  async #showRequests(): Promise<void> {
    const requests = await this.#face.view('requests', {})
    const lines = requests.map(({ requestId, name }) => `  ${short(requestId)}  ${printableLine(name)}`)
    this.#host.say(lines.length > 0 ? lines.join('\n') : 'Nobody asks.')
  }

  async #accept(typed: string): Promise<void> {
    const requests = await this.#face.view('requests', {})
    const ids = requests.map((request) => ({ id: request.requestId, name: request.name }))
    const contact = await this.#face.dispatch('accept-request', {
      requestId: resolveId(ids, typed, 'request'),
    })
    await this.#open(contact)
  }

  async #showStatus(): Promise<void> {
    const status = await this.#face.view('status', {})
    const lines = [
      connectionWords[status.connection],
      ...status.listen.map((address) => `listening on ${address}`),
    ]
    this.#host.say(
      [...lines, `${status.outbox} waiting to be delivered`].map((line) => `  ${line}`).join('\n'),
    )
  }
}

/** A chat over a device. */
export const createChat = (face: DeviceFace, host: ChatHost): Chat => new TerminalChat(face, host)
