import type { Machine } from '../actors/machine.ts'
import type { Stream } from '../world/stream.ts'
import { everydayActs, everydayFaults, type Scenario } from './scenario.ts'
import type { Stage } from './stage.ts'

const minute = 60_000

/** Devices come, stay for minutes, vanish, move, are linked and removed, all the time. */
export const churn: Scenario = {
  name: 'churn',
  claim:
    'Devices that are linked and removed all the time, are there for minutes, vanish without a word and come back under another address: nobody who stays misses a message, no list of devices changes unannounced, and ten minutes after it ends all agree on who is in and what was said.',
  expects: everydayFaults,
  acts: everydayActs,
  shape: (plan) => {
    const users = Math.max(3, plan.users)
    const devices = Math.max(users + 2, plan.devices)
    const deviceChangeEveryMs = (plan.deviceChangeEveryMs ?? 60 * minute) / 4
    return { ...plan, users, devices, deviceChangeEveryMs, dialableShare: Math.max(0.5, plan.dialableShare) }
  },
  begin(stage, draw) {
    const meanMs = draw.between(10, 60) * minute
    for (const machine of stage.machines()) flicker(stage, draw, machine, meanMs)
  },
}

/** There for a while, gone for a while, and half of the time somewhere else afterwards. */
function flicker(stage: Stage, draw: Stream, machine: Machine, meanMs: number): void {
  const { faults, timeline } = stage.world
  stage.later(draw.exponential(meanMs), () => {
    const awayMs = draw.exponential(meanMs / 2)
    const [moves, orderly] = [draw.chance(0.5), draw.chance(0.3)]
    if (machine.device !== undefined) {
      if (moves) {
        faults.strike('address-changed')
        machine.move()
      }
      if (orderly) void machine.stop()
      else {
        faults.strike('crash')
        machine.wanted = false
        void machine.crash()
      }
    }
    timeline.after(awayMs, () => {
      void machine.boot()
      flicker(stage, draw, machine, meanMs)
    })
  })
}
