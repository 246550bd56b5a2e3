import { idOf } from '../crypto/index.ts'
import type { CryptoProvider } from '../crypto/index.ts'
import { compareBytes, concat, encodeCbor, idKey } from '../wire/index.ts'
import { tipsAmong, type CountedRecord } from './segment-set.ts'

/** Bytes by which sync names a device and compares tips; salted per exchange where a writer could choose them. */
export const shortBytes = 8

/** A device's share of a segment. */
export interface DeviceSummary {
  readonly account: Uint8Array
  readonly device: Uint8Array
  /** First 8 bytes of `Id("sync-device", cbor([account, device]))`. */
  readonly name: Uint8Array
  /** Its records that count; the `sseq` of its tip unless it forked. */
  readonly count: number
  /** Ids of its tips, ascending; more than one is a fork. */
  readonly tips: readonly Uint8Array[]
}

/** What a replica holds of a segment, in the size of its devices: kept beside the segment. */
export interface SegmentSummary {
  readonly segment: Uint8Array
  /** Place among the segments: how many open one another before it. */
  readonly depth: number
  /** 32 bytes; equal exactly for equal sets of records. */
  readonly digest: Uint8Array
  /** By account and device. */
  readonly devices: readonly DeviceSummary[]
}

/** Summarises the records of a segment that count. */
export function summarise(
  crypto: CryptoProvider,
  segment: Uint8Array,
  depth: number,
  records: readonly CountedRecord[],
): SegmentSummary {
  const byDevice = new Map<string, CountedRecord[]>()
  for (const record of records) {
    const { account, device } = record.header.content
    const key = idKey(account) + idKey(device)
    const own = byDevice.get(key)
    if (own === undefined) byDevice.set(key, [record])
    else own.push(record)
  }
  const devices = [...byDevice.values()]
    .flatMap((own): DeviceSummary[] => {
      const first = own[0]
      if (first === undefined) return []
      const { account, device } = first.header.content
      const tips = tipsAmong(own).map(({ header }) => header.id)
      return [{ account, device, name: nameOf(crypto, account, device), count: own.length, tips }]
    })
    .sort((a, b) => compareBytes(a.account, b.account) || compareBytes(a.device, b.device))
  const told = devices.map(({ account, device, count, tips }) => [account, device, count, tips])
  return { segment, depth, devices, digest: idOf(crypto, 'sync-segment', encodeCbor([segment, told])) }
}

const nameOf = (crypto: CryptoProvider, account: Uint8Array, device: Uint8Array): Uint8Array =>
  idOf(crypto, 'sync-device', encodeCbor([account, device])).slice(0, shortBytes)

/** One digest over segments: 32 bytes, equal exactly for equal records in equal segments. */
export const digestOf = (crypto: CryptoProvider, summaries: readonly SegmentSummary[]): Uint8Array =>
  idOf(crypto, 'sync-digest', concat(...inOrder(summaries).map(({ digest }) => digest)))

/** Segments by (depth, id). */
export const inOrder = (summaries: readonly SegmentSummary[]): readonly SegmentSummary[] =>
  summaries.toSorted((a, b) => a.depth - b.depth || compareBytes(a.segment, b.segment))

/**
 * 8 bytes that stand for ids or a digest in one exchange. The nonce is drawn by who asks, so that nobody can look
 * beforehand for two values that look alike.
 */
export const shortOf = (
  crypto: CryptoProvider,
  nonce: Uint8Array,
  ...parts: readonly Uint8Array[]
): Uint8Array => idOf(crypto, 'sync-short', concat(nonce, ...parts)).slice(0, shortBytes)
