import type { Stream } from '@libp2p/interface'
import { networkError } from '../../src/ports/index.ts'
import { toNetworkError } from './errors.ts'
import { encodeFrame, FrameReader } from './frames.ts'
import { deadline, later } from './timer.ts'

/** Why a channel ended, as the port tells it. */
export type CloseReason = 'closed' | 'reset' | 'oversized' | 'slow'

/** Bounds of one channel; bytes and milliseconds. */
export interface ChannelLimits {
  readonly frameBytes: number
  readonly frameMs: number
  readonly queueBytes: number
}

/** Where a channel reports. A promise from `frame` holds the next frame back. */
export interface ChannelOwner {
  frame(frame: Uint8Array): unknown
  closed(reason: CloseReason): void
}

/** How long a stream we closed may wait for the other end to close it too. */
const lingerMs = 5_000

/**
 * Frames over one libp2p stream.
 *
 *   open ──close()/remote end──▶ closed     open ──fault, deadline, reset──▶ closed
 *
 * `closed` is reported once, after every complete frame.
 */
export class Channel {
  readonly #stream: Stream
  readonly #limits: ChannelLimits
  readonly #owner: ChannelOwner
  readonly #reader: FrameReader
  readonly #inbox: Uint8Array[] = []
  #draining = false
  #ending: CloseReason | undefined
  #done = false
  #queuedBytes = 0
  #tail: Promise<void> = Promise.resolve()
  #cancelDeadline: (() => void) | undefined

  constructor(stream: Stream, limits: ChannelLimits, owner: ChannelOwner) {
    this.#stream = stream
    this.#limits = limits
    this.#owner = owner
    this.#reader = new FrameReader(limits.frameBytes)
  }

  /** Starts reading. Until then arriving bytes wait in the stream. */
  start(): void {
    const stream = this.#stream
    stream.addEventListener('message', (event) => this.#read(event.data.subarray()))
    stream.addEventListener('end', () => this.#end(this.#endReason()))
    stream.addEventListener('close', (event) =>
      this.#end(event.error === undefined ? this.#endReason() : 'reset'),
    )
    if (stream.readableEnded || stream.status !== 'open') this.#end(this.#endReason())
  }

  /** Writes one frame after those before it; resolves when the transport took it. */
  async write(frame: Uint8Array): Promise<void> {
    if (this.#done || this.#ending !== undefined) throw networkError('E_NET_CLOSED')
    if (frame.length > this.#limits.frameBytes) throw networkError('E_NET_TOO_LONG')
    const bytes = encodeFrame(frame)
    if (this.#queuedBytes + bytes.length > this.#limits.queueBytes) throw networkError('E_NET_BUSY')
    this.#queuedBytes += bytes.length
    const sent = this.#tail.then(() => this.#send(bytes))
    this.#tail = sent.catch(ignore)
    try {
      await sent
    } catch (failure) {
      throw toNetworkError(failure)
    } finally {
      this.#queuedBytes -= bytes.length
    }
  }

  /** Ends the channel from this side once what was written is on its way. */
  async close(): Promise<void> {
    if (this.#done) return
    await Promise.race([this.#tail, new Promise<void>((resolve) => later(lingerMs, resolve))])
    this.#finish('closed')
    await this.#closeStream()
  }

  /** Ends the channel at once, unsent bytes and all. */
  abort(reason: CloseReason): void {
    if (this.#done) return
    this.#finish(reason)
    this.#stream.abort(new Error(reason))
  }

  async #send(bytes: Uint8Array): Promise<void> {
    if (this.#done) throw networkError('E_NET_CLOSED')
    if (!this.#stream.send(bytes)) await this.#stream.onDrain()
  }

  #read(bytes: Uint8Array): void {
    if (this.#done) return
    const { frames, fault } = this.#reader.push(bytes)
    if (frames.length > 0) this.#stopDeadline()
    this.#inbox.push(...frames)
    if (fault !== undefined) {
      this.#end(fault === 'oversized' ? 'oversized' : 'reset')
      this.#stream.abort(new Error(fault))
    } else if (this.#reader.partial) this.#startDeadline()
    void this.#drain()
  }

  /** Hands frames over one by one; the stream is paused while the listener is not ready for the next. */
  async #drain(): Promise<void> {
    if (this.#draining) return
    this.#draining = true
    for (let frame = this.#inbox.shift(); frame !== undefined && !this.#done; frame = this.#inbox.shift()) {
      const busy = this.#owner.frame(frame)
      if (busy instanceof Promise) await this.#holdBack(busy)
    }
    this.#draining = false
    if (this.#ending !== undefined) this.#finish(this.#ending)
  }

  async #holdBack(busy: Promise<unknown>): Promise<void> {
    const stream = this.#stream
    if (stream.readStatus === 'readable') stream.pause()
    await busy.catch(ignore)
    if (this.#inbox.length === 0 && stream.readStatus === 'paused') stream.resume()
  }

  #endReason(): CloseReason {
    const orderly =
      this.#stream.status === 'open' || this.#stream.status === 'closed' || this.#stream.status === 'closing'
    return orderly && !this.#reader.partial ? 'closed' : 'reset'
  }

  /** Nothing more will arrive; what did arrive is still handed over. */
  #end(reason: CloseReason): void {
    if (this.#done || this.#ending !== undefined) return
    this.#ending = reason
    this.#stopDeadline()
    void this.#drain()
  }

  #finish(reason: CloseReason): void {
    if (this.#done) return
    this.#done = true
    this.#inbox.length = 0
    this.#stopDeadline()
    this.#owner.closed(reason)
    if (reason === 'closed') void this.#closeStream()
  }

  async #closeStream(): Promise<void> {
    const stream = this.#stream
    if (stream.status !== 'open') return
    const cancel = later(lingerMs, () => stream.abort(new Error('linger')))
    stream.addEventListener('close', cancel, { once: true })
    try {
      await stream.close({ signal: deadline(lingerMs) })
    } catch (failure) {
      stream.abort(failure instanceof Error ? failure : new Error('close'))
    }
  }

  #startDeadline(): void {
    this.#cancelDeadline ??= later(this.#limits.frameMs, () => this.abort('slow'))
  }

  #stopDeadline(): void {
    this.#cancelDeadline?.()
    this.#cancelDeadline = undefined
  }
}

const ignore = (): void => undefined
