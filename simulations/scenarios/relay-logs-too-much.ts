import { toHex } from '@sotto/core/wire'
import { everydayActs, everydayFaults, type Scenario } from './scenario.ts'
import type { Stage } from './stage.ts'

/** Relays write down all they see and throw nothing away; then somebody takes their disks. */
export const relayLogsTooMuch: Scenario = {
  name: 'relay-logs-too-much',
  claim:
    'Relays that keep everything they were ever given hold no word, no name and no id of an account, a device or a conversation, and no key or number that stands for two queues at once: a log tells when how much came into which queue, and not whose queues belong together.',
  expects: ['relay-keeps', ...everydayFaults],
  acts: everydayActs,
  begin: (stage) => {
    for (const relay of stage.relays) {
      stage.world.faults.strike('relay-keeps')
      relay.turn('relay-keeps')
      stage.onClose(() => {
        relay.reform()
      })
    }
  },
  judge: async ({ relays, world }: Stage) => {
    const queueOf = new Map<string, string>()
    for (const { name, queues } of relays)
      for (const { recvId, names } of queues)
        for (const id of names.map(toHex)) {
          const [queue, before] = [`${name} ${toHex(recvId)}`, queueOf.get(id)]
          queueOf.set(id, queue)
          if (before !== undefined && before !== queue)
            world.ledger.violate('unlinked-queues', `${before} and ${queue} share ${id.slice(0, 8)}`)
        }
  },
}
