import type { Machine } from '../actors/machine.ts'
import type { Stream } from '../world/stream.ts'
import { everydayActs, everydayFaults, type Scenario } from './scenario.ts'
import { owesNothing } from './rotten-disk.ts'
import type { Stage } from './stage.ts'

const minute = 60_000

/** A device is set back to what its disk held some time ago, as a restored image does. */
export const olderCopy: Scenario = {
  name: 'older-copy',
  claim:
    'A device that is set back to an older copy of its disk, with or without what it keeps beside it to notice, is told so once anybody answers who knows better, gets back what others have of the time between, and seals nothing twice under one key and nonce.',
  expects: ['disk-older', 'disk-older-whole', ...everydayFaults],
  acts: everydayActs.filter((act) => act !== 'link' && act !== 'remove-device'),
  shape: (plan) => ({
    ...plan,
    users: Math.min(3, Math.max(2, plan.users)),
    devices: Math.min(5, Math.max(3, plan.devices)),
    groups: 1,
    deviceChangeEveryMs: null,
    dialableShare: 1,
  }),
  begin: (stage, draw) => {
    const machine = draw.pick(stage.machines())
    stage.later(draw.between(0.02, 0.4) * stage.lastsMs, () => void keepImage(stage, draw, machine))
  },
}

/** An image is made now, and put back at a time at which the machine owes nobody anything. */
async function keepImage(stage: Stage, draw: Stream, machine: Machine): Promise<void> {
  if (machine.device === undefined) {
    stage.later(minute, () => void keepImage(stage, draw, machine))
    return
  }
  const setBack = await machine.image()
  const withMark = draw.chance(0.5)
  const again = async (): Promise<void> => {
    if (machine.device === undefined || !(await owesNothing(machine))) stage.later(minute, () => void again())
    else await setBack(withMark).then(() => machine.boot())
  }
  stage.later(draw.between(0.1, 0.5) * stage.lastsMs, () => void again())
}
