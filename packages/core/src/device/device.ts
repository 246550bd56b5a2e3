import type { CryptoProvider, Secret } from '../crypto/index.ts'
import { InvariantError, PortError, SottoError, UsageError } from '../errors.ts'
import type { Crdt } from '../history/index.ts'
import type { Clock, Log, Network, Notifier, Random, Store } from '../ports/index.ts'
import type { CommandName, Commands, DeviceEvent, DeviceFace, QueryName, Queries } from './api.ts'
import type { Context, Effect, Live, Step } from './context.ts'
import { Database, type Transaction } from './database.ts'
import { storeEvents } from './events.ts'
import { stopFolding } from './folding.ts'
import { handle, later, type Answer, type Input } from './inputs.ts'
import { findMe } from './me.ts'
import { flush } from './outbox.ts'
import { requireKnownRows } from './row-format.ts'
import { rowLimit } from './row.ts'
import { openSealedStore } from './sealed-store.ts'
import type { SealedStore } from './sealed-store-types.ts'
import { tables } from './tables.ts'
import { watchClock } from './tick.ts'
import { storePauseMs } from './timers.ts'

const isBeyondLimits = (error: unknown): error is InvariantError =>
  error instanceof InvariantError && error.code === rowLimit

/** What a device is given. Nothing else reaches it. */
export interface DeviceOptions {
  readonly crypto: CryptoProvider
  readonly clock: Clock
  readonly random: Random
  readonly store: Store
  /** 32-byte database key; not kept. */
  readonly key: Secret
  readonly log: Log
  readonly notifier: Notifier
  /** Starts the library of shared documents; called when the first one is read. */
  readonly documents: () => Promise<Crdt>
  /** Brings the network up under the account's transport seed; null to work without one. */
  readonly connect: ((transportSeed: Secret) => Promise<Network>) | null
  /** Asks for `tick()` after so many milliseconds; a later call replaces the earlier. */
  readonly wake: (delayMs: number) => void
}

/** A device: one account's keys on one machine, behind its face. */
export interface Device extends DeviceFace {
  /**
   * Resolves when an error of our own stopped the device for good. What was durable is safe; every command and
   * query fails with this error from then on, and only opening the home anew helps.
   */
  readonly halted: Promise<InvariantError>
  /** Connects when there is an account. Throws what `connect` throws. */
  start(): Promise<void>
  tick(): void
  /** Finishes the batch at work, leaves the network and closes the store. */
  stop(): Promise<void>
}

/** Inputs that share one durable batch, at most. */
const batchInputs = 64

/** Inputs that may wait before the network is asked to wait too. */
const queueLimit = 4 * batchInputs

interface Waiting extends Answer {
  readonly input: Input
}

/** Opens the home in `store`, or an empty one. Throws the PortErrors of the store and of `openSealedStore`. */
export async function createDevice(options: DeviceOptions): Promise<Device> {
  const { crypto, store, random, key, clock } = options
  const sealed = await openSealedStore({ crypto, store, random, key, nowMs: clock.nowMs() })
  await requireKnownRows(sealed)
  const database = await Database.open(sealed, tables)
  const machine = new Machine(options, sealed, database)
  await machine.open()
  return machine
}

/**
 * The single writer. Inputs wait in one queue; those that wait together share a batch. Only when the batch is
 * durable do its frames leave, its commands answer and its events sound.
 *
 * ```
 *   inputs ─► queue ─► handle each in a fork ─► flush ─► commit ─► effects, answers, events
 *                          │ throws: fork forgotten        │ fails: batch forgotten, answers fail
 * ```
 */
class Machine implements Device {
  readonly #options: DeviceOptions
  readonly #sealed: SealedStore
  readonly #database: Database
  readonly #context: Context
  readonly #queue: Waiting[] = []
  readonly #listeners = new Set<(event: DeviceEvent) => void>()
  #running: Promise<void> | undefined
  #network: Network | undefined
  #halted: InvariantError | undefined
  readonly halted: Promise<InvariantError>
  #tellHalted!: (error: InvariantError) => void
  #stopped = false

