import type { ConversationEpochs, EpochKeys } from './epoch-state.ts'
import { indexOfDevice, withEntries } from './epoch-state.ts'
import type { DeviceAddress } from '../identity/index.ts'
import type { Secret } from '../crypto/index.ts'
import { withoutSkipped } from './skipped-generations.ts'

/**
 * Forgets the skipped keys of a device's records that came another way, such as record sync: nobody will open
 * their envelopes. Chains whose base is not known are left alone.
 */
export function forgetHeld(
  state: ConversationEpochs,
  author: DeviceAddress,
  holds: (aseq: number) => boolean,
): { readonly state: ConversationEpochs; readonly spent: readonly Secret[] } {
  const spent: Secret[] = []
  const changed: (readonly [string, EpochKeys])[] = []
  for (const [key, keys] of state.keys) {
    const index = indexOfDevice(state.nodes.get(key)?.recipients ?? [], author)
    const chain = keys.chains[index]
    if (chain?.base === undefined) continue
    const { base } = chain
    const skipped = withoutSkipped(chain.skipped, (generation) => holds(generation + base))
    if (skipped === chain.skipped) continue
    spent.push(chain.skipped.rows)
    changed.push([key, { ...keys, chains: keys.chains.with(index, { ...chain, skipped }) }])
  }
  return { state: changed.length === 0 ? state : { ...state, keys: withEntries(state.keys, changed) }, spent }
}
