import { sealInSteps, segmentId } from '../history/index.ts'
import { limits } from '../limits.ts'
import { idKey } from '../wire/index.ts'
import type { Folding, Step } from './context.ts'
import { dropIdleFiles, fileName, loadFile, openedFile } from './files.ts'
import { segmentKey } from './row.ts'
import { pageKey, recordsOnPage } from './segments.ts'
import { putSummary } from './sync-side.ts'
import {
  conversationRows,
  fileRows,
  pageRows,
  recordRows,
  segmentRows,
  type Conversation,
  type SegmentRow,
} from './tables.ts'
import { sureNow, wakeAt } from './timers.ts'

/**
 * Sealing of segments nobody writes to any more, while nothing else is to be done: a few milliseconds of it at each
 * tick, with a pause after, so that inputs never wait for it. Only its last step writes: one batch in which the rows
 * go and the file comes. Whatever comes to the segment before that begins it anew.
 *
 * ```
 *   look ─► read a page of rows, and again ─► fold, read back, compare, in steps ─► rows out, file in
 *                                └────────────── the journal has changed ──────────► look later
 * ```
 */
export async function tendFolding(step: Step): Promise<void> {
  const { live } = step.context
  const { folding } = live
  if (folding === undefined && step.monoMs >= live.foldMs) {
    dropIdleFiles(step)
    live.folding = begin(step)
    live.foldMs = step.monoMs + limits.foldLookMs
  } else if (folding !== undefined) await goOn(step, folding)
  wakeAt(step, live.folding === undefined ? live.foldMs : step.monoMs + limits.foldPauseMs)
}

/** The first look comes a while after the home was opened, when what is shown first has been shown. */
export function beginFolding(step: Step): void {
  step.context.live.foldMs = step.monoMs + limits.foldLookMs
  wakeAt(step, step.context.live.foldMs)
}

/** Stops what is being sealed; nothing of it was written. */
export function stopFolding({ live }: Step['context']): void {
  live.folding?.sealing?.return(undefined)
  live.folding = undefined
}

function begin(step: Step): Folding | undefined {
  const journal = step.tx.all(segmentRows).find((one) => isDue(step, one))
  return journal && { journal, records: [], whole: [], pages: 0, sealing: undefined }
}

/**
 * Whether a segment is to be sealed: it has a successor and came to rest, and it is not so new that what is shown
 * first would have to be opened. One that lost records waits for them.
 */
function isDue(step: Step, { conversation, segment, lastMs, records, wanted }: SegmentRow): boolean {
  const known = step.tx.get(conversationRows, conversation)
  if (known === undefined || segment >= known.segment || records === 0 || wanted > 0) return false
  if (sureNow(step) - lastMs < limits.segmentRestMs || records > limits.sealedRecords) return false
  return newerRows(step, known, segment) >= limits.journalMessages
}

/** Messages of newer segments that are rows. */
function newerRows(step: Step, { conversation, segment: newest }: Conversation, segment: number): number {
  let messages = 0
  for (let n = newest; n > segment && messages < limits.journalMessages; n--)
    messages += step.tx.get(segmentRows, segmentKey(conversation, n))?.messages ?? 0
  return messages
}

async function goOn(step: Step, folding: Folding): Promise<void> {
  const { conversation, segment, pages, records } = folding.journal
  if (step.tx.get(segmentRows, segmentKey(conversation, segment)) !== folding.journal) {
    stopFolding(step.context)
    return
  }
  if (folding.pages < pages) {
    const rows = await recordsOnPage(step, folding.journal, folding.pages)
    folding.records.push(...rows)
    folding.pages += 1
    return
  }
  folding.sealing ??= await startSealing(step, folding, records)
  const sealed = folding.sealing?.next()
  if (sealed?.done === false) return
  if (sealed?.value === undefined) postpone(step, folding.journal)
  else await replaceRows(step, folding, sealed.value)
  step.context.live.folding = undefined
  step.context.live.foldMs = step.monoMs + limits.foldPauseMs
}

/** Joins what the file holds already with what came since; undefined where a row was lost. */
async function startSealing(step: Step, folding: Folding, rows: number): Promise<Folding['sealing']> {
  const { conversation, segment } = folding.journal
  if (folding.records.length < rows) return undefined
  const { records, byId } = await openedFile(step, conversation, segment)
  if (step.context.live.condemned.has(fileName(conversation, segment))) return undefined
  const late = folding.records.filter(({ header }) => !byId.has(idKey(header.id)))
  folding.whole = [...records, ...late]
  const { crypto } = step.context
  const place = { conversation, segment: segmentId(crypto, conversation, segment) }
  return sealInSteps(await step.context.documents(), crypto, place, folding.whole)
}

/** It stays in its rows, and is looked at again as late as if something had come. */
function postpone(step: Step, journal: SegmentRow): void {
  const key = segmentKey(journal.conversation, journal.segment)
  step.tx.put(segmentRows, key, { ...journal, lastMs: step.nowMs })
}

/** The rows of headers go and the file takes their place, in one batch. */
async function replaceRows(
  step: Step,
  { journal, records, whole }: Folding,
  file: Uint8Array,
): Promise<void> {
  const { conversation, segment, pages, lost } = journal
  const key = segmentKey(conversation, segment)
  const before = await loadFile(step, conversation, segment)
  const firstMs = Math.min(journal.firstMs, before === 'damaged' ? Infinity : (before?.firstMs ?? Infinity))
  step.tx.put(fileRows, key, { file, firstMs, lost })
  step.tx.delete(segmentRows, key)
  for (let n = 0; n < pages; n++) step.tx.delete(pageRows, pageKey(conversation, segment, n))
  for (const { header } of records) step.tx.delete(recordRows, header.id)
  putSummary(step, conversation, segment, whole)
  step.context.live.files.delete(fileName(conversation, segment))
  step.context.log.event('segment-sealed')
}
