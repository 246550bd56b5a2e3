import { createNodeProvider } from '@sotto/core/crypto-node'
import { createValidator } from '@sotto/core/discovery'
import {
  CollectingLog,
  CollectingNotifier,
  ManualClock,
  MemoryHub,
  MemoryMailboxStore,
  MemoryStore,
  seededRandom,
} from '@sotto/core/memory'
import { createMailboxServer, mailboxProtocol } from '@sotto/core/mailbox'
import type { Clock, MailboxStore, Network, Store } from '@sotto/core/ports'
import { Secret, type CryptoProvider } from '../../packages/core/src/crypto/index.ts'
import { createDevice, type Device } from '../../packages/core/src/device/device.ts'
import { directProtocol, inviteProtocol, linkProtocol } from '../../packages/core/src/device/protocols.ts'
import type { DeviceEvent, HistoryChoice } from '../../packages/core/src/device/api.ts'
import { peerIdOf } from '../../packages/core/src/identity/index.ts'
import { crdt } from './crdt.ts'

/** Devices and relays in one process, on virtual time and a network in memory. */
export class Town {
  readonly crypto: CryptoProvider
  readonly clock = new ManualClock(Date.UTC(2026, 0, 1))
  readonly hub = new MemoryHub()
  readonly people: Person[] = []
  /** What stands between every device and the hub; a test may listen or lie there. */
  port: (network: Network, name: string) => Network = (network) => network
  /** The provider one person's device works with; a test may lie there. */
  provider: (crypto: CryptoProvider, name: string) => CryptoProvider = (crypto) => crypto
  /** The clock one person's device goes by; a test may set it wrong. */
  clockOf: (clock: Clock, name: string) => Clock = (clock) => clock
  /** What relays keep their queues in. */
  mailbox: () => MailboxStore = () => new MemoryMailboxStore()

  private constructor(crypto: CryptoProvider) {
    this.crypto = crypto
  }

  /** `wrap` may put a recorder around the provider all devices use. */
  static async found(wrap: (crypto: CryptoProvider) => CryptoProvider = (crypto) => crypto): Promise<Town> {
    return new Town(wrap(await createNodeProvider()))
  }

  /** A person with one device, online unless told otherwise. */
  async person(
    name: string,
    options: { readonly store?: Store; readonly online?: boolean } = {},
  ): Promise<Person> {
    const person = new Person(this, name, options.store ?? new MemoryStore())
    await person.open(options.online ?? true)
    if ((await person.device.view('self', {})) === null)
      await person.device.dispatch('create-account', { name })
    this.people.push(person)
    await this.settle()
    return person
  }

  /** A device without an account, which may be linked to one. */
  async newcomer(name: string, store: Store = new MemoryStore()): Promise<Person> {
    const person = new Person(this, name, store)
    await person.open(true)
    this.people.push(person)
    return person
  }

  /** Links a new device to a person's account by its link; what its history is to be, and whom it cannot reach. */
  async link(
    old: Person,
    name: string,
    history: HistoryChoice = 'none',
    apart: readonly Person[] = [],
  ): Promise<Person> {
    const fresh = await this.newcomer(name)
    const offering = fresh.device.dispatch('link-offer', { deviceName: name })
    await this.pass(1_000)
    const { link } = await offering
    this.part([[fresh], apart])
    const approving = old.device.dispatch('link-approve', { code: link, history })
    await this.pass(2_000)
    await approving
    const confirmed = [fresh, old].map((one) => one.device.dispatch('link-confirm', { match: true }))
    await this.pass(3_000)
    await Promise.all(confirmed)
    await this.pass(20_000)
    return fresh
  }

  /** Whoever is in different parts hears nothing of each other from here on. */
  part(parts: readonly (readonly Person[])[]): void {
    for (const [a, b] of acrossOf(parts)) this.hub.cut(a.peerId, b.peerId)
  }

  /** What was parted meets again. */
  join(parts: readonly (readonly Person[])[]): void {
    for (const [a, b] of acrossOf(parts)) this.hub.heal(a.peerId, b.peerId)
  }

