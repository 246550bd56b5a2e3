import { invariant } from '../errors.ts'

/**
 * Writes fixed fields into one buffer: the flat form of session state, on the path of every message. The
 * buffer's size is given; writing past it is a bug and throws.
 */
export class ByteWriter {
  readonly bytes: Uint8Array
  at = 0

  constructor(length: number) {
    this.bytes = new Uint8Array(length)
  }

  u8(value: number): this {
    this.bytes[this.at++] = value
    return this
  }

  u32(value: number): this {
    const { bytes, at } = this
    bytes[at] = value >>> 24
    bytes[at + 1] = value >>> 16
    bytes[at + 2] = value >>> 8
    bytes[at + 3] = value
    this.at = at + 4
    return this
  }

  /** An integer up to 2^53 − 1, such as a time in milliseconds. */
  u64(value: number): this {
    return this.u32(Math.floor(value / 0x1_0000_0000)).u32(value % 0x1_0000_0000)
  }

  /** Bytes of a length both ends know. */
  fixed(value: Uint8Array): this {
    this.bytes.set(value, this.at)
    this.at += value.length
    return this
  }

  /** Bytes behind their length. */
  sized(value: Uint8Array): this {
    return this.u32(value.length).fixed(value)
  }

  /** The buffer, full to the last byte. */
  done(): Uint8Array {
    invariant(this.at === this.bytes.length, 'E_STATE_LENGTH', 'a state was not as long as reckoned')
    return this.bytes
  }
}

/** Thrown inside a reader of stored state only; the decoder turns it into a value. */
export class Truncated extends Error {}

/** Reads what `ByteWriter` wrote; throws `Truncated` past the end. */
export class ByteReader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  u8(): number {
    return this.#part(1)[0] ?? 0
  }

  u32(): number {
    const [a = 0, b = 0, c = 0, d = 0] = this.#part(4)
    return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0
  }

  u64(): number {
    const high = this.u32()
    const value = high * 0x1_0000_0000 + this.u32()
    if (!Number.isSafeInteger(value)) throw new Truncated('integer')
    return value
  }

  fixed<B extends Uint8Array = Uint8Array>(length: number): B {
    return this.#part(length).slice() as B
  }

  sized(): Uint8Array {
    return this.fixed(this.u32())
  }

  /** Throws unless everything was read. */
  end(): void {
    if (this.#at !== this.#bytes.length) throw new Truncated('trailing bytes')
  }

  #part(length: number): Uint8Array {
    const from = this.#at
    if (length > this.#bytes.length - from) throw new Truncated('short')
    this.#at += length
    return this.#bytes.subarray(from, this.#at)
  }
}
