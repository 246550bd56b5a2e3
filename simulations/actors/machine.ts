import {
  createDevice,
  directProtocol,
  initCrdt,
  inviteProtocol,
  linkProtocol,
  type Device,
  type DeviceEvent,
  type MessageView,
} from '@sotto/core'
import { documentLibrary } from '@sotto/core/host-node'
import { Secret, type CryptoProvider } from '@sotto/core/crypto'
import { CollectingLog, CollectingNotifier, seededRandom } from '@sotto/core/memory'
import type { Network } from '@sotto/core/ports'
import { utf8 } from '@sotto/core/wire'
import { peerIdOf } from '../../packages/core/src/identity/index.ts'
import type { SetBack } from '../laws/watched.ts'
import { Disk } from '../world/disk.ts'
import { HostClock } from '../world/host-clock.ts'
import { Node } from '../world/node.ts'
import type { World } from '../world/world.ts'

/** Loaded before any world begins: reading a file takes real time, in which virtual time must not go on. */
const crdt = await initCrdt(await documentLibrary())

/** How a test spoils a person's device: a law must notice. */
export type SpoilDevice = (device: Device, machine: Machine) => Device

/** How a test spoils what a person's device says to the network. */
export type SpoilNetwork = (network: Network, machine: Machine) => Network

interface Process {
  readonly number: number
  device: Device | undefined
  node: Node | undefined
  alarm: number
  /** A suspended tab: it lives and does nothing. Whether it asked to be woken meanwhile. */
  frozen: boolean
  overslept: boolean
}

export interface MachineOptions {
  /** Name of the person it belongs to. */
  readonly person: string
  /** What others see of its person; never to be seen outside. */
  readonly fullName: string
  readonly dialable: boolean
  /** Whether it opens an account, or waits to be linked to one. */
  readonly first: boolean
  /** The machine whose home this is a copy of. */
  readonly copyOf?: Machine | undefined
  readonly spoil?: SpoilDevice | undefined
  readonly spoilNetwork?: SpoilNetwork | undefined
}

/** One device: the real one, over this world's ports. */
export class Machine {
  readonly name: string
  readonly person: string
  readonly fullName: string
  readonly clock: HostClock
  readonly disk: Disk
  readonly log = new CollectingLog()
  readonly #world: World
  readonly #options: MachineOptions
  accountId = ''
  deviceId = ''
  /** When it was made, and when it came to have its account. */
  readonly madeMs: number
  readonly bornMs: number
  readonly home: string
  sinceMs = Infinity
  /** Whether its person means to have the app open. */
  wanted = true
  /** Its account has removed it; it goes on as if nothing were. */
  out = false
  /** Somebody else holds it. */
  stolen = false
  /** Its disk is so rotten that its home does not open. */
  wrecked = false
  /** Its home runs twice: a copy of it does, or it is one. */
  doubled = false
  /** When its person was first told that its home is an older copy, or in use elsewhere. */
  toldOlderMs: number | undefined
  /** Makes its device say something else than it means to, from the next boot on. */
  speaks: ((crypto: CryptoProvider) => CryptoProvider) | undefined
  /** When it was last set back to an older copy of its whole disk. */
  setBack: SetBack | undefined
  /** The pictures it shows while it is linked. */
  pictures = ''
  #process: Process | undefined
  #boots = 0
  #port = 1
  #seq = 0

  constructor(world: World, name: string, options: MachineOptions) {
    this.#world = world
    this.#options = options
    this.name = name
    this.person = options.person
    this.fullName = options.fullName
    this.bornMs = world.timeline.nowMs
    this.madeMs = options.copyOf?.madeMs ?? this.bornMs
    this.home = options.copyOf?.home ?? name
    this.clock = new HostClock(world.timeline)
    this.disk = new Disk(world.timeline, world.stream('disk', name), world.faults)
  }

  /** The running device, if the app is open. */
  get device(): Device | undefined {
    return this.#process?.device
  }

  get lies(): boolean {
    return this.speaks !== undefined
  }

  get rotten(): boolean {
    return this.disk.rotten
  }

