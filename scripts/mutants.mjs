/**
 * `npm run mutants`: plants every bug of `simulations/mutants`, one at a time, and runs seed after seed until a
 * law notices. A bug whose scenarios are not there is not run, which is not the same as caught. The failure it left
 * must replay, and the same seed must hold without the bug. With `--shrink RUNS` the failure must become smaller in so
 * many runs as well, and that smaller one must replay too.
 * `--only NAME[,NAME]`, `--seeds A..B`, `--hours H`.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
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
    shrink: { type: 'string' },
  },
})

/** Runs `sotto-sim`; resolves to its exit code and what it printed in JSON, parsed. */
function simulate(args) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [bin, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    const answers = []
    let said = ''
    createInterface({ input: child.stdout }).on(
      'line',
      (line) => /^[[{]/.test(line) && answers.push(JSON.parse(line)),
    )
    child.stderr.on('data', (chunk) => (said = `${said}${chunk}`.slice(-2_000)))
    child.once('close', (code) => resolve({ code, answers, said }))
  })
}

const sign = ({ violated, crash }) => (crash === null ? violated.join(', ') : 'crash')

/** Seeds of one scenario until one fails; no seed when none does. */
async function hunt({ name, set = [] }, scenario, folder) {
  const common = [scenario, '--hours', values.hours, ...set.flatMap((one) => ['--set', one]), '--json']
  const bug = ['--plant-bug', name, '--out', folder]
  const first = await simulate(['run', ...common, '--seeds', values.seeds, '--fail-fast', ...bug])
  const results = first.answers.filter((one) => one.seed !== undefined)
  const failed = results.at(-1)
  if (failed === undefined || first.code === 1) throw new Error(first.said)
  if (first.code === 0) return { tried: results.length }
  const file = join(folder, 'failures', `${failed.seed}.json`)
  const control = await simulate(['run', ...common, '--seed', failed.seed])
  return {
    tried: results.length,
    scenario,
    seed: failed.seed,
    laws: sign(failed),
    replays: await replays(file),
    controlHolds: control.code === 0,
    ...(values.shrink && { shrunk: await shrunk(file) }),
  }
}

/** Whether a failure fails again, by the same trace. */
async function replays(file) {
  const { code, answers } = await simulate(['replay', file, '--json'])
  const { traceHash, violated } = JSON.parse(readFileSync(file, 'utf8'))
  const [again] = answers
  return code >= 10 && again?.traceHash === traceHash && again.violated.join() === violated.join()
}

/** What of a failure is enough; undefined when nothing could be left out. */
async function shrunk(file) {
  const { code, said } = await simulate(['shrink', file, '--runs', values.shrink])
  if (code !== 0) throw new Error(said)
  const small = file.replace(/\.json$/, '-small.json')
  const [whole, part] = [file, small].map((one) => JSON.parse(readFileSync(one, 'utf8')))
  if (whole.hours === part.hours && whole.set.join() === part.set.join()) return undefined
  const off = part.set.filter((one) => one.endsWith('=off')).length
  const set = part.set.filter((one) => !one.endsWith('=off'))
  return {
    hours: part.hours,
    set,
    off,
    runs: Number(/after (\d+) runs/.exec(said)?.[1]),
    replays: await replays(small),
  }
}

const { answers } = await simulate(['list', '--json'])
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
    const folder = mkdtempSync(join(tmpdir(), 'sotto-mutants-'))
    try {
      found = await hunt(mutant, scenario, folder)
    } finally {
      rmSync(folder, { recursive: true })
    }
    const isSmaller = values.shrink === undefined || found.shrunk?.replays === true
    const good = found.replays && found.controlHolds && isSmaller
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
