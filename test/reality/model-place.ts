import { createNodeProvider } from '@sotto/core/crypto-node'
import type { DeviceFace } from '@sotto/core'
import { Machine } from '../../simulations/actors/machine.ts'
import { Relay } from '../../simulations/actors/relay.ts'
import { calm, everyday } from '../../simulations/world/conditions.ts'
import { World } from '../../simulations/world/world.ts'
import type { Place } from './place.ts'
import { relayName } from './script.ts'
import type { Tally } from './tally.ts'

const minute = 60_000

/** The simulator's world with delays, what DHT and topics lose everyday, and the cuts a script asks for. */
export async function modelPlace(seed: bigint, tally: Tally): Promise<Place> {
  const world = new World({ seed, crypto: await createNodeProvider() })
  const { timeline, air } = world
  air.conditions = { ...calm, ...everyday }
  const relay = new Relay(world, relayName)
  relay.boot()
  const machines = new Map<string, Machine>()
  let mend: () => void = () => undefined
  const run = <T>(work: Promise<T>): Promise<T> => timeline.until(work, 30 * minute)
  return {
    relayAddress: relay.address,
    open: async (device, name): Promise<DeviceFace> => {
      const person = device.split('-')[0] ?? ''
      const options = { person, fullName: person, dialable: true, first: name !== undefined }
      const spoilNetwork = tally.watch
      const machine = machines.get(device) ?? new Machine(world, device, { ...options, spoilNetwork })
      machines.set(device, machine)
      await machine.boot()
      if (machine.device === undefined) throw new Error(`${device} does not open`)
      return machine.device
    },
    close: async (device) => machines.get(device)?.stop(),
    split: (side) => {
      const others = [...machines.keys(), relayName, 'dht'].filter((host) => !side.includes(host))
      mend = air.cut(
        side.flatMap((one) => others.flatMap((other) => [[one, other] as const, [other, one] as const])),
      )
    },
    heal: () => {
      mend()
    },
    run,
    until: async (left) => {
      const endMs = timeline.nowMs + 60 * minute
      for (let still = await run(left()); still !== undefined; still = await run(left())) {
        if (timeline.nowMs > endMs) throw new Error(`not settled within an hour: ${still}`)
        await timeline.runUntil(timeline.nowMs + 1_000)
      }
    },
    end: async () => undefined,
  }
}
