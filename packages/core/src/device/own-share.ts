import { readKey } from '../history/index.ts'
import { limits } from '../limits.ts'
import { equalBytes } from '../wire/index.ts'
import type { Step } from './context.ts'
import { conversationWith } from './conversations.ts'
import { readDocument } from './documents.ts'
import { opSetOf } from './groups.ts'
import { writeIntent } from './intents.ts'
import { peersOf } from './lookup.ts'
import { requireMe } from './me.ts'
import { isTold, noteTold, ownTables } from './own-values.ts'
import { conversationRows, ownRows, type Conversation, type OwnRow, type Self } from './tables.ts'
import { wakeAt } from './timers.ts'

/** Tells the other devices of the account what is due. */
export async function shareOwn(step: Step): Promise<void> {
  const { live } = step.context
  const { self } = requireMe(step)
  if (live.ownDueMs === Infinity || peersOf(step, self.account).length === 0) return
  if (step.monoMs < live.ownDueMs) {
    wakeAt(step, live.ownDueMs)
    return
  }
  live.ownDueMs = Infinity
  const notes = conversationWith(step, self.account)
  const room = hasRoom(step, notes, self)
  for (const row of step.tx.all(ownRows))
    if (!isTold(row) && (room || row.table === ownTables.settings)) await tell(step, notes, row)
  if (room) await shareReads(step, notes)
}

async function tell(step: Step, notes: Conversation, row: OwnRow): Promise<void> {
  const { table, key, value } = row
  noteTold(step, row)
  await writeIntent(
    step,
    notes,
    value === null ? { kind: 'drop', table, key } : { kind: 'put', table, key, value },
  )
}

/** A device has so many operations and no more; a part of them is kept for contacts and settings. */
const hasRoom = (step: Step, notes: Conversation, self: Self): boolean =>
  opSetOf(step, notes).entries.filter(({ op }) => equalBytes(op.device, self.device)).length < limits.ownOps

async function shareReads(step: Step, notes: Conversation): Promise<void> {
  const told = (await readDocument(step, notes))?.read ?? new Map<string, number>()
  const marks = step.tx.all(conversationRows).flatMap(({ conversation, remotes }) =>
    remotes.flatMap(({ device, seenUpTo }) => {
      const known = told.get(readKey(conversation, device)) ?? 0
      return seenUpTo > known ? [{ conversation, device, upTo: seenUpTo }] : []
    }),
  )
  for (let at = 0; at < marks.length; at += limits.readMarks)
    await writeIntent(step, notes, { kind: 'read', marks: marks.slice(at, at + limits.readMarks) })
}
