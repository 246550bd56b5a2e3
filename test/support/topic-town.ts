import type { Network, NetworkEvent, NetworkListener, TopicVerdict } from '@sotto/core/ports'
import { Town, type Person } from './devices.ts'
import { befriend, groupOf } from './friends.ts'

/** What left one device: publications, frames on channels, verdicts in order. */
export interface Said {
  readonly published: { readonly topic: string; readonly data: Uint8Array }[]
  readonly verdicts: { readonly message: number; readonly verdict: TopicVerdict }[]
  /** Topics it listens on, and who is expected there. */
  readonly topics: Map<string, readonly string[]>
  written: number
}

/** A Town in which a test hears what devices say on topics, and says things to them there. */
export interface TopicTown {
  readonly town: Town
  readonly people: readonly Person[]
  readonly conversationId: string
  readonly said: (person: Person) => Said
  /** A message reaches a device by a topic; what it has the network do with it. */
  readonly inject: (person: Person, topic: string, data: Uint8Array, peer?: string) => Promise<TopicVerdict>
}

/** The network, with what passes through it noted and a way in for a test. */
class Wire {
  readonly said: Said = { published: [], verdicts: [], topics: new Map(), written: 0 }
  #listener: NetworkListener = () => undefined
  #next = 1_000_000

  around(network: Network): Network {
    const own: Partial<Network> = {
      listen: (listener) => {
        this.#listener = listener
        network.listen(listener)
      },
      publish: async (topic, data) => {
        this.said.published.push({ topic, data })
        await network.publish(topic, data)
      },
      judge: async (message, verdict) => {
        this.said.verdicts.push({ message, verdict })
        if (message < 1_000_000) await network.judge(message, verdict)
      },
      subscribe: async (topic, peers) => {
        this.said.topics.set(topic, peers)
        await network.subscribe(topic, peers)
      },
      unsubscribe: async (topic) => {
        this.said.topics.delete(topic)
        await network.unsubscribe(topic)
      },
      write: async (channel, frame) => {
        this.said.written += 1
        await network.write(channel, frame)
      },
    }
    return new Proxy(network, {
      get: (target, key) => {
        const value: unknown = Reflect.get(own, key) ?? Reflect.get(target, key)
        return typeof value === 'function' ? (value.bind(target) as unknown) : value
      },
    })
  }

  inject(topic: string, data: Uint8Array, peer: string): number {
    const event: NetworkEvent = { type: 'message', message: this.#next++, topic, data, peer }
    void this.#listener(event)
    return event.message
  }
}

/** Everybody says something once, so that all have met, and waits for the seeds. */
export async function greet(town: Town, people: readonly Person[], conversationId: string): Promise<void> {
  for (const person of people) {
    await person.device.dispatch('send', { conversationId, text: `I am ${person.name}` })
    await town.pass(5_000)
  }
  await town.pass(120_000)
}

/** The first person with a group of all the named, in which everybody has spoken. */
export async function topicTown(
  names: readonly string[],
  port: Town['port'] = (network) => network,
): Promise<TopicTown> {
  const town = await Town.found()
  const wires = new Map<string, Wire>()
  town.port = (network, name) => {
    const wire = wires.get(name) ?? new Wire()
    wires.set(name, wire)
    return wire.around(port(network, name))
  }
  const people: Person[] = []
  for (const name of names) people.push(await town.person(name))
  const [first, ...others] = people as [Person, ...Person[]]
  for (const other of others) await befriend(town, first, other)
  const conversationId = await groupOf(town, first, others, 'Choir')
  await greet(town, people, conversationId)
  const wireOf = (person: Person): Wire => wires.get(person.name)!
  return {
    town,
    people,
    conversationId,
    said: (person) => wireOf(person).said,
    inject: async (person, topic, data, peer = 'a neighbour') => {
      const wire = wireOf(person)
      const message = wire.inject(topic, data, peer)
      await town.settle()
      return wire.said.verdicts.find((one) => one.message === message)!.verdict
    },
  }
}
