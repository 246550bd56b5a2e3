import type { CryptoProvider, Signature } from '../crypto/index.ts'
import { sizes } from '../crypto/index.ts'
import { InvariantError } from '../errors.ts'
import { limits } from '../limits.ts'
import { bytes, bytesBetween, equalBytes, fields, frame, idKey, list, literal } from '../wire/index.ts'
import type { Crdt, CrdtDocument } from './automerge.ts'
import { verifyRecord, type RecordHeader } from './record.ts'
import { ChangeReader, changeOfRecord, placeOf, segmentRoot, type RecordChange } from './segment-changes.ts'
import { compareHeaders, tipsAmong, type AuthorOf, type CountedRecord } from './segment-set.ts'

/** Where a document belongs. */
export interface SegmentPlace {
  readonly conversation: Uint8Array
  readonly segment: Uint8Array
}

/**
 * The document of a segment that still grows. Records that count are folded in, in batches, each after those it
 * requires; equal sets of them give equal heads whatever the order. A fork found late makes the document anew,
 * since both branches then have actors of their own. Lives in the library's memory until `free`.
 */
export class SegmentDocument {
  readonly #crdt: Crdt
  readonly #crypto: CryptoProvider
  readonly #root: ReturnType<typeof segmentRoot>
  readonly #made = new Map<string, RecordChange>()
  readonly #places = new Map<string, number>()
  /** Records whose places are counted, though they are not folded yet. */
  readonly #expected = new Set<string>()
  #document: CrdtDocument

  constructor(crdt: Crdt, crypto: CryptoProvider, segment: Uint8Array) {
    this.#crdt = crdt
    this.#crypto = crypto
    this.#root = segmentRoot(crypto, segment)
    this.#document = this.#opened()
  }

  /** Says which records will be folded, so that a fork among them is known before its first branch is. */
  expect(headers: readonly RecordHeader[]): void {
    for (const header of headers) this.#count(idKey(header.id), header)
  }

