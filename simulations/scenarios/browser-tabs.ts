import type { Machine } from '../actors/machine.ts'
import type { Stream } from '../world/stream.ts'
import { everydayActs, everydayFaults, type Scenario } from './scenario.ts'
import type { Stage } from './stage.ts'

const minute = 60_000

/** Every device is a tab: nobody can dial it, its browser suspends it when it likes, and it is closed without warning. */
export const browserTabs: Scenario = {
  name: 'browser-tabs',
  claim:
    'Devices that are tabs, which nobody can dial, which their browser suspends for minutes or hours and which are closed without a word, are devices like all others: nothing is lost or shown twice, and ten minutes after the last one is in front again all agree.',
  expects: ['tab-suspended', ...everydayFaults],
  acts: everydayActs,
  shape: (plan) => ({ ...plan, dialableShare: 0 }),
  begin: (stage, draw) => {
    for (const machine of stage.machines()) isTab(stage, draw, machine)
  },
}

/** A machine is a tab: behind others every now and then. */
export function isTab(stage: Stage, draw: Stream, machine: Machine): void {
  suspend(stage, draw, machine, draw.between(10, 90) * minute)
  stage.onClose(() => {
    machine.thaw()
  })
}

/** In front for a while, behind another tab for a while. */
function suspend(stage: Stage, draw: Stream, machine: Machine, meanMs: number): void {
  stage.later(draw.exponential(meanMs), () => {
    const forMs = Math.max(10_000, draw.lognormal(meanMs / 4, 1.2))
    if (machine.device !== undefined) {
      stage.world.faults.strike('tab-suspended')
      machine.freeze()
    }
    stage.later(forMs, () => {
      machine.thaw()
      suspend(stage, draw, machine, meanMs)
    })
  })
}
