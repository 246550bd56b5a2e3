import { openSegment, segmentId, type AuthorOf, type CountedRecord } from '../history/index.ts'
import { PortError } from '../errors.ts'
import { limits } from '../limits.ts'
import { idHex, idKey } from '../wire/index.ts'
import type { OpenedFile, Step } from './context.ts'
import { identityKeyOf } from './logs.ts'
import { segmentKey } from './row.ts'
import { fileRows } from './tables.ts'
import { wakeAt } from './timers.ts'

/**
 * Sealed segments as they are read: opened when something of them is asked for, kept for a while, dropped again. A
 * file that does not give its records back is condemned as a whole; `repair.ts` acts on that.
 */

const noRecords: OpenedFile = { records: [], byId: new Map() }

/** What the file of a segment holds; nothing when there is none, or it is condemned. */
export async function openedFile(step: Step, conversation: Uint8Array, segment: number): Promise<OpenedFile> {
  const { files, condemned } = step.context.live
  const key = fileName(conversation, segment)
  const known = files.get(key)
  if (known !== undefined) {
    known.usedMs = step.monoMs
    return known.file
  }
  if (condemned.has(key)) return noRecords
  const row = await loadFile(step, conversation, segment)
  if (row === undefined) return noRecords
  const records = row === 'damaged' ? undefined : await opened(step, conversation, segment, row.file)
  if (records === undefined) {
    condemn(step, conversation, segment)
    return noRecords
  }
  const file = { records, byId: new Map(records.map((record) => [idKey(record.header.id), record])) }
  files.set(key, { file, usedMs: step.monoMs })
  dropOldest(step)
  return file
}

/** Notes that records of a segment were lost here. */
export function condemn(step: Step, conversation: Uint8Array, segment: number): void {
  step.context.live.condemned.set(fileName(conversation, segment), { conversation, segment })
  wakeAt(step, step.monoMs)
}

async function opened(
  step: Step,
  conversation: Uint8Array,
  segment: number,
  file: Uint8Array,
): Promise<readonly CountedRecord[] | undefined> {
  const { crypto } = step.context
  const place = { conversation, segment: segmentId(crypto, conversation, segment) }
  return openSegment(await step.context.documents(), crypto, place, file, signedBy(step))
}

/** The row with a segment's file; named when it is damaged. */
export async function loadFile(step: Step, conversation: Uint8Array, segment: number) {
  return step.tx.load(fileRows, segmentKey(conversation, segment)).catch((error: unknown) => {
    if (error instanceof PortError && error.code === 'E_STORE_CORRUPT') return 'damaged' as const
    throw error
  })
}

/** Whoever was sealed was in; only whose key signed is left to ask. */
const signedBy =
  (step: Step): AuthorOf =>
  ({ account, device }) => {
    const identityKey = identityKeyOf(step, account, device)
    return identityKey === undefined ? { standing: 'none' } : { standing: 'member', identityKey }
  }

export const fileName = (conversation: Uint8Array, segment: number): string =>
  `${idHex(conversation)}/${segment}`

function dropOldest(step: Step): void {
  const { files } = step.context.live
  while (files.size > limits.openedFiles) {
    const [oldest] = [...files].reduce((a, b) => (b[1].usedMs < a[1].usedMs ? b : a))
    files.delete(oldest)
  }
}

/** Forgets files nobody has read for a while. */
export function dropIdleFiles(step: Step): void {
  const { files } = step.context.live
  for (const [key, { usedMs }] of files) if (step.monoMs - usedMs >= limits.openedFileMs) files.delete(key)
}
