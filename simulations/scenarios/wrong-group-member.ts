import { openGroupOf } from '../actors/introduce.ts'
import { letIn, putOut } from '../actors/groups.ts'
import type { Person } from '../actors/person.ts'
import type { Room } from '../laws/rooms.ts'
import { oneGroup, onlyGroup, quietActs, until } from './one-group.ts'
import { everydayFaults, type Scenario } from './scenario.ts'
import type { Stage } from './stage.ts'

const minute = 60_000

/** Somebody was let into the wrong group, and is put out minutes later. */
export const wrongGroupMember: Scenario = {
  name: 'wrong-group-member',
  claim:
    'Somebody who is let into the wrong group and put out minutes later has read what was written in these minutes and nothing else: nothing from before, and nothing by anybody who knew that they were out.',
  expects: everydayFaults,
  acts: [...quietActs, 'add', 'remove'],
  shape: oneGroup,
  prepare: async (stage, draw) => {
    const [owner, ...others] = stage.people
    if (owner !== undefined) await openGroupOf(stage, draw, owner, others.slice(0, -1))
  },
  begin: (stage, draw) => {
    const [owner, wrong, room] = [stage.people[0], stage.people.at(-1), onlyGroup(stage)]
    if (owner === undefined || wrong === undefined || room === undefined) return
    const forMs = draw.between(1, 30) * minute
    stage.later(draw.between(0.2, 0.6) * stage.lastsMs, () => void mistake(stage, room, forMs, owner, wrong))
  },
  judge: judgeNewcomer,
}

async function mistake(stage: Stage, room: Room, forMs: number, owner: Person, wrong: Person): Promise<void> {
  await until(stage, () => letIn(stage, room, owner, wrong))
  stage.later(forMs, () => void until(stage, () => putOut(stage, room, owner, wrong)))
}

/** Whoever was let in later is shown nothing that was written before. */
async function judgeNewcomer(stage: Stage): Promise<void> {
  const { ledger } = stage.world
  for (const machine of stage.everything())
    for (const { conversationId } of (await machine.device?.view('conversations', {})) ?? []) {
      const room = ledger.rooms.get(conversationId)
      const inSinceMs = (room?.group === true ? room.firstIn(machine.person) : undefined) ?? 0
      for (const { messageId } of (await machine.history(conversationId)).messages) {
        const said = ledger.original(messageId)
        if (said !== undefined && said.atMs < inSinceMs)
          ledger.violate(
            'newcomer-blind',
            `${machine.name} reads ${said.marker}, older than its part in the group`,
          )
      }
    }
}
