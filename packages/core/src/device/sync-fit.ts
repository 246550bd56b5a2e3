import type { CryptoProvider } from '../crypto/index.ts'
import {
  askSync,
  type AskDetail,
  type SegmentSummary,
  type SyncAsk,
  type SyncSide,
} from '../history/index.ts'
import { limits } from '../limits.ts'
import { toHex } from '../wire/index.ts'

/** Questions of sync that fit their frame, however many devices and segments there are. */

/** Bytes of a segment and of a device where a question lists them, at most. */
const segmentBytes = 40
const deviceBytes = 28
/** What a question holds beside its list. */
const headBytes = 512

const sizeOf = (summary: SegmentSummary | undefined): number =>
  segmentBytes + deviceBytes * Math.min(summary?.devices.length ?? 0, limits.syncDevices)

/** A question, and segments it has no room for: they are asked about next. */
export interface FittingAsk {
  readonly ask: SyncAsk
  readonly rest: readonly Uint8Array[]
}

/** Asks as `askSync` does, of as much as one frame holds. */
export function askFitting(
  crypto: CryptoProvider,
  side: SyncSide,
  nonce: Uint8Array,
  detail: AskDetail,
): FittingAsk {
  const room = limits.syncFrameBytes - headBytes
  switch (detail.kind) {
    case 'digest':
      return { ask: askSync(crypto, side, nonce, detail), rest: [] }
    case 'from': {
      const newest = side.summaries.toSorted((a, b) => b.depth - a.depth)
      let [left, { depth }] = [room, detail]
      for (const summary of newest) {
        left -= sizeOf(summary)
        if (left < 0) depth = Math.max(depth, summary.depth + 1)
      }
      return { ask: askSync(crypto, side, nonce, { kind: 'from', depth }), rest: [] }
    }
    case 'segments': {
      const held = new Map(side.summaries.map((one) => [toHex(one.segment), one]))
      let left = room
      const fits = detail.segments.filter((segment) => (left -= sizeOf(held.get(toHex(segment)))) >= 0)
      const now = fits.slice(0, limits.syncSegments)
      const rest = detail.segments.slice(now.length)
      return { ask: askSync(crypto, side, nonce, { kind: 'segments', segments: now }), rest }
    }
  }
}
