/**
 * `npm run mutants`: plants every bug of `simulations/mutants`, one at a time, and runs seed after seed until a
 * law notices. A bug whose scenarios are not there is not run, which is not the same as caught. The seed that
 * caught it is run again, with the bug (it must fail the same way) and without (it must hold).
 * `--only NAME[,NAME]`, `--seeds A..B`, `--hours H`.
 */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { join } from 'node:path'
import { mutants, staleness } from '../simulations/mutants/plant.mjs'
import { root } from './run.mjs'

const bin = join(root, 'simulations', 'bin', 'sotto-sim.mjs')
const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    seeds: { type: 'string', default: '1..200' },
    hours: { type: 'string', default: '4' },
  },
})

/** Runs `sotto-sim` with `--json`; resolves to its exit code and what it printed, parsed. */
function simulate(args) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [bin, ...args, '--json'], { stdio: ['ignore', 'pipe', 'pipe'] })
    const answers = []
    let said = ''
    createInterface({ input: child.stdout }).on('line', (line) => answers.push(JSON.parse(line)))
    child.stderr.on('data', (chunk) => (said = `${said}${chunk}`.slice(-2_000)))
    child.once('close', (code) => resolve({ code, answers, said }))
  })
}

const sign = ({ violated, crash }) => (crash === null ? violated.join(', ') : 'crash')

/** Seeds of one scenario until one fails; undefined when none does. */
async function hunt({ name, set = [] }, scenario) {
  const bug = ['--plant-bug', name]
  const common = [scenario, '--hours', values.hours, ...set.flatMap((one) => ['--set', one])]
  const first = await simulate(['run', ...common, '--seeds', values.seeds, '--fail-fast', ...bug])
  const results = first.answers.filter((one) => one.seed !== undefined)
  const failed = results.at(-1)
  if (failed === undefined || first.code === 1) throw new Error(first.said)
  if (first.code === 0) return { tried: results.length }
  const again = ['run', ...common, '--seed', failed.seed]
  const [planted, control] = [await simulate([...again, ...bug]), await simulate(again)]
  return {
    tried: results.length,
    scenario,
    seed: failed.seed,
    laws: sign(failed),
    repeats: planted.answers[0]?.traceHash === failed.traceHash && sign(planted.answers[0]) === sign(failed),
    controlHolds: control.code === 0,
  }
}

const { answers } = await simulate(['list'])
const known = new Set(answers[0].map(({ name }) => name))
const wanted = values.only?.split(',')
const outcomes = []
for (const mutant of mutants.filter(({ name }) => wanted?.includes(name) ?? true)) {
  const stale = staleness(mutant)
  const scenarios = mutant.scenarios.filter((scenario) => known.has(scenario))
  const startMs = Date.now()
  let outcome = stale === undefined ? 'not run' : 'stale'
  let found
  for (const scenario of stale === undefined ? scenarios : []) {
    found = await hunt(mutant, scenario)
    const good = found.repeats && found.controlHolds
    outcome = found.seed === undefined ? 'missed' : good ? 'caught' : 'unsound'
    if (outcome !== 'missed') break
  }
  const seconds = Math.round((Date.now() - startMs) / 1_000)
  outcomes.push(outcome)
  console.log(JSON.stringify({ bug: mutant.name, outcome, ...found, seconds, ...(stale && { stale }) }))
}
const count = (outcome) => outcomes.filter((one) => one === outcome).length
console.log(
  ['caught', 'missed', 'unsound', 'stale', 'not run'].map((one) => `${count(one)} ${one}`).join(', '),
)
process.exitCode = ['missed', 'unsound', 'stale'].some((one) => count(one) > 0) ? 1 : 0