  /** Opens the app; tries again by itself when the home cannot be opened now. */
  async boot(): Promise<void> {
    if (this.wrecked) return
    this.wanted = true
    if (this.#process !== undefined) return
    this.#boots += 1
    const process: Process = {
      number: this.#boots,
      device: undefined,
      node: undefined,
      alarm: 0,
      frozen: false,
      overslept: false,
    }
    this.#process = process
    this.clock.boot()
    this.#world.trace.note('boot', { host: this.name, boot: process.number })
    try {
      await this.#start(process)
    } catch (error) {
      if (this.#process === process) this.#bootFailed(error)
    }
  }

  /** Closes the app in order. */
  async stop(): Promise<void> {
    this.wanted = false
    const process = this.#process
    if (process?.device === undefined) return
    process.alarm += 1
    this.#world.trace.note('stop', { host: this.name })
    await process.device.stop()
    if (this.#process === process) this.#process = undefined
  }

  /** The machine loses its power, now. */
  async crash(): Promise<void> {
    if (this.#process === undefined) return
    this.#die()
    await this.disk.crash()
  }

  /** The power goes, and bits of so many rows flip before it is back. */
  async rot(rows: number): Promise<void> {
    await this.crash()
    this.#world.trace.note('rot', { host: this.name, rows })
    await this.disk.rot(rows)
  }

  /** A copy of its whole disk; called, the machine is set back to it, the mark beside the database too or not. */
  async image(): Promise<(withMark: boolean) => Promise<void>> {
    const { hearing, timeline } = this.#world
    const [fromMs, seq] = [timeline.nowMs, this.#seq]
    const forget = hearing.remember(this)
    this.#world.trace.note('image', { host: this.name })
    const old = await this.disk.image()
    return async (withMark) => {
      await this.crash()
      this.#world.trace.note('set-back', { host: this.name, withMark })
      await this.disk.putBack(old, withMark)
      forget()
      this.#seq = seq
      this.setBack = { fromMs, atMs: timeline.nowMs, toldMs: undefined }
    }
  }

  /** Another machine with a copy of its whole home, under its keys. */
  async clone(): Promise<Machine> {
    const clone = new Machine(this.#world, `${this.name}-copy`, { ...this.#options, copyOf: this })
    await clone.disk.fill(await this.disk.image())
    clone.accountId = this.accountId
    clone.deviceId = this.deviceId
    clone.#seq = this.#seq
    for (const one of [this, clone]) one.doubled = true
    return clone
  }

  /** The browser suspends the tab: no timer, no network. What comes of it when it goes on is the device's own doing. */
  freeze(): void {
    const process = this.#process
    if (process?.node === undefined || process.frozen) return
    this.#world.trace.note('frozen', { host: this.name })
    process.frozen = true
    process.node.freeze()
  }

  thaw(): void {
    const process = this.#process
    if (process?.frozen !== true) return
    this.#world.trace.note('thawed', { host: this.name })
    process.frozen = false
    process.node?.thaw()
    if (process.overslept) process.device?.tick()
    process.overslept = false
  }

  /** The key to its home. */
  key(): Secret {
    const { crypto, seed } = this.#world
    return new Secret(crypto.sha256(utf8(`${seed}/${this.home}`)))
  }

  /** A new address from the next boot on. */
  move(): void {
    this.#port += 1
  }

  /** Who it is, once it has an account; its person's books are opened then. */
  async introduce(device: Device): Promise<boolean> {
    const self =
      (await device.view('self', {})) ??
      (this.#options.first ? await device.dispatch('create-account', { name: this.fullName }) : null)
    if (self === null) return false
    this.accountId = self.accountId
    this.deviceId = self.deviceId
    this.sinceMs = Math.min(this.sinceMs, this.#world.timeline.nowMs)
    this.#world.ledger.introduce(this)
    return true
  }

  /** Everything in a conversation, oldest first, and how much is known to be missing. */
  async history(
    conversationId: string,
  ): Promise<{ readonly messages: readonly MessageView[]; readonly missing: number }> {
    const device = this.#process?.device
    let messages: readonly MessageView[] = []
    for (;;) {
      const before = messages[0]?.messageId
      const page = await device?.view('history', {
        conversationId,
        limit: 1_000,
        ...(before === undefined ? {} : { before }),
      })
      messages = [...(page?.messages ?? []), ...messages]
      if (page?.more !== true || page.messages.length === 0) return { messages, missing: page?.missing ?? 0 }
    }
  }

  async #start(process: Process): Promise<void> {
    const { seed } = this.#world
    const honest = this.#world.cryptoOf(this.name)
    const crypto = this.speaks?.(honest) ?? honest
    const store = await this.disk.open(() => this.#cutDown(process))
    const opened = await createDevice({
      crypto,
      store,
      clock: this.clock,
      random: seededRandom(crypto, `${seed}/crypto/${this.name}/${process.number}`),
      key: this.key(),
      log: this.log,
      notifier: new CollectingNotifier(),
      documents: async () => crdt,
      connect: async (transport) => {
        const node = this.#connect(process, transport)
        return this.#options.spoilNetwork?.(node, this) ?? node
      },
      wake: (delayMs) => this.#wake(process, delayMs),
    })
    const device = this.#options.spoil?.(opened, this) ?? opened
    await this.#catchUp(process, device)
    device.subscribe((event) => this.#hear(process, event))
    process.device = device
    await this.introduce(device)
    await device.start()
  }

  /** What was told to nobody because the process died just after it became durable. */
  async #catchUp(process: Process, device: Device): Promise<void> {
    for (let more = true; more;) {
      const events = await device.view('events', { since: this.#seq })
      for (const event of events) this.#hear(process, event)
      more = events.length > 0
    }
  }

  #hear(process: Process, event: DeviceEvent): void {
    if (this.#process !== process || event.seq <= this.#seq) return
    this.#seq = event.seq
    this.#world.trace.note('event', { host: this.name, seq: event.seq, type: event.type })
    if (event.type === 'link' && event.state === 'compare') this.pictures = event.emoji.join()
    if (event.type === 'warning') this.#warned(event.warning.code)
    this.#tell(event)
    this.#world.hearing.hear(this, event)
  }

  /** It says that its home is an older copy, or damaged. */
  #warned(code: string): void {
    const { faults, timeline } = this.#world
    const isOlder = code === 'E_STORE_ROLLED_BACK'
    if (isOlder) this.toldOlderMs ??= timeline.nowMs
    if (isOlder && this.setBack !== undefined) this.setBack.toldMs ??= timeline.nowMs
    if (this.disk.rotten && (isOlder || code.endsWith('_DAMAGED'))) faults.strike('rot-named')
  }

  /** Says which message an event is about. */
  #tell(event: DeviceEvent): void {
    const { trace } = this.#world
    if (event.type === 'message' && !event.message.author.me)
      trace.tell('shown', () => ({ host: this.name, message: event.message.messageId }))
    if (event.type === 'state')
      trace.tell('state', () => ({ host: this.name, message: event.messageId, state: event.state }))
  }

  #connect(process: Process, transport: Secret): Node {
    const { crypto, air } = this.#world
    const peer = peerIdOf(crypto.signKeyPair(transport.expose()).publicKey)
    process.node = new Node(air, {
      host: this.name,
      peer,
      address: `/memory/${this.name}-${this.#port}/p2p/${peer}`,
      protocols: [directProtocol, inviteProtocol, linkProtocol],
      validate: this.#world.validator(this.clock),
      dialable: this.#options.dialable,
    })
    return process.node
  }

  #wake(process: Process, delayMs: number): void {
    const alarm = ++process.alarm
    this.#world.timeline.after(delayMs, () => {
      if (this.#process !== process || process.alarm !== alarm) return
      if (process.frozen) process.overslept = true
      else process.device?.tick()
    })
  }

  /** The disk's power went in the middle of a write. */
  #cutDown(process: Process): void {
    if (this.#process !== process) return
    this.#world.faults.strike('crash-at-write')
    this.#die()
    this.#rebootIn(20_000)
  }

  #rebootIn(delayMs: number): void {
    this.#world.timeline.after(delayMs, () => {
      if (this.wanted) void this.boot()
    })
  }

  #die(): void {
    this.#world.trace.note('crash', { host: this.name })
    this.#process?.node?.die()
    this.#process = undefined
  }

  #bootFailed(error: unknown): void {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'E_UNKNOWN'
    this.#world.trace.note('boot-failed', { host: this.name, code })
    this.#process?.node?.die()
    this.#process = undefined
    if (this.disk.rotten && code === 'E_STORE_CORRUPT') {
      this.#wreck()
      return
    }
    if (code !== 'E_STORE_FULL' && code !== 'E_STORE_IO')
      this.#world.ledger.violate('store-opens', `${this.name} cannot open the home: ${code}`)
    this.#rebootIn(60_000)
  }

  /** It says that its home is damaged: its person can but throw it away. */
  #wreck(): void {
    this.#world.faults.strike('rot-refused')
    this.#world.trace.note('wrecked', { host: this.name })
    this.wrecked = true
    this.wanted = false
  }
}
