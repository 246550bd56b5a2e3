import { openGroupOf } from '../actors/introduce.ts'
import { putOut } from '../actors/groups.ts'
import { oneGroup, onlyGroup, quietActs, until } from './one-group.ts'
import { splits } from './partition-heal.ts'
import { everydayFaults, type Scenario } from './scenario.ts'

const minute = 60_000

/** Somebody who worked with the others for a while is put out, keeps every byte, and has a relay that forgets nothing. */
export const departingContractor: Scenario = {
  name: 'departing-contractor',
  claim:
    'Somebody who was in a group and is put out keeps what they have read and reads nothing that anybody who knew of it has written since, though their device goes on asking and their relay forgets nothing.',
  expects: ['partition', 'partition-one-way', 'isolation', 'relay-keeps', ...everydayFaults],
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
      relay.disk.trick = 'relay-keeps'
      stage.onClose(() => (relay.disk.trick = undefined))
    }
    splits(stage, draw, draw.between(0.5, 4) * 60 * minute)
    stage.later(
      draw.between(0.1, 0.6) * stage.lastsMs,
      () => void until(stage, () => putOut(stage, room, owner, contractor)),
    )
  },
}
