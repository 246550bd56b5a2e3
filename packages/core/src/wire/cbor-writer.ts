import { headBytes, major, simple } from './cbor-head.ts'
import { writeUtf8 } from './utf8.ts'

/** What frames leave room for from the start, and what is kept between frames at most. */
const usualBytes = 4 * 1024
const keptBytes = 256 * 1024

/**
 * Writes deterministic CBOR (RFC 8949 §4.2.1) from left to right, in an area that all frames share: the bytes given
 * back are all the memory a frame costs. Trusts its caller: `shape.ts` checks bounds.
 */
export class Writer {
  #area = new Uint8Array(usualBytes)
  #at = 0

  /** What `write` writes, in memory of its own. */
  encode(write: (out: Writer) => void): Uint8Array {
    return this.lend(write, (written) => written.slice())
  }

  /** Lends what `write` writes to `use`, which keeps nothing of it: not a byte stays in the area. */
  lend<T>(write: (out: Writer) => void, use: (written: Uint8Array) => T): T {
    const from = this.#at
    try {
      write(this)
      return use(this.#area.subarray(from, this.#at))
    } finally {
      this.#area.fill(0, from, this.#at)
      this.#at = from
      if (from === 0 && this.#area.length > keptBytes) this.#area = new Uint8Array(usualBytes)
    }
  }

  /** An unsigned integer up to 2^53 − 1. */
  uint(value: number): void {
    this.#head(major.uint, value)
  }

  bytes(value: Uint8Array): void {
    this.#head(major.bytes, value.length)
    this.#reserve(value.length)
    this.#area.set(value, this.#at)
    this.#at += value.length
  }

  /** Text without lone surrogates, `length` bytes of UTF-8. */
  text(value: string, length: number): void {
    this.#head(major.text, length)
    this.#reserve(length)
    this.#at = writeUtf8(this.#area, this.#at, value)
  }

  /** The head of an array; its items follow. */
  array(length: number): void {
    this.#head(major.array, length)
  }

  bool(value: boolean): void {
    this.#head(value ? simple.true : simple.false, 0)
  }

  null(): void {
    this.#head(simple.null, 0)
  }

  #head(kind: number, value: number): void {
    const length = headBytes(value)
    this.#reserve(length)
    if (length === 1) {
      this.#area[this.#at++] = kind | value
      return
    }
    this.#area[this.#at] = kind | (length === 2 ? 24 : length === 3 ? 25 : length === 5 ? 26 : 27)
    const end = this.#at + length
    for (let at = end - 1, left = value; at > this.#at; at--, left = Math.floor(left / 256))
      this.#area[at] = left % 256
    this.#at = end
  }

  #reserve(more: number): void {
    if (this.#at + more <= this.#area.length) return
    const grown = new Uint8Array(Math.max(2 * this.#area.length, this.#at + more))
    grown.set(this.#area.subarray(0, this.#at))
    this.#area.fill(0, 0, this.#at)
    this.#area = grown
  }
}
