import { limits } from '../limits.ts'
import { headBytes, major, simple } from './cbor-head.ts'
import { readUtf8 } from './utf8.ts'

/** Why bytes are not the frame they were taken for. */
export type DecodeFailure = 'too-long' | 'not-cbor' | 'malformed' | 'not-canonical'

/** Thrown inside a shape only; `frame().decode` turns it into a value. */
export class Malformed extends Error {
  readonly reason: DecodeFailure

  constructor(what: string, reason: DecodeFailure = 'malformed') {
    super(what)
    this.reason = reason
  }
}

const fail = (what: string, reason?: DecodeFailure): never => {
  throw new Malformed(what, reason)
}

/**
 * Reads deterministic CBOR from left to right, every head in its shortest form, so that what was read is the only
 * encoding of what it means and need not be written again to know that. Throws `Malformed`.
 */
export class Reader {
  readonly #input: Uint8Array
  #at = 0

  constructor(input: Uint8Array) {
    // A `Buffer` has a `slice` of its own, which is a view.
    this.#input =
      input.constructor === Uint8Array ? input : new Uint8Array(input.buffer, input.byteOffset, input.length)
  }

  /** An unsigned integer up to 2^53 − 1. */
  uint(): number {
    return this.#head(major.uint)
  }

  /** A copy of a byte string of `min` to `max` bytes. */
  bytes(min: number, max: number): Uint8Array {
    const length = this.#head(major.bytes)
    if (length < min || length > max) fail('bytes')
    const from = this.#advance(length)
    return this.#input.slice(from, this.#at)
  }

  /** Text of at most `max` bytes of UTF-8. */
  text(max: number): string {
    const length = this.#head(major.text)
    if (length > max) fail('text')
    const from = this.#advance(length)
    return readUtf8(this.#input.subarray(from, this.#at)) ?? fail('text')
  }

  /** How many items the array has that begins here. */
  array(): number {
    const length = this.#head(major.array)
    // Every item takes a byte: no length of a peer's choosing is believed.
    return length <= this.#input.length - this.#at ? length : fail('array', 'not-cbor')
  }

  bool(): boolean {
    const item = this.#next()
    return item === simple.true || (item !== simple.false && fail('bool'))
  }

  /** Whether null stands here; then it is read. */
  null(): boolean {
    if (this.#input[this.#at] !== simple.null) return false
    this.#at += 1
    return true
  }

  /** Passes over one item whatever it is, within `limits.cborDepth` arrays. */
  skip(depth: number = limits.cborDepth): void {
    const first = this.#input[this.#at] ?? fail('nothing', 'not-cbor')
    const kind = first & 0xe0
    if (kind === major.uint) this.uint()
    else if (kind === major.bytes) this.bytes(0, Infinity)
    else if (kind === major.text) this.text(Infinity)
    else if (kind === major.array) {
      if (depth === 0) fail('depth', 'not-cbor')
      for (let left = this.array(); left > 0; left--) this.skip(depth - 1)
    } else if (!this.null()) this.bool()
  }

  /** Nothing may follow. */
  end(): void {
    if (this.#at !== this.#input.length) fail('more follows', 'not-cbor')
  }

  #next(): number {
    return this.#input[this.#at++] ?? fail('nothing', 'not-cbor')
  }

  /** The offset before `length` bytes that are passed over. */
  #advance(length: number): number {
    const from = this.#at
    if (length > this.#input.length - from) fail('cut off', 'not-cbor')
    this.#at = from + length
    return from
  }

  #head(kind: number): number {
    const first = this.#next()
    if ((first & 0xe0) !== kind) fail('another item')
    const info = first & 31
    if (info < 24) return info
    if (info > 27) fail('head', 'not-cbor')
    const length = 1 << (info - 24)
    const from = this.#advance(length)
    let value = 0
    for (let at = from; at < from + length; at++) value = value * 256 + (this.#input[at] ?? 0)
    if (value > Number.MAX_SAFE_INTEGER) fail('too large')
    return headBytes(value) === length + 1 ? value : fail('long head', 'not-canonical')
  }
}
