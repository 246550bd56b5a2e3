import { limits } from '../limits.ts'
import { Malformed, Reader, type DecodeFailure } from './cbor-reader.ts'
import { Writer } from './cbor-writer.ts'
import { text, uint, type Shape } from './shape.ts'

/** What a frame consists of on the wire. */
export type Cbor = number | string | boolean | null | Uint8Array | readonly Cbor[]

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

const writer = new Writer()

/** Declares a frame of at most `maxBytes`. */
export function frame<T>(name: string, shape: Shape<T>, maxBytes: number = limits.frameBytes): Frame<T> {
  return {
    name,
    maxBytes,
    encode: (value) => {
      const out = writer.encode((to) => {
        shape.write(to, value)
      })
      if (out.length > maxBytes) throw new Malformed(`${name}: too long`)
      return out
    },
    decode: (input) => {
      if (input.length > maxBytes) return { ok: false, reason: 'too-long' }
      try {
        const reader = new Reader(input)
        const value = shape.read(reader)
        reader.end()
        return { ok: true, value }
      } catch (error) {
        return { ok: false, reason: error instanceof Malformed ? error.reason : 'malformed' }
      }
    },
  }
}

const anyUint = uint()
const anyText = text(Number.MAX_SAFE_INTEGER)

/** Deterministic CBOR of plain data. Throws for what frames do not consist of. */
export const encodeCbor = (value: Cbor): Uint8Array => lendCbor(value, (encoded) => encoded.slice())

/** Deterministic CBOR of plain data for a hash or a signature: `use` keeps nothing of what it is lent. */
export const lendCbor = <T>(value: Cbor, use: (encoded: Uint8Array) => T): T =>
  writer.lend((to) => {
    writeCbor(to, value)
  }, use)

function writeCbor(to: Writer, value: Cbor): void {
  if (typeof value === 'number') anyUint.write(to, value)
  else if (typeof value === 'string') anyText.write(to, value)
  else if (typeof value === 'boolean') to.bool(value)
  else if (value === null) to.null()
  else if (value instanceof Uint8Array) to.bytes(value)
  else {
    to.array(value.length)
    for (const item of value) writeCbor(to, item)
  }
}
