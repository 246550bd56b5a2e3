import { compareBytes } from '../wire/index.ts'

/** Place of a record in the shown order: segment, then lamport, then id. No clock takes part. */
export interface Position {
  readonly segment: number
  readonly lamport: number
  readonly id: Uint8Array
}

/** Records of one page, in shown order. Pages of a conversation are numbered from 0 and follow one another. */
export type Page = readonly Position[]

/** A new page starts when the last one holds this many; a late record may make an older one longer. */
export const pageRecords = 64

export const comparePositions = (a: Position, b: Position): number =>
  a.segment - b.segment || a.lamport - b.lamport || compareBytes(a.id, b.id)

/** The page with the position inserted; the same page when it already holds it. */
export function insertInto(page: Page, position: Position): Page {
  let at = page.length
  while (at > 0) {
    const before = page[at - 1]
    const order = before === undefined ? -1 : comparePositions(before, position)
    if (order === 0) return page
    if (order < 0) break
    at -= 1
  }
  return [...page.slice(0, at), position, ...page.slice(at)]
}

/** Whether the position belongs on this page or a later one. */
export function startsBefore(page: Page, position: Position): boolean {
  const first = page[0]
  return first === undefined || comparePositions(first, position) <= 0
}
