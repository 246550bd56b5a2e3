import { groupActs } from '../actors/groups.ts'
import type { Room } from '../laws/rooms.ts'
import { everydayActs, type Scenario } from './scenario.ts'
import type { Stage } from './stage.ts'

/** What drills about one group have in common: nobody is let in or put out but the one they are about. */

const minute = 60_000

/** What people do there. */
export const quietActs = everydayActs.filter((act) => !groupActs.some((governing) => governing === act))

/** At least three people who all know each other, and no group but the drill's. */
export const oneGroup: NonNullable<Scenario['shape']> = (plan) => {
  const users = Math.max(3, plan.users)
  const devices = Math.max(users, plan.devices)
  return { ...plan, users, devices, groups: 0, acquaintance: 1, groupChangeEveryMs: null }
}

/** The group these drills are about. */
export const onlyGroup = (stage: Stage): Room | undefined =>
  [...stage.world.ledger.rooms.values()].find(({ group }) => group)

/** Tries something again every few minutes until some device takes it. */
export async function until(stage: Stage, work: () => Promise<boolean>): Promise<void> {
  while (stage.open && !(await work())) await stage.world.timeline.pause(3 * minute)
}
