import { openGroupOf } from '../actors/introduce.ts'
import { leaveOn, makeOwner } from '../actors/groups.ts'
import { removeMachine } from '../actors/linking.ts'
import type { Person } from '../actors/person.ts'
import type { Room } from '../laws/rooms.ts'
import type { Stream } from '../world/stream.ts'
import { oneGroup, onlyGroup, quietActs, until } from './one-group.ts'
import { splits } from './partition-heal.ts'
import { everydayFaults, type Scenario } from './scenario.ts'
import type { Stage } from './stage.ts'

const minute = 60_000

/** Whoever opened a group makes somebody else an owner, leaves, and puts out the device it was opened with. */
export const departingOpener: Scenario = {
  name: 'departing-opener',
  claim:
    'A group is nobody’s: whoever opened it leaves and removes the device they opened it with, and everybody else is in as before and reads what they read.',
  expects: ['partition', 'partition-one-way', 'isolation', ...everydayFaults],
  acts: [...quietActs, 'promote', 'leave'],
  shape: (plan, ...rest) => {
    const shaped = oneGroup(plan, ...rest)
    return { ...shaped, devices: Math.max(shaped.users + 1, shaped.devices) }
  },
  prepare: async (stage, draw) => {
    const [opener, ...others] = stage.people
    if (opener !== undefined) await openGroupOf(stage, draw, opener, others)
  },
  begin: (stage, draw) => {
    const [opener, heir, room] = [stage.people[0], stage.people[1], onlyGroup(stage)]
    if (opener === undefined || heir === undefined || room === undefined) return
    splits(stage, draw, draw.between(0.5, 4) * 60 * minute)
    stage.later(draw.between(0.05, 0.3) * stage.lastsMs, () => void depart(stage, draw, opener, heir, room))
  },
}

async function depart(stage: Stage, draw: Stream, opener: Person, heir: Person, room: Room): Promise<void> {
  const pause = (): Promise<void> => stage.world.timeline.pause(draw.between(0.02, 0.15) * stage.lastsMs)
  const old = opener.machines.find(({ name }) => name === room.openedOn)
  const other = opener.devices.find((machine) => machine !== old)
  if (old === undefined || other === undefined) return
  await until(stage, () => makeOwner(stage, room, opener, heir))
  await pause()
  await until(stage, () => leaveOn(stage, room, other).then(yes, no))
  if (stage.open) stage.world.did('leave')
  await pause()
  await until(stage, () => removeMachine(stage, other, old))
}

const yes = (): boolean => true
const no = (): boolean => false
