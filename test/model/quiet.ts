/** What must be so once everything that was going to happen by itself has happened. */
import { readName } from './device.ts'
import type { Move, State, Tables } from './tables.ts'
import { bitsOf } from './universe.ts'

/**
 * Where nothing moves by itself any more: who is in reads everything written under an epoch that lists it. If
 * its seed was withheld, it knows of the epoch and holds one that follows; where senders repeat, no exception.
 */
export function judgeQuiet(tables: Tables, state: State, moves: readonly Move[]): readonly string[] {
  if (moves.some(({ label }) => label.startsWith('deliver') || label.startsWith('timer'))) return []
  const { universe } = tables
  const locals = tables.localsOf(state)
  const ops = locals.reduce((all, local) => all | local.ops, 0)
  const members = universe.membersBy(ops)
  // The bound, not the rules, keeps somebody from beginning an epoch here.
  if (
    bitsOf(members).some((i) => locals[i]!.ops !== ops || tables.idleReason(state.locals[i]!) !== undefined)
  )
    if (tables.epochsSoFar(state) >= universe.scene.epochs) return []
  tables.see('quiet states judged')
  if (state.lost > 0) tables.see('quiet states after a lost seed')
  const broken: string[] = []
  for (const reader of bitsOf(members)) {
    const has = new Set(locals[reader]!.read.map((name) => recordOf(name)))
    for (const author of bitsOf(members)) {
      for (const name of author === reader ? [] : locals[author]!.sealed) {
        const { epoch } = readName(name)
        if ((universe.epochs.get(epoch)!.entitled & (1 << reader)) === 0 || has.has(recordOf(name))) continue
        const withheld = state.lost > 0 || universe.epochs.get(epoch)!.twoFaced
        const node = locals[reader]!.epochs.nodes.get(epoch)
        const replaced = node?.seeded === false && node.supersededAtMs !== undefined
        if (withheld && replaced && universe.scene.repeats !== true) continue
        broken.push(`${String(reader)} never reads what ${String(author)} sealed for it`)
      }
    }
  }
  return broken
}

const recordOf = (name: string): string => {
  const { by, aseq } = readName(name)
  return `${String(by)}#${String(aseq)}`
}
