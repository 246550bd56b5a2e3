import { sizes } from '../crypto/index.ts'
import type { CryptoProvider } from '../crypto/index.ts'
import { limits } from '../limits.ts'
import { bytes, bytesBetween, equalBytes, fields, frame, literal, uint } from '../wire/index.ts'
import type { Infer } from '../wire/index.ts'
import type { SyncSide } from './sync-ask.ts'
import { chainsOf, keyOf, placesOf, type Sending } from './sync-compare.ts'
import { digestOf, inOrder, shortBytes, type DeviceSummary, type SegmentSummary } from './sync-summary.ts'

/**
 * A damaged store knows what it lost: summaries tell how many records each device has. It names them by their
 * number in an order both sides know, wherever both have the same summaries.
 */
const gapsShape = fields({
  version: literal(1),
  conversation: bytes(sizes.hash),
  nonce: bytes(shortBytes),
  /** Counted are the records of segments below this depth. */
  before: uint(),
  /** Over those segments, so that both count alike. */
  digest: bytes(sizes.hash),
  /** Numbers, ascending: the first, then each less the one before less 1, in base 128, least digit first. */
  numbers: bytesBetween(1, 3 * limits.syncGaps),
})

export type SyncGaps = Infer<typeof gapsShape>

export const syncGapsFrame = frame('sync-gaps', gapsShape)

/** A lost record: the `sseq`-th of a device that did not fork. */
export interface Gap {
  readonly segment: Uint8Array
  readonly account: Uint8Array
  readonly device: Uint8Array
  readonly sseq: number
}

interface Share {
  readonly summary: SegmentSummary
  readonly device: DeviceSummary
  /** Number of the device's first record. */
  readonly first: number
}

/** Settled segments, and where each device's records stand in the count; forked devices have none. */
function shares(side: SyncSide, before: number) {
  const settled = inOrder(
    side.summaries.filter(({ segment, depth }) => depth < before && side.visible(segment)),
  )
  const all: Share[] = []
  let first = 0
  for (const summary of settled)
    for (const device of summary.devices) {
      if (device.tips.length !== 1) continue
      all.push({ summary, device, first })
      first += device.count
    }
  return { settled, all, total: first }
}

const shareKey = (segment: Uint8Array, account: Uint8Array, device: Uint8Array): string =>
  keyOf(segment, account) + keyOf(device, new Uint8Array(0))

/**
 * Asks for lost records of segments below `before`: at most `limits.syncGaps`, the first ones. `nonce`: 8 bytes that
 * name the exchange. Undefined when none of them can be named.
 */
export function askGaps(
  crypto: CryptoProvider,
  side: SyncSide,
  nonce: Uint8Array,
  before: number,
  gaps: readonly Gap[],
): SyncGaps | undefined {
  const { settled, all } = shares(side, before)
  const byKey = new Map(
    all.map((share) => [shareKey(share.summary.segment, share.device.account, share.device.device), share]),
  )
  const numbers = new Set<number>()
  for (const { segment, account, device, sseq } of gaps) {
    const share = byKey.get(shareKey(segment, account, device))
    if (share !== undefined && sseq >= 1 && sseq <= share.device.count) numbers.add(share.first + sseq - 1)
  }
  if (numbers.size === 0) return undefined
  const ascending = [...numbers].sort((a, b) => a - b).slice(0, limits.syncGaps)
  return {
    ...{ version: 1, conversation: side.conversation, nonce, before, digest: digestOf(crypto, settled) },
    numbers: packNumbers(ascending),
  }
}

/** The records asked for; undefined when the two sides do not count alike, and must first become equal. */
export function answerGaps(
  crypto: CryptoProvider,
  side: SyncSide,
  ask: SyncGaps,
): readonly Sending[] | undefined {
  const { settled, all, total } = shares(side, ask.before)
  if (!equalBytes(digestOf(crypto, settled), ask.digest)) return undefined
  const numbers = unpackNumbers(ask.numbers, total)
  if (numbers === undefined) return undefined
  const wanted = new Map<SegmentSummary, { readonly device: DeviceSummary; readonly sseq: number }[]>()
  let at = 0
  for (const number of numbers) {
    while (number >= (all[at]?.first ?? Infinity) + (all[at]?.device.count ?? 0)) at += 1
    const share = all[at]
    if (share === undefined) break
    const place = { device: share.device, sseq: number - share.first + 1 }
    wanted.set(share.summary, [...(wanted.get(share.summary) ?? []), place])
  }
  return [...wanted].map(([{ segment, devices }, places]) => {
    const records = side.records(segment)
    const chains = chainsOf(records)
    const found = places.flatMap(({ device, sseq }) => {
      const record = chains.get(keyOf(device.account, device.device))?.[sseq - 1]
      return record === undefined ? [] : [record]
    })
    return placesOf({ segment, devices }, records, found)
  })
}

function packNumbers(ascending: readonly number[]): Uint8Array {
  const out: number[] = []
  let next = 0
  for (const number of ascending) {
    let rest = number - next
    while (rest >= 0x80) {
      out.push((rest % 0x80) | 0x80)
      rest = Math.floor(rest / 0x80)
    }
    out.push(rest)
    next = number + 1
  }
  return Uint8Array.from(out)
}

/** The inverse; undefined unless `packNumbers` wrote it of numbers below `total`. */
function unpackNumbers(packed: Uint8Array, total: number): readonly number[] | undefined {
  const out: number[] = []
  let [next, rest, scale] = [0, 0, 1]
  for (const byte of packed) {
    rest += (byte & 0x7f) * scale
    if (rest > total) return undefined
    scale *= 0x80
    if (byte >= 0x80) continue
    if (byte === 0 && scale > 0x80) return undefined
    const number = next + rest
    if (number >= total || out.length === limits.syncGaps) return undefined
    out.push(number)
    ;[next, rest, scale] = [number + 1, 0, 1]
  }
  return scale === 1 ? out : undefined
}
