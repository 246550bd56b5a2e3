import { compareBytes } from '../wire/index.ts'

/** Place of a record in the shown order: segment, then lamport, then id. No clock takes part. */
export interface Position {
  readonly segment: number
  readonly lamport: number
  readonly id: Uint8Array
}

export const comparePositions = (a: Position, b: Position): number =>
  a.segment - b.segment || compareEntries(a, b)

/** A record in the order of its segment. */
export interface PageEntry {
  readonly lamport: number
  readonly id: Uint8Array
  readonly kind: number
}

/** Records of one page, in shown order. Pages of a segment are numbered from 0 and follow one another. */
export type Page = readonly PageEntry[]

/** A new page starts when the last one holds this many; a late record may make an older one longer. */
export const pageRecords = 64

/** (lamport, id): the shown order within a segment. */
export const compareEntries = (
  a: Pick<PageEntry, 'lamport' | 'id'>,
  b: Pick<PageEntry, 'lamport' | 'id'>,
): number => a.lamport - b.lamport || compareBytes(a.id, b.id)

/** The page with the entry inserted; the same page when it already holds it. */
export function insertInto(page: Page, entry: PageEntry): Page {
  let at = page.length
  while (at > 0) {
    const before = page[at - 1]
    const order = before === undefined ? -1 : compareEntries(before, entry)
    if (order === 0) return page
    if (order < 0) break
    at -= 1
  }
  return [...page.slice(0, at), entry, ...page.slice(at)]
}

/** Whether the entry belongs on this page or a later one. */
export function startsBefore(page: Page, entry: PageEntry): boolean {
  const first = page[0]
  return first === undefined || compareEntries(first, entry) <= 0
}
