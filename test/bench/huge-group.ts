/**
 * `npm run bench -- huge-group`: what a message, a removal and a newcomer cost a group as it grows. Whole devices on virtual
 * time, acknowledgements, seeds and new epochs included. `SOTTO_HUGE=8,16,32,64,128` says how many devices.
 */
import { loadavg } from 'node:os'
import { befriend } from '../support/friends.ts'
import { allHere, sendOne, wholeGroup, type Cost } from './whole-group.ts'

const sizes = (process.env['SOTTO_HUGE'] ?? '8,16,32,64,128').split(',').map(Number)
const messages = 12
const apartMs = 30_000

const each = ({ bytes, cpuMs }: Cost, devices: number, of = 1): string =>
  `${(bytes / of / devices).toFixed(0)} B, ${(cpuMs / of / devices).toFixed(2)} ms`

console.log(`### a group that grows, a device each, load ${loadavg()[0]?.toFixed(1) ?? '?'}\n`)
console.log(
  '| devices | a message, a device | a removal, a device | somebody new, a device |\n| ---: | --- | --- | --- |',
)
for (const devices of sizes) {
  const group = await wholeGroup(devices)
  const { people, conversationId, town } = group
  const [first, gone] = [people[0]!, people.at(-1)!]
  const talk = await group.cost(async () => {
    for (let n = 0; n < messages; n++)
      await sendOne(group, people[n % (devices - 1)]!, `message ${String(n)}`, apartMs)
  })
  const { accountId } = (await gone.device.view('self', {}))!
  const removal = await group.cost(async () => {
    await first.device.dispatch('group-remove', { conversationId, accountId })
    await town.pass(10 * apartMs)
  })
  const fresh = await town.person('Newcomer')
  await befriend(town, first, fresh)
  const newcomer = (await fresh.device.view('self', {}))!
  const arrival = await group.cost(async () => {
    await first.device.dispatch('group-add', { conversationId, accountId: newcomer.accountId })
    await town.pass(10 * apartMs)
  })
  const staying = people.slice(0, -1)
  await allHere(group, staying, messages)
  console.log(
    `| ${String(devices)} | ${each(talk, devices, messages)} | ${each(removal, devices)} | ${each(arrival, devices)} |`,
  )
}
