import { recordKinds, segmentId } from '../history/index.ts'
import { idHex, idKey, toBase32 } from '../wire/index.ts'
import type { SegmentAddress, Step } from './context.ts'
import { activeRemotes } from './conversations.ts'
import { emit } from './events.ts'
import { fileName, loadFile, openedFile } from './files.ts'
import { forgetSummary } from './records.ts'
import { segmentKey } from './row.ts'
import { journalOf, loadPage, pageKey, recordsOnPage, undamaged } from './segments.ts'
import { askAgain } from './sync-begin.ts'
import { summaryOf } from './sync-side.ts'
import { askLost, noteLost } from './sync-wants.ts'
import {
  conversationRows,
  fileRows,
  pageRows,
  peerRows,
  segmentRows,
  summaryRows,
  type Conversation,
  type SegmentRow,
} from './tables.ts'
import { warn } from './warnings.ts'

/** Devices asked at once for what was lost. */
const askedDevices = 3

/**
 * What lost records of a segment: it is said once, the journal then names what is left of it, a damaged file goes, and
 * whoever takes part is asked for the rest. A few who are connected at once; all others when they are met, for their
 * summaries no longer agree with this one.
 */
export async function repairSegments(step: Step): Promise<void> {
  for (const address of [...step.context.live.condemned.values()]) {
    const known = step.tx.get(conversationRows, address.conversation)
    if (known !== undefined) await repair(step, known, address)
    step.context.live.condemned.delete(fileName(address.conversation, address.segment))
  }
}

async function repair(step: Step, known: Conversation, address: SegmentAddress): Promise<void> {
  const { conversation, segment } = address
  const key = segmentKey(conversation, segment)
  step.context.log.event('segment-condemned')
  const journal = await withoutLost(step, await journalOf(step, conversation, segment))
  if (await isFileLost(step, address)) step.tx.delete(fileRows, key)
  const wanted = Math.max(1, (await countOf(step, key)) - journal.records)
  step.tx.put(segmentRows, key, { ...journal, lost: true, wanted })
  step.context.live.wanted.add(idHex(conversation))
  const look = await summaryOf(step, known, segment)
  if (look !== undefined && segment < known.segment) noteLost(step, known, segment, look)
  forgetSummary(step, known, segment)
  warn(
    step,
    'E_SEGMENT_DAMAGED',
    'A part of a conversation was damaged on this disk. It is asked for again from the others in it.',
  )
  emit(step, { type: 'group', conversationId: toBase32(conversation) })
  await askOthers(step, known, segment)
}

/** Records the segment held, by its summary. */
async function countOf(step: Step, key: Uint8Array): Promise<number> {
  const summary = await undamaged(step.tx.load(summaryRows, key))
  return (summary?.devices ?? []).reduce((sum, { count }) => sum + count, 0)
}

async function askOthers(step: Step, conversation: Conversation, segment: number): Promise<void> {
  const wanted = segmentId(step.context.crypto, conversation.conversation, segment)
  const connected = activeRemotes(conversation)
    .filter(({ device }) => step.context.live.peers.get(idHex(device))?.channel !== undefined)
    .flatMap(({ device }) => step.tx.get(peerRows, device) ?? [])
  for (const peer of connected) if (await askLost(step, conversation, peer)) return
  for (const peer of connected.slice(0, askedDevices)) await askAgain(step, conversation, peer, wanted)
}

/** Whether the file itself no longer gives its records back. */
async function isFileLost(step: Step, { conversation, segment }: SegmentAddress): Promise<boolean> {
  const { condemned, files } = step.context.live
  const name = fileName(conversation, segment)
  if ((await loadFile(step, conversation, segment)) === undefined) return false
  condemned.delete(name)
  files.delete(name)
  await openedFile(step, conversation, segment)
  return condemned.has(name)
}

/** The journal without what it names and is not there. */
async function withoutLost(step: Step, journal: SegmentRow): Promise<SegmentRow> {
  let [records, messages] = [0, 0]
  for (let n = 0; n < journal.pages; n++) {
    const held = new Set((await recordsOnPage(step, journal, n)).map(({ header }) => idKey(header.id)))
    const left = (await loadPage(step, journal, n)).filter(({ id }) => held.has(idKey(id)))
    step.tx.put(pageRows, pageKey(journal.conversation, journal.segment, n), left)
    records += left.length
    messages += left.filter(({ kind }) => kind === recordKinds.msg).length
  }
  return { ...journal, records, messages }
}
