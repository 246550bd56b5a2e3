import { sizes } from '../crypto/index.ts'
import type { CryptoProvider, Signature } from '../crypto/index.ts'
import { limits } from '../limits.ts'
import {
  bytes,
  bytesBetween,
  compareBytes,
  concat,
  fields,
  frame,
  list,
  literal,
  nullable,
  idKey,
  uint,
} from '../wire/index.ts'
import type { Infer } from '../wire/index.ts'
import { fullOf, leanFields, leanOf, nothingBefore } from './lean.ts'
import { type RecordContent } from './record-frame.ts'
import { encodeRecord, type RecordHeader } from './record.ts'
import type { Arrival, CountedRecord, SegmentSet } from './segment-set.ts'
import { keyOf, type Sending } from './sync-compare.ts'

/**
 * Records on their way to another replica: without what their links and the records before them tell, and with
 * one signature for each chain of them. The receiver writes the exact bytes again.
 */

const id = bytes(sizes.hash)

/** A number for (device, sseq): `sseq` is at most 500. */
const deviceStep = 512

const runShape = fields({
  /** Index among the frame's devices. */
  device: uint(limits.syncDevices - 1),
  aseq: uint(),
  sseq: uint(limits.segmentRecords),
  selfPrev: nullable(id),
  /** Of the run's last record; null where the run goes on, or where a record that is held vouches for it. */
  signature: nullable(bytes<Signature>(sizes.signature)),
})

const itemShape = fields({
  run: uint(limits.syncRunRecords - 1),
  ...leanFields,
  /** `refs` by place: index of the device · 512 + `sseq`, ascending. */
  near: list(uint(limits.syncDevices * deviceStep), limits.recordLinks),
  /** `refs` by id, of devices of which the receiver may hold other records. */
  far: list(id, limits.recordLinks),
})

const runsShape = fields({
  version: literal(1),
  conversation: id,
  segment: id,
  devices: list(fields({ account: id, device: id }), limits.syncDevices),
  runs: list(runShape, limits.syncRunRecords),
  /** `bodyCommit` of each item, one after the other. */
  commits: bytesBetween(0, limits.syncRunRecords * sizes.hash),
  /** Each after those it requires. */
  items: list(itemShape, limits.syncRunRecords),
})

const runsFrame = frame('sync-runs', runsShape)

type Runs = Infer<typeof runsShape>
type Run = Runs['runs'][number]
type Item = Runs['items'][number]

/** What the parts of a frame take at most, without what is seldom in an item. */
const room = { frame: 128, device: 70, run: 128, item: 96 + sizes.hash } as const

/** Encodes what is to be sent as frames of one segment each, within `limits.syncFrameBytes`. */
export function encodeRuns(conversation: Uint8Array, sending: Sending): readonly Uint8Array[] {
  const frames: Uint8Array[] = []
  let page = new Page(conversation, sending)
  for (const record of sending.records) {
    if (page.isFull()) {
      frames.push(page.encode())
      page = new Page(conversation, sending)
    }
    page.add(record)
  }
  if (!page.isEmpty()) frames.push(page.encode())
  return frames
}

/** One frame in the making. */
class Page {
  readonly #frame: Pick<Runs, 'version' | 'conversation' | 'segment'>
  readonly #places: Sending['places']
  readonly #devices = new Map<string, { readonly account: Uint8Array; readonly device: Uint8Array }>()
  readonly #deviceAt = new Map<string, number>()
  readonly #runs: (Omit<Run, 'signature'> & { signature: Run['signature'] })[] = []
  readonly #items: Item[] = []
  readonly #commits: Uint8Array[] = []
  /** Runs by the id of their last record, with that record. */
  readonly #ends = new Map<string, { readonly run: number; readonly content: RecordContent }>()
  #bytes: number = room.frame

  constructor(conversation: Uint8Array, { segment, places }: Sending) {
    this.#frame = { version: 1, conversation, segment }
    this.#places = places
  }

  isEmpty = (): boolean => this.#items.length === 0

  /** Whether the largest record might not fit any more. */
  isFull(): boolean {
    const largest = room.item + room.run + (1 + limits.recordLinks) * room.device + 3 * 8 * 34 + 64
    return (
      this.#bytes + largest > limits.syncFrameBytes ||
      this.#items.length >= limits.syncRunRecords ||
      this.#devices.size + limits.recordLinks >= limits.syncDevices
    )
  }

