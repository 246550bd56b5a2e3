/**
 * `npm run bench:history -- FOLDER MESSAGES`: fills a home with one conversation through the device itself, with what
 * the first and the last thousand messages cost, then opens it in a fresh process and shows the last page.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createNodeProvider } from '@sotto/core/crypto-node'
import { openLevelStore } from '@sotto/core/level'
import { CollectingLog, CollectingNotifier, ManualClock, seededRandom } from '@sotto/core/memory'
import type { Store } from '@sotto/core/ports'
import { Secret } from '../../packages/core/src/crypto/index.ts'
import { CountingStore } from '../support/counting-store.ts'
import { createDevice, type Device } from '../../packages/core/src/device/device.ts'

const [folder = '/tmp/sotto-long-history', wanted = '100000'] = process.argv.slice(2)
const messages = Number(wanted)
const thousand = 1_000
const together = 50
const hour = 60 * 60 * 1_000

const crypto = await createNodeProvider()
const clock = new ManualClock(Date.UTC(2026, 0, 1))
async function open(seed: string, store: Store): Promise<Device> {
  return createDevice({
    crypto,
    clock,
    store,
    random: seededRandom(crypto, seed),
    key: new Secret(crypto.sha256(new TextEncoder().encode('long history'))),
    log: new CollectingLog(),
    notifier: new CollectingNotifier(),
    documents: async () => (await import('../support/crdt.ts')).crdt,
    connect: null,
    wake: () => undefined,
  })
}

const cpuMs = (since: NodeJS.CpuUsage): number => {
  const { user, system } = process.cpuUsage(since)
  return (user + system) / 1_000
}

async function fill(): Promise<void> {
  const device = await open('fill', await openLevelStore(folder))
  await device.dispatch('create-account', { name: 'Ada' })
  const { conversationId } = await device.dispatch('create-group', { name: 'Long' })
  const costs: number[] = []
  for (let sent = 0; sent < messages; sent += thousand) {
    const before = process.cpuUsage()
    for (let n = 0; n < thousand; n += together)
      await Promise.all(
        Array.from({ length: together }, (_, i) =>
          device.dispatch('send', {
            conversationId,
            text: `message ${sent + n + i}, as long as people write`,
          }),
        ),
      )
    costs.push((cpuMs(before) / thousand) * 1_000)
    clock.advance(hour)
  }
  const of = (list: readonly number[]): number => list.toSorted((a, b) => a - b)[list.length >> 1] ?? 0
  const [first, last] = [of(costs.slice(1, 6)), of(costs.slice(-5))]
  console.log(
    `append: ${first.toFixed(0)} µs of CPU a message at the beginning, ${last.toFixed(0)} at the end`,
  )
  console.log(`ratio ${(last / first).toFixed(2)}`)
  const before = process.cpuUsage()
  clock.advance(25 * hour)
  for (let quiet = 0; quiet < 3;) {
    const [ticks, batch] = [process.cpuUsage(), 100]
    clock.advance(20 * 60 * 1_000)
    for (let n = 0; n < batch; n++) {
      clock.advance(30)
      device.tick()
      await device.view('self', {})
    }
    quiet = cpuMs(ticks) < 60 ? quiet + 1 : 0
  }
  console.log(
    `sealing: ${((cpuMs(before) / messages) * 1_000).toFixed(0)} µs of CPU a message, ticks and all`,
  )
  await device.stop()
}

async function show(): Promise<void> {
  const [start, cpu] = [performance.now(), process.cpuUsage()]
  const store = new CountingStore(await openLevelStore(folder))
  const device = await open('show', store)
  const opened = performance.now()
  const [conversation] = await device.view('conversations', {})
  store.rows = 0
  const page = await device.view('history', { conversationId: conversation?.conversationId ?? '', limit: 50 })
  const shown = performance.now()
  console.log(
    `last page of ${messages}: ${page.messages.length} messages, ${store.rows} rows; ` +
      `${(opened - start).toFixed(0)} ms to open the home, ${(shown - opened).toFixed(0)} to show the page, ` +
      `${cpuMs(cpu).toFixed(0)} of CPU for both`,
  )
  await device.stop()
}

if (process.env['SOTTO_SHOW'] === '1') await show()
else {
  if (!existsSync(folder)) await fill()
  const again = [...process.execArgv, ...process.argv.slice(1, 2), folder, wanted]
  for (let n = 0; n < 3; n++)
    spawnSync(process.execPath, again, { stdio: 'inherit', env: { ...process.env, SOTTO_SHOW: '1' } })
}
