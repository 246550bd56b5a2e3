import { equalBytes } from '../wire/index.ts'
import { limits } from '../limits.ts'
import type { PeerLink, Step } from './context.ts'
import type { PayloadItem } from './payload.ts'

/**
 * Puts an answer into the next payload for a device. What it asked for beyond the room there is left out: whoever
 * asks again is answered then.
 */
export function answerWith(step: Step, link: PeerLink, item: PayloadItem): void {
  const others = link.extras.filter((other) => !saysTheSame(other, item))
  const fits = others.length < limits.payloadAnswers
  if (fits && weightOf(others) + weightOf(item) <= limits.payloadAnswerBytes) link.extras = [...others, item]
  else step.context.log.event('answer-left-out')
}

/** The last of two answers of one kind about one conversation, or about one record, stands. */
function saysTheSame(a: PayloadItem, b: PayloadItem): boolean {
  if (a.kind === 'records' && b.kind === 'records')
    return equalBytes(a.records[0]?.bytes ?? nothing, b.records[0]?.bytes ?? nothing)
  if (a.kind !== b.kind) return false
  return 'conversation' in a && 'conversation' in b
    ? equalBytes(a.conversation, b.conversation)
    : a.kind === 'logOps' || a.kind === 'logNeed'
}

const nothing = new Uint8Array()

/** About how many bytes something takes in a payload, and never less. */
export function weightOf(value: unknown): number {
  if (value instanceof Uint8Array) return value.length + 3
  if (typeof value === 'string') return 3 * value.length + 3
  if (Array.isArray(value)) return value.reduce((sum: number, one) => sum + weightOf(one), 3)
  return typeof value === 'object' && value !== null ? weightOf(Object.values(value)) : 9
}
