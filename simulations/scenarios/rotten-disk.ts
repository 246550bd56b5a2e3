import { discardWrecks } from '../actors/linking.ts'
import type { Machine } from '../actors/machine.ts'
import type { Stream } from '../world/stream.ts'
import { everydayActs, everydayFaults, type Scenario } from './scenario.ts'
import type { Stage } from './stage.ts'

const minute = 60_000

/** Bits of what devices stored flip while they are off. */
export const rottenDisk: Scenario = {
  name: 'rotten-disk',
  claim:
    'Devices on whose disks single bits flip while they are off say that their home is damaged and do not open it, or go on and fetch from the others what was hit: nobody is shown anything nobody wrote, nothing that reached another device is lost, and ten minutes after the network has healed all agree.',
  expects: ['disk-rot', 'rot-refused', 'rot-named', ...everydayFaults],
  acts: everydayActs,
  shape: (plan) => ({
    ...plan,
    users: 2,
    devices: Math.max(5, plan.devices),
    groups: 1,
    dialableShare: 1,
    messageEveryMs: plan.messageEveryMs / 4,
  }),
  begin: (stage, draw) => {
    stage.repeat(draw, stage.lastsMs / 40, () => void rot(stage, draw))
    stage.repeat(draw, 3 * minute, () => void discardWrecks(stage))
  },
}

/** A device whose person has another one, and which owes nobody anything, goes off, and comes back with flipped bits. */
async function rot(stage: Stage, draw: Stream): Promise<void> {
  const owner = draw.pick(stage.people)
  const there = owner.devices.filter(({ device }) => device !== undefined)
  const pauseMs = draw.between(0.1, 1) * minute
  if (there.length < 2) return
  const machine = draw.pick(there)
  if (!(await owesNothing(machine))) return
  await machine.rot(1)
  stage.world.timeline.after(pauseMs, () => void machine.boot())
}

/** Whether everything a device has accepted is with the others. */
export async function owesNothing({ device }: Machine): Promise<boolean> {
  const status = await device?.view('status', {}).catch(() => undefined)
  return status?.outbox === 0
}
