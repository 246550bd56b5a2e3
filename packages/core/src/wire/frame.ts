import { decode, encode } from 'cborg'
import { limits } from '../limits.ts'
import { Malformed, type Cbor, type Shape } from './shape.ts'

/** Why bytes are not the frame they were taken for. */
export type DecodeFailure = 'too-long' | 'not-cbor' | 'malformed' | 'not-canonical'

/** A decoded value, or why there is none. */
export type Decoded<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: DecodeFailure }

/** A frame: its name, its writer and its canonical reader, declared once. */
export interface Frame<T> {
  readonly name: string
  readonly maxBytes: number
  /** Deterministic CBOR (RFC 8949 §4.2.1). Throws when the value does not fit the declaration: a caller's bug. */
  readonly encode: (value: T) => Uint8Array
  /** Total: any bytes give a value or a reason, and `encode(decode(b).value)` equals `b`. */
  readonly decode: (input: Uint8Array) => Decoded<T>
}

const strict = {
  strict: true,
  allowIndefinite: false,
  allowUndefined: false,
  allowNaN: false,
  allowInfinity: false,
  allowBigInt: false,
  useMaps: true,
} as const

/** Declares a frame of at most `maxBytes`. */
export function frame<T>(name: string, shape: Shape<T>, maxBytes: number = limits.frameBytes): Frame<T> {
  const write = (value: T): Uint8Array => encodeCbor(shape.write(value))
  return {
    name,
    maxBytes,
    encode: (value) => {
      const out = write(value)
      if (out.length > maxBytes) throw new Malformed(`${name}: too long`)
      return out
    },
    decode: (input) => {
      if (input.length > maxBytes) return { ok: false, reason: 'too-long' }
      if (!nestedWithin(input, limits.cborDepth)) return { ok: false, reason: 'not-cbor' }
      let raw: unknown
      try {
        raw = decode(input, strict)
      } catch {
        return { ok: false, reason: 'not-cbor' }
      }
      try {
        const value = shape.read(raw)
        return equalBytes(encodeCbor(raw as Cbor), input)
          ? { ok: true, value }
          : { ok: false, reason: 'not-canonical' }
      } catch {
        return { ok: false, reason: 'malformed' }
      }
    },
  }
}

/**
 * Deterministic CBOR of plain data, in memory of its own. On Node the library answers with a piece of a shared
 * `Buffer` pool: its `slice` would be a view, and a structured clone would carry the whole pool to another thread.
 */
export const encodeCbor = (value: Cbor): Uint8Array => new Uint8Array(encode(value))

/** Compares two byte strings; not for secrets, whose comparison is the cipher's business. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** Byte order of two strings: negative, zero or positive. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const n = Math.min(a.length, b.length)
  for (let i = 0; i < n; i++) {
    const d = (a[i] ?? 0) - (b[i] ?? 0)
    if (d !== 0) return d
  }
  return a.length - b.length
}

/**
 * Walks CBOR heads without decoding and says whether arrays nest at most `depth` deep, so that a hostile
 * frame is refused before it can exhaust the stack. Ill-formed input may pass; the decoder refuses it.
 */
function nestedWithin(input: Uint8Array, depth: number): boolean {
  const open: number[] = []
  let at = 0
  while (at < input.length) {
    const head = input[at] ?? 0
    const major = head >> 5
    const info = head & 31
    const extra = info < 24 ? 0 : info === 24 ? 1 : info === 25 ? 2 : info === 26 ? 4 : info === 27 ? 8 : -1
    if (extra < 0 || (major > 4 && major !== 7)) return false
    let length = info
    if (extra > 0) {
      length = 0
      for (let i = 1; i <= extra; i++) length = length * 256 + (input[at + i] ?? 0)
    }
    at += 1 + extra
    if (major === 2 || major === 3) at += length
    if (major === 4 && length > 0) {
      open.push(length)
      if (open.length > depth) return false
      continue
    }
    while (open.length > 0) {
      const left = (open.pop() ?? 0) - 1
      if (left > 0) {
        open.push(left)
        break
      }
    }
    if (open.length === 0) break
  }
  return true
}
