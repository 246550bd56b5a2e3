import {
  compareEntries,
  insertInto,
  pageRecords,
  readRecord,
  recordKinds,
  startsBefore,
  type Page,
  type PageEntry,
  type RecordHeader,
} from '../history/index.ts'
import type { Signature } from '../crypto/index.ts'
import { PortError } from '../errors.ts'
import { concat, equalBytes, idKey } from '../wire/index.ts'
import type { Step } from './context.ts'
import { condemn, loadFile, openedFile } from './files.ts'
import { counterKey, segmentKey } from './row.ts'
import {
  bodyRows,
  pageRows,
  placeRows,
  recordRows,
  segmentRows,
  type Conversation,
  type Place,
  type SegmentRow,
} from './tables.ts'

/**
 * Where records lie: each in the journal, as a row of its own, or in the file of its segment. A segment has a journal
 * while anything of it is rows, and a file once it was sealed; with records that came late it has both.
 */

/** A record where it lies. */
export interface StoredPlace {
  readonly header: RecordHeader
  readonly segment: number
  /** Null where a later record of the device answers for it. */
  readonly signature: Signature | null
}

/** A record, and when it came here. */
export interface FoundRecord extends StoredPlace {
  readonly receivedAtMs: number
}

/** Where a record lies, if it does. */
export async function placeOf(step: Step, id: Uint8Array): Promise<Place | undefined> {
  const body = await undamaged(step.tx.load(bodyRows, id))
  return body?.place ?? placeWithoutBody(step, id)
}

/** Where a record lies that is held without a body; undefined for every other. */
export const placeWithoutBody = (step: Step, id: Uint8Array): Promise<Place | undefined> =>
  undamaged(step.tx.load(placeRows, id))

/** A damaged row counts as one that is not there: the rest goes on. */
export const undamaged = <T>(row: Promise<T | undefined>): Promise<T | undefined> =>
  row.catch((error: unknown) => {
    if (error instanceof PortError && error.code === 'E_STORE_CORRUPT') return undefined
    throw error
  })

/** The held record with this id, wherever it lies. */
export async function findRecord(step: Step, id: Uint8Array): Promise<FoundRecord | undefined> {
  const row = await undamaged(step.tx.load(recordRows, id))
  const header = row === undefined ? undefined : readRecord(step.context.crypto, row.bytes)
  if (row !== undefined && header !== undefined) return { header, ...row }
  const place = await placeOf(step, id)
  return place === undefined ? undefined : findFiled(step, id, place)
}

async function findFiled(step: Step, id: Uint8Array, place: Place): Promise<FoundRecord | undefined> {
  const { conversation, segment, receivedAtMs } = place
  const found = (await openedFile(step, conversation, segment)).byId.get(idKey(id))
  return found === undefined ? undefined : { ...found, segment, receivedAtMs }
}

/** Whether a record is or was held: one that was can come again. */
export const wasHeld = async (step: Step, id: Uint8Array): Promise<boolean> =>
  (await placeOf(step, id)) !== undefined

/** Whether a record is held. A file is opened only where one was damaged, and so not all placed records are. */
export async function isHeld(step: Step, id: Uint8Array): Promise<boolean> {
  const place = await placeOf(step, id)
  if ((await undamaged(step.tx.load(recordRows, id))) !== undefined)
    return place === undefined || isNamed(step, place, id)
  if (place === undefined) return false
  const { conversation, segment } = place
  const row = await loadFile(step, conversation, segment)
  if (row === undefined || row === 'damaged') return false
  return !row.lost || (await findFiled(step, id, place)) !== undefined
}

/** Whether the journal names a record that has a row: of a segment that was damaged it may not any more. */
async function isNamed(step: Step, { conversation, segment }: Place, id: Uint8Array): Promise<boolean> {
  const journal = step.tx.get(segmentRows, segmentKey(conversation, segment))
  if (journal?.lost !== true) return true
  for (let n = 0; n < journal.pages; n++)
    if ((await loadPage(step, journal, n)).some((entry) => equalBytes(entry.id, id))) return true
  return false
}

/** The journal of a segment; an empty one for a segment that has none. */
export async function journalOf(step: Step, conversation: Uint8Array, segment: number): Promise<SegmentRow> {
  const known = step.tx.get(segmentRows, segmentKey(conversation, segment))
  if (known !== undefined) return known
  const file = await loadFile(step, conversation, segment)
  const times = { firstMs: step.nowMs, lastMs: step.nowMs }
  const lost = file === 'damaged' || file?.lost === true
  return { conversation, segment, records: 0, messages: 0, pages: 0, ...times, lost, wanted: 0 }
}

/** When the first record of a segment came here. */
export async function beganMs(
  step: Step,
  conversation: Uint8Array,
  segment: number,
): Promise<number | undefined> {
  const file = await loadFile(step, conversation, segment)
  const times = [
    step.tx.get(segmentRows, segmentKey(conversation, segment))?.firstMs,
    file === 'damaged' ? undefined : file?.firstMs,
  ].filter((ms) => ms !== undefined)
  return times.length === 0 ? undefined : Math.min(...times)
}

export const pageKey = (conversation: Uint8Array, segment: number, n: number): Uint8Array =>
  concat(segmentKey(conversation, segment), counterKey(n))

/** The records a page of a journal names. Of a damaged one nobody can tell which these were: the segment lost them. */
export async function loadPage(step: Step, { conversation, segment }: SegmentRow, n: number): Promise<Page> {
  const page = await undamaged(step.tx.load(pageRows, pageKey(conversation, segment, n)))
  if (page === undefined) condemn(step, conversation, segment)
  return page ?? []
}

