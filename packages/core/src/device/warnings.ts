import { utf8 } from '../wire/index.ts'
import type { Step } from './context.ts'
import { emit } from './events.ts'
import { warningRows } from './tables.ts'

/** Something the person should know; said once until it is cleared. */
export function warn(step: Step, code: string, message: string): void {
  if (step.tx.get(warningRows, utf8(code)) !== undefined) return
  const warning = { code, message, atMs: step.nowMs }
  step.tx.put(warningRows, utf8(code), warning)
  emit(step, { type: 'warning', warning })
}

export const clearWarning = (step: Step, code: string): void => {
  if (step.tx.get(warningRows, utf8(code)) !== undefined) step.tx.delete(warningRows, utf8(code))
}
