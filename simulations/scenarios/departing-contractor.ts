import { openGroupOf } from '../actors/introduce.ts'
import { deviceOf, putOut } from '../actors/groups.ts'
import type { Person } from '../actors/person.ts'
import { say } from '../actors/talk.ts'
import type { Room } from '../laws/rooms.ts'
import type { Stream } from '../world/stream.ts'
import { oneGroup, onlyGroup, quietActs, until } from './one-group.ts'
import { splits } from './partition-heal.ts'
import { everydayFaults, type Scenario } from './scenario.ts'
import type { Stage } from './stage.ts'

const minute = 60_000

/** Somebody who worked with the others for a while is put out, keeps every byte, and has a relay that forgets nothing. */
export const departingContractor: Scenario = {
  name: 'departing-contractor',
  claim:
    'Somebody who was in a group and is put out keeps what they have read and reads nothing that anybody who knew of it has written since, though their device goes on asking and their relay forgets nothing; what they write since, unaware or not, counts with nobody.',
  expects: [
    'partition',
    'partition-one-way',
    'isolation',
    'relay-keeps',
    'unheard-removal',
    ...everydayFaults,
  ],
  acts: [...quietActs, 'remove'],
  shape: oneGroup,
  prepare: async (stage, draw) => {
    const [owner, ...others] = stage.people
    if (owner !== undefined) await openGroupOf(stage, draw, owner, others)
  },
  begin: (stage, draw) => {
    const [owner, contractor, room] = [stage.people[0], stage.people.at(-1), onlyGroup(stage)]
    if (owner === undefined || contractor === undefined || room === undefined) return
    for (const relay of stage.relays) {
      stage.world.faults.strike('relay-keeps')
      relay.turn('relay-keeps')
      stage.onClose(() => {
        relay.reform()
      })
    }
    splits(stage, draw, draw.between(0.5, 4) * 60 * minute)
    stage.later(draw.between(0.1, 0.6) * stage.lastsMs, () => {
      if (draw.chance(0.5)) unheard(stage, draw, room, contractor)
      void until(stage, () => putOut(stage, room, owner, contractor))
    })
  },
}

/** Nobody reaches the contractor for a while, who goes on writing as if they were in. */
function unheard(stage: Stage, draw: Stream, room: Room, contractor: Person): void {
  stage.world.faults.strike('unheard-removal')
  const own = contractor.devices.map(({ name }) => name)
  const others = [...stage.hosts(), 'dht'].filter((host) => !own.includes(host))
  const both = own.flatMap((a) => others.flatMap((b) => [[a, b] as const, [b, a] as const]))
  const forMs = draw.between(0.05, 0.2) * stage.lastsMs
  stage.cut(both, forMs)
  for (let words = 1 + draw.below(4); words > 0; words--)
    stage.later(draw.between(0.2, 1) * forMs, () => {
      const machine = deviceOf(draw, contractor)
      if (machine !== undefined) void say(stage, draw, machine, room)
    })
}
