import { linkMachine, removeMachine } from '../actors/linking.ts'
import type { Machine } from '../actors/machine.ts'
import type { Person } from '../actors/person.ts'
import { say } from '../actors/talk.ts'
import type { Stream } from '../world/stream.ts'
import { everydayActs, everydayFaults, type Scenario } from './scenario.ts'
import type { Stage } from './stage.ts'

const minute = 60_000

/** Somebody gets hold of a device for a moment and links one of their own with it; nobody but its owner's other devices can tell. */
export const silentDeviceAdd: Scenario = {
  name: 'silent-device-add',
  claim:
    'Whoever holds one device of an account for a moment can add a device of their own, and never silently: every device of the account and everybody who writes to it is told of it before it gets a word of theirs, and once it is removed it reads and says nothing more.',
  expects: ['theft', 'device-slipped-in', ...everydayFaults],
  acts: [...everydayActs, 'thief-send'],
  shape: (plan) => ({ ...plan, devices: Math.max(plan.users + 1, plan.devices), dialableShare: 1 }),
  begin: (stage, draw) => {
    const [owner] = stage.people
    if (owner !== undefined)
      stage.later(draw.between(0.05, 0.4) * stage.lastsMs, () => void slipIn(stage, draw, owner))
  },
}

async function slipIn(stage: Stage, draw: Stream, owner: Person): Promise<void> {
  const again = (): void => {
    stage.later(10 * minute, () => void slipIn(stage, draw, owner))
  }
  const there = owner.devices.filter(({ device }) => device !== undefined)
  if (there.length < 2 || owner.linking) {
    again()
    return
  }
  const phone = draw.pick(there)
  stage.world.faults.strike('theft')
  const linking = linkMachine(stage, owner, phone, 'all')
  const thief = owner.machines.at(-1)
  if (thief === undefined) return
  thief.stolen = true
  if (!(await linking)) {
    again()
    return
  }
  stage.world.faults.strike('device-slipped-in')
  stage.repeat(draw, stage.lastsMs / 40, () => {
    const rooms = [...stage.world.ledger.rooms.values()].filter(({ parties }) => parties.has(owner.name))
    void say(stage, draw, thief, draw.pick(rooms), { stolen: true })
  })
  stage.later(draw.between(0.02, 0.3) * stage.lastsMs, () => void throwOut(stage, draw, owner, thief))
}

/** Its owner, who was told, removes it from any other device; tries again until one takes it. */
async function throwOut(stage: Stage, draw: Stream, owner: Person, thief: Machine): Promise<void> {
  const there = owner.devices.filter(({ device }) => device !== undefined)
  const gone = there.length > 0 && (await removeMachine(stage, draw.pick(there), thief))
  if (!gone) stage.later(5 * minute, () => void throwOut(stage, draw, owner, thief))
}
