/**
 * `npm run fuzz -- --inputs 100000 [--seed 1] [--target mailbox] [--full]`: a campaign against every decoder, a table of
 * what it saw (a costly target takes a share of the inputs unless told `--full`), exit 1 when an input was thrown at, misread or took longer than its budget.
 */
import { parseArgs } from 'node:util'
import { fuzz, type FuzzResult } from './driver.ts'
import { allTargets } from './targets.ts'

/** What one input may cost on the machine that runs the campaign. */
const budgetMs = 50

const { values } = parseArgs({
  options: {
    inputs: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    target: { type: 'string', default: '' },
    full: { type: 'boolean', default: false },
  },
})

const row = (cells: readonly (string | number)[]): string =>
  cells.map((cell, i) => (i === 0 ? String(cell).padEnd(34) : String(cell).padStart(10))).join(' ')

function report(result: FuzzResult): void {
  const { target, inputs, accepted, refused, findings, slowestMs, overBudget } = result
  console.log(
    row([target, inputs, accepted, refused, findings.length, slowestMs.toFixed(2), overBudget.length]),
  )
  for (const { error, input } of findings) console.log(`  ! ${error}\n    ${input}`)
  for (const input of overBudget.slice(0, 3)) console.log(`  ! over ${budgetMs} ms: ${input.slice(0, 400)}`)
}

const targets = (await allTargets()).filter(({ name }) => name.includes(values.target))
console.log(row(['target', 'inputs', 'accepted', 'refused', 'findings', 'worst ms', 'too slow']))
const startMs = performance.now()
let [total, bad] = [0, targets.length === 0 ? 1 : 0]
for (const target of targets) {
  const result = await fuzz(target, {
    inputs: Number(values.inputs) * (values.full ? (target.weight ?? 1) : 1),
    seed: Number(values.seed),
    budget: { ms: budgetMs, now: () => performance.now() },
  })
  report(result)
  total += result.inputs
  bad += result.findings.length + result.overBudget.length
}
console.log(
  `${targets.length} targets, ${total} inputs, ${bad} findings, ${Math.round((performance.now() - startMs) / 1000)} s`,
)
process.exitCode = bad > 0 ? 1 : 0
