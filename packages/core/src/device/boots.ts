import type { Step } from './context.ts'
import { metaOf } from './events.ts'
import { metaRows, onlyRow } from './tables.ts'

/** How often this home was opened, as far as anybody knows: a restored copy goes on behind what contacts saw. */
export const bootOf = (step: Step): number => step.context.boot + metaOf(step).bootAhead

/** Counts on behind a boot number a contact has seen. */
export const bootBeyond = (step: Step, seen: number): void => {
  step.tx.put(metaRows, onlyRow, { ...metaOf(step), bootAhead: seen + 1 - step.context.boot })
}
