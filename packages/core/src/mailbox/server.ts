import type { CryptoProvider } from '../crypto/index.ts'
import { limits } from '../limits.ts'
import type { Clock, Log, MailboxItem, MailboxStore, Random } from '../ports/index.ts'
import { encodeReply, type MailboxReply, type MailboxTerms } from './frames.ts'
import { createOverlay } from './overlay.ts'
import { PeerRates } from './peers.ts'
import type { Rate } from './rate.ts'
import { alive, replyBytes, requestIdOf, serveRequest, type ServeDeps, type Served } from './serve.ts'
import { Watches, admitted, type Watch } from './watch.ts'

/** What a relay grants unless its operator says otherwise. */
export const defaultTerms: MailboxTerms = {
  ttlMs: limits.mailboxTtlMs,
  queueItems: limits.queueItems,
  queueBytes: limits.queueBytes,
  introItems: limits.introItems,
  recordMs: limits.inviteMaxMs,
  workBits: 0,
}

/** How much one relay takes on. */
export interface MailboxCaps {
  readonly queues: number
  readonly records: number
  readonly requests: Rate
  readonly bytes: Rate
}

/** What a relay takes on unless its operator says otherwise. */
export const defaultCaps: MailboxCaps = {
  queues: limits.relayQueues,
  records: limits.relayRecords,
  requests: { perSecond: limits.relayRequestsPerSecond, burst: limits.relayRequestBurst },
  bytes: { perSecond: limits.relayBytesPerSecond, burst: limits.relayByteBurst },
}

/** What a mailbox server is made of. */
export interface MailboxServerOptions {
  readonly crypto: CryptoProvider
  readonly store: MailboxStore
  readonly random: Random
  readonly clock: Clock
  readonly log: Log
  /** Own PeerId: every signature of a client is bound to it. */
  readonly relayPeerId: string
  readonly terms?: Partial<MailboxTerms>
  readonly caps?: Partial<MailboxCaps>
  /**
   * Host under which this relay serves the web app now: lower case, with its port if any, at most 256 bytes.
   * Null, and the default: it serves none.
   */
  readonly web?: () => string | null
  /** Sends one frame; must not throw. */
  readonly out: (channel: number, frame: Uint8Array) => void
  /** Closes a channel after the frames already given to `out`. */
  readonly close: (channel: number) => void
}

/** Totals since the start: counters only, so that they can be shown without telling on anybody. */
export interface MailboxCounters {
  readonly channels: number
  readonly requests: number
  readonly commits: number
  readonly commitFailures: number
  readonly stored: number
  readonly pushed: number
  readonly expired: number
  readonly replies: Readonly<Record<MailboxReply['kind'], number>>
}

const second = 1_000
/** How often expired items are swept. */
const sweepMs = 60 * second
/** When a client may come back after a failed commit or during a drain. */
const retryMs = second

interface Channel {
  readonly number: number
  readonly peer: string
  readonly nonce: Uint8Array
  pending: number
  badFrames: number
  refusals: number
}

interface Job {
  readonly channel: Channel
  readonly input: Uint8Array
}

interface Outcome {
  readonly channel: Channel
  readonly served: Served
  /** The answer says what is only so once the batch is durable: it writes, or has read what others of it write. */
  readonly rests: boolean
}

const zeroReplies = (): Record<MailboxReply['kind'], number> => ({
  hello: 0,
  version: 0,
  done: 0,
  page: 0,
  record: 0,
  missing: 0,
  denied: 0,
  full: 0,
  busy: 0,
  unpaid: 0,
  declined: 0,
  malformed: 0,
  push: 0,
})

/**
 * The mailbox of a relay. Frames wait in one line; whatever is waiting when the store is free becomes one
 * durable commit, and no reply leaves before its commit (commit, then answer).
 *
 *     opened ─▶ hello   frame ─▶ rate ─▶ line ─▶ serve ×n ─▶ commit ─▶ replies ─▶ pushes   closed ─▶ forgotten
 */
export class MailboxServer {
  readonly #options: MailboxServerOptions
  readonly #terms: MailboxTerms
  readonly #caps: MailboxCaps
  readonly #decoy: ServeDeps['decoy']
  readonly #channels = new Map<number, Channel>()
  readonly #rates: PeerRates
  readonly #watches = new Watches()
  readonly #replies = zeroReplies()
  readonly #line: Job[] = []
  #tail: Promise<void> = Promise.resolve()
  #running = false
  #draining = false
  #kept: { queues: number; records: number } | undefined
  #requests = 0
  #commits = 0
  #commitFailures = 0
  #stored = 0
  #pushed = 0
  #expired = 0

  constructor(options: MailboxServerOptions) {
    this.#options = options
    this.#terms = { ...defaultTerms, ...options.terms }
    this.#caps = { ...defaultCaps, ...options.caps }
    this.#rates = new PeerRates(this.#caps.requests, this.#caps.bytes)
    this.#decoy = options.crypto.signKeyPair(options.random.bytes(32)).publicKey
  }

