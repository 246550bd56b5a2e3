import { Secret, sizes } from '../crypto/index.ts'
import { limits } from '../limits.ts'

/** One row: message number (4), time it was skipped in ms (6), message key (32). Rows rise by number and by time. */
const timeAt = 4
const keyAt = 10
const rowBytes = keyAt + sizes.seed

/** Message keys of one receiving chain whose messages have not arrived, oldest first, as one flat secret. */
export interface SkippedKeys {
  readonly rows: Secret
  readonly count: number
  /** Numbers below this that are not here may have been forgotten rather than used. */
  readonly forgottenBelow: number
}

/** A chain that skipped nothing. */
export const noSkippedKeys: SkippedKeys = { rows: new Secret(new Uint8Array(0)), count: 0, forgottenBelow: 0 }

const rowsFrom = (bytes: Uint8Array, forgottenBelow: number): SkippedKeys => ({
  rows: new Secret(bytes),
  count: bytes.length / rowBytes,
  forgottenBelow,
})

/** Rows read from a stored state; undefined unless they are whole. */
export const skippedKeysFrom = (bytes: Uint8Array, forgottenBelow: number): SkippedKeys | undefined =>
  bytes.length % rowBytes !== 0 || bytes.length > limits.skippedKeys * rowBytes
    ? undefined
    : bytes.length === 0 && forgottenBelow === 0
      ? noSkippedKeys
      : rowsFrom(bytes, forgottenBelow)

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length)

/** Appends the keys of the messages from `first` on. */
export function addSkippedKeys(
  skipped: SkippedKeys,
  first: number,
  keys: readonly Uint8Array[],
  nowMs: number,
): SkippedKeys {
  const before = skipped.rows.expose()
  const bytes = new Uint8Array(before.length + keys.length * rowBytes)
  bytes.set(before)
  const view = viewOf(bytes)
  keys.forEach((key, i) => {
    const at = before.length + i * rowBytes
    view.setUint32(at, first + i)
    writeTime(view, at + timeAt, nowMs)
    bytes.set(key, at + keyAt)
  })
  return rowsFrom(bytes, skipped.forgottenBelow)
}

/** The key of message `count` and the rows without it; undefined when it is not there. */
export function takeSkippedKey(
  skipped: SkippedKeys,
  count: number,
): { readonly key: Uint8Array; readonly rest: SkippedKeys } | undefined {
  const bytes = skipped.rows.expose()
  const at = find(viewOf(bytes), skipped.count, count)
  if (at === undefined) return undefined
  const rest = new Uint8Array(bytes.length - rowBytes)
  rest.set(bytes.subarray(0, at))
  rest.set(bytes.subarray(at + rowBytes), at)
  return { key: bytes.slice(at + keyAt, at + rowBytes), rest: rowsFrom(rest, skipped.forgottenBelow) }
}

/** Forgets the oldest `drop` keys. */
export function forgetOldest(skipped: SkippedKeys, drop: number): SkippedKeys {
  if (drop <= 0 || skipped.count === 0) return skipped
  const bytes = skipped.rows.expose()
  const gone = Math.min(drop, skipped.count)
  const last = viewOf(bytes).getUint32((gone - 1) * rowBytes)
  return rowsFrom(bytes.slice(gone * rowBytes), Math.max(skipped.forgottenBelow, last + 1))
}

/** Whether the oldest key was skipped more than `limits.skippedKeyMs` ago. */
export const holdsExpired = (skipped: SkippedKeys, nowMs: number): boolean =>
  skipped.count > 0 && readTime(viewOf(skipped.rows.expose()), timeAt) + limits.skippedKeyMs < nowMs

/** Forgets the keys skipped more than `limits.skippedKeyMs` ago. */
export function forgetExpired(skipped: SkippedKeys, nowMs: number): SkippedKeys {
  if (skipped.count === 0) return skipped
  const view = viewOf(skipped.rows.expose())
  let expired = 0
  while (expired < skipped.count && readTime(view, expired * rowBytes + timeAt) + limits.skippedKeyMs < nowMs)
    expired++
  return forgetOldest(skipped, expired)
}

/** Offset of the row of message `count`, by bisection. */
function find(view: DataView, rows: number, count: number): number | undefined {
  let low = 0
  let high = rows - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    const here = view.getUint32(middle * rowBytes)
    if (here === count) return middle * rowBytes
    if (here < count) low = middle + 1
    else high = middle - 1
  }
  return undefined
}

function writeTime(view: DataView, at: number, timeMs: number): void {
  view.setUint16(at, Math.floor(timeMs / 0x1_0000_0000))
  view.setUint32(at + 2, timeMs % 0x1_0000_0000)
}

const readTime = (view: DataView, at: number): number =>
  view.getUint16(at) * 0x1_0000_0000 + view.getUint32(at + 2)
