import { lostError, readMessage, uncrossError, type Message } from './message.ts'
import type { PortLike, PortMessage } from './port.ts'

/** Times in milliseconds, and who wants to know that the other end went or came back. */
export interface RemoteOptions {
  /** While a call waits, the other end is asked this often whether it is there. Default 2,000. */
  readonly beatMs?: number
  /** Without any word for this long it counts as gone. Default 6,000. */
  readonly lostMs?: number
  /** `lost`: pending calls were rejected. `back`: another exposing end took over; events in between are missed. */
  readonly watch?: (state: 'lost' | 'back') => void
}

/** The remote end of an exposed interface. */
export interface Remote {
  call(method: string, args: readonly unknown[]): Promise<unknown>
  /** Hears events from now on; the result ends it. A listener's promise is waited for before the next is due. */
  listen(listener: (event: unknown) => unknown): () => void
  /** Lets the port go; pending and later calls reject with `E_PORT_LOST`. */
  close(): void
}

interface Pending {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

/** Binds to the interface exposed under `name` at the other end of the port. */
export function remotePort(port: PortLike, name: string, options: RemoteOptions = {}): Remote {
  return new RemoteEnd(port, name, options)
}

class RemoteEnd implements Remote {
  readonly #port: PortLike
  readonly #name: string
  readonly #options: RemoteOptions
  readonly #client = crypto.randomUUID()
  readonly #pending = new Map<number, Pending>()
  readonly #listeners = new Set<(event: unknown) => unknown>()
  #acks: number[] = []
  #nextCall = 1
  #host: string | undefined
  #closed = false
  #silentBeats = 0
  #beat: ReturnType<typeof setInterval> | undefined
  readonly #onMessage = (event: PortMessage): void => this.#receive(readMessage(this.#name, event.data))
  readonly #onClose = (): void => {
    this.#lose()
    this.close()
  }

  constructor(port: PortLike, name: string, options: RemoteOptions) {
    this.#port = port
    this.#name = name
    this.#options = options
    port.addEventListener('message', this.#onMessage)
    port.addEventListener('close', this.#onClose)
    port.start?.()
  }

  call(method: string, args: readonly unknown[]): Promise<unknown> {
    if (this.#closed) return Promise.reject(lostError())
    const number = this.#nextCall
    this.#nextCall += 1
    const answer = new Promise<unknown>((resolve, reject) => this.#pending.set(number, { resolve, reject }))
    this.#post({ kind: 'call', client: this.#client, number, method, args })
    this.#startBeat()
    return answer
  }

  listen(listener: (event: unknown) => unknown): () => void {
    this.#listeners.add(listener)
    if (this.#listeners.size === 1) this.#post({ kind: 'subscribe', client: this.#client })
    return () => {
      if (!this.#listeners.delete(listener) || this.#listeners.size > 0) return
      this.#post({ kind: 'unsubscribe', client: this.#client })
    }
  }

  close(): void {
    if (this.#closed) return
    this.#post({ kind: 'unsubscribe', client: this.#client })
    this.#closed = true
    this.#port.removeEventListener('message', this.#onMessage)
    this.#port.removeEventListener('close', this.#onClose)
    this.#listeners.clear()
    this.#rejectAll()
  }

  #receive(message: Message | undefined): void {
    if (message === undefined) return
    if ('client' in message && message.client !== this.#client) return
    this.#silentBeats = 0
    switch (message.kind) {
      case 'value':
        this.#take(message.number)?.resolve(message.value)
        return
      case 'error':
        this.#take(message.number)?.reject(uncrossError(message.error))
        return
      case 'events':
        for (const { number, event } of message.events) void this.#tell(number, event)
        return
      case 'hello':
      case 'pong':
        this.#meet(message.host)
        return
      case 'bye':
        if (message.host === this.#host) this.#lose()
        return
      default:
    }
  }

  /** Another host than before knows nothing of our calls and our listening. */
  #meet(host: string): void {
    if (host === this.#host) return
    const replaced = this.#host !== undefined
    this.#host = host
    if (replaced) this.#rejectAll()
    // The first host too may have come after we asked: on a BroadcastChannel nothing waits for it.
    if (this.#listeners.size > 0) this.#post({ kind: 'subscribe', client: this.#client })
    if (replaced) this.#options.watch?.('back')
  }

  async #tell(number: number, event: unknown): Promise<void> {
    for (const listener of this.#listeners) {
      try {
        await listener(event)
      } catch {
        // A listener's failure is not the sender's.
      }
    }
    this.#acks.push(number)
    if (this.#acks.length > 1) return
    queueMicrotask(() => {
      const numbers = this.#acks
      this.#acks = []
      this.#post({ kind: 'acks', client: this.#client, numbers })
    })
  }

  #take(number: number): Pending | undefined {
    const pending = this.#pending.get(number)
    this.#pending.delete(number)
    if (this.#pending.size === 0) this.#stopBeat()
    return pending
  }

  #lose(): void {
    this.#rejectAll()
    this.#options.watch?.('lost')
  }

  #rejectAll(): void {
    this.#stopBeat()
    const pending = [...this.#pending.values()]
    this.#pending.clear()
    for (const { reject } of pending) reject(lostError())
  }

  /** Asks for a sign of life while something is owed. */
  #startBeat(): void {
    if (this.#beat !== undefined) return
    const { beatMs = 2_000, lostMs = 6_000 } = this.#options
    this.#silentBeats = 0
    this.#beat = setInterval(() => {
      this.#silentBeats += 1
      if (this.#silentBeats * beatMs >= lostMs) this.#lose()
      else this.#post({ kind: 'ping', client: this.#client })
    }, beatMs)
    const timer: unknown = this.#beat
    if (typeof timer === 'object' && timer !== null && 'unref' in timer) (timer as { unref(): void }).unref()
  }

  #stopBeat(): void {
    clearInterval(this.#beat)
    this.#beat = undefined
  }

  #post(message: DistributiveOmit<Message, 'sotto'>): void {
    if (this.#closed) return
    try {
      this.#port.postMessage({ sotto: this.#name, ...message })
    } catch {
      this.#lose()
    }
  }
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never
