import type { Stage } from '../scenarios/stage.ts'
import type { Watched } from './watched.ts'

/** How long after somebody has the words of both it may take until anybody is told. */
const roundTripMs = 2 * 60_000

/** When anybody was told that a home is in use twice: its owner, or somebody it speaks to. */
const namedMs = (stage: Stage, phone: Watched): number =>
  Math.min(
    phone.toldOlderMs ?? Infinity,
    ...stage.everything().map((machine) => stage.world.hearing.rolledBackMs(machine, phone.deviceId)),
  )

/** Whether anybody was told by now. */
export const isNamed = (stage: Stage, phone: Watched): boolean => namedMs(stage, phone) < Infinity

/** When a machine had words of both homes in one conversation, written after the copy was made. */
function bothHeardMs(stage: Stage, machine: Watched, clone: Watched): number {
  const { hearing, ledger } = stage.world
  const since = [...ledger.said.values()].filter(
    (said) => said.machine === clone.home && said.atMs > clone.bornMs,
  )
  const first = (conversationId: string, stolen: boolean): number =>
    Math.min(
      Infinity,
      ...since
        .filter((said) => said.conversationId === conversationId && said.stolen === stolen)
        .map(({ marker }) => hearing.toldMs(machine, marker)),
    )
  const times = [...ledger.rooms.keys()].map((room) => Math.max(first(room, true), first(room, false)))
  return Math.min(Infinity, ...times)
}

/** A home that is in use twice is named within a round trip after somebody has heard both. */
export function judgeCopies(stage: Stage): void {
  const { ledger } = stage.world
  for (const clone of stage.clones) {
    const phone = stage.everything().find(({ name }) => name === clone.home)
    if (phone === undefined) continue
    const removal = ledger.deviceRemovals.find(({ gone }) => gone === phone)
    const endMs = Math.min(removal?.acceptedAtMs ?? Infinity, stage.closedMs)
    for (const machine of stage.everything()) {
      if (machine === phone) continue
      const dueMs = bothHeardMs(stage, machine, clone) + roundTripMs
      if (dueMs < endMs && namedMs(stage, phone) > dueMs)
        ledger.violate('clone-named', `${machine.name} heard two homes of ${phone.name}, and nobody was told`)
    }
  }
}
