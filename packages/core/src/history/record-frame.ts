import { sizes } from '../crypto/index.ts'
import { limits } from '../limits.ts'
import { bytes, fields, frame, list, nullable, uint } from '../wire/index.ts'
import type { Infer } from '../wire/index.ts'

/** What a record is: a message, or something said about an earlier record. */
export const recordKinds = { msg: 0, edit: 1, redact: 2, react: 3, timer: 4 } as const

const id = bytes(sizes.hash)

const recordShape = fields({
  conversation: id,
  segment: id,
  kind: uint(recordKinds.timer),
  account: id,
  device: id,
  /** Counts the device's records in the conversation, from 0. */
  aseq: uint(),
  /** Counts the device's records in the segment, from 1. */
  sseq: uint(limits.segmentRecords),
  /** The device's record before, in whatever segment; null for its first. */
  selfPrev: nullable(id),
  /** Records of the same segment this one was written after, sorted, without `selfPrev`. */
  refs: list(id, limits.recordLinks),
  /** Records of other segments it was written after: hints, never required. */
  xrefs: list(id, limits.recordLinks),
  groupHeads: list(id, limits.recordLinks),
  lamport: uint(),
  /** The author's clock in milliseconds: shown, never trusted for order. */
  timestampMs: uint(),
  ttlMs: nullable(uint()),
  target: nullable(id),
  history: uint(1),
  bodyCommit: id,
  /** Padded size of the body in 512-byte steps. */
  sizeClass: uint(),
})

/** A record's content, independent of whatever carries it. */
export type RecordContent = Infer<typeof recordShape>

/** The frame as declared; `record-bytes.ts` writes and reads the same. */
export const recordFrame = frame('record', recordShape, 2_048)
