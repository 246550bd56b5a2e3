import { MemoryHub } from '@sotto/core/memory'
import type { NetworkWorld } from './network-compliance.ts'

/** A world in memory. */
export async function memoryWorld(): Promise<NetworkWorld> {
  const hub = new MemoryHub()
  let joined = 0
  return {
    join: async (protocols) => {
      joined += 1
      return hub.join(`peer-${String(joined)}`, { protocols, validate: (_key, value) => value[0] !== 0 })
    },
    introduce: async (a, b) => a.attach((await b.addresses())[0]!),
    close: async () => undefined,
  }
}
