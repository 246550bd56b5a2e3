import { sizes } from '../crypto/index.ts'
import type { CryptoProvider } from '../crypto/index.ts'
import { limits } from '../limits.ts'
import { bytes, equalBytes, fields, list, idKey, uint } from '../wire/index.ts'
import type { Infer } from '../wire/index.ts'
import type { RecordContent } from './record-frame.ts'
import { compareHeaders, type CountedRecord } from './segment-set.ts'
import { shortBytes, shortOf, type DeviceSummary, type SegmentSummary } from './sync-summary.ts'

const short = bytes(shortBytes)
const entryShape = fields({ name: short, count: uint(), tip: short })

export const vectorShape = fields({
  segment: bytes(sizes.hash),
  devices: list(entryShape, limits.syncDevices),
})

/** A segment from afar: of each device how many records, and 8 bytes for its tips. */
export type SyncVector = Infer<typeof vectorShape>
type Entry = Infer<typeof entryShape>

/** Records of one segment to be sent, in (lamport, id) order. */
export interface Sending {
  readonly segment: Uint8Array
  readonly records: readonly CountedRecord[]
  /**
   * Records (by `idKey`) the receiver finds by device and `sseq`: those of devices that did not fork and of which
   * it holds nothing else. Links to others carry full ids.
   */
  readonly places: ReadonlyMap<string, SentPlace>
}

/** A record's device, by `keyOf`, and what it says. */
export interface SentPlace {
  readonly device: string
  readonly content: RecordContent
}

const noTip = new Uint8Array(shortBytes)

const entryOf = (crypto: CryptoProvider, nonce: Uint8Array, summary: DeviceSummary): Entry => ({
  name: summary.name,
  count: summary.count,
  tip: shortOf(crypto, nonce, ...summary.tips),
})

export const vectorOf = (crypto: CryptoProvider, nonce: Uint8Array, summary: SegmentSummary): SyncVector => ({
  segment: summary.segment,
  devices: summary.devices.slice(0, limits.syncDevices).map((device) => entryOf(crypto, nonce, device)),
})

/**
 * Compares a segment with another replica's vector of it. Of a device whose chain here goes on from theirs the
 * rest is sent; of one that differs otherwise (a fork, or a chain that cannot be compared) everything.
 * `others`: whether devices they do not list are sent too.
 */
export function compareSegment(
  crypto: CryptoProvider,
  nonce: Uint8Array,
  mine: SegmentSummary,
  records: () => readonly CountedRecord[],
  theirs: readonly Entry[],
  others: 'all' | 'listed',
): { readonly sending: Sending; readonly behind: readonly Entry[] } {
  const behind: Entry[] = []
  const uncertain = new Set<string>()
  /** By device: the sseq from which on its records are sent. */
  const from = new Map<string, number>()
  const listed = new Map(theirs.map((entry) => [idKey(entry.name), entry]))
  let chains: ReadonlyMap<string, readonly CountedRecord[]> | undefined
  for (const device of mine.devices) {
    const name = idKey(device.name)
    const entry = listed.get(name)
    listed.delete(name)
    if (entry === undefined) {
      if (others === 'all') from.set(name, 1)
      continue
    }
    const own = entryOf(crypto, nonce, device)
    if (entry.count === own.count && equalBytes(entry.tip, own.tip)) continue
    chains ??= chainsOf(records())
    const at = chains.get(keyOf(device.account, device.device))?.[entry.count - 1]
    const goesOn =
      device.tips.length === 1 &&
      entry.count < own.count &&
      (entry.count === 0 || (at !== undefined && equalBytes(shortOf(crypto, nonce, at.header.id), entry.tip)))
    if (goesOn) {
      from.set(name, entry.count + 1)
      continue
    }
    behind.push(own)
    uncertain.add(name)
    if (device.tips.length > 1 || entry.count <= own.count) from.set(name, 1)
  }
  for (const entry of listed.values()) if (entry.count > 0) behind.push({ ...entry, count: 0, tip: noTip })
  return { behind, sending: sendingOf(mine, from.size === 0 ? [] : records(), from, uncertain) }
}

function sendingOf(
  mine: SegmentSummary,
  records: readonly CountedRecord[],
  from: ReadonlyMap<string, number>,
  uncertain: ReadonlySet<string>,
): Sending {
  const first = new Map(
    mine.devices.map(({ account, device, name }) => [
      keyOf(account, device),
      from.get(idKey(name)) ?? Infinity,
    ]),
  )
  const sent = records.filter(
    ({ header: { content } }) =>
      content.sseq >= (first.get(keyOf(content.account, content.device)) ?? Infinity),
  )
  return placesOf(mine, records, sent, uncertain)
}

/** What is sent of a segment, with the places of all its records that can be named by theirs. */
export function placesOf(
  { segment, devices }: Pick<SegmentSummary, 'segment' | 'devices'>,
  records: readonly CountedRecord[],
  sent: readonly CountedRecord[],
  uncertain?: ReadonlySet<string>,
): Sending {
  const certain = new Set<string>()
  for (const { account, device, name, tips } of devices)
    if (tips.length === 1 && uncertain?.has(idKey(name)) !== true) certain.add(keyOf(account, device))
  const places = new Map<string, SentPlace>()
  for (const { header } of records) {
    const key = keyOf(header.content.account, header.content.device)
    if (certain.has(key)) places.set(idKey(header.id), { device: key, content: header.content })
  }
  return { segment, places, records: sent.toSorted((a, b) => compareHeaders(a.header, b.header)) }
}

export const keyOf = (account: Uint8Array, device: Uint8Array): string => idKey(account) + idKey(device)

/** Each device's records by sseq; of use where it did not fork. */
export function chainsOf(records: readonly CountedRecord[]): ReadonlyMap<string, readonly CountedRecord[]> {
  const chains = new Map<string, CountedRecord[]>()
  for (const record of records) {
    const { account, device } = record.header.content
    const key = keyOf(account, device)
    const chain = chains.get(key)
    if (chain === undefined) chains.set(key, [record])
    else chain.push(record)
  }
  for (const chain of chains.values()) chain.sort((a, b) => compareHeaders(a.header, b.header))
  return chains
}
