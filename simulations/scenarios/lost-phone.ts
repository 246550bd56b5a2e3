import { openGroupOf } from '../actors/introduce.ts'
import type { Machine } from '../actors/machine.ts'
import type { Person } from '../actors/person.ts'
import { speakAsThief, throwOut } from '../actors/thief.ts'
import type { Stream } from '../world/stream.ts'
import { splits } from './partition-heal.ts'
import { everydayActs, everydayFaults, type Scenario } from './scenario.ts'
import type { Stage } from './stage.ts'

const minute = 60_000

/** Somebody's device falls into other hands, which use it, with all it holds, before and after its owner removes it. */
export const lostPhone: Scenario = {
  name: 'lost-phone',
  claim:
    'A device that is lost and removed from another one reads nothing that anybody who knew of the removal has written, its words after the removal count nowhere, and everybody who shares a conversation with its owner is told.',
  expects: ['theft', 'thief-hides', 'partition', 'partition-one-way', 'isolation', ...everydayFaults],
  acts: [...everydayActs, 'thief-send'],
  shape: (plan) => ({
    ...plan,
    devices: Math.max(plan.users + 1, plan.devices),
    dialableShare: 1,
  }),
  prepare: async (stage, draw) => {
    const [owner] = stage.people
    if (owner === undefined) return
    const friends = stage.people.filter(({ name }) => owner.direct.has(name))
    await openGroupOf(stage, draw, owner, friends)
  },
  begin: (stage, draw) => {
    const [owner] = stage.people
    const phone = owner === undefined ? undefined : draw.pick(owner.devices)
    if (owner === undefined || phone === undefined) return
    splits(stage, draw, draw.between(0.5, 4) * 60 * minute)
    stage.later(draw.between(0.05, 0.4) * stage.lastsMs, () => steal(stage, draw, owner, phone))
  },
}

/** From now on somebody else holds the phone: they write where they can, and half of them keep its owner's devices away from it. */
function steal(stage: Stage, draw: Stream, owner: Person, phone: Machine): void {
  const { faults, trace } = stage.world
  phone.stolen = true
  stage.world.befall(phone.name, 'theft')
  trace.note('theft', { phone: phone.name })
  if (draw.chance(0.5)) {
    faults.strike('thief-hides')
    const others = owner.devices.map(({ name }) => name)
    const both = others.flatMap((name) => [[name, phone.name] as const, [phone.name, name] as const])
    stage.cut(both, stage.lastsMs)
  }
  speakAsThief(stage, draw, owner, phone)
  stage.later(draw.between(0.02, 0.2) * stage.lastsMs, () => void throwOut(stage, draw, owner, phone))
}