  add({ header, signature }: CountedRecord): void {
    const { content } = header
    const key = content.sseq > 1 && content.selfPrev !== null ? idKey(content.selfPrev) : ''
    const end = this.#ends.get(key)
    const id = idKey(header.id)
    const run = end?.run ?? this.#open(content, this.#places.get(id)?.device)
    const open = this.#runs[run]
    if (open !== undefined) open.signature = signature
    this.#ends.delete(key)
    this.#ends.set(id, { run, content })
    const near: number[] = []
    const far: Uint8Array[] = []
    for (const ref of content.refs) {
      const place = this.#places.get(idKey(ref))
      if (place === undefined) far.push(ref)
      else near.push(this.#device(place.content, place.device) * deviceStep + place.content.sseq)
    }
    const lean = leanOf(content, end?.content ?? nothingBefore)
    this.#items.push({ run, ...lean, near: near.length > 1 ? near.sort((a, b) => a - b) : near, far })
    this.#commits.push(content.bodyCommit)
    const seldom = (far.length + content.xrefs.length + (lean.rare?.groupHeads?.length ?? 0)) * 34
    this.#bytes += room.item + seldom
  }

  #open(content: RecordContent, key?: string): number {
    const { aseq, sseq, selfPrev } = content
    const device = this.#device(content, key)
    this.#bytes += room.run
    return this.#runs.push({ device, aseq, sseq, selfPrev, signature: null }) - 1
  }

