import { covers } from '../history/index.ts'
import { concat, equalBytes } from '../wire/index.ts'
import type { DeliveryState } from './api.ts'
import type { Step } from './context.ts'
import { activeRemotes } from './conversations.ts'
import { isNotes } from './group-exchange.ts'
import { isGroup, takesPart } from './groups.ts'
import { requireMe } from './me.ts'
import { counterKey } from './row.ts'
import {
  contactRows,
  leftRows,
  outboxRows,
  type Conversation,
  type OutboxRow,
  type Remote,
} from './tables.ts'

/** Where an own record stands: what every device of the others acknowledged, else what a relay confirmed. */
export function deliveryState(
  step: Step,
  conversation: Conversation,
  aseq: number,
  rows: readonly OutboxRow[],
): DeliveryState {
  const { self } = requireMe(step)
  const readers = readersOf(step, conversation, aseq)
  const others = readers.filter((one) => !equalBytes(one.account, self.account))
  const remotes = others.length === 0 ? readers : others
  if (remotes.length === 0 && (isGroup(conversation) || isNotes(step, conversation))) return 'delivered'
  if (remotes.length > 0 && remotes.every((remote) => covers(remote.got, aseq)))
    return self.readReceipts && remotes.some((remote) => aseq < remote.readUpTo) ? 'read' : 'delivered'
  const contact = conversation.account === null ? undefined : step.tx.get(contactRows, conversation.account)
  if (contact?.refused !== null && contact?.refused !== undefined) return 'failed'
  const left = step.tx.get(leftRows, concat(conversation.conversation, counterKey(aseq)))
  const relayed = rows.some((row) => row.relays.length > 0 && row.aseqs.includes(aseq))
  return relayed || (left !== undefined && left.relays.length > 0) ? 'relayed' : 'waiting'
}

/** Rows of a conversation on their way. */
export const outboxOf = (step: Step, conversation: Conversation): readonly OutboxRow[] =>
  step.tx
    .all(outboxRows)
    .filter((row) => row.conversation !== null && equalBytes(row.conversation, conversation.conversation))

/**
 * Devices a record is for. Whoever was put out sends to nobody any more, and what did not arrive before did not arrive:
 * it is still asked of everybody who was ever to read it.
 */
const readersOf = (step: Step, conversation: Conversation, aseq: number): readonly Remote[] =>
  isGroup(conversation) && !takesPart(step, conversation)
    ? conversation.remotes.filter(({ from }) => from <= aseq)
    : activeRemotes(conversation)
