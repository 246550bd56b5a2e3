import { seededRandom } from '@sotto/core/memory'
import { toHex } from '@sotto/core/wire'
import { openSealedStore, type SealedStore } from '../../packages/core/src/device/sealed-store.ts'
import { epochRows } from '../../packages/core/src/device/tables.ts'
import { restoreEpochs, type ConversationEpochs } from '../../packages/core/src/group/index.ts'
import type { Machine } from '../actors/machine.ts'
import type { Stage } from '../scenarios/stage.ts'

/**
 * A copy of the disk, opened with the key: nothing of the machine's own changes. Each `look` draws by its name: two that
 * share one would seal under the same nonces.
 */
export async function openHome(stage: Stage, machine: Machine, look = 'afterwards'): Promise<SealedStore> {
  const { crypto, seed } = stage.world
  const random = seededRandom(crypto, `${seed}/${look}/${machine.name}`)
  return openSealedStore({
    crypto,
    store: await machine.disk.copy(),
    random,
    key: machine.key(),
    nowMs: machine.clock.nowMs(),
  })
}

/** Epochs of all conversations in a home. */
export async function epochsIn(stage: Stage, home: SealedStore): Promise<readonly ConversationEpochs[]> {
  const byRoom = new Map<string, { readonly key: string; readonly value: Uint8Array }[]>()
  for (const row of await home.list(epochRows)) {
    const { conversation, key, value } = epochRows.decode(row.value)
    const name = toHex(conversation)
    byRoom.set(name, [...(byRoom.get(name) ?? []), { key, value }])
  }
  return [...byRoom.values()].flatMap((rows) => restoreEpochs(stage.world.crypto, rows) ?? [])
}
