import { recordKinds, type RecordHeader } from '../history/index.ts'
import { equalBytes, toHex } from '../wire/index.ts'
import type { Step } from './context.ts'
import { condemn } from './files.ts'
import { segmentKey } from './row.ts'
import { loadPage, recordsOf } from './segments.ts'
import { aboutRows, conversationRows, segmentRows, type Conversation } from './tables.ts'
import { wakeAt } from './timers.ts'

/** Which records are about a message: a row names them, beside the records themselves. */

/** A record that is about another, by where it lies. */
export interface AboutPlace {
  readonly id: Uint8Array
  readonly segment: number
}

/** What a record is about: a message, or for timers the conversation. */
export const aboutKey = (
  { conversation }: Pick<Conversation, 'conversation'>,
  { content }: RecordHeader,
): Uint8Array => content.target ?? conversation

/** The records about a message or conversation; where the row that names them is damaged, read from themselves. */
export async function aboutOf(
  step: Step,
  conversation: Conversation,
  key: Uint8Array,
): Promise<readonly AboutPlace[]> {
  const [row] = await step.tx.loadMany(aboutRows, [key])
  if (row !== 'damaged') return row ?? []
  step.context.live.spoiltAbout.set(toHex(key), { conversation: conversation.conversation, key })
  wakeAt(step, step.monoMs)
  const found: AboutPlace[] = []
  for await (const { header, segment } of recordsOf(step, conversation)) {
    if (header.content.kind === recordKinds.msg || !equalBytes(aboutKey(conversation, header), key)) continue
    found.push({ id: header.id, segment })
  }
  step.tx.put(aboutRows, key, found)
  return found
}

/** Writes the damaged rows anew that were met. */
export async function mendAbout(step: Step): Promise<void> {
  const { spoiltAbout } = step.context.live
  for (const { conversation, key } of [...spoiltAbout.values()]) {
    const known = step.tx.get(conversationRows, conversation)
    if (known !== undefined) await aboutOf(step, known, key)
  }
  spoiltAbout.clear()
}

/** A record about a message is not there: its segment has lost it, unless that is known. Whether it is news. */
export async function noteGone(
  step: Step,
  { conversation }: Conversation,
  { id, segment }: AboutPlace,
): Promise<boolean> {
  const journal = step.tx.get(segmentRows, segmentKey(conversation, segment))
  for (let n = 0; journal !== undefined && n < journal.pages; n++) {
    if (!(await loadPage(step, journal, n)).some((entry) => equalBytes(entry.id, id))) continue
    condemn(step, conversation, segment)
    return true
  }
  return false
}
