import type { MailboxQueue, StoredRecord } from '../../src/ports/index.ts'
import { limits } from '../../src/limits.ts'
import { bool, bytesBetween, fields, frame, list, uint, type Frame } from '../../src/wire/index.ts'

/**
 * Rows of a relay's database. Items, hashes and deadlines name their queue by a serial number of four bytes
 * that is never used again, so that what a deleted queue left behind cannot touch a later one.
 */
const spaces = {
  queue: 1,
  writer: 2,
  counters: 3,
  reader: 4,
  item: 5,
  hash: 6,
  deadline: 7,
  record: 8,
  recordDeadline: 9,
  next: 10,
  deposited: 11,
  logDeadline: 12,
} as const
const hashBytes = 16
const id = bytesBetween(0, 64)

/** A queue with its serial number. */
export const queueFrame: Frame<
  Omit<Exclude<MailboxQueue, { readonly kind: 'log' }>, 'kind'> & {
    readonly intro: boolean
    readonly serial: number
  }
> = frame(
  'relay queue row',
  fields({
    intro: bool,
    recvId: id,
    sendId: id,
    readKey: id,
    writeKey: id,
    ttlMs: uint(),
    createdAtMs: uint(),
    serial: uint(),
  }),
)

/** A log with its serial number. */
export const logFrame: Frame<
  Omit<Extract<MailboxQueue, { readonly kind: 'log' }>, 'kind'> & { readonly serial: number }
> = frame(
  'relay log row',
  fields({
    recvId: id,
    readKey: id,
    writers: list(fields({ sendId: id, writeKey: id }), limits.logWriters),
    ttlMs: uint(),
    createdAtMs: uint(),
    serial: uint(),
  }),
  limits.logWriters * 80 + 512,
)

/** A record under a locator. */
export const recordFrame: Frame<StoredRecord> = frame(
  'relay record row',
  fields({ value: bytesBetween(0, 65_536), expiresAtMs: uint(), editKey: id }),
  70_000,
)

/** What changes with every item of a queue. */
export interface Counters {
  readonly next: number
  readonly items: number
  readonly bytes: number
}

/** Where an item lies, and all that is known of it without reading it. */
export interface ItemPlace {
  readonly serial: number
  readonly cursor: number
  readonly length: number
  readonly expiresAtMs: number
}

function pack(
  space: number,
  ...parts: readonly (Uint8Array | readonly [value: number, bytes: number])[]
): Uint8Array {
  const sizeOf = (part: (typeof parts)[number]): number =>
    part instanceof Uint8Array ? part.length : part[1]
  const out = new Uint8Array(1 + parts.reduce((sum, part) => sum + sizeOf(part), 0))
  out[0] = space
  let at = 1
  for (const part of parts) {
    if (part instanceof Uint8Array) out.set(part, at)
    else writeUint(out, at, part[0], part[1])
    at += sizeOf(part)
  }
  return out
}

function writeUint(target: Uint8Array, at: number, value: number, bytes: number): void {
  let rest = value
  for (let i = at + bytes - 1; i >= at; i--) {
    target[i] = rest % 256
    rest = Math.floor(rest / 256)
  }
}

function readUint(source: Uint8Array, at: number, bytes: number): number {
  let value = 0
  for (let i = at; i < at + bytes; i++) value = value * 256 + (source[i] ?? 0)
  return value
}

