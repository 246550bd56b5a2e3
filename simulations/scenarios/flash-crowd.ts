import { openGroupOf } from '../actors/introduce.ts'
import type { Machine } from '../actors/machine.ts'
import { say } from '../actors/talk.ts'
import type { Stream } from '../world/stream.ts'
import { everydayActs, everydayFaults, type Scenario } from './scenario.ts'
import type { Stage } from './stage.ts'

const minute = 60_000

/** A group whose members are all away, then all there within seconds, and all talk at once. */
export const flashCrowd: Scenario = {
  name: 'flash-crowd',
  claim:
    'A whole group that comes back within seconds and talks all at once: every message is shown once on each device, none under another author, every queue and buffer stays within its bounds, and ten minutes after the network has healed all hold the same.',
  expects: ['crowd', ...everydayFaults],
  acts: everydayActs,
  shape: (plan) => ({
    ...plan,
    users: 5,
    devices: Math.max(8, plan.devices),
    groups: 0,
    acquaintance: 1,
    dialableShare: Math.max(0.5, plan.dialableShare),
  }),
  prepare: async (stage, draw) => {
    const [owner, ...others] = stage.people
    if (owner !== undefined) await openGroupOf(stage, draw, owner, others)
  },
  begin: (stage, draw) => {
    stage.repeat(draw, stage.lastsMs / 4, () => {
      crowd(stage, draw)
    })
  },
}

/** Everybody goes; half an hour later everybody is back within ten seconds, with something to say. */
function crowd(stage: Stage, draw: Stream): void {
  stage.world.faults.strike('crowd')
  stage.world.trace.note('crowd')
  const quietMs = draw.between(10, 60) * minute
  for (const machine of stage.machines()) {
    void machine.stop()
    const afterMs = quietMs + draw.between(0, 10_000)
    const words = 1 + draw.below(5)
    stage.world.timeline.after(afterMs, () => {
      void machine.boot().then(() => (stage.open ? talkAtOnce(stage, draw, machine, words) : undefined))
    })
  }
}

async function talkAtOnce(stage: Stage, draw: Stream, machine: Machine, words: number): Promise<void> {
  const rooms = [...stage.world.ledger.rooms.values()].filter(
    ({ group, parties }) => group && parties.has(machine.person),
  )
  if (rooms.length === 0 || machine.out) return
  const room = draw.pick(rooms)
  await Promise.all(Array.from({ length: words }, () => say(stage, draw, machine, room)))
}
