/**
 * What a message costs in a small conversation when each device gets it by its session, and when one ciphertext under
 * an epoch goes to all: bytes that leave devices and processor time of all of them, acknowledgements, seeds and epochs
 * included. Whole devices on virtual time, network and store in memory; a publication counts once for each listener.
 */
import { loadavg } from 'node:os'
import type { Network } from '@sotto/core/ports'
import { limits } from '@sotto/core'
import { Town, type Person } from '../support/devices.ts'
import { befriend, groupOf } from '../support/friends.ts'
import { greet } from '../support/topic-town.ts'

const messages = Number(process.env['SOTTO_SMALL_MESSAGES'] ?? 60)
/** A speaker says this many things, half a minute apart, and then the next one speaks. */
const inARow = 3
const apartMs = 30_000

interface Cost {
  readonly bytes: number
  readonly cpuMs: number
}

async function measure(devices: number): Promise<Cost> {
  const town = await Town.found()
  let bytes = 0
  const counted = (network: Network): Network =>
    new Proxy(network, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key)
        if (typeof value !== 'function') return value
        return (...args: unknown[]): unknown => {
          const [, data] = args
          if (data instanceof Uint8Array && key === 'write') bytes += data.length
          if (data instanceof Uint8Array && key === 'publish') bytes += data.length * (devices - 1)
          return Reflect.apply(value, target, args)
        }
      },
    })
  town.port = counted
  const people: Person[] = []
  for (let at = 0; at < devices; at++) people.push(await town.person(`Person ${String(at)}`))
  const [first, ...others] = people as [Person, ...Person[]]
  for (const other of others) await befriend(town, first, other)
  const conversationId = await groupOf(town, first, others, 'Table')
  await greet(town, people, conversationId)
  await greet(town, people, conversationId)
  bytes = 0
  const { user, system } = process.cpuUsage()
  for (let n = 0; n < messages; n++) {
    const speaker = people[Math.floor(n / inARow) % devices] ?? first
    await speaker.device.dispatch('send', { conversationId, text: `message ${String(n)}`.padEnd(100, '.') })
    await town.pass(apartMs)
  }
  const spent = process.cpuUsage()
  for (const person of people) {
    const texts = await person.texts(conversationId)
    if (texts.filter((text) => text?.startsWith('message')).length !== messages)
      throw new Error('a message is missing')
    await person.close()
  }
  return { bytes: bytes / messages, cpuMs: (spent.user - user + spent.system - system) / 1_000 / messages }
}

const switches = limits as { topicDevices: number; turnDevices: number }
const { turnDevices } = switches
async function withEpochs(topicDevices: number, turns: boolean, devices: number): Promise<Cost> {
  switches.topicDevices = topicDevices
  switches.turnDevices = turns ? turnDevices : 0
  return measure(devices)
}

await withEpochs(99, true, 3)
console.log(`### a message of 100 B in a small conversation, load ${loadavg()[0]?.toFixed(1) ?? '?'}\n`)
console.log(
  '| devices | sessions alone | under an epoch, without turns | under epochs, with turns |\n| ---: | --- | --- | --- |',
)
for (const devices of [2, 3, 4, 5, 8]) {
  const costs = [
    await withEpochs(99, true, devices),
    await withEpochs(1, false, devices),
    await withEpochs(1, true, devices),
  ]
  const cells = costs.map(({ bytes, cpuMs }) => `${bytes.toFixed(0)} B, ${cpuMs.toFixed(1)} ms`)
  console.log(`| ${String(devices)} | ${cells.join(' | ')} |`)
}