  /** A relay that keeps queues and says it serves the app under `web`, asked at each greeting; its address. */
  relay(seed: string, web: () => string | null = () => null): string {
    const { crypto, clock } = this
    const random = seededRandom(crypto, `relay ${seed}`)
    const peer = peerIdOf(crypto.signKeyPair(random.bytes(32)).publicKey)
    const network = this.hub.join(peer, { protocols: [mailboxProtocol], validate: this.validator() })
    const server = createMailboxServer({
      crypto,
      clock,
      random,
      store: this.mailbox(),
      log: new CollectingLog(),
      relayPeerId: peer,
      web,
      out: (channel, frame) => void network.write(channel, frame).catch(() => undefined),
      close: (channel) => void network.close(channel).catch(() => undefined),
    })
    network.listen((event) => {
      if (event.type === 'opened') server.opened(event.channel, event.peer)
      if (event.type === 'closed') server.closed(event.channel)
      return event.type === 'frame' ? server.frame(event.channel, event.frame) : undefined
    })
    return `/memory/${seed}/p2p/${peer}`
  }

  validator(): (key: string, value: Uint8Array) => boolean {
    const validator = createValidator(this.crypto, () => this.clock.nowMs())
    return (key, value) => validator.validate(key, value) === undefined
  }

  /** Lets everything that can happen now happen. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 4;) {
      await new Promise((resolve) => setImmediate(resolve))
      const due = this.people.filter((person) => person.dueMs <= this.clock.monotonicMs())
      for (const person of due) person.wake()
      quiet = due.length === 0 ? quiet + 1 : 0
    }
  }

  /** Lets virtual time pass, from one timer to the next. */
  async pass(ms: number): Promise<void> {
    const end = this.clock.monotonicMs() + ms
    await this.settle()
    while (this.clock.monotonicMs() < end) {
      const next = Math.min(
        end,
        ...this.people.map((person) => Math.max(person.dueMs, this.clock.monotonicMs() + 1)),
      )
      this.clock.advance(next - this.clock.monotonicMs())
      await this.settle()
    }
  }
}

/** Every two that are in different parts. */
const acrossOf = (parts: readonly (readonly Person[])[]): readonly (readonly [Person, Person])[] =>
  parts.flatMap((part, at) =>
    parts.slice(at + 1).flatMap((other) => part.flatMap((a) => other.map((b) => [a, b] as const))),
  )

/** One person's device as a test holds it. */
export class Person {
  readonly name: string
  store: Store
  readonly log = new CollectingLog()
  readonly notifier = new CollectingNotifier()
  readonly events: DeviceEvent[] = []
  device!: Device
  dueMs = Infinity
  peerId = ''
  readonly #town: Town
  readonly #seed: string
  #boots = 0

  /** `seed` is what its randomness comes from; the name says under which key its home lies. */
  constructor(town: Town, name: string, store: Store, seed = name) {
    this.#town = town
    this.#seed = seed
    this.name = name
    this.store = store
  }

  /** Opens the home, again if it was closed before. */
  async open(online: boolean): Promise<void> {
    const { crypto, clock, hub, port } = this.#town
    if (this.#boots > 0 && this.store instanceof MemoryStore) this.store = this.store.reopen()
    this.#boots += 1
    const connect = async (seed: Secret): Promise<Network> => {
      this.peerId = peerIdOf(crypto.signKeyPair(seed.expose()).publicKey)
      const node = hub.join(this.peerId, {
        protocols: [directProtocol, inviteProtocol, linkProtocol],
        validate: this.#town.validator(),
      })
      return port(node, this.name)
    }
    this.device = await createDevice({
      crypto: this.#town.provider(crypto, this.name),
      clock: this.#town.clockOf(clock, this.name),
      store: this.store,
      random: seededRandom(crypto, `${this.#seed} ${this.#boots}`),
      key: new Secret(crypto.sha256(new TextEncoder().encode(this.name))),
      log: this.log,
      notifier: this.notifier,
      // Loaded before: what takes real time would come at another virtual one on a busy machine.
      documents: async () => crdt,
      connect: online ? connect : null,
      wake: (delayMs) => (this.dueMs = clock.monotonicMs() + delayMs),
    })
    this.device.subscribe((event) => this.events.push(event))
    await this.device.start()
  }

  wake(): void {
    this.dueMs = Infinity
    this.device.tick()
  }

  async close(): Promise<void> {
    this.dueMs = Infinity
    await this.device.stop()
  }

  async texts(conversationId: string): Promise<readonly (string | null)[]> {
    const history = await this.device.view('history', { conversationId, limit: 1000 })
    return history.messages.map((message) => message.text)
  }
}