/** Gives a record that became a row its place in the journal. */
export async function putInJournal(step: Step, journal: SegmentRow, entry: PageEntry): Promise<void> {
  const { conversation, segment } = journal
  let n = Math.max(0, journal.pages - 1)
  let page = journal.pages === 0 ? [] : await loadPage(step, journal, n)
  while (n > 0 && !startsBefore(page, entry)) {
    n -= 1
    page = await loadPage(step, journal, n)
  }
  const inserted = insertInto(page, entry)
  if (inserted === page) return
  const full = n >= journal.pages - 1 && page.length >= pageRecords && inserted.at(-1) === entry
  if (full) n += 1
  step.tx.put(pageRows, pageKey(conversation, segment, n), full ? [entry] : inserted)
  step.tx.put(segmentRows, segmentKey(conversation, segment), {
    ...journal,
    records: journal.records + 1,
    messages: journal.messages + (entry.kind === recordKinds.msg ? 1 : 0),
    pages: Math.max(journal.pages, n + 1),
    lastMs: step.nowMs,
  })
}

/** Takes a row out of the journal. */
export async function takeFromJournal(
  step: Step,
  { conversation }: Conversation,
  segment: number,
  { id, content }: RecordHeader,
): Promise<void> {
  const journal = step.tx.get(segmentRows, segmentKey(conversation, segment))
  for (let n = (journal?.pages ?? 0) - 1; journal !== undefined && n >= 0; n--) {
    const page = await loadPage(step, journal, n)
    const left = page.filter((entry) => !equalBytes(entry.id, id))
    if (left.length === page.length) continue
    step.tx.put(pageRows, pageKey(conversation, segment, n), left)
    step.tx.put(segmentRows, segmentKey(conversation, segment), {
      ...journal,
      records: journal.records - 1,
      messages: journal.messages - (content.kind === recordKinds.msg ? 1 : 0),
    })
    return
  }
}

/** The records a page of a journal names, in shown order; those whose rows are damaged are left out. */
export async function recordsOnPage(
  step: Step,
  journal: SegmentRow,
  n: number,
): Promise<readonly FoundRecord[]> {
  const ids = (await loadPage(step, journal, n)).map(({ id }) => id)
  const rows = await step.tx.loadMany(recordRows, ids)
  return rows.flatMap((row) => {
    const header = typeof row === 'object' ? readRecord(step.context.crypto, row.bytes) : undefined
    return typeof row !== 'object' || header === undefined ? [] : [{ header, ...row }]
  })
}

/** All records of a journal. That it has lost some is noted, so that they are asked for again. */
async function journalRecords(step: Step, journal: SegmentRow): Promise<readonly FoundRecord[]> {
  const found: FoundRecord[] = []
  for (let n = 0; n < journal.pages; n++) found.push(...(await recordsOnPage(step, journal, n)))
  if (found.length < journal.records) condemn(step, journal.conversation, journal.segment)
  return found
}

/** Every record of a segment that is held, each once. */
export async function recordsIn(
  step: Step,
  { conversation }: Conversation,
  segment: number,
): Promise<readonly StoredPlace[]> {
  const { records } = await openedFile(step, conversation, segment)
  const filed = records.map((record): StoredPlace => ({ ...record, segment }))
  const journal = step.tx.get(segmentRows, segmentKey(conversation, segment))
  if (journal === undefined) return filed
  const found = await journalRecords(step, journal)
  return filed.length === 0 ? found : withoutCopies(filed, found)
}

function withoutCopies(filed: readonly StoredPlace[], found: readonly StoredPlace[]): readonly StoredPlace[] {
  const held = new Set(filed.map(({ header }) => idKey(header.id)))
  return [...filed, ...found.filter(({ header }) => !held.has(idKey(header.id)))]
}

/** Every record of a conversation, segment by segment. */
export async function* recordsOf(
  step: Step,
  conversation: Conversation,
): AsyncGenerator<StoredPlace, void, undefined> {
  for (let segment = 0; segment <= conversation.segment; segment++)
    yield* await recordsIn(step, conversation, segment)
}

/** Some records in shown order, not read yet. */
export interface PageAhead {
  readonly segment: number
  /** It is a sealed segment. */
  readonly sealed: boolean
  readonly read: () => Promise<Page>
}

/** The pages of a conversation from a segment back, newest first; a sealed segment is one page. */
export async function* pagesBack(
  step: Step,
  { conversation }: Conversation,
  from: number,
): AsyncGenerator<PageAhead, void, undefined> {
  for (let segment = from; segment >= 0; segment--) {
    const journal = step.tx.get(segmentRows, segmentKey(conversation, segment))
    if ((await loadFile(step, conversation, segment)) !== undefined)
      yield { segment, sealed: true, read: () => wholeSegment(step, conversation, segment, journal) }
    else
      for (let n = (journal?.pages ?? 0) - 1; journal !== undefined && n >= 0; n--)
        yield { segment, sealed: false, read: () => loadPage(step, journal, n) }
  }
}

async function wholeSegment(
  step: Step,
  conversation: Uint8Array,
  segment: number,
  journal: SegmentRow | undefined,
): Promise<Page> {
  const { records } = await openedFile(step, conversation, segment)
  const filed = records.map(({ header: { id, content } }) => ({
    id,
    lamport: content.lamport,
    kind: content.kind,
  }))
  const late: PageEntry[] = []
  for (let n = 0; journal !== undefined && n < journal.pages; n++)
    late.push(...(await loadPage(step, journal, n)))
  if (late.length === 0) return filed
  const byId = new Map([...filed, ...late].map((entry) => [idKey(entry.id), entry]))
  return [...byId.values()].sort(compareEntries)
}
