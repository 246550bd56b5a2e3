import { linkMachine } from '../actors/linking.ts'
import type { Person } from '../actors/person.ts'
import { speakAsThief, throwOut } from '../actors/thief.ts'
import type { Stream } from '../world/stream.ts'
import { everydayActs, everydayFaults, type Scenario } from './scenario.ts'
import type { Stage } from './stage.ts'

const minute = 60_000

/** Somebody gets hold of a device for a moment and links one of their own with it. */
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
  const over = stage.world.befall(phone.name, 'theft')
  const linking = linkMachine(stage, owner, phone, 'all').finally(over)
  const thief = owner.machines.at(-1)
  if (thief === undefined) return
  thief.stolen = true
  if (!(await linking)) {
    again()
    return
  }
  stage.world.faults.strike('device-slipped-in')
  speakAsThief(stage, draw, owner, thief)
  stage.later(draw.between(0.02, 0.3) * stage.lastsMs, () => void throwOut(stage, draw, owner, thief))
}
