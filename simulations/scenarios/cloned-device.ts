import { openGroupOf } from '../actors/introduce.ts'
import type { Machine } from '../actors/machine.ts'
import type { Person } from '../actors/person.ts'
import { speakAsThief, throwOut } from '../actors/thief.ts'
import { isNamed, judgeCopies } from '../laws/copies.ts'
import type { Stream } from '../world/stream.ts'
import { everydayActs, everydayFaults, type Scenario } from './scenario.ts'
import type { Stage } from './stage.ts'

const minute = 60_000

/** Somebody copies the whole home of a device and runs it beside the original. */
export const clonedDevice: Scenario = {
  name: 'cloned-device',
  claim:
    'A home that is copied whole and runs beside the original, with the same keys, under the same address: once both have spoken to one person, that person or the owner is told; once the owner has removed the device, neither home reads or says anything more, and nobody else has lost a word.',
  expects: ['device-cloned', ...everydayFaults],
  acts: [...everydayActs, 'thief-send'],
  shape: (plan) => ({
    ...plan,
    users: 2,
    devices: Math.min(4, Math.max(3, plan.devices)),
    groups: 0,
    messageEveryMs: plan.messageEveryMs / 2,
    dialableShare: 1,
  }),
  prepare: async (stage, draw) => {
    const [owner, ...others] = stage.people
    if (owner !== undefined) await openGroupOf(stage, draw, owner, others)
  },
  begin: (stage, draw) => {
    const [owner] = stage.people
    const phone = owner === undefined ? undefined : draw.pick(owner.devices)
    if (owner === undefined || phone === undefined) return
    stage.later(draw.between(0.05, 0.2) * stage.lastsMs, () => void copy(stage, draw, owner, phone))
  },
  judge: async (stage) => {
    judgeCopies(stage)
  },
}

/** Its home is copied while it runs; the copy writes where it can, until its time is over. */
async function copy(stage: Stage, draw: Stream, owner: Person, phone: Machine): Promise<void> {
  if (phone.device === undefined || phone.out || phone.wrecked) {
    stage.later(minute, () => void copy(stage, draw, owner, phone))
    return
  }
  const clone = await phone.clone()
  stage.clones.push(clone)
  stage.world.faults.strike('device-cloned')
  await clone.boot()
  stage.onClose(() => void clone.stop())
  speakAsThief(stage, draw, owner, clone)
  const latestMs = draw.between(0.6, 0.8) * stage.lastsMs
  watch(stage, draw, owner, phone, stage.world.timeline.nowMs + latestMs / 2)
}

/** Once anybody was told of it, the owner looks some time later and removes the device, and at the latest some time. */
function watch(stage: Stage, draw: Stream, owner: Person, phone: Machine, latestMs: number): void {
  stage.later(minute, () => {
    const { nowMs } = stage.world.timeline
    if (isNamed(stage, phone) || nowMs > latestMs)
      stage.later(draw.between(1, 8) * minute, () => void throwOut(stage, draw, owner, phone))
    else watch(stage, draw, owner, phone, latestMs)
  })
}
