import type { Stage } from '../scenarios/stage.ts'
import type { DeviceRemoval } from './ledger.ts'
import type { Held } from './quiescence.ts'
import type { Room } from './rooms.ts'

/**
 * Whoever was let into a group is in until somebody puts them out. Asked only where that can be said without the rules
 * of the group: nobody put anybody else out or down, no home was lost or set back, and whoever lost a device had left
 * before, on the machine that removed it, so that no word of a device was cut off.
 */
export async function judgeFallen(stage: Stage, room: Room, held: readonly Held[]): Promise<void> {
  const { ledger } = stage.world
  const machines = [...stage.machines()]
  if (!room.group || stage.clones.length > 0 || isQuarrelled(room)) return
  if (machines.some(({ setBack, wrecked }) => setBack !== undefined || wrecked)) return
  const actors = new Set([...room.additions, ...room.promotions].map(({ by }) => by))
  if (ledger.deviceRemovals.some((one) => actors.has(one.gone.person) && !hadLeft(room, one))) return
  for (const person of stage.people) {
    const letIn = room.additions.some(({ target, taken }) => taken && target === person.name)
    if (!letIn || room.wasPutOut(person.name)) continue
    for (const { machine, members } of held)
      if (!members.some(({ accountId }) => accountId === person.accountId))
        ledger.violate('nobody-falls', `${person.name} is out at ${machine.name}, and nobody put them out`)
    for (const { name, device } of person.devices) {
      const { conversationId } = room
      const members = await device?.view('members', { conversationId }).catch(() => undefined)
      if (members !== undefined && !members.some(({ me }) => me))
        ledger.violate('nobody-falls', `${name} is out, and nobody put it out`)
    }
  }
}

const isQuarrelled = ({ removals, demotions }: Room): boolean =>
  [...removals, ...demotions].some(({ by, target }) => by !== target)

/** Whether the person had left on the machine that removed the device, before it did. */
const hadLeft = ({ removals }: Room, { by, gone, atMs }: DeviceRemoval): boolean =>
  removals.some((one) => one.target === gone.person && one.machine === by && one.atMs < atMs)