  constructor(options: DeviceOptions, sealed: SealedStore, database: Database) {
    const { crypto, random, clock, log, notifier } = options
    let crdt: Promise<Crdt> | undefined
    const documents = (): Promise<Crdt> => (crdt ??= options.documents())
    this.halted = new Promise((resolve) => (this.#tellHalted = resolve))
    this.#options = options
    this.#sealed = sealed
    this.#database = database
    this.#context = {
      crypto,
      random,
      clock,
      log,
      notifier,
      database,
      boot: sealed.boot,
      documents,
      live: newLive(),
    }
  }

  async open(): Promise<void> {
    const doubted = this.#sealed.doubt !== null && this.#sealed.doubt !== 'unclean'
    await this.#enqueue({ kind: 'opening', doubted, settles: this.#sealed.doubt !== null })
  }

  async start(): Promise<void> {
    const me = findMe(this.#step(this.#database.begin()))
    if (me !== undefined) await this.#connect(me.self.transportSeed)
  }

  tick(): void {
    this.#enqueue({ kind: 'tick' }).catch(() => undefined)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#running
    stopFolding(this.#context)
    for (const { fail } of this.#queue.splice(0))
      fail(new PortError('E_STOPPED', 'the device has stopped', { retryable: true }))
    for (const resolve of this.#context.live.resolves.values())
      resolve.fail(new PortError('E_STOPPED', 'the device has stopped', { retryable: true }))
    await this.#network?.stop()
    await this.#sealed.close()
  }

  dispatch<C extends CommandName>(name: C, input: Commands[C]['in']): Promise<Commands[C]['out']> {
    return this.#enqueue({ kind: 'command', name, input }) as Promise<Commands[C]['out']>
  }

  view<Q extends QueryName>(name: Q, input: Queries[Q]['in']): Promise<Queries[Q]['out']> {
    return this.#enqueue({ kind: 'query', name, input }) as Promise<Queries[Q]['out']>
  }

  subscribe(listener: (event: DeviceEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #enqueue(input: Input): Promise<unknown> {
    if (this.#halted !== undefined) return Promise.reject(this.#halted)
    if (this.#stopped)
      return Promise.reject(new PortError('E_STOPPED', 'the device has stopped', { retryable: true }))
    return new Promise((settle, fail) => {
      this.#queue.push({ input, settle, fail })
      this.#running ??= this.#run()
    })
  }

  /** Something happened on its own; nobody waits for its answer. */
  #happen(input: Input): void {
    this.#enqueue(input).catch((error: unknown) => {
      if (!(error instanceof SottoError)) this.#halt(error)
    })
  }

  async #run(): Promise<void> {
    await Promise.resolve()
    while (this.#queue.length > 0 && this.#halted === undefined)
      await this.#batch(this.#queue.splice(0, batchInputs))
    // In the same turn as the last look at the queue, or an input that came between would wait for ever.
    this.#running = undefined
    const halted = this.#halted
    if (halted !== undefined) for (const { fail } of this.#queue.splice(0)) fail(halted)
  }

  async #batch(waiting: readonly Waiting[]): Promise<void> {
    const tx = this.#database.begin()
    const whole = this.#step(tx)
    const answers: (() => void)[] = []
    const answering: Waiting[] = []
    for (const one of waiting) {
      const answer = await this.#one(whole, one)
      if (answer === undefined) continue
      answers.push(answer)
      answering.push(one)
    }
    try {
      await this.#flush(whole)
      const events = await this.#commit(whole)
      for (const secret of whole.spent) secret.wipe()
      for (const effect of whole.effects) this.#perform(effect)
      for (const answer of answers) answer()
      this.#tell(events)
    } catch (error) {
      this.#forget(whole.effects)
      if (isBeyondLimits(error)) return this.#refuse(waiting, answering, whole.effects, error)
      if (!(error instanceof PortError)) this.#halt(error)
      await this.#fail(answering, whole.effects, error)
    }
    this.#wake()
  }

  /**
   * Some input would make a row larger than it may be. Nothing was written; each is tried alone, and the one is
   * refused. The limits of the rooms are meant to keep it from coming to this.
   */
  async #refuse(
    waiting: readonly Waiting[],
    answering: readonly Waiting[],
    effects: readonly Effect[],
    error: InvariantError,
  ): Promise<void> {
    if (waiting.length > 1) {
      for (const one of waiting) await this.#batch([one])
      return
    }
    this.#context.log.event('input-beyond-limits')
    await this.#fail(answering, effects, new PortError(error.code, error.message, { cause: error }))
    this.#wake()
  }

  /** The batch is lost: its commands hear why. Queries are asked again, of what is durable: a full disk stops no reading. */
  async #fail(answering: readonly Waiting[], effects: readonly Effect[], error: unknown): Promise<void> {
    for (const effect of effects) if (effect.kind === 'settle') effect.fail(error)
    for (const one of answering) {
      if (one.input.kind !== 'query' || this.#halted !== undefined) one.fail(error)
      else (await this.#one(this.#step(this.#database.begin()), one))?.()
    }
  }

  /** One input in a fork of the batch. Gives what answers it once the batch is durable. */
  async #one(whole: Step, { input, settle, fail }: Waiting): Promise<(() => void) | undefined> {
    const fork = whole.tx.fork()
    const step = this.#step(fork)
    if (input.kind === 'tick') this.#context.live.wakeMs = Infinity
    try {
      const value = await handle(step, input, { settle, fail })
      if (input.kind !== 'query') this.#merge(whole, step)
      return value === later ? () => undefined : () => settle(value)
    } catch (error) {
      if (!(error instanceof UsageError || error instanceof PortError)) this.#halt(error)
      this.#context.live.links.clear()
      this.#context.live.groups.clear()
      this.#context.live.devicesSaid.clear()
      this.#context.live.syncs.clear()
      this.#context.live.askedBack.clear()
      this.#context.live.summaries.clear()
      this.#context.live.files.clear()
      this.#context.live.epochs.clear()
      fail(error)
      return undefined
    }
  }

  async #flush(whole: Step): Promise<void> {
    if (this.#halted !== undefined) throw this.#halted
    const step = this.#step(whole.tx.fork())
    watchClock(step)
    await flush(step)
    this.#merge(whole, step)
  }

  #merge(whole: Step, { tx, effects, events, spent }: Step): void {
    tx.merge()
    whole.effects.push(...effects)
    whole.events.push(...events)
    whole.spent.push(...spent)
  }

  async #commit(whole: Step): Promise<readonly DeviceEvent[]> {
    if (whole.events.length === 0 && whole.tx.writes().length === 0) return []
    const events = storeEvents(whole)
    await this.#database.commit(whole.tx, { durable: true, settlesDoubt: this.#sealed.doubt !== null })
    this.#context.live.storeFailures = 0
    return events
  }

  #tell(events: readonly DeviceEvent[]): void {
    for (const event of events) {
      for (const listener of this.#listeners) {
        try {
          listener(event)
        } catch {
          this.#context.log.event('listener-failed')
        }
      }
    }
  }

  #step(tx: Transaction): Step {
    const { clock } = this.#context
    const now = { nowMs: Math.floor(clock.nowMs()), monoMs: Math.floor(clock.monotonicMs()) }
    return { context: this.#context, tx, ...now, effects: [], events: [], spent: [] }
  }

  /** The batch did not become durable: nothing it started may be taken for begun. */
  #forget(effects: readonly Effect[]): void {
    const { live } = this.#context
    live.storeFailures += 1
    live.links.clear()
    live.groups.clear()
    live.devicesSaid.clear()
    live.syncs.clear()
    live.askedBack.clear()
    live.summaries.clear()
    live.files.clear()
    live.epochs.clear()
    live.onTopics.clear()
    live.topicsDue = true
    const written = new Set(effects.map((effect) => (effect.kind === 'write' ? effect.channel : undefined)))
    for (const link of live.peers.values()) {
      link.opening = false
      link.sent.clear()
    }
    for (const link of live.relays.values()) {
      link.opening = false
      link.putting.clear()
      link.leaving.clear()
      // What was to be asked there is asked again on the next channel; this one would wait for its answer.
      if (link.channel !== undefined && written.has(link.channel))
        this.#perform({ kind: 'close', channel: link.channel })
    }
    if (effects.some((effect) => effect.kind === 'put')) live.publishMs = this.#context.clock.monotonicMs()
    live.wakeMs = Math.min(live.wakeMs, this.#context.clock.monotonicMs() + storePauseMs(live))
  }

  #halt(error: unknown): void {
    this.#halted ??=
      error instanceof InvariantError
        ? error
        : new InvariantError('E_BUG', 'an unexpected error stopped the device', { cause: error })
    this.#tellHalted(this.#halted)
    this.#context.log.event('device-halted')
  }

