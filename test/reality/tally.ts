import { createHash } from 'node:crypto'
import { SottoError } from '@sotto/core'
import type { Network } from '@sotto/core/ports'
import { portOver } from '../support/port-over.ts'

/** Counts what devices see of their networks: how often each kind of thing happened. */
export class Tally {
  readonly counts: Record<string, number> = {}

  #count(kind: string): void {
    this.add({ [kind]: 1 })
  }

  /** What was counted elsewhere. */
  add(counts: Readonly<Record<string, number>>): void {
    for (const [kind, times] of Object.entries(counts)) this.counts[kind] = (this.counts[kind] ?? 0) + times
  }

  /** The same network, with everything counted that goes through it. */
  watch = (network: Network): Network => {
    const heard = new Set<string>()
    let met = false
    const lastFrame = new Map<number, boolean>()
    return portOver(network, {
      listen: (listener) => {
        network.listen((event) => {
          if (event.type === 'peer' && event.connected) met = true
          if (event.type === 'message') {
            const name = createHash('sha256').update(event.topic).update(event.data).digest('hex')
            this.#count(heard.has(name) ? 'topic: heard again' : 'topic: heard')
            heard.add(name)
          }
          if (event.type === 'frame') {
            this.#count(lastFrame.get(event.channel) === false ? 'frame after its end' : 'frame')
          }
          if (event.type === 'closed') {
            this.#count(`channel ends: ${event.reason}`)
            lastFrame.set(event.channel, false)
          }
          return listener(event)
        })
      },
      open: async (peer, addresses, protocol) => {
        try {
          const opened = await network.open(peer, addresses, protocol)
          this.#count('open: yes')
          return opened
        } catch (error) {
          this.#count(`open: ${error instanceof SottoError ? error.code : 'other'}`)
          throw error
        }
      },
      publish: (topic, data) => {
        this.#count('topic: published')
        return network.publish(topic, data)
      },
      put: async (key, value) => {
        const begun = met ? '' : ', begun before anybody was met'
        const nodes = await network.put(key, value)
        this.#count(`put: ${nodes === 0 ? 'nobody took it' : 'taken'}${begun}`)
        return nodes
      },
      get: async (key) => {
        const values = await network.get(key)
        this.#count(values.length === 0 ? 'get: nothing' : 'get: found')
        return values
      },
    })
  }
}
