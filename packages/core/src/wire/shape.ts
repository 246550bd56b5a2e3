/**
 * Shapes: the parts a frame is declared from. A shape turns a typed value into plain CBOR data and back,
 * and refuses everything that is not exactly it. Only fixed-position arrays, unsigned integers, byte and
 * text strings, booleans and null exist: no maps, floats, tags or undefined, so one value has one encoding
 * (RFC 8949 §4.2.1).
 */

/** What a frame consists of on the wire. */
export type Cbor = number | string | boolean | null | Uint8Array | readonly Cbor[]

/** A declared part of a frame: `write` trusts its caller's types, `read` trusts nothing. */
export interface Shape<T> {
  readonly write: (value: T) => Cbor
  readonly read: (raw: unknown) => T
}

/** The type a shape stands for. */
export type Infer<S extends AnyShape> = ReturnType<S['read']>

/** Any shape, where the type it stands for is inferred. */
export interface AnyShape {
  readonly write: (value: never) => Cbor
  readonly read: (raw: unknown) => unknown
}

/** Thrown inside `read` only; `frame().decode` turns it into a value. */
export class Malformed extends Error {}

const fail = (what: string): never => {
  throw new Malformed(what)
}

/** Exactly `length` bytes. `B` brands the result, for keys and ids. */
export function bytes(length: number): Shape<Uint8Array>
export function bytes<B extends Uint8Array>(length: number): Shape<B>
export function bytes(length: number): Shape<Uint8Array> {
  return bytesBetween(length, length)
}

/** Between `min` and `max` bytes. */
export function bytesBetween(min: number, max: number): Shape<Uint8Array>
export function bytesBetween<B extends Uint8Array>(min: number, max: number): Shape<B>
export function bytesBetween(min: number, max: number): Shape<Uint8Array> {
  const check = (raw: unknown): Uint8Array =>
    raw instanceof Uint8Array && raw.length >= min && raw.length <= max ? raw : fail('bytes')
  return { write: check, read: check }
}

/** An unsigned integer up to `max`, at most 2^53 − 1. */
export const uint = (max: number = Number.MAX_SAFE_INTEGER): Shape<number> => {
  const check = (raw: unknown): number =>
    typeof raw === 'number' && Number.isSafeInteger(raw) && raw >= 0 && raw <= max ? raw : fail('uint')
  return { write: check, read: check }
}

/** Text of at most `maxBytes` UTF-8 bytes without lone surrogates. */
export const text = (maxBytes: number): Shape<string> => {
  const check = (raw: unknown): string =>
    typeof raw === 'string' && utf8Length(raw) <= maxBytes ? raw : fail('text')
  return { write: check, read: check }
}

/** One fixed number, such as a version. */
export const literal = <const N extends number>(value: N): Shape<N> => ({
  write: () => value,
  read: (raw) => (raw === value ? value : fail('literal')),
})

/** True or false. */
export const bool: Shape<boolean> = {
  write: (value) => value,
  read: (raw) => (typeof raw === 'boolean' ? raw : fail('bool')),
}

/** The shape or null. */
export const nullable = <T>(inner: Shape<T>): Shape<T | null> => ({
  write: (value) => (value === null ? null : inner.write(value)),
  read: (raw) => (raw === null ? null : inner.read(raw)),
})

/** At most `max` of the shape. */
export const list = <T>(inner: Shape<T>, max: number): Shape<readonly T[]> => ({
  write: (value) => (value.length <= max ? value.map(inner.write) : fail('list')),
  read: (raw) => (Array.isArray(raw) && raw.length <= max ? raw.map(inner.read) : fail('list')),
})

type Fields = Readonly<Record<string, AnyShape>>
type AnyFields = Readonly<Record<string, Shape<unknown>>>
type Values<F extends Fields> = { readonly [K in keyof F]: Infer<F[K]> }

/** Named fields at fixed positions, in the order they are declared. */
export const fields = <const F extends Fields>(shapes: F): Shape<Values<F>> => {
  const entries = Object.entries(shapes as unknown as AnyFields)
  return {
    write: (value) => entries.map(([name, shape]) => shape.write((value as Record<string, unknown>)[name])),
    read: (raw) => {
      if (!Array.isArray(raw) || raw.length !== entries.length) return fail('fields')
      const out: Record<string, unknown> = {}
      for (let i = 0; i < entries.length; i++) {
        const entry = entries[i]
        if (entry !== undefined) out[entry[0]] = entry[1].read(raw[i])
      }
      return out as Values<F>
    },
  }
}

type Cases = Readonly<Record<string, readonly [tag: number, shapes: Fields]>>
type Union<C extends Cases> = { [K in keyof C]: { readonly kind: K } & Values<C[K][1]> }[keyof C]

/** An alternative of a newer version: kept, so that it can be parked and shown as "update needed". */
export interface UnknownCase {
  readonly kind: 'unknown'
  readonly tag: number
}

/** A union of field lists, told apart by a number in the first position; the value carries it as `kind`. */
export const oneOf = <const C extends Cases>(cases: C): Shape<Union<C>> => {
  const byKind = new Map(
    Object.entries(cases).map(([kind, [tag, shapes]]) => [
      kind,
      { kind, tag, shape: fields(shapes) as Shape<unknown> },
    ]),
  )
  const byTag = new Map([...byKind.values()].map((entry) => [entry.tag, entry]))
  return {
    write: (value) => {
      const entry = byKind.get((value as { kind: string }).kind) ?? fail('kind')
      return [entry.tag, ...(entry.shape.write(value) as readonly Cbor[])]
    },
    read: (raw) => {
      if (!Array.isArray(raw)) return fail('union')
      const entry = byTag.get(raw[0] as number) ?? fail('tag')
      return { kind: entry.kind, ...(entry.shape.read(raw.slice(1)) as object) } as Union<C>
    },
  }
}

/** `oneOf` that keeps alternatives with a tag it does not know, so that one new item spoils no frame. */
export const openOneOf = <const C extends Cases>(cases: C): Shape<Union<C> | UnknownCase> => {
  const known = oneOf(cases)
  const tags = new Set(Object.values(cases).map(([tag]) => tag))
  return {
    write: (value) => (value.kind === 'unknown' ? fail('unknown') : known.write(value as Union<C>)),
    read: (raw) => {
      const tag: unknown = Array.isArray(raw) ? raw[0] : undefined
      if (typeof tag === 'number' && Number.isSafeInteger(tag) && tag >= 0 && !tags.has(tag))
        return { kind: 'unknown', tag }
      return known.read(raw)
    },
  }
}

/** UTF-8 length of a string; Infinity when it holds a lone surrogate, which UTF-8 cannot say. */
function utf8Length(value: string): number {
  let length = 0
  for (let i = 0; i < value.length; i++) {
    const unit = value.charCodeAt(i)
    if (unit < 0x80) length += 1
    else if (unit < 0x800) length += 2
    else if (unit < 0xd800 || unit > 0xdfff) length += 3
    else {
      const low = value.charCodeAt(i + 1)
      if (unit > 0xdbff || !(low >= 0xdc00 && low <= 0xdfff)) return Infinity
      length += 4
      i += 1
    }
  }
  return length
}
