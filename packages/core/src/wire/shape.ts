/**
 * Shapes: the parts a frame is declared from. A shape turns a typed value into plain CBOR data and back,
 * and refuses everything that is not exactly it. Only fixed-position arrays, unsigned integers, byte and
 * text strings, booleans and null exist: no maps, floats, tags or undefined, so one value has one encoding
 * (RFC 8949 §4.2.1).
 */
import { Malformed, type Reader } from './cbor-reader.ts'
import type { Writer } from './cbor-writer.ts'
import { utf8Length } from './utf8.ts'

/** A declared part of a frame: `write` trusts its caller's types, `read` trusts nothing. */
export interface Shape<T> {
  readonly write: (to: Writer, value: T) => void
  /** Throws `Malformed`. */
  readonly read: (from: Reader) => T
}

/** The type a shape stands for. */
export type Infer<S extends AnyShape> = ReturnType<S['read']>

/** Any shape, where the type it stands for is inferred. */
export interface AnyShape {
  readonly write: (to: Writer, value: never) => void
  readonly read: (from: Reader) => unknown
}

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
  return {
    write: (to, value) => {
      if (!(value instanceof Uint8Array) || value.length < min || value.length > max) fail('bytes')
      to.bytes(value)
    },
    read: (from) => from.bytes(min, max),
  }
}

/** An unsigned integer up to `max`, at most 2^53 − 1. */
export const uint = (max: number = Number.MAX_SAFE_INTEGER): Shape<number> => {
  const check = (value: number): number =>
    Number.isSafeInteger(value) && value >= 0 && value <= max ? value : fail('uint')
  return {
    write: (to, value) => {
      to.uint(check(value))
    },
    read: (from) => check(from.uint()),
  }
}

/** Text of at most `maxBytes` UTF-8 bytes without lone surrogates. */
export const text = (maxBytes: number): Shape<string> => ({
  write: (to, value) => {
    const length = utf8Length(value)
    if (length > maxBytes) fail('text')
    to.text(value, length)
  },
  read: (from) => from.text(maxBytes),
})

/** One fixed number, such as a version. */
export const literal = <const N extends number>(value: N): Shape<N> => ({
  write: (to) => {
    to.uint(value)
  },
  read: (from) => (from.uint() === value ? value : fail('literal')),
})

/** True or false. */
export const bool: Shape<boolean> = {
  write: (to, value) => {
    to.bool(value)
  },
  read: (from) => from.bool(),
}

/** The shape or null. */
export const nullable = <T>(inner: Shape<T>): Shape<T | null> => ({
  write: (to, value) => {
    if (value === null) to.null()
    else inner.write(to, value)
  },
  read: (from) => (from.null() ? null : inner.read(from)),
})

/** At most `max` of the shape. */
export const list = <T>(inner: Shape<T>, max: number): Shape<readonly T[]> => ({
  write: (to, value) => {
    if (value.length > max) fail('list')
    to.array(value.length)
    for (const item of value) inner.write(to, item)
  },
  read: (from) => {
    const length = from.array()
    if (length > max) fail('list')
    const out: T[] = []
    for (let i = 0; i < length; i++) out.push(inner.read(from))
    return out
  },
})

type Fields = Readonly<Record<string, AnyShape>>
type AnyFields = Readonly<Record<string, Shape<unknown>>>
type Values<F extends Fields> = { readonly [K in keyof F]: Infer<F[K]> }
type Entries = readonly (readonly [name: string, shape: Shape<unknown>])[]

const entriesOf = (shapes: Fields): Entries => Object.entries(shapes as unknown as AnyFields)

function writeEntries(to: Writer, entries: Entries, value: object): void {
  for (const [name, shape] of entries) shape.write(to, (value as Record<string, unknown>)[name])
}

function readEntries(from: Reader, entries: Entries, out: Record<string, unknown>): unknown {
  for (const [name, shape] of entries) out[name] = shape.read(from)
  return out
}

/** Named fields at fixed positions, in the order they are declared. */
export const fields = <const F extends Fields>(shapes: F): Shape<Values<F>> => {
  const entries = entriesOf(shapes)
  return {
    write: (to, value) => {
      to.array(entries.length)
      writeEntries(to, entries, value)
    },
    read: (from) =>
      (from.array() === entries.length ? readEntries(from, entries, {}) : fail('fields')) as Values<F>,
  }
}

type Cases = Readonly<Record<string, readonly [tag: number, shapes: Fields]>>
type Union<C extends Cases> = { [K in keyof C]: { readonly kind: K } & Values<C[K][1]> }[keyof C]

/** An alternative of a newer version: kept, so that it can be parked and shown as "update needed". */
export interface UnknownCase {
  readonly kind: 'unknown'
  readonly tag: number
}

/** Writes and reads `[tag, ...fields]`; `unknown` reads what stands behind a tag that is not declared. */
function union<C extends Cases, U>(
  cases: C,
  unknown: (from: Reader, tag: number, items: number) => U,
): Shape<Union<C> | U> {
  const all = Object.entries(cases).map(([kind, [tag, shapes]]) => ({
    kind,
    tag,
    entries: entriesOf(shapes),
  }))
  const byKind = new Map(all.map((entry) => [entry.kind, entry]))
  const byTag = new Map(all.map((entry) => [entry.tag, entry]))
  return {
    write: (to, value) => {
      const { tag, entries } = byKind.get((value as { kind: string }).kind) ?? fail('kind')
      to.array(1 + entries.length)
      to.uint(tag)
      writeEntries(to, entries, value as object)
    },
    read: (from) => {
      const items = from.array() - 1
      const tag = items < 0 ? fail('union') : from.uint()
      const entry = byTag.get(tag)
      if (entry === undefined) return unknown(from, tag, items)
      if (items !== entry.entries.length) fail('fields')
      return readEntries(from, entry.entries, { kind: entry.kind }) as Union<C>
    },
  }
}

/** A union of field lists, told apart by a number in the first position; the value carries it as `kind`. */
export const oneOf = <const C extends Cases>(cases: C): Shape<Union<C>> => union(cases, () => fail('tag'))

/** `oneOf` that keeps alternatives with a tag it does not know, so that one new item spoils no frame. */
export const openOneOf = <const C extends Cases>(cases: C): Shape<Union<C> | UnknownCase> =>
  union(cases, (from, tag, items): UnknownCase => {
    for (let i = 0; i < items; i++) from.skip()
    return { kind: 'unknown', tag }
  })