  /** A peer opened a channel: the relay speaks first. */
  opened(channel: number, peer: string): void {
    const nonce = this.#options.random.bytes(32)
    this.#channels.set(channel, { number: channel, peer, nonce, pending: 0, badFrames: 0, refusals: 0 })
    this.#rates.joined(peer, this.#options.clock.monotonicMs())
    const web = this.#options.web?.() ?? null
    this.#reply(channel, null, { kind: 'hello', nonce, terms: this.#terms, web })
  }

  /**
   * A frame came in; its reply goes out through `out`, never as a throw. A promise asks to be given no more
   * frames of this channel until it settles; who ignores that is told `busy` in the end.
   */
  frame(channel: number, input: Uint8Array): Promise<void> | undefined {
    const state = this.#channels.get(channel)
    if (state === undefined) return undefined
    const waitMs = input.length > limits.streamFrameBytes ? 0 : this.#waitMs(state, input.length)
    if (input.length > limits.streamFrameBytes) this.#bad(state, null)
    else if (waitMs > 0) this.#refuse(state, input, waitMs)
    else this.#accept(state, input)
    return state.pending > limits.relayPendingRequests / 2 ? this.settled() : undefined
  }

  /** The channel is gone; what it asked for and did not hear about may or may not have been done. */
  closed(channel: number): void {
    const state = this.#channels.get(channel)
    if (state === undefined) return
    this.#channels.delete(channel)
    this.#watches.dropChannel(channel)
    this.#rates.left(state.peer, this.#options.clock.monotonicMs())
  }

