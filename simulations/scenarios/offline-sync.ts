import type { Machine } from '../actors/machine.ts'
import type { Stream } from '../world/stream.ts'
import { everydayActs, everydayFaults, type Scenario } from './scenario.ts'
import type { Stage } from './stage.ts'

const hour = 3_600_000
/** Nobody stays away for as long as a relay keeps mail. */
const longestMs = 13 * 24 * hour

/** People take turns being away, for minutes to days; what is for them waits at relays. */
export const offlineSync: Scenario = {
  name: 'offline-sync',
  claim:
    'People who are hardly ever there together lose nothing: what was accepted waits at relays for up to two weeks and is shown exactly once, with a ladder that claims only what is so.',
  expects: ['isolation', ...everydayFaults],
  acts: everydayActs,
  begin(stage, draw) {
    const shareThere = draw.between(0.15, 0.6)
    const meanMs = draw.between(1, 8) * hour
    for (const machine of stage.machines()) comesAndGoes(stage, draw, machine, meanMs, shareThere)
  },
}

/** There for a while, away for a while: the app closed, the machine without power, or no network. */
export function comesAndGoes(
  stage: Stage,
  draw: Stream,
  machine: Machine,
  meanMs: number,
  shareThere: number,
): void {
  stage.later(draw.exponential(meanMs * shareThere), () => {
    const awayMs = Math.min(longestMs, draw.exponential(meanMs * (1 - shareThere)))
    const how = draw.pick(['stop', 'stop', 'crash', 'isolation'] as const)
    leave(stage, machine, how, awayMs)
    stage.later(awayMs, () => {
      void machine.boot()
      comesAndGoes(stage, draw, machine, meanMs, shareThere)
    })
  })
}

function leave(stage: Stage, machine: Machine, how: 'stop' | 'crash' | 'isolation', awayMs: number): void {
  const { faults } = stage.world
  if (how === 'isolation') {
    faults.strike('isolation')
    const others = [...stage.hosts(), 'dht'].filter((host) => host !== machine.name)
    stage.cut(
      others.flatMap((host) => [[host, machine.name] as const, [machine.name, host] as const]),
      awayMs,
    )
  } else if (how === 'stop') void machine.stop()
  else {
    faults.strike('crash')
    machine.wanted = false
    void machine.crash()
  }
}