  #device({ account, device }: RecordContent, key = keyOf(account, device)): number {
    const known = this.#deviceAt.get(key)
    if (known !== undefined) return known
    const at = this.#devices.size
    this.#devices.set(key, { account, device })
    this.#deviceAt.set(key, at)
    this.#bytes += room.device
    return at
  }

  encode(): Uint8Array {
    return runsFrame.encode({
      ...this.#frame,
      devices: [...this.#devices.values()],
      runs: this.#runs,
      commits: concat(...this.#commits),
      items: this.#items,
    })
  }
}

/** What a receiver holds of the segment, to resolve links. */
export interface LinksHeld {
  readonly byId: (id: Uint8Array) => RecordHeader | undefined
  /** Records of a device with this `sseq`: more than one where it forked. */
  readonly at: (account: Uint8Array, device: Uint8Array, sseq: number) => readonly RecordHeader[]
}

/**
 * Links of a set. A place is looked up among records that count, then among waiting ones of the carriers of this
 * exchange (the peer, whose chains may come in several frames, and the device's own damaged rows): what others
 * left waiting must not make a place ambiguous.
 */
export function linksHeld(set: SegmentSet, ...carriers: readonly string[]): LinksHeld {
  const byId = new Map<string, RecordHeader>()
  for (const { header } of set.waiting.values()) byId.set(idKey(header.id), header)
  for (const [hex, { header }] of set.counted) byId.set(hex, header)
  const counted = new Map<string, RecordHeader[]>()
  for (const { header } of set.counted.values()) addTo(counted, placeKey(header.content), header)
  const waiting = new Map<string, RecordHeader[]>()
  const seen = new Set<string>()
  for (const copy of set.waiting.values()) {
    const hex = idKey(copy.header.id)
    if (!carriers.includes(copy.carrier) || seen.has(hex)) continue
    seen.add(hex)
    addTo(waiting, placeKey(copy.header.content), copy.header)
  }
  return {
    byId: (wanted) => byId.get(idKey(wanted)),
    at: (account, device, sseq) => {
      const key = placeKey({ account, device, sseq })
      return counted.get(key) ?? waiting.get(key) ?? []
    },
  }
}

const placeKey = ({ account, device, sseq }: Pick<RecordContent, 'account' | 'device' | 'sseq'>): string =>
  `${keyOf(account, device)}/${sseq}`

function addTo<K, T>(map: Map<K, T[]>, key: K, value: T): void {
  const values = map.get(key)
  if (values === undefined) map.set(key, [value])
  else values.push(value)
}

/** A frame of runs as it came; its segment says which set answers for links. */
export type DecodedRuns = Runs

/** Reads the frame, strictly; what its records are is another step, `recordsOfRuns`. */
export function decodeRuns(input: Uint8Array): DecodedRuns | undefined {
  const decoded = runsFrame.decode(input)
  if (!decoded.ok) return undefined
  const { runs, items, commits, devices } = decoded.value
  if (commits.length !== items.length * sizes.hash) return undefined
  const fits = (device: number): boolean => device < devices.length
  const known =
    runs.every(({ device }) => fits(device)) &&
    items.every(({ run, near }) => run < runs.length && near.every((at) => fits(Math.floor(at / deviceStep))))
  return known ? decoded.value : undefined
}

/** The records of a frame of runs, and how many could not be written again for want of what they link to. */
export interface ReceivedRuns {
  /** Each run's last record has the signature the run ended with; `growSegment` verifies one a chain. */
  readonly arrivals: readonly Arrival[]
  readonly lost: number
}

/**
 * Writes the records again, byte for byte. A record whose links cannot be found, or are ambiguous, is lost, and
 * what follows it in its run; nothing else is affected, and the next sync brings it.
 */
export function recordsOfRuns(crypto: CryptoProvider, decoded: DecodedRuns, held: LinksHeld): ReceivedRuns {
  const { runs, items } = decoded
  const arrivals: Arrival[] = []
  /** Records of this frame by place, as `near` names it. */
  const places = new Map<number, RecordHeader[]>()
  const byId = new Map<string, RecordHeader>()
  /** Of each run the record before the next; null once one was lost. */
  const before: (RecordHeader | null | undefined)[] = runs.map(() => undefined)
  const last = new Map(items.map(({ run }, i) => [run, i]))
  const links: LinksAround = {
    byId: (wanted) => byId.get(idKey(wanted)) ?? held.byId(wanted),
    near: (at) => {
      const here = places.get(at)
      if (here !== undefined) return here
      const device = decoded.devices[Math.floor(at / deviceStep)]
      return device === undefined ? [] : held.at(device.account, device.device, at % deviceStep)
    },
  }
  for (const [i, item] of items.entries()) {
    const run = runs[item.run]
    const previous = before[item.run]
    if (run === undefined || previous === null) continue
    const header = recordOfItem(crypto, decoded, run, item, i, previous, links)
    before[item.run] = header ?? null
    if (header === undefined) continue
    byId.set(idKey(header.id), header)
    addTo(places, run.device * deviceStep + header.content.sseq, header)
    arrivals.push({ header, signature: last.get(item.run) === i ? run.signature : null })
  }
  return { arrivals, lost: items.length - arrivals.length }
}

/** Links of a record: those of its frame first, then those that are held. */
interface LinksAround {
  readonly byId: LinksHeld['byId']
  readonly near: (place: number) => readonly RecordHeader[]
}

function recordOfItem(
  crypto: CryptoProvider,
  { conversation, segment, devices, commits }: DecodedRuns,
  run: Run,
  item: Item,
  index: number,
  previous: RecordHeader | undefined,
  links: LinksAround,
): RecordHeader | undefined {
  const author = devices[run.device]
  const told = fullOf(item, previous?.content ?? nothingBefore)
  if (author === undefined || told === undefined) return undefined
  const chain =
    previous === undefined
      ? { aseq: run.aseq, sseq: run.sseq, selfPrev: run.selfPrev }
      : { aseq: previous.content.aseq + 1, sseq: previous.content.sseq + 1, selfPrev: previous.id }
  const required: (RecordHeader | undefined)[] = item.far.map(links.byId)
  for (const at of item.near) {
    const found = links.near(at)
    required.push(found.length === 1 ? found[0] : undefined)
  }
  const refs = required.map((link) => link?.id ?? new Uint8Array(0))
  if (chain.sseq > 1)
    required.push(previous ?? (run.selfPrev === null ? undefined : links.byId(run.selfPrev)))
  let lamport = 1
  for (const link of required) {
    if (link === undefined) return undefined
    lamport = Math.max(lamport, link.content.lamport + 1)
  }
  return encodeRecord(crypto, {
    conversation,
    segment,
    kind: told.kind,
    account: author.account,
    device: author.device,
    aseq: chain.aseq,
    sseq: chain.sseq,
    selfPrev: chain.selfPrev,
    refs: refs.length > 1 ? refs.sort(compareBytes) : refs,
    xrefs: told.xrefs,
    groupHeads: told.groupHeads,
    lamport,
    timestampMs: told.timestampMs,
    ttlMs: told.ttlMs,
    target: told.target,
    history: told.history,
    bodyCommit: commits.subarray(index * sizes.hash, (index + 1) * sizes.hash),
    sizeClass: told.sizeClass,
  })
}
