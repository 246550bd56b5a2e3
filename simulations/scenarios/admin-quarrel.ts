import { actInGroup, type GroupAct } from '../actors/groups.ts'
import { openGroupOf } from '../actors/introduce.ts'
import { splits } from './partition-heal.ts'
import { everydayActs, everydayFaults, type Scenario } from './scenario.ts'

const minute = 60_000

/** Quarrels over the groups in the time of a run, about. */
const quarrels = 30

const acts: readonly GroupAct[] = [
  ...(['remove', 'remove', 'remove', 'add', 'add', 'add', 'add'] as const),
  ...(['promote', 'promote', 'promote', 'demote', 'demote', 'rename', 'rename', 'leave'] as const),
]

/** Several people may decide who is in, and use it against each other while they cannot hear each other. */
export const adminQuarrel: Scenario = {
  name: 'admin-quarrel',
  claim:
    'Admins who remove, demote and let in each other while they cannot hear each other: ten minutes after the network has healed every device that is in holds the same members, roles, title and messages, and nobody who is in lacks a message of anybody who is.',
  expects: ['partition', 'partition-one-way', 'isolation', ...everydayFaults],
  acts: everydayActs,
  shape: (plan, draw) => {
    const users = Math.max(4, plan.users)
    const devices = Math.max(users, plan.devices)
    return { ...plan, users, devices, groups: 0, acquaintance: 1, dialableShare: draw.pick([1, 1, 0.5]) }
  },
  prepare: async (stage, draw) => {
    const [owner, ...others] = stage.people
    if (owner === undefined) return
    await openGroupOf(stage, draw, owner, others)
    const admins = 2 + draw.below(others.length - 1)
    const { timeline } = stage.world
    for (let n = 0; n < admins; n++) await timeline.until(actInGroup(stage, draw, owner, 'promote'), minute)
    await timeline.runUntil(timeline.nowMs + minute)
  },
  begin: (stage, draw) => {
    splits(stage, draw, draw.between(0.2, 1) * 60 * minute)
    stage.repeat(draw, stage.lastsMs / quarrels, () => {
      void actInGroup(stage, draw, draw.pick(stage.people), draw.pick(acts))
    })
  },
}
