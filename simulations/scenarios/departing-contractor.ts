import { openGroupOf } from '../actors/introduce.ts'
import { putOut } from '../actors/groups.ts'
import type { Room } from '../laws/rooms.ts'
import { splits } from './partition-heal.ts'
import { everydayFaults, type Scenario } from './scenario.ts'
import type { Stage } from './stage.ts'

const minute = 60_000

/** People in these drills let nobody in or out but the one the drill is about. */
export const quietActs = [
  'send',
  'reply',
  'edit',
  'delete',
  'react',
  'create-group',
  'link',
  'remove-device',
] as const

/** A group of everybody but the last, of whom nobody else is let in or out. */
export const oneGroup: NonNullable<Scenario['shape']> = (plan) => {
  const users = Math.max(3, plan.users)
  const devices = Math.max(users, plan.devices)
  return { ...plan, users, devices, groups: 0, acquaintance: 1, groupChangeEveryMs: null }
}

/** Somebody who worked with the others for a while is put out, keeps every byte, and has a relay that forgets nothing. */
export const departingContractor: Scenario = {
  name: 'departing-contractor',
  claim:
    'Somebody who was in a group and is put out keeps what they have read and reads nothing that anybody who knew of it has written since, though their device goes on asking and their relay forgets nothing.',
  expects: ['partition', 'partition-one-way', 'isolation', 'relay-keeps', ...everydayFaults],
  acts: [...quietActs, 'remove'],
  shape: oneGroup,
  prepare: async (stage, draw) => {
    const [owner, ...others] = stage.people
    if (owner !== undefined) await openGroupOf(stage, draw, owner, others)
  },
  begin: (stage, draw) => {
    const [owner, contractor, room] = [stage.people[0], stage.people.at(-1), onlyGroup(stage)]
    if (owner === undefined || contractor === undefined || room === undefined) return
    for (const relay of stage.relays) {
      stage.world.faults.strike('relay-keeps')
      relay.disk.trick = 'relay-keeps'
      stage.onClose(() => (relay.disk.trick = undefined))
    }
    splits(stage, draw, draw.between(0.5, 4) * 60 * minute)
    stage.later(
      draw.between(0.1, 0.6) * stage.lastsMs,
      () => void until(stage, () => putOut(stage, room, owner, contractor)),
    )
  },
}

/** The group these drills are about. */
export const onlyGroup = (stage: Stage): Room | undefined =>
  [...stage.world.ledger.rooms.values()].find(({ group }) => group)

/** Tries something again every few minutes until some device takes it. */
export async function until(stage: Stage, work: () => Promise<boolean>): Promise<void> {
  while (stage.open && !(await work())) await stage.world.timeline.pause(3 * minute)
}
