import type { CryptoProvider } from '../crypto/index.ts'

/**
 * Writer and reader of the two changes a segment document consists of, in Automerge's binary change format
 * (magic, checksum, chunk type 1, length, dependencies, actor, counters, operation columns). The bytes equal
 * the library's own; frozen answers hold that in the tests.
 */

export const actorBytes = 16
const hashBytes = 32

/** A change of one operation: insert `value` at the head of the list `m`. */
export interface InsertChange {
  readonly actor: Uint8Array
  /** Counts the actor's changes, from 1. */
  readonly seq: number
  /** Number of the operation; one more than that of the latest dependency. */
  readonly startOp: number
  /** Hashes of the changes it depends on: at least one, ascending. */
  readonly deps: readonly Uint8Array[]
  /** At least one byte. */
  readonly value: Uint8Array
}

/** Exact bytes of a change and its hash, by which others depend on it. */
export interface WrittenChange {
  readonly bytes: Uint8Array
  readonly hash: Uint8Array
}

const magic = [0x85, 0x6f, 0x4a, 0x83]
const checksumBytes = 4
const changeChunk = 1

/** keyStr "m", insert false, action makeList, no value, no predecessors. */
const rootColumns = [
  ...[5, 0x15, 3, 0x34, 1, 0x42, 2, 0x56, 2, 0x70, 2],
  ...[0x7f, 1, 0x6d, 1, 0x7f, 2, 0x7f, 0, 0x7f, 0],
]
/** Column specifications before and after the two whose length varies (valMeta, valRaw). */
const columnsBefore = [8, 0x01, 2, 0x02, 2, 0x13, 2, 0x34, 2, 0x42, 2, 0x56]
const columnsAfter = [0x70, 2]
/** Object 1@root, after the head, insert true, action set. */
const operation = [0x7f, 1, 0x7f, 1, 0x7f, 0, 0, 1, 0x7f, 1]
const noPredecessors = [0x7f, 0]
const bytesType = 7

/** The change that opens a segment document: an empty list `m` by the root actor. */
export function writeRoot(crypto: CryptoProvider, root: Uint8Array): WrittenChange {
  return chunk(crypto, [[0, actorBytes], root, [1, 1, 0, 0, 0], rootColumns])
}

/** Writes the change of one record. `root` is the actor of the change that made the list. */
export function writeInsert(
  crypto: CryptoProvider,
  root: Uint8Array,
  { actor, seq, startOp, deps, value }: InsertChange,
): WrittenChange {
  const meta = leb(value.length * 16 + bytesType)
  return chunk(crypto, [
    ...[leb(deps.length), ...deps, [actorBytes], actor, leb(seq), leb(startOp)],
    ...[[0, 0, 1, actorBytes], root],
    ...[columnsBefore, [meta.length + 1, 0x57], leb(value.length), columnsAfter],
    ...[operation, [0x7f], meta, value, noPredecessors],
  ])
}

type Part = readonly number[] | Uint8Array

function chunk(crypto: CryptoProvider, content: readonly Part[]): WrittenChange {
  const size = leb(content.reduce((sum, part) => sum + part.length, 0))
  const parts: readonly Part[] = [magic, [0, 0, 0, 0], [changeChunk], size, ...content]
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  const hash = hashOfChange(crypto, bytes)
  bytes.set(hash.subarray(0, checksumBytes), magic.length)
  return { bytes, hash }
}

/** The hash of a change's bytes. */
export const hashOfChange = (crypto: CryptoProvider, bytes: Uint8Array): Uint8Array =>
  crypto.sha256(bytes.subarray(magic.length + checksumBytes))

/** Reads exactly what `writeInsert` writes under this root; undefined for anything else. */
export function readInsert(root: Uint8Array, bytes: Uint8Array): InsertChange | undefined {
  const cursor = new Cursor(bytes)
  cursor.expect(magic)
  cursor.take(checksumBytes)
  cursor.expect([changeChunk])
  if (cursor.uint() !== cursor.left()) return undefined
  const count = cursor.uint()
  if (count < 1 || count > cursor.left() / hashBytes) return undefined
  const deps = Array.from({ length: count }, () => cursor.take(hashBytes))
  cursor.expect([actorBytes])
  const actor = cursor.take(actorBytes)
  const [seq, startOp] = [cursor.uint(), cursor.uint()]
  cursor.expect([0, 0, 1, actorBytes])
  cursor.expect(root)
  cursor.expect(columnsBefore)
  const metaBytes = cursor.uint()
  cursor.expect([0x57])
  const valueBytes = cursor.uint()
  cursor.expect(columnsAfter)
  cursor.expect(operation)
  const meta = leb(valueBytes * 16 + bytesType)
  cursor.expect([0x7f, ...meta])
  const value = cursor.take(valueBytes)
  cursor.expect(noPredecessors)
  if (!cursor.good || cursor.left() !== 0 || metaBytes !== meta.length + 1 || valueBytes < 1) return undefined
  return { actor, seq, startOp, deps, value }
}

/** Little-endian base 128. */
function leb(value: number): number[] {
  const out: number[] = []
  let rest = value
  while (rest >= 0x80) {
    out.push((rest % 0x80) | 0x80)
    rest = Math.floor(rest / 0x80)
  }
  out.push(rest)
  return out
}

/** Walks bytes; a step beyond the end, or onto something unexpected, makes it not `good`. */
class Cursor {
  readonly #bytes: Uint8Array
  #at = 0
  good = true

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  left = (): number => this.#bytes.length - this.#at

  take(length: number): Uint8Array {
    if (length > this.left()) this.good = false
    const taken = this.#bytes.subarray(this.#at, this.#at + length)
    this.#at += taken.length
    return taken
  }

  expect(expected: ArrayLike<number>): void {
    for (let i = 0; i < expected.length; i++) if (this.#bytes[this.#at + i] !== expected[i]) this.good = false
    this.#at = Math.min(this.#at + expected.length, this.#bytes.length)
  }

  /** A number below 2^53; written longer than need be it is none. */
  uint(): number {
    let [value, scale] = [0, 1]
    for (let length = 1; length <= 8; length++, scale *= 0x80) {
      const byte = this.#bytes[this.#at] ?? 0
      if (this.#at < this.#bytes.length) this.#at += 1
      else this.good = false
      value += (byte & 0x7f) * scale
      if (byte >= 0x80) continue
      if ((length > 1 && byte === 0) || !Number.isSafeInteger(value)) this.good = false
      return value
    }
    this.good = false
    return 0
  }
}
