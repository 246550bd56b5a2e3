import { toBase32 } from '@sotto/core/wire'
import type { EpochNode } from '../../packages/core/src/group/index.ts'
import type { Stage } from '../scenarios/stage.ts'
import { epochsIn, openHome } from './homes.ts'

/**
 * What was sealed under an epoch can be opened by every device the epoch lists, whether or not that one's program would
 * show it: so none is among them that the author knew to be out.
 */
export async function judgeEpochReaders(stage: Stage): Promise<void> {
  const { ledger, recorder } = stage.world
  const suspects = [...ledger.said.values()].flatMap((said) => {
    const room = ledger.rooms.get(said.conversationId)
    const epochs = recorder.epochsOf(said.marker)
    return room === undefined || said.lied || said.out.size === 0
      ? []
      : epochs.map((key) => ({ said, room, key }))
  })
  if (suspects.length === 0) return
  const nodes = await epochsOfAll(stage)
  for (const { said, room, key } of suspects)
    for (const { device } of nodes.get(key)?.recipients ?? []) {
      const machine = ledger.ownerOf(toBase32(device))?.machine
      if (machine !== undefined && ledger.isClosed(said, machine, room))
        ledger.violate(
          'removed-blind',
          `${said.machine} seals ${said.marker} under an epoch of ${machine.name}, which it knew to be out`,
        )
    }
}

/** Every epoch any home holds the record of. */
async function epochsOfAll(stage: Stage): Promise<ReadonlyMap<string, EpochNode>> {
  const nodes = new Map<string, EpochNode>()
  for (const machine of stage.everything()) {
    if (machine.rotten) continue
    for (const epochs of await epochsIn(stage, await openHome(stage, machine)))
      for (const node of epochs.nodes.values()) nodes.set(node.key, node)
  }
  return nodes
}