  /** Deletes what expired; call again at the wall time it returns, in milliseconds. */
  async tick(): Promise<number> {
    await this.#exclusive(async () => {
      const gone = await this.#options.store.sweep(this.#options.clock.nowMs())
      this.#expired += gone
      this.#kept = await this.#options.store.totals()
    })
    return this.#options.clock.nowMs() + sweepMs
  }

  /** Resolves once everything taken in so far is answered. */
  async settled(): Promise<void> {
    while (this.#running) await this.#tail
    await this.#tail
  }

  /** Takes no more requests and answers those it has; new ones are told to come back. */
  async drain(): Promise<void> {
    this.#draining = true
    await this.settled()
  }

  /** Totals since the start. */
  counters(): MailboxCounters {
    return {
      channels: this.#channels.size,
      requests: this.#requests,
      commits: this.#commits,
      commitFailures: this.#commitFailures,
      stored: this.#stored,
      pushed: this.#pushed,
      expired: this.#expired,
      replies: { ...this.#replies },
    }
  }

  /** Zero when the request may be served now. */
  #waitMs(state: Channel, bytes: number): number {
    if (this.#draining || state.pending >= limits.relayPendingRequests) return retryMs
    return this.#rates.waitMs(state.peer, bytes, this.#options.clock.monotonicMs())
  }

  #refuse(state: Channel, input: Uint8Array, retryAfterMs: number): void {
    state.refusals += 1
    if (state.refusals > limits.relayRequestBurst) {
      this.#options.close(state.number)
      return
    }
    const id = requestIdOf(input)
    if (id === undefined) this.#bad(state, null)
    else this.#reply(state.number, id, { kind: 'busy', retryAfterMs })
  }

  /** Answers what is no request, and hangs up on who sends nothing else. */
  #bad(state: Channel, id: number | null): void {
    state.badFrames += 1
    this.#reply(state.number, id, { kind: 'malformed' })
    if (state.badFrames >= limits.relayBadFrames) this.#options.close(state.number)
  }

  #reply(channel: number, id: number | null, body: MailboxReply): void {
    this.#replies[body.kind] += 1
    this.#options.out(channel, encodeReply(id, body))
  }

  #accept(state: Channel, input: Uint8Array): void {
    state.refusals = 0
    state.pending += 1
    this.#line.push({ channel: state, input })
    this.#kick()
  }

  #kick(): void {
    if (this.#running) return
    this.#running = true
    void this.#exclusive(() => this.#run())
  }

  /** One at a time: sweeps and batches never see each other's half. */
  #exclusive(job: () => Promise<void>): Promise<void> {
    const next = this.#tail.then(job)
    this.#tail = next.catch(() => undefined)
    return next
  }

  async #run(): Promise<void> {
    while (this.#line.length > 0) {
      const batch = this.#line.splice(0, limits.relayBatch)
      try {
        await this.#serveBatch(batch)
      } catch {
        this.#commitFailures += 1
        this.#options.log.event('mailbox.batch-failed', { requests: batch.length })
      }
    }
    this.#running = false
  }

  async #serveBatch(batch: readonly Job[]): Promise<void> {
    this.#kept ??= await this.#totals()
    const overlay = createOverlay(this.#options.store)
    const outcomes: Outcome[] = []
    for (const job of batch) {
      this.#requests += 1
      job.channel.pending -= 1
      const served = await this.#serve(job, overlay)
      overlay.add(served.writes)
      this.#count(served)
      const rests = overlay.wasSeen() || served.writes.length > 0
      outcomes.push({ channel: job.channel, served, rests })
    }
    const durable = await this.#commit(outcomes)
    for (const outcome of outcomes) this.#release(outcome, durable)
    if (durable) await this.#pushAll(outcomes)
  }

  /** A store that cannot say what it holds takes nothing new until it can. */
  async #totals(): Promise<{ queues: number; records: number }> {
    try {
      return await this.#options.store.totals()
    } catch {
      return { queues: Infinity, records: Infinity }
    }
  }

  async #serve(job: Job, overlay: ServeDeps['store']): Promise<Served> {
    const { crypto, relayPeerId, clock } = this.#options
    const kept = this.#kept ?? { queues: 0, records: 0 }
    const admits = { queues: kept.queues < this.#caps.queues, records: kept.records < this.#caps.records }
    const deps: ServeDeps = { store: overlay, terms: this.#terms, decoy: this.#decoy, admits }
    const session = { relay: relayPeerId, nonce: job.channel.nonce }
    try {
      return await serveRequest(crypto, deps, session, job.input, clock.nowMs())
    } catch {
      this.#options.log.event('mailbox.read-failed')
      return busy(requestIdOf(job.input) ?? null)
    }
  }

  /** Keeps the totals right between two sweeps; an updated record counts once more until then. */
  #count(served: Served): void {
    for (const write of served.writes) {
      if (this.#kept === undefined) return
      if (write.type === 'create') this.#kept = { ...this.#kept, queues: this.#kept.queues + 1 }
      if (write.type === 'record') this.#kept = { ...this.#kept, records: this.#kept.records + 1 }
    }
  }

  async #commit(outcomes: readonly Outcome[]): Promise<boolean> {
    const writes = outcomes.flatMap(({ served }) => served.writes)
    if (writes.length === 0) return true
    try {
      await this.#options.store.commit(writes)
    } catch {
      this.#commitFailures += 1
      // What was counted is not there.
      this.#kept = undefined
      this.#options.log.event('mailbox.commit-failed', { writes: writes.length })
      return false
    }
    this.#commits += 1
    this.#stored += writes.filter(({ type }) => type === 'append').length
    return true
  }

  #release({ channel, served, rests }: Outcome, durable: boolean): void {
    if (!this.#channels.has(channel.number)) return
    const { reply } = served
    if (!durable && rests) {
      this.#reply(channel.number, served.id, { kind: 'busy', retryAfterMs: retryMs })
      return
    }
    if (reply.kind === 'malformed') {
      this.#bad(channel, served.id)
      return
    }
    if (served.effect?.type === 'watch') {
      const { recvId, after } = served.effect
      if (this.#watches.add(channel.number, recvId, after) === undefined) {
        this.#reply(channel.number, served.id, { kind: 'full' })
        return
      }
    }
    this.#replies[reply.kind] += 1
    this.#options.out(channel.number, replyBytes(served))
    if (served.close) this.#options.close(channel.number)
  }

  async #pushAll(outcomes: readonly Outcome[]): Promise<void> {
    const due = new Set<Watch>()
    for (const { channel, served } of outcomes) {
      const { effect } = served
      if (effect === undefined) continue
      if (effect.type === 'deleted') this.#watches.dropQueue(effect.recvId)
      else if (effect.type === 'acked')
        for (const watch of this.#watches.acked(channel.number, effect.recvId, effect.upTo)) due.add(watch)
      else {
        for (const watch of this.#watches.of(effect.recvId)) {
          if (effect.type === 'appended' || watch.channel === channel.number) due.add(watch)
        }
      }
    }
    for (const watch of due) await this.#push(watch)
  }

  /** Pushes to one reader until its window is full or nothing is left. */
  async #push(watch: Watch): Promise<void> {
    watch.stalled = false
    while (this.#channels.has(watch.channel)) {
      const waiting = this.#watches.outstanding(watch.channel)
      const items = limits.pushWindowItems - watch.outstanding.length
      const page = items <= 0 ? [] : await this.#options.store.page(watch.recvId, watch.after, items)
      const taken = admitted(page, limits.pushWindowBytes - waiting, waiting === 0)
      if (taken.length === 0) {
        watch.stalled = items <= 0 || page.length > 0
        return
      }
      this.#pushItems(watch, taken)
    }
  }

  #pushItems(watch: Watch, taken: readonly MailboxItem[]): void {
    const items = alive(taken, this.#options.clock.nowMs())
    this.#watches.pushed(watch, taken.at(-1)?.cursor ?? watch.after, items)
    this.#pushed += items.length
    if (items.length > 0) this.#reply(watch.channel, null, { kind: 'push', recvId: watch.recvId, items })
  }
}

const busy = (id: number | null): Served => ({
  id,
  reply: { kind: 'busy', retryAfterMs: retryMs },
  writes: [],
})

/** Builds a mailbox server; the relay and the simulator drive the same one. */
export const createMailboxServer = (options: MailboxServerOptions): MailboxServer =>
  new MailboxServer(options)
