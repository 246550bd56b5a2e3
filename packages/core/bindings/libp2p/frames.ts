import { UsageError } from '../../src/errors.ts'

/** Why the bytes of a peer are no frames. */
export type FrameFault = 'oversized' | 'malformed'

/** What one chunk completed. After a fault the reader takes nothing more. */
export interface FramesRead {
  readonly frames: readonly Uint8Array[]
  readonly fault?: FrameFault
}

/** A length of five bytes and more exceeds every bound we have. */
const longestPrefix = 4
/** First buffer of a frame, so that a length alone reserves little. */
const firstBuffer = 4_096

/**
 * One frame with its length before it: a minimal unsigned varint (multiformats unsigned-varint), at most
 * four bytes. An empty frame says nothing and is refused at both ends.
 */
export function encodeFrame(frame: Uint8Array): Uint8Array {
  if (frame.length === 0) throw new UsageError('E_NET_EMPTY', 'a frame has at least one byte')
  const prefix: number[] = []
  let rest = frame.length
  while (rest >= 0x80) {
    prefix.push((rest & 0x7f) | 0x80)
    rest >>>= 7
  }
  prefix.push(rest)
  const out = new Uint8Array(prefix.length + frame.length)
  out.set(prefix)
  out.set(frame, prefix.length)
  return out
}

/** Cuts a byte stream into frames. An excessive length is refused before any of its body is kept. */
export class FrameReader {
  readonly #maxBytes: number
  #prefixBytes = 0
  #length = 0
  #body: Uint8Array | undefined
  #filled = 0
  #fault: FrameFault | undefined

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** A frame has begun and is not complete. */
  get partial(): boolean {
    return this.#prefixBytes > 0 || this.#body !== undefined
  }

  /** Takes the next bytes in order; gives the frames they complete, each in a buffer of its own. */
  push(chunk: Uint8Array): FramesRead {
    const frames: Uint8Array[] = []
    let at = 0
    while (at < chunk.length && this.#fault === undefined) {
      if (this.#body === undefined) {
        this.#readPrefix(chunk[at] ?? 0)
        at += 1
      } else {
        at += this.#readBody(chunk.subarray(at))
        if (this.#filled === this.#length) frames.push(this.#take())
      }
    }
    return this.#fault === undefined ? { frames } : { frames, fault: this.#fault }
  }

  #readPrefix(byte: number): void {
    this.#length += (byte & 0x7f) * 2 ** (7 * this.#prefixBytes)
    this.#prefixBytes += 1
    const more = byte >= 0x80
    if (this.#length > this.#maxBytes || (more && this.#prefixBytes === longestPrefix))
      this.#fault = 'oversized'
    else if (more) return
    // A last byte of zero is either an empty frame or a length written longer than it has to be.
    else if (byte === 0) this.#fault = 'malformed'
    else this.#body = new Uint8Array(Math.min(this.#length, firstBuffer))
  }

  #readBody(rest: Uint8Array): number {
    const taken = Math.min(rest.length, this.#length - this.#filled)
    this.#grow(this.#filled + taken)
    this.#body?.set(rest.subarray(0, taken), this.#filled)
    this.#filled += taken
    return taken
  }

  #grow(wanted: number): void {
    const body = this.#body
    if (body === undefined || body.length >= wanted) return
    const larger = new Uint8Array(Math.min(this.#length, Math.max(wanted, body.length * 2)))
    larger.set(body.subarray(0, this.#filled))
    this.#body = larger
  }

  #take(): Uint8Array {
    const frame = this.#body ?? new Uint8Array(0)
    this.#body = undefined
    this.#prefixBytes = 0
    this.#length = 0
    this.#filled = 0
    return frame
  }
}
