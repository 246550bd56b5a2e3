import { toHex } from '@sotto/core/wire'
import type { Machine } from '../actors/machine.ts'
import { peerRows } from '../../packages/core/src/device/tables.ts'
import { readBundle } from '../../packages/core/src/identity/index.ts'
import type { Stage } from '../scenarios/stage.ts'
import { openHome } from './homes.ts'

/** Numbers of the bundles a home holds of others, by device. */
type Held = ReadonlyMap<string, number>

/**
 * Looks into homes now and then: while an app runs, what it knows of another device's keys and addresses never gets
 * older, whatever is shown to it.
 */
export function watchBundles(stage: Stage, everyMs: number): void {
  const before = new Map<Machine, { readonly device: object; readonly held: Held }>()
  const look = async (machine: Machine): Promise<void> => {
    const { device } = machine
    // A crash may take what was not yet written for good; a rotten home is not to be relied on.
    if (device === undefined || machine.rotten) return void before.delete(machine)
    const held = await bundlesIn(stage, machine, `look ${stage.world.timeline.nowMs}`)
    const last = before.get(machine)
    if (last?.device === device)
      for (const [peer, seq] of held)
        if (seq < (last.held.get(peer) ?? 0))
          stage.world.ledger.violate('no-rollback', `${machine.name} went back to an older bundle of ${peer}`)
    before.set(machine, { device, held })
  }
  const lookAll = (): void => {
    for (const machine of stage.machines()) void look(machine)
    stage.later(everyMs, lookAll)
  }
  stage.later(everyMs, lookAll)
}

async function bundlesIn(stage: Stage, machine: Machine, look: string): Promise<Held> {
  const home = await openHome(stage, machine, look)
  const rows = (await home.list(peerRows)).map(({ value }) => peerRows.decode(value))
  return new Map(
    rows.flatMap(({ account, device, bundle }) => {
      if (bundle === null) return []
      const read = readBundle(stage.world.crypto, bundle, 0, { account, device })
      return read.verdict === 'accepted' ? [[toHex(device), read.value.seq] as const] : []
    }),
  )
}
