import { Secret, sizes } from '../crypto/index.ts'
import { limits } from '../limits.ts'

/** One row: generation (4), time it was skipped in ms (6), message key (32). Rows rise by generation. */
const timeAt = 4
const keyAt = 10
const rowBytes = keyAt + sizes.seed

/** Message keys of one chain whose envelopes have not come, oldest first, as one flat secret. */
export interface SkippedGenerations {
  readonly rows: Secret
  readonly count: number
}

/** A chain that skipped nothing. */
export const noneSkipped: SkippedGenerations = { rows: new Secret(new Uint8Array(0)), count: 0 }

const rowsFrom = (bytes: Uint8Array): SkippedGenerations =>
  bytes.length === 0 ? noneSkipped : { rows: new Secret(bytes), count: bytes.length / rowBytes }

/** Rows of a stored chain; undefined unless they are whole, within bounds and in order. */
export function skippedFrom(bytes: Uint8Array): SkippedGenerations | undefined {
  if (bytes.length % rowBytes !== 0 || bytes.length > limits.skippedGenerations * rowBytes) return undefined
  const view = viewOf(bytes)
  for (let at = rowBytes; at < bytes.length; at += rowBytes)
    if (view.getUint32(at) <= view.getUint32(at - rowBytes)) return undefined
  return rowsFrom(bytes)
}

/** Appends keys of rising generations; beyond `limits.skippedGenerations` the oldest go. */
export function addSkipped(
  skipped: SkippedGenerations,
  added: readonly { readonly generation: number; readonly key: Uint8Array }[],
  nowMs: number,
): SkippedGenerations {
  if (added.length === 0) return skipped
  const before = skipped.rows.expose()
  const bytes = new Uint8Array(before.length + added.length * rowBytes)
  bytes.set(before)
  const view = viewOf(bytes)
  added.forEach(({ generation, key }, i) => {
    const at = before.length + i * rowBytes
    view.setUint32(at, generation)
    view.setUint16(at + timeAt, Math.floor(nowMs / 0x1_0000_0000))
    view.setUint32(at + timeAt + 2, nowMs % 0x1_0000_0000)
    bytes.set(key, at + keyAt)
  })
  return dropOldest(rowsFrom(bytes), Math.max(0, bytes.length / rowBytes - limits.skippedGenerations))
}

/** A copy of the key of one generation; undefined when it is not there. */
export function skippedKey(skipped: SkippedGenerations, generation: number): Uint8Array | undefined {
  const at = offsetOf(skipped, generation)
  return at === undefined ? undefined : skipped.rows.expose().slice(at + keyAt, at + rowBytes)
}

/** The rows without those generations; the same value when it holds none of them. */
export function withoutSkipped(
  skipped: SkippedGenerations,
  gone: (generation: number) => boolean,
): SkippedGenerations {
  const bytes = skipped.rows.expose()
  const view = viewOf(bytes)
  const kept: number[] = []
  for (let at = 0; at < bytes.length; at += rowBytes) if (!gone(view.getUint32(at))) kept.push(at)
  if (kept.length === skipped.count) return skipped
  const rest = new Uint8Array(kept.length * rowBytes)
  kept.forEach((at, i) => rest.set(bytes.subarray(at, at + rowBytes), i * rowBytes))
  return rowsFrom(rest)
}

/** Forgets the oldest `drop` keys. */
export const dropOldest = (skipped: SkippedGenerations, drop: number): SkippedGenerations =>
  drop <= 0 ? skipped : rowsFrom(skipped.rows.expose().slice(drop * rowBytes))

/** Forgets the keys skipped more than `limits.skippedGenerationMs` ago. */
export function dropExpired(skipped: SkippedGenerations, nowMs: number): SkippedGenerations {
  if (skipped.count === 0) return skipped
  const view = viewOf(skipped.rows.expose())
  let expired = 0
  while (expired < skipped.count && timeOf(view, expired) + limits.skippedGenerationMs < nowMs) expired++
  return dropOldest(skipped, expired)
}

/** When the oldest key was skipped; undefined when there is none. */
export const oldestSkippedMs = (skipped: SkippedGenerations): number | undefined =>
  skipped.count === 0 ? undefined : timeOf(viewOf(skipped.rows.expose()), 0)

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length)

const timeOf = (view: DataView, row: number): number =>
  view.getUint16(row * rowBytes + timeAt) * 0x1_0000_0000 + view.getUint32(row * rowBytes + timeAt + 2)

/** Offset of a generation's row, by bisection. */
function offsetOf(skipped: SkippedGenerations, generation: number): number | undefined {
  const view = viewOf(skipped.rows.expose())
  let low = 0
  let high = skipped.count - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    const here = view.getUint32(middle * rowBytes)
    if (here === generation) return middle * rowBytes
    if (here < generation) low = middle + 1
    else high = middle - 1
  }
  return undefined
}
