/** `npm run campaign:sybil`: 20 honest members of a topic among 60 Sybils who drop all; what arrives within 30 s. */
import { loadavg } from 'node:os'
import { sybilWorld } from '../support/sybil-world.ts'

const honest = Number(process.env['SOTTO_HONEST'] ?? 20)
const sybils = Number(process.env['SOTTO_SYBILS'] ?? 60)
const messages = Number(process.env['SOTTO_MESSAGES'] ?? 100)
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

const world = await sybilWorld(honest, sybils)
await pause(3_000)
const begunMs = performance.now()
for (let at = 0; at < messages; at++) {
  await world.publish(at, new Uint8Array([1, at & 255, at >> 8]))
  await pause(100)
}
const wanted = messages * (honest - 1)
while (world.delivered() < wanted && performance.now() - begunMs < messages * 100 + 30_000) await pause(100)
const share = world.delivered() / wanted
const seconds = ((performance.now() - begunMs) / 1_000).toFixed(1)
console.log(
  `${String(honest)} honest, ${String(sybils)} Sybils, ${String(messages)} messages: ${(100 * share).toFixed(2)} % of deliveries, the last after ${seconds} s of ${String(messages / 10)} s of sending; Sybils in a mesh: ${String(world.meshed())}; load ${loadavg()[0]?.toFixed(1) ?? '?'}`,
)
await world.close()
process.exitCode = share >= 0.99 ? 0 : 1
