/**
 * `npm run campaign:hostile -- --inputs 100000 [--seed 1] [--room records] [--lies]`: what malicious members sign, against
 * every room that takes it; a table of what was told and how long it took, with `--lies` each lie and its answers. Exit
 * code 1 when a lie got another answer than it should, never reached the check it aims at, or left anything behind.
 */
import { parseArgs } from 'node:util'
import { hostileCampaigns } from './campaigns.ts'
import type { HostileReport } from './lie.ts'

const { values } = parseArgs({
  options: {
    inputs: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    room: { type: 'string', default: '' },
    lies: { type: 'boolean', default: false },
  },
})

function report({ room, inputs, told, wrong }: HostileReport, seconds: number): void {
  console.log(
    `${room.padEnd(32)} ${String(told.size).padStart(3)} lies ${String(inputs).padStart(8)} inputs ${String(wrong.length).padStart(3)} wrong ${String(seconds).padStart(6)} s`,
  )
  for (const line of wrong) console.log(`  ! ${line}`)
  if (!values.lies) return
  for (const [lie, answers] of told)
    console.log(`  ${lie}: ${[...answers].map(([answer, times]) => `${answer} ${times}`).join(', ')}`)
}

let wrong = 0
for (const { run } of hostileCampaigns.filter(({ room }) => room.includes(values.room))) {
  const startMs = performance.now()
  const result = await run(Number(values.inputs), Number(values.seed))
  report(result, Math.round((performance.now() - startMs) / 1_000))
  wrong += result.wrong.length
}
process.exitCode = wrong > 0 ? 1 : 0
