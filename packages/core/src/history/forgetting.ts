import { limits } from '../limits.ts'
import { toHex } from '../wire/index.ts'
import { recordKinds, type RecordContent } from './record-frame.ts'
import { effects, isAbout, type PlacedRecord, type ViewRules } from './view.ts'

/** A message, and when this device first had it. Milliseconds since 1970 by the device's clock, as below. */
export interface HeldMessage extends PlacedRecord {
  readonly firstSeenMs: number
}

/** A record about a message, and when this device first had it. */
export interface HeldAbout extends PlacedRecord {
  readonly counts: boolean
  readonly firstSeenMs: number
}

/** A body that is to go. */
export interface Erasure {
  readonly id: Uint8Array
  /** From when on; 0 for at once. */
  readonly fromMs: number
}

/**
 * When a message that disappears does: its life from when it was written or, if its author's clock was ahead, from
 * when it was first seen. Null for one that stays.
 */
export const expiryOf = (
  { ttlMs, timestampMs }: Pick<RecordContent, 'ttlMs' | 'timestampMs'>,
  firstSeenMs: number,
): number | null => (ttlMs === null ? null : Math.min(timestampMs, firstSeenMs) + ttlMs)

/**
 * The bodies that go, of a message and what is about it, whether they are here or not; headers stay. When the
 * message was redacted, or is `forgotten` by the conversation's rule, all of them at once; else what an edit replaced,
 * a while after the first such edit came, and all of them when the message disappears.
 */
export function erasures(
  message: HeldMessage,
  about: readonly HeldAbout[],
  rules: ViewRules,
  forgotten = false,
): readonly Erasure[] {
  const related = about.filter((record) => isAbout(message, record))
  const { edits, redacted } = effects(message, related, rules)
  const spoken = [message, ...related.filter(({ header }) => header.content.kind !== recordKinds.redact)]
  const ends = redacted || forgotten ? 0 : (expiryOf(message.header.content, message.firstSeenMs) ?? Infinity)
  const replaced = replacedFrom(message, edits)
  return spoken
    .map(({ header: { id } }) => ({ id, fromMs: Math.min(ends, replaced.get(toHex(id)) ?? Infinity) }))
    .filter(({ fromMs }) => fromMs < Infinity)
}

/** From when on each text may go because a later one stands; Infinity for the last of them. */
function replacedFrom(message: HeldMessage, edits: readonly HeldAbout[]): ReadonlyMap<string, number> {
  const from = new Map<string, number>()
  let soonest = Infinity
  for (const edit of edits.toReversed()) {
    from.set(toHex(edit.header.id), soonest)
    soonest = Math.min(soonest, edit.firstSeenMs + limits.editedBodyMs)
  }
  return from.set(toHex(message.header.id), soonest)
}