  /**
   * Folds records in; those that are there already change nothing.
   *
   * @throws InvariantError `E_SEGMENT` when a record comes before one it requires
   */
  fold(batch: readonly RecordHeader[]): void {
    const added = new Map<string, RecordHeader>()
    let forkedLate = false
    for (const header of batch) {
      const key = idKey(header.id)
      if (this.#made.has(key) || added.has(key)) continue
      added.set(key, header)
      forkedLate = this.#count(key, header) || forkedLate
    }
    const records = [...added.values()].sort(compareHeaders)
    if (forkedLate) this.#makeAnew(records)
    else this.#apply(records)
  }

  /** Records in the document. */
  get size(): number {
    return this.#made.size
  }

  /** Equal for equal sets of records; 32 bytes each, sorted. */
  heads(): readonly Uint8Array[] {
    return this.#document.heads()
  }

  /** The document as bytes. Equal for equal sets only if all were folded at once: see `sealSegment`. */
  save(): Uint8Array {
    return this.#document.save()
  }

  free(): void {
    this.#document.free()
  }

  /** Counts the record's place; whether that made a fork where one branch was folded as if there were none. */
  #count(key: string, { content }: RecordHeader): boolean {
    if (this.#expected.has(key)) return false
    this.#expected.add(key)
    const place = placeOf(content)
    const taken = this.#places.get(place) ?? 0
    this.#places.set(place, taken + 1)
    return taken === 1 && this.#hasMade(place)
  }

  #hasMade(place: string): boolean {
    for (const { header } of this.#made.values()) if (placeOf(header.content) === place) return true
    return false
  }

  #makeAnew(records: readonly RecordHeader[]): void {
    const all = [...this.#made.values()].map(({ header }) => header)
    this.#made.clear()
    this.#document.free()
    this.#document = this.#opened()
    this.#apply([...all, ...records].sort(compareHeaders))
  }

  #opened(): CrdtDocument {
    const document = this.#crdt.empty()
    document.apply([this.#root.bytes])
    return document
  }

  #apply(records: readonly RecordHeader[]): void {
    const changes: Uint8Array[] = []
    for (const header of records) {
      const forked = (this.#places.get(placeOf(header.content)) ?? 1) > 1
      const change = changeOfRecord(this.#crypto, this.#root, header, forked, (link) =>
        this.#made.get(idKey(link)),
      )
      if (change === undefined)
        throw new InvariantError('E_SEGMENT', 'A record was folded before one it requires.')
      this.#made.set(idKey(header.id), change)
      changes.push(change.bytes)
    }
    if (changes.length > 0) this.#document.apply(changes)
  }
}

/** A sealed segment: its document, and the signature of each tip in the order of tip ids. */
const sealedFrame = frame(
  'sealed-segment',
  fields({
    version: literal(1),
    document: bytesBetween(1, limits.segmentFileBytes),
    signatures: list(bytes<Signature>(sizes.signature), limits.segmentTips),
  }),
  limits.segmentFileBytes + 128 * 1024,
)

/** Records that one step of sealing folds or writes again: a few milliseconds. */
const stepRecords = 100

/**
 * Seals a segment: its document built in (lamport, id) order, so that equal sets give equal bytes, then read back
 * and compared record by record before anybody may drop the rows it came from. Undefined when a flood made it
 * larger than a file may be, or a tip has no signature: it stays in its rows.
 *
 * @throws InvariantError `E_SEGMENT` when reading back does not give the same records
 */
export function sealSegment(
  crdt: Crdt,
  crypto: CryptoProvider,
  place: SegmentPlace,
  records: readonly CountedRecord[],
): Uint8Array | undefined {
  return finish(sealInSteps(crdt, crypto, place, records))
}

/** Seals as `sealSegment` does, a few milliseconds at a time. Who stops early calls `return`. */
export function* sealInSteps(
  crdt: Crdt,
  crypto: CryptoProvider,
  place: SegmentPlace,
  records: readonly CountedRecord[],
): Generator<undefined, Uint8Array | undefined, undefined> {
  const signatures = tipsAmong(records).flatMap(({ signature }) =>
    signature === null ? [null] : [signature],
  )
  if (signatures.length > limits.segmentTips) return undefined
  const signed = signatures.filter((signature) => signature !== null)
  if (signed.length < signatures.length) return undefined
  const headers = records.map(({ header }) => header).sort(compareHeaders)
  const document = new SegmentDocument(crdt, crypto, place.segment)
  try {
    yield* foldInSteps(document, headers)
    const saved = document.save()
    const file = sealedFrame.encode({ version: 1, document: saved, signatures: signed })
    if (file.length > limits.segmentFileBytes) return undefined
    yield
    const again = yield* rebuild(crdt, crypto, place, file)
    if (again === undefined || !equalRecords(again.headers, headers))
      throw new InvariantError('E_SEGMENT', 'A sealed segment does not give its records back.')
    return file
  } finally {
    document.free()
  }
}

/** All forks are known before the first record is folded, so that none makes the document anew. */
function* foldInSteps(
  document: SegmentDocument,
  headers: readonly RecordHeader[],
): Generator<undefined, void, undefined> {
  document.expect(headers)
  for (let at = 0; at < headers.length; at += stepRecords) {
    document.fold(headers.slice(at, at + stepRecords))
    yield
  }
}

function finish<T>(steps: Generator<undefined, T, undefined>): T {
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}

/**
 * The records of a sealed segment, each written again byte for byte, in (lamport, id) order; the last of each
 * device and branch with its signature, which is verified and so answers for all before it. Undefined when
 * anything is amiss: the file is condemned as a whole and its records are asked for again.
 */
export function openSegment(
  crdt: Crdt,
  crypto: CryptoProvider,
  place: SegmentPlace,
  file: Uint8Array,
  authorOf: AuthorOf,
): readonly CountedRecord[] | undefined {
  const rebuilt = finish(rebuild(crdt, crypto, place, file))
  if (rebuilt === undefined) return undefined
  const unsigned = rebuilt.headers.map((header): CountedRecord => ({ header, signature: null }))
  const ends = tipsAmong(unsigned)
  if (ends.length !== rebuilt.signatures.length) return undefined
  const signed = new Map<RecordHeader, Signature>()
  for (const [i, { header }] of ends.entries()) {
    const author = authorOf(header.content)
    const signature = rebuilt.signatures[i]
    if (author.standing !== 'member' || signature === undefined) return undefined
    if (!verifyRecord(crypto, author.identityKey, header, signature)) return undefined
    signed.set(header, signature)
  }
  return unsigned.map(({ header }) => ({ header, signature: signed.get(header) ?? null }))
}

function* rebuild(crdt: Crdt, crypto: CryptoProvider, place: SegmentPlace, file: Uint8Array) {
  const decoded = sealedFrame.decode(file)
  if (!decoded.ok) return undefined
  const document = crdt.load(decoded.value.document)
  if (document === undefined) return undefined
  try {
    const changes = document.changes()
    yield
    const reader = new ChangeReader(crypto, place.conversation, place.segment)
    for (const [i, change] of changes.entries()) {
      if (!reader.take(change)) return undefined
      if (i % stepRecords === stepRecords - 1) yield
    }
    const headers = reader.headers().sort(compareHeaders)
    return { headers, signatures: decoded.value.signatures }
  } finally {
    document.free()
  }
}

const equalRecords = (a: readonly RecordHeader[], b: readonly RecordHeader[]): boolean =>
  a.length === b.length && a.every(({ bytes }, i) => equalBytes(bytes, b[i]?.bytes ?? new Uint8Array(0)))
