import type { Stage } from '../scenarios/stage.ts'
import type { Stream } from '../world/stream.ts'
import { removeMachine } from './linking.ts'
import type { Machine } from './machine.ts'
import type { Person } from './person.ts'
import { say } from './talk.ts'

const minute = 60_000

/** Somebody else holds a device of an account and writes with it wherever its owner takes part. */
export function speakAsThief(stage: Stage, draw: Stream, owner: Person, machine: Machine): void {
  stage.repeat(draw, stage.lastsMs / 40, () => {
    const rooms = [...stage.world.ledger.rooms.values()].filter(({ parties }) => parties.has(owner.name))
    void say(stage, draw, machine, draw.pick(rooms), { stolen: true })
  })
}

/** Its owner notices, and removes it on any other device; tries again until one takes it. */
export async function throwOut(stage: Stage, draw: Stream, owner: Person, machine: Machine): Promise<void> {
  const there = owner.devices.filter((other) => other !== machine && other.device !== undefined)
  const gone = there.length > 0 && (await removeMachine(stage, draw.pick(there), machine))
  if (!gone) stage.later(5 * minute, () => void throwOut(stage, draw, owner, machine))
}
