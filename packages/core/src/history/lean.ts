import { sizes } from '../crypto/index.ts'
import { limits } from '../limits.ts'
import { bytes, equalBytes, fields, list, nullable, uint } from '../wire/index.ts'
import type { Infer } from '../wire/index.ts'
import { recordKinds, type RecordContent } from './record-frame.ts'

/**
 * What of a record neither its links nor the record before it tell. Documents keep records so, and sync carries
 * them so: the full bytes are written again from it (history.md §7).
 */

const id = bytes(sizes.hash)

/** What is seldom there, or seldom other than before. */
const rareShape = fields({
  /** Milliseconds the clock went back; one of this and `laterMs` is 0. */
  earlierMs: uint(),
  ttlMs: nullable(uint()),
  target: nullable(id),
  /** Null when they are those of the record before. */
  groupHeads: nullable(list(id, limits.recordLinks)),
  xrefs: list(id, limits.recordLinks),
})

export const leanFields = {
  /** Kind, and 8 more where `history` is 1. */
  what: uint(8 + recordKinds.timer),
  sizeClass: uint(),
  /** Milliseconds since the record before; since 1970 for the first. */
  laterMs: uint(),
  rare: nullable(rareShape),
} as const

/** Lean fields as they are encoded. */
export type Lean = { readonly [K in keyof typeof leanFields]: Infer<(typeof leanFields)[K]> }

/** What the record before says of the next one. */
export type Before = Pick<RecordContent, 'timestampMs' | 'ttlMs' | 'groupHeads'>

/** Stands before the first record of a chain. */
export const nothingBefore: Before = { timestampMs: 0, ttlMs: null, groupHeads: [] }

/** The part of a record that `fullOf` gives back. */
export type Told = Pick<
  RecordContent,
  'kind' | 'history' | 'sizeClass' | 'timestampMs' | 'ttlMs' | 'target' | 'groupHeads' | 'xrefs'
>

export function leanOf(content: Told, before: Before): Lean {
  const { timestampMs, ttlMs, target, xrefs, kind, history, sizeClass } = content
  const sameHeads = equalLists(content.groupHeads, before.groupHeads)
  const rare = {
    earlierMs: Math.max(0, before.timestampMs - timestampMs),
    ttlMs,
    target,
    groupHeads: sameHeads ? null : content.groupHeads,
    xrefs,
  }
  return {
    what: kind + 8 * history,
    sizeClass,
    laterMs: Math.max(0, timestampMs - before.timestampMs),
    rare: isPlain(rare, before) ? null : rare,
  }
}

type Rare = Infer<typeof rareShape>

const isPlain = (rare: Rare, before: Before): boolean =>
  rare.earlierMs === 0 &&
  rare.ttlMs === before.ttlMs &&
  rare.target === null &&
  rare.groupHeads === null &&
  rare.xrefs.length === 0

/** The inverse of `leanOf`; undefined for what it would not have written. */
export function fullOf(lean: Lean, before: Before): Told | undefined {
  const { what, sizeClass, laterMs, rare } = lean
  const kind = what % 8
  const timestampMs = before.timestampMs + laterMs - (rare?.earlierMs ?? 0)
  if (kind > recordKinds.timer || !Number.isSafeInteger(timestampMs) || timestampMs < 0) return undefined
  if (rare !== null) {
    if (isPlain(rare, before) || (rare.earlierMs > 0 && laterMs > 0)) return undefined
    if (rare.groupHeads !== null && equalLists(rare.groupHeads, before.groupHeads)) return undefined
  }
  return {
    kind,
    history: Math.floor(what / 8),
    sizeClass,
    timestampMs,
    ttlMs: rare === null ? before.ttlMs : rare.ttlMs,
    target: rare?.target ?? null,
    groupHeads: rare?.groupHeads ?? before.groupHeads,
    xrefs: rare?.xrefs ?? [],
  }
}

const equalLists = (a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean =>
  a.length === b.length && a.every((item, i) => equalBytes(item, b[i] ?? item.subarray(1)))
