/** A group of whole devices on virtual time, network and store in memory, that counts what leaves them. */
import type { Network } from '@sotto/core/ports'
import { Town, type Person } from '../support/devices.ts'
import { befriend, groupOf } from '../support/friends.ts'
import { greet } from '../support/topic-town.ts'

/** Bytes that leave devices, and processor time of all devices together. */
export interface Cost {
  readonly bytes: number
  readonly cpuMs: number
}

/** A group whose devices, one a person, have met. */
export interface WholeGroup {
  readonly town: Town
  readonly people: readonly Person[]
  readonly conversationId: string
  /** What everything costs that happens while `act` runs, and in the time it lets pass. */
  cost(act: () => Promise<unknown>): Promise<Cost>
}

/** Bytes of a call on a network: a publication counts once for each who listens. */
const bytesOf = (call: string | symbol, data: unknown, listeners: number): number => {
  if (!(data instanceof Uint8Array)) return 0
  if (call === 'publish') return data.length * listeners
  return call === 'write' ? data.length : 0
}

export async function wholeGroup(devices: number): Promise<WholeGroup> {
  const town = await Town.found()
  let bytes = 0
  town.port = (network: Network): Network =>
    new Proxy(network, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key)
        if (typeof value !== 'function') return value
        return (...args: unknown[]): unknown => {
          bytes += bytesOf(key, args[1], devices - 1)
          return Reflect.apply(value, target, args)
        }
      },
    })
  const people: Person[] = []
  for (let at = 0; at < devices; at++) people.push(await town.person(`Person ${String(at)}`))
  const [first, ...others] = people as [Person, ...Person[]]
  for (const other of others) await befriend(town, first, other)
  const conversationId = await groupOf(town, first, others, 'Table')
  await greet(town, people, conversationId)
  await greet(town, people, conversationId)
  const cost = async (act: () => Promise<unknown>): Promise<Cost> => {
    bytes = 0
    const { user, system } = process.cpuUsage()
    await act()
    const spent = process.cpuUsage()
    return { bytes, cpuMs: (spent.user - user + spent.system - system) / 1_000 }
  }
  return { town, people, conversationId, cost }
}

/** One message, with what follows from it in `passMs`. */
export async function sendOne(
  group: WholeGroup,
  speaker: Person,
  text: string,
  passMs: number,
): Promise<void> {
  await speaker.device.dispatch('send', { conversationId: group.conversationId, text: text.padEnd(100, '.') })
  await group.town.pass(passMs)
}

/** Throws unless each of `people` shows so many texts that begin with `message`; closes them. */
export async function allHere(group: WholeGroup, people: readonly Person[], messages: number): Promise<void> {
  for (const person of people) {
    const texts = await person.texts(group.conversationId)
    const here = texts.filter((text) => text?.startsWith('message')).length
    if (here !== messages)
      throw new Error(`${person.name} has ${String(here)} of ${String(messages)} messages`)
    await person.close()
  }
}
