/**
 * What a message costs in a small conversation when each device gets it by its session, and when one ciphertext under
 * an epoch goes to all: bytes that leave devices and processor time of all of them, acknowledgements, seeds and epochs
 * included. Whole devices on virtual time, network and store in memory; a publication counts once for each listener.
 */
import { loadavg } from 'node:os'
import { limits } from '@sotto/core'
import { allHere, sendOne, wholeGroup, type Cost } from './whole-group.ts'

const messages = Number(process.env['SOTTO_SMALL_MESSAGES'] ?? 60)
/** A speaker says this many things, half a minute apart, and then the next one speaks. */
const inARow = 3
const apartMs = 30_000

async function measure(devices: number): Promise<Cost> {
  const group = await wholeGroup(devices)
  const { people } = group
  const { bytes, cpuMs } = await group.cost(async () => {
    for (let n = 0; n < messages; n++) {
      const speaker = people[Math.floor(n / inARow) % devices]
      if (speaker !== undefined) await sendOne(group, speaker, `message ${String(n)}`, apartMs)
    }
  })
  await allHere(group, people, messages)
  return { bytes: bytes / messages, cpuMs: cpuMs / messages }
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