  #wake(): void {
    const { live, clock } = this.#context
    if (live.wakeMs === Infinity || this.#stopped) return
    this.#options.wake(Math.max(0, Math.ceil(live.wakeMs - clock.monotonicMs())))
  }

  async #connect(seed: Secret): Promise<void> {
    const { connect } = this.#options
    if (connect === null || this.#network !== undefined) return
    const network = await connect(seed)
    this.#network = network
    const [peerId, addresses] = [await network.peerId(), await network.addresses()]
    await this.#enqueue({ kind: 'online', peerId, addresses })
    network.listen((event) => {
      this.#happen({ kind: 'network', event })
      // A peer that sends faster than this device commits waits at its own end.
      return this.#queue.length < queueLimit ? undefined : this.#running
    })
  }

  #perform(effect: Effect): void {
    const network = this.#network
    const ignore = (): undefined => undefined
    switch (effect.kind) {
      case 'open':
        return this.#openChannel(effect)
      case 'write':
        network?.write(effect.channel, effect.frame).catch(ignore)
        return
      case 'close':
        network?.close(effect.channel).catch(ignore)
        return
      case 'attach':
        network?.attach(effect.address).catch(ignore)
        return
      case 'detach':
        network?.detach(effect.address).catch(ignore)
        return
      case 'publish':
        network?.publish(effect.topic, effect.data).catch(ignore)
        return
      case 'judge':
        network?.judge(effect.message, effect.verdict).catch(ignore)
        return
      case 'subscribe':
        network?.subscribe(effect.topic, effect.peers).catch(ignore)
        return
      case 'unsubscribe':
        network?.unsubscribe(effect.topic).catch(ignore)
        return
      case 'put': {
        const { inviteId } = effect
        network
          ?.put(effect.key, effect.value)
          .then((nodes) => this.#happen({ kind: 'put', inviteId, nodes }), ignore)
        return
      }
      case 'get': {
        const { purpose } = effect
        const found = network === undefined ? Promise.resolve([]) : network.get(effect.key).catch(() => [])
        found.then((values) => this.#happen({ kind: 'got', purpose, values }), ignore)
        return
      }
      case 'connect':
        this.#connect(effect.seed).catch(() => this.#context.log.event('connect-failed'))
        return
      case 'settle':
        return effect.run()
      case 'notify':
        return this.#context.notifier.messageArrived(effect.preview)
    }
  }

  #openChannel({ peer, addresses, protocol, purpose }: Extract<Effect, { kind: 'open' }>): void {
    const opened =
      this.#network === undefined
        ? Promise.reject(new PortError('E_OFFLINE', 'there is no network'))
        : this.#network.open(peer, addresses, protocol)
    opened.then(
      ({ channel, route }) =>
        this.#happen({
          kind: 'opened',
          purpose,
          channel: { channel, peer, protocol, route, inbound: false },
        }),
      () => this.#happen({ kind: 'open-failed', purpose }),
    )
  }
}

