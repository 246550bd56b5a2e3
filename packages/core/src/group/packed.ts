/**
 * The parts of an envelope that every message passes, written and read by hand; tests hold them equal to the same
 * frames declared with the wire room's combinators.
 */
import { sizes } from '../crypto/index.ts'
import { limits } from '../limits.ts'

const uintMajor = 0x00
const bytesMajor = 0x40
const arrayMajor = 0x80

const headLength = (n: number): number => (n < 24 ? 1 : n < 0x100 ? 2 : n < 0x1_0000 ? 3 : 5)

/** Writes a CBOR head of at most 32 bits in shortest form; gives the offset behind it. */
function writeHead(out: Uint8Array, at: number, major: number, n: number): number {
  const length = headLength(n)
  if (length === 1) out[at] = major | n
  else {
    out[at] = major | (length === 2 ? 24 : length === 3 ? 25 : 26)
    for (let i = at + length - 1, left = n; i > at; i--, left = Math.floor(left / 256)) out[i] = left % 256
  }
  return at + length
}

function writeBytes(out: Uint8Array, at: number, value: Uint8Array): number {
  const start = writeHead(out, at, bytesMajor, value.length)
  out.set(value, start)
  return start + value.length
}

/** Reads heads in order; after the first that is not as asked for, everything is −1. */
class HeadReader {
  readonly input: Uint8Array
  at: number
  failed = false

  constructor(input: Uint8Array, at: number) {
    this.input = input
    this.at = at
  }

  /** The number behind a head of this major type in shortest form. */
  head(major: number): number {
    const first = this.input[this.at] ?? 0xff
    const info = first & 31
    const length = info < 24 ? 1 : info === 24 ? 2 : info === 25 ? 3 : info === 26 ? 5 : 0
    if ((first & 0xe0) !== major || length === 0 || this.at + length > this.input.length) return this.fail()
    let value = length === 1 ? info : 0
    for (let i = 1; i < length; i++) value = value * 256 + (this.input[this.at + i] ?? 0)
    this.at += length
    return headLength(value) === length ? value : this.fail()
  }

  /** A view of a byte string of `min` to `max` bytes. */
  bytes(min: number, max: number): Uint8Array {
    const length = this.head(bytesMajor)
    if (length < min || length > max || this.at + length > this.input.length) this.fail()
    if (this.failed) return new Uint8Array(0)
    this.at += length
    return this.input.subarray(this.at - length, this.at)
  }

  /** Whether everything was as asked for, to the last byte. */
  get done(): boolean {
    return !this.failed && this.at === this.input.length
  }

  fail(): number {
    this.failed = true
    return -1
  }
}

/** `[1, nonce, sealed]`. */
export function packEnvelope(nonce: Uint8Array, sealed: Uint8Array): Uint8Array {
  const length = sealed.length
  const out = new Uint8Array(4 + sizes.aeadNonce + headLength(length) + length)
  out[0] = arrayMajor | 3
  out[1] = 1
  writeBytes(out, writeBytes(out, 2, nonce), sealed)
  return out
}

/** Reads what `packEnvelope` writes, in its one encoding. */
export function unpackEnvelope(
  input: Uint8Array,
): { readonly nonce: Uint8Array; readonly sealed: Uint8Array } | undefined {
  if (input.length > limits.frameBytes || input[0] !== (arrayMajor | 3) || input[1] !== 1) return undefined
  const reader = new HeadReader(input, 2)
  const nonce = reader.bytes(sizes.aeadNonce, sizes.aeadNonce)
  const sealed = reader.bytes(sizes.aeadTag, limits.frameBytes)
  return reader.done ? { nonce, sealed } : undefined
}

/** What `packMessage` writes: `[1, tag, index, generation, inner]`. */
export interface PackedMessage {
  readonly tag: Uint8Array
  readonly index: number
  readonly generation: number
  readonly inner: Uint8Array
}

/** Bytes of an epoch id on an envelope. */
export const epochTagBytes = 8

export function packMessage({ tag, index, generation, inner }: PackedMessage): Uint8Array {
  const out = new Uint8Array(
    3 + epochTagBytes + headLength(index) + headLength(generation) + headLength(inner.length) + inner.length,
  )
  out[0] = arrayMajor | 5
  out[1] = 1
  let at = writeBytes(out, 2, tag)
  at = writeHead(out, at, uintMajor, index)
  at = writeHead(out, at, uintMajor, generation)
  writeBytes(out, at, inner)
  return out
}

/** Whether a content says that it is a message; what it then is, `unpackMessage` alone decides. */
export const isPackedMessage = (input: Uint8Array): boolean => input[1] === 1

/** Reads what `packMessage` writes, in its one encoding. */
export function unpackMessage(input: Uint8Array): PackedMessage | undefined {
  if (input[0] !== (arrayMajor | 5) || input[1] !== 1 || input.length > limits.paddedMaxBytes - 1)
    return undefined
  const reader = new HeadReader(input, 2)
  const tag = reader.bytes(epochTagBytes, epochTagBytes)
  const index = reader.head(uintMajor)
  const generation = reader.head(uintMajor)
  const inner = reader.bytes(sizes.aeadNonce + sizes.aeadTag, limits.frameBytes)
  return reader.done && index < limits.epochDevices ? { tag, index, generation, inner } : undefined
}

const noSlot = 0xf6

/** `[content, null]`: a record whose author's base is known. */
export function packBare(content: Uint8Array): Uint8Array {
  const out = new Uint8Array(2 + headLength(content.length) + content.length)
  out[0] = arrayMajor | 2
  out[writeBytes(out, 1, content)] = noSlot
  return out
}

/** Reads what `packBare` writes; undefined for anything else, which may be a record with a base. */
export function unpackBare(input: Uint8Array): Uint8Array | undefined {
  if (input[0] !== (arrayMajor | 2) || input.at(-1) !== noSlot || input.length > limits.paddedMaxBytes)
    return undefined
  const reader = new HeadReader(input.subarray(0, -1), 1)
  const content = reader.bytes(1, limits.paddedMaxBytes)
  return reader.done ? content : undefined
}

/** `[id, id, id, id, number]` of 32-byte ids. */
export function packPlace(ids: readonly Uint8Array[], generation: number): Uint8Array {
  const out = new Uint8Array(1 + ids.length * (2 + sizes.hash) + headLength(generation))
  out[0] = arrayMajor | (ids.length + 1)
  let at = 1
  for (const id of ids) at = writeBytes(out, at, id)
  writeHead(out, at, uintMajor, generation)
  return out
}
