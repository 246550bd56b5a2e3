import { UsageError } from '../../src/errors.ts'
import { crossError, readMessage, type Message, type NumberedEvent } from './message.ts'
import type { PortLike, PortMessage } from './port.ts'

/** An interface as the exposing end offers it. */
export interface Exposed {
  readonly name: string
  readonly methods: Readonly<Record<string, (...args: readonly never[]) => Promise<unknown>>>
  /** Called when the first remote end listens. A listener's promise settles once every one has handled the event. */
  readonly listen?: (listener: (event: unknown) => Promise<void>) => void
  /** Buffers in an event that may move instead of being copied; asked only when one remote end listens. */
  readonly transfer?: (event: unknown) => readonly ArrayBuffer[]
}

interface Client {
  events: NumberedEvent[]
  readonly waiting: Map<number, () => void>
}

/** Remote ends of one port that may listen; more are not heard. */
const maxClients = 64

/** Offers an interface on a port; the result withdraws it. */
export function exposePort(port: PortLike, exposed: Exposed): () => void {
  const host = new Host(port, exposed)
  return () => host.stop()
}

class Host {
  readonly #port: PortLike
  readonly #exposed: Exposed
  readonly #id = crypto.randomUUID()
  readonly #clients = new Map<string, Client>()
  #listening = false
  #nextEvent = 1
  #flushing = false
  readonly #onMessage = (event: PortMessage): void =>
    this.#receive(readMessage(this.#exposed.name, event.data))
  readonly #onClose = (): void => this.#dropAll()

  constructor(port: PortLike, exposed: Exposed) {
    this.#port = port
    this.#exposed = exposed
    port.addEventListener('message', this.#onMessage)
    port.addEventListener('close', this.#onClose)
    port.start?.()
    this.#post({ kind: 'hello', host: this.#id })
  }

  stop(): void {
    this.#post({ kind: 'bye', host: this.#id })
    this.#port.removeEventListener('message', this.#onMessage)
    this.#port.removeEventListener('close', this.#onClose)
    this.#dropAll()
  }

  #receive(message: Message | undefined): void {
    switch (message?.kind) {
      case 'call':
        void this.#call(message)
        return
      case 'subscribe':
        this.#subscribe(message.client)
        return
      case 'unsubscribe':
        this.#drop(message.client)
        return
      case 'acks':
        for (const number of message.numbers) this.#acknowledge(message.client, number)
        return
      case 'ping':
        this.#post({ kind: 'pong', client: message.client, host: this.#id })
        return
      default:
    }
  }

  async #call({ client, number, method, args }: Message & { kind: 'call' }): Promise<void> {
    try {
      const run = Object.hasOwn(this.#exposed.methods, method) ? this.#exposed.methods[method] : undefined
      if (run === undefined || !Array.isArray(args))
        throw new UsageError('E_PORT_METHOD', 'this interface has no such method')
      const value = await run(...(args as never[]))
      // Events caused by the call reach the other end after its result.
      this.#post({ kind: 'value', client, number, value })
    } catch (failure) {
      this.#post({ kind: 'error', client, number, error: crossError(failure) })
    }
  }

  #subscribe(client: string): void {
    if (this.#clients.has(client) || this.#clients.size >= maxClients) return
    this.#clients.set(client, { events: [], waiting: new Map() })
    if (this.#listening) return
    this.#listening = true
    this.#exposed.listen?.((event) => this.#tell(event))
  }

  #drop(client: string): void {
    const dropped = this.#clients.get(client)
    this.#clients.delete(client)
    for (const settle of dropped?.waiting.values() ?? []) settle()
  }

  #dropAll(): void {
    for (const client of [...this.#clients.keys()]) this.#drop(client)
  }

  #acknowledge(client: string, number: number): void {
    const waiting = this.#clients.get(client)?.waiting
    waiting?.get(number)?.()
    waiting?.delete(number)
  }

  /** Queues the event for everyone; one message carries all events of a microtask. */
  async #tell(event: unknown): Promise<void> {
    const number = this.#nextEvent
    this.#nextEvent += 1
    const handled = [...this.#clients.values()].map((client) => {
      client.events.push({ number, event })
      return new Promise<void>((resolve) => client.waiting.set(number, resolve))
    })
    if (!this.#flushing) {
      this.#flushing = true
      queueMicrotask(() => this.#flush())
    }
    await Promise.all(handled)
  }

  #flush(): void {
    this.#flushing = false
    const { transfer } = this.#exposed
    const movable = transfer !== undefined && this.#clients.size === 1
    for (const [client, { events }] of this.#clients) {
      if (events.length === 0) continue
      const batch = events.splice(0)
      this.#post(
        { kind: 'events', client, events: batch },
        movable ? batch.flatMap(({ event }) => transfer(event)) : [],
      )
    }
  }

  #post(message: DistributiveOmit<Message, 'sotto'>, transfer: ArrayBuffer[] = []): void {
    const whole = { sotto: this.#exposed.name, ...message }
    try {
      if (transfer.length > 0) this.#port.postMessage(whole, { transfer })
      else this.#port.postMessage(whole)
    } catch {
      // A closed port: its other end notices by itself.
    }
  }
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never
