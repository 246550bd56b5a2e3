import type { DeviceEvent, MessageView } from './api.ts'
import type { EventDraft, Step } from './context.ts'
import { counterKey } from './row.ts'
import { limits } from '../limits.ts'
import { eventRows, metaRows, onlyRow, type Meta } from './tables.ts'

/** Adds an event to the step; it is numbered and stored with the step's batch. */
export const emit = (step: Step, event: EventDraft): void => {
  step.events.push(event)
}

/** Counters of a home that has none yet. */
export const metaOf = (step: Step): Meta =>
  step.tx.get(metaRows, onlyRow) ?? {
    eventSeq: 0,
    outboxSeq: 0,
    auditSeq: 0,
    lastMs: step.nowMs,
    bootAhead: 0,
  }

/** Numbers the step's events and stores them without texts and names, which are looked up on replay. */
export function storeEvents(step: Step): readonly DeviceEvent[] {
  const meta = metaOf(step)
  const numbered = step.events.map((event, i) => ({ ...event, seq: meta.eventSeq + i + 1, atMs: step.nowMs }))
  // A clock in doubt leaves no mark, or the next start would take it for the truth.
  const lastMs = step.context.live.clockDoubted ? meta.lastMs : step.nowMs
  for (const event of numbered) {
    step.tx.put(eventRows, counterKey(event.seq), JSON.stringify(withoutText(event)))
    if (event.seq > limits.eventLog) step.tx.delete(eventRows, counterKey(event.seq - limits.eventLog))
  }
  step.tx.put(metaRows, onlyRow, { ...meta, eventSeq: meta.eventSeq + numbered.length, lastMs })
  return numbered
}

function withoutText(event: DeviceEvent): unknown {
  if (!('message' in event)) return event
  const { messageId, conversationId } = event.message
  return { type: event.type, seq: event.seq, atMs: event.atMs, messageId, conversationId }
}

/** A stored event as it was told, or null when its message is gone. */
export function restoreEvent(
  row: string,
  message: (conversationId: string, messageId: string) => MessageView | null,
): DeviceEvent | null {
  const stored = JSON.parse(row) as DeviceEvent & { messageId?: string; conversationId?: string }
  if (!stored.type.startsWith('message')) return stored
  const found = message(stored.conversationId ?? '', stored.messageId ?? '')
  if (found === null) return null
  const type = stored.type as Extract<DeviceEvent, { readonly message: MessageView }>['type']
  return { type, seq: stored.seq, atMs: stored.atMs, message: found }
}