/** Keys of the relay's database. */
export const keys = {
  nextSerial: pack(spaces.next),
  queue: (recvId: Uint8Array): Uint8Array => pack(spaces.queue, recvId),
  writer: (sendId: Uint8Array): Uint8Array => pack(spaces.writer, sendId),
  counters: (recvId: Uint8Array): Uint8Array => pack(spaces.counters, recvId),
  deposited: (sendId: Uint8Array): Uint8Array => pack(spaces.deposited, sendId),
  logDeadline: (expiresAtMs: number, recvId: Uint8Array): Uint8Array =>
    pack(spaces.logDeadline, [expiresAtMs, 6], recvId),
  reader: (serial: number): Uint8Array => pack(spaces.reader, [serial, 4]),
  hash: (serial: number, blobHash: Uint8Array): Uint8Array =>
    pack(spaces.hash, [serial, 4], blobHash.subarray(0, hashBytes)),
  item: ({ serial, cursor, length, expiresAtMs }: ItemPlace): Uint8Array =>
    pack(spaces.item, [serial, 4], [cursor, 6], [length, 4], [expiresAtMs, 6]),
  deadline: ({ serial, cursor, length, expiresAtMs }: ItemPlace): Uint8Array =>
    pack(spaces.deadline, [expiresAtMs, 6], [serial, 4], [cursor, 6], [length, 4]),
  record: (locator: Uint8Array): Uint8Array => pack(spaces.record, locator),
  recordDeadline: (expiresAtMs: number, locator: Uint8Array): Uint8Array =>
    pack(spaces.recordDeadline, [expiresAtMs, 6], locator),
}

interface Range {
  readonly gte: Uint8Array
  readonly lt: Uint8Array
}

/** Ranges of the relay's database. */
export const ranges = {
  counters: { gte: pack(spaces.counters), lt: pack(spaces.counters + 1) },
  records: { gte: pack(spaces.record), lt: pack(spaces.record + 1) },
  /** Items of a queue with a cursor from `from` to below `to`. */
  items: (serial: number, from: number, to: number): Range => ({
    gte: pack(spaces.item, [serial, 4], [from, 6]),
    lt: pack(spaces.item, [serial, 4], [to, 6]),
  }),
  hashes: (serial: number): Range => ({
    gte: pack(spaces.hash, [serial, 4]),
    lt: pack(spaces.hash, [serial + 1, 4]),
  }),
  deadlines: (beforeMs: number): Range => ({
    gte: pack(spaces.deadline),
    lt: pack(spaces.deadline, [beforeMs, 6]),
  }),
  logDeadlines: (beforeMs: number): Range => ({
    gte: pack(spaces.logDeadline),
    lt: pack(spaces.logDeadline, [beforeMs, 6]),
  }),
  recordDeadlines: (beforeMs: number): Range => ({
    gte: pack(spaces.recordDeadline),
    lt: pack(spaces.recordDeadline, [beforeMs, 6]),
  }),
}

/** Highest cursor there can be. */
export const lastCursor = 2 ** 48 - 1

/** The place an item's key names. */
export const placeOfItem = (key: Uint8Array): ItemPlace => ({
  serial: readUint(key, 1, 4),
  cursor: readUint(key, 5, 6),
  length: readUint(key, 11, 4),
  expiresAtMs: readUint(key, 15, 6),
})

/** The place a deadline's key names. */
export const placeOfDeadline = (key: Uint8Array): ItemPlace => ({
  expiresAtMs: readUint(key, 1, 6),
  serial: readUint(key, 7, 4),
  cursor: readUint(key, 11, 6),
  length: readUint(key, 17, 4),
})

/** The locator, or the log, that a deadline's key names. */
export const locatorOf = (key: Uint8Array): Uint8Array => key.slice(7)

export const encodeCounters = ({ next, items, bytes }: Counters): Uint8Array =>
  pack(0, [next, 6], [items, 4], [bytes, 6]).subarray(1)

export const decodeCounters = (row: Uint8Array): Counters => ({
  next: readUint(row, 0, 6),
  items: readUint(row, 6, 4),
  bytes: readUint(row, 10, 6),
})

/** An unsigned number as a row. */
export const encodeUint = (value: number): Uint8Array => pack(0, [value, 6]).subarray(1)
export const decodeUint = (row: Uint8Array | undefined): number =>
  row === undefined ? 0 : readUint(row, 0, 6)
/** What is kept of a blob's hash beside its deadline. */
export const shortHash = (blobHash: Uint8Array): Uint8Array => blobHash.slice(0, hashBytes)