const newLive = (): Live => ({
  online: false,
  peerId: '',
  addresses: [],
  channels: new Map(),
  strange: new Map(),
  connected: new Map(),
  nearby: new Map(),
  peers: new Map(),
  relays: new Map(),
  resolves: new Map(),
  links: new Map(),
  devicesSaid: new Map(),
  openedAt: new Map(),
  begun: new Set(),
  segments: new Map(),
  groups: new Map(),
  prekeys: undefined,
  documents: new Map(),
  compared: new Map(),
  shared: undefined,
  gotsLater: new Map(),
  holes: new Map(),
  epochs: new Map(),
  topics: new Map(),
  topicsDue: true,
  heldEnvelopes: new Map(),
  refusedBy: new Map(),
  spokenBy: new Map(),
  topicsMs: 0,
  onTopics: new Map(),
  logs: new Map(),
  linking: undefined,
  newTransport: undefined,
  syncs: new Map(),
  lost: new Map(),
  oldest: new Map(),
  spoilt: new Map(),
  wants: new Map(),
  mailed: new Map(),
  askedBack: new Map(),
  lateSyncs: new Map(),
  summaries: new Map(),
  files: new Map(),
  torn: new Map(),
  spoiltAbout: new Map(),
  condemned: new Map(),
  wanted: new Set(),
  ownDueMs: Infinity,
  folding: undefined,
  foldMs: Infinity,
  logsVersion: 0,
  publishMs: 0,
  published: false,
  clockDoubted: false,
  storeFailures: 0,
  lookups: new Set(),
  connection: 'offline',
  nextToken: 1,
  wakeMs: Infinity,
})
