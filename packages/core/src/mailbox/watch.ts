import { limits } from '../limits.ts'
import type { MailboxItem } from '../ports/index.ts'
import { toHex } from '../wire/index.ts'
import { fitting } from './serve.ts'

/** One channel watching one queue: pushed up to `after`, and what of it the reader has not acknowledged. */
export interface Watch {
  readonly channel: number
  readonly recvId: Uint8Array
  after: number
  outstanding: readonly { readonly cursor: number; readonly bytes: number }[]
  /** The window, not the queue, was at its end when last pushed. */
  stalled: boolean
}

/** The items of a page that fit one frame and `room` bytes; when nothing is outstanding, one of any size. */
export function admitted(page: readonly MailboxItem[], room: number, idle: boolean): readonly MailboxItem[] {
  const first = page[0]
  if (first === undefined || (!idle && first.blob.length > room)) return []
  return fitting(page, Math.min(room, limits.frameBytes))
}

/** What one channel watches, and the bytes pushed to it and not acknowledged. */
interface Reader {
  readonly watches: Map<string, Watch>
  bytes: number
}

const bytesOf = (outstanding: Watch['outstanding']): number =>
  outstanding.reduce((sum, { bytes }) => sum + bytes, 0)

/** Which channels watch which queues. */
export class Watches {
  readonly #byQueue = new Map<string, Map<number, Watch>>()
  readonly #readers = new Map<number, Reader>()

  /** Starts or restarts a watch; undefined when the channel watches too many queues. */
  add(channel: number, recvId: Uint8Array, after: number): Watch | undefined {
    const name = toHex(recvId)
    const reader = this.#readers.get(channel) ?? { watches: new Map<string, Watch>(), bytes: 0 }
    const earlier = reader.watches.get(name)
    if (earlier === undefined && reader.watches.size >= limits.relaySubscriptions) return undefined
    reader.bytes -= bytesOf(earlier?.outstanding ?? [])
    const watch: Watch = { channel, recvId, after, outstanding: [], stalled: false }
    reader.watches.set(name, watch)
    this.#readers.set(channel, reader)
    const queue = this.#byQueue.get(name) ?? new Map<number, Watch>()
    this.#byQueue.set(name, queue.set(channel, watch))
    return watch
  }

  /** Who watches a queue, in order of channel number. */
  of(recvId: Uint8Array): readonly Watch[] {
    const queue = this.#byQueue.get(toHex(recvId))
    return queue === undefined ? [] : [...queue.values()].sort((a, b) => a.channel - b.channel)
  }

  /** Bytes pushed to a channel and not acknowledged, over all its queues. */
  outstanding(channel: number): number {
    return this.#readers.get(channel)?.bytes ?? 0
  }

  /** Notes items as pushed; `after` is how far the queue was looked through. */
  pushed(
    watch: Watch,
    after: number,
    items: readonly { readonly cursor: number; readonly blob: Uint8Array }[],
  ): void {
    const sent = items.map(({ cursor, blob }) => ({ cursor, bytes: blob.length }))
    watch.after = after
    watch.outstanding = [...watch.outstanding, ...sent]
    const reader = this.#readers.get(watch.channel)
    if (reader !== undefined) reader.bytes += bytesOf(sent)
  }

  /** Opens the channel's window by what it acknowledged; the watches that waited for that. */
  acked(channel: number, recvId: Uint8Array, upTo: number): readonly Watch[] {
    const reader = this.#readers.get(channel)
    const watch = reader?.watches.get(toHex(recvId))
    if (reader === undefined || watch === undefined) return []
    const before = bytesOf(watch.outstanding)
    watch.outstanding = watch.outstanding.filter(({ cursor }) => cursor > upTo)
    reader.bytes -= before - bytesOf(watch.outstanding)
    return [...reader.watches.values()].filter(({ stalled }) => stalled)
  }

  dropQueue(recvId: Uint8Array): void {
    const name = toHex(recvId)
    for (const [channel, watch] of this.#byQueue.get(name) ?? []) {
      const reader = this.#readers.get(channel)
      reader?.watches.delete(name)
      if (reader !== undefined) reader.bytes -= bytesOf(watch.outstanding)
    }
    this.#byQueue.delete(name)
  }

  dropChannel(channel: number): void {
    for (const name of this.#readers.get(channel)?.watches.keys() ?? []) {
      const queue = this.#byQueue.get(name)
      queue?.delete(channel)
      if (queue?.size === 0) this.#byQueue.delete(name)
    }
    this.#readers.delete(channel)
  }
}
