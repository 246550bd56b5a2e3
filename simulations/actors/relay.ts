import { createMailboxServer, mailboxProtocol, type MailboxServer } from '@sotto/core/mailbox'
import { CollectingLog, seededRandom } from '@sotto/core/memory'
import { limits } from '@sotto/core'
import { toHex } from '@sotto/core/wire'
import { writersOf, type MailboxWrite } from '@sotto/core/ports'
import { peerIdOf } from '../../packages/core/src/identity/index.ts'
import { HostClock } from '../world/host-clock.ts'
import { Node } from '../world/node.ts'
import { RelayDisk, type RelayStore } from '../world/relay-disk.ts'
import type { RelayTrick } from '../world/relay-tricks.ts'
import type { World } from '../world/world.ts'

/** How often a relay sweeps what expired; the real one does so each minute, which nobody can tell apart here. */
const sweepMs = 15 * 60_000

/** Tricks after which readers hold untrue what they were told on their channels. */
const twisting: ReadonlySet<RelayTrick> = new Set<RelayTrick>(['relay-lies', 'relay-splits'])

const shortId = (id: Uint8Array): string => toHex(id).slice(0, 8)

/** A volunteer's relay: the real mailbox server over a disk that outlives its process. */
export class Relay {
  readonly name: string
  readonly peer: string
  readonly address: string
  readonly clock: HostClock
  readonly disk: RelayDisk
  /** Every queue ever made here, with all ids and keys its maker and writers show. */
  readonly queues: { readonly recvId: Uint8Array; readonly names: readonly Uint8Array[] }[] = []
  readonly #world: World
  #process: { readonly node: Node; readonly store: RelayStore } | undefined
  #boots = 0
  /** What it told its readers since it was started is not so. */
  #twisted = false

  constructor(world: World, name: string) {
    this.#world = world
    this.name = name
    this.clock = new HostClock(world.timeline)
    const identity = seededRandom(world.crypto, `${world.seed}/crypto/${name}`).bytes(32)
    this.peer = peerIdOf(world.crypto.signKeyPair(identity).publicKey)
    this.address = `/memory/${name}/p2p/${this.peer}`
    this.disk = new RelayDisk(world.timeline, world.stream('disk', name), (writes) => this.#seen(writes))
  }

  get running(): boolean {
    return this.#process !== undefined
  }

  boot(): void {
    if (this.#process !== undefined) return
    const { crypto, air, seed, timeline } = this.#world
    this.#boots += 1
    this.#twisted = this.disk.trick !== undefined && twisting.has(this.disk.trick)
    this.clock.boot()
    this.#world.trace.tell('boot', () => ({ host: this.name, boot: this.#boots }))
    const node = new Node(air, {
      host: this.name,
      peer: this.peer,
      address: this.address,
      protocols: [mailboxProtocol],
      validate: this.#world.validator(this.clock),
      dialable: true,
    })
    const store = this.disk.open()
    const server = createMailboxServer({
      crypto,
      store,
      clock: this.clock,
      random: seededRandom(crypto, `${seed}/crypto/${this.name}/${this.#boots}`),
      log: new CollectingLog(),
      relayPeerId: this.peer,
      out: (channel, frame) => void node.write(channel, frame).catch(() => undefined),
      close: (channel) => void node.close(channel).catch(() => undefined),
    })
    node.listen((event) => {
      if (event.type === 'opened') server.opened(event.channel, event.peer)
      if (event.type === 'closed') server.closed(event.channel)
      return event.type === 'frame' ? server.frame(event.channel, event.frame) : undefined
    })
    const process = { node, store }
    this.#process = process
    const sweep = (): void => {
      if (this.#process === process) this.#sweep(server, () => timeline.after(sweepMs, sweep))
    }
    timeline.after(sweepMs, sweep)
  }

  /** The process dies where it stands. */
  crash(): void {
    if (this.#process === undefined) return
    this.#world.trace.note('crash', { host: this.name })
    this.#process.store.die()
    this.#process.node.die()
    this.#process = undefined
  }

  /** Its operator means ill, in one way at a time. */
  turn(trick: RelayTrick): void {
    this.disk.trick = trick
    this.#twisted ||= twisting.has(trick)
  }

  /**
   * Its operator means well again. One that made cursors up, or showed each reader a part, since it was started, whatever
   * else it did then, starts anew, and forgets with its channels how far it said it was.
   */
  reform(): void {
    this.disk.trick = undefined
    if (!this.#twisted || !this.running) return
    this.crash()
    this.boot()
  }

  #sweep(server: MailboxServer, next: () => void): void {
    server.tick().then(next, next)
  }

  /** What became durable is searched for secrets, and every queue must stay within its bounds. */
  #seen(writes: readonly MailboxWrite[]): void {
    const { outside, relayBlobs } = this.#world
    for (const write of writes) {
      this.#tell(write)
      if (write.type === 'append') {
        relayBlobs.push(Buffer.from(write.blob))
        outside.add(write.recvId)
        outside.add(write.blob)
        void this.#checkBounds(write.recvId)
      } else if (write.type === 'create') {
        const { recvId, readKey } = write.queue
        const writers = writersOf(write.queue).flatMap(({ sendId, writeKey }) => [sendId, writeKey])
        const names = [recvId, readKey, ...writers]
        this.queues.push({ recvId, names })
        for (const bytes of names) outside.add(bytes)
      } else if (write.type === 'record')
        for (const bytes of [write.locator, write.record.value]) outside.add(bytes)
    }
  }

  /** What of a write a curious operator sees. */
  #tell(write: MailboxWrite): void {
    const { trace } = this.#world
    const host = this.name
    if (write.type === 'append')
      trace.tell('stored', () => ({ host, queue: shortId(write.recvId), bytes: write.blob.length }))
    else if (write.type === 'create')
      trace.tell('queue', () => ({ host, queue: shortId(write.queue.recvId), of: write.queue.kind }))
    else if (write.type === 'ack')
      trace.tell('collected', () => ({ host, queue: shortId(write.recvId), upTo: write.upTo }))
  }

  async #checkBounds(recvId: Uint8Array): Promise<void> {
    const { items, bytes } = await this.disk.rows.usage(recvId)
    if (items > limits.queueItems || bytes > limits.queueBytes)
      this.#world.ledger.violate('bounds', `${this.name} holds ${items} items, ${bytes} bytes in a queue`)
  }
}
