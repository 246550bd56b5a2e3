/**
 * `sim:ci`: the corpus, the same seeds of every scenario each time, and some that the commit draws. `campaign:sim`: a
 * sweep of every scenario. Further arguments go to `sotto-sim`.
 */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { root, run } from './run.mjs'

const bin = join(root, 'simulations', 'bin', 'sotto-sim.mjs')

/** Names of the scenarios there are; drills without their feature are none. */
function scenarios() {
  const listed = JSON.parse(execFileSync(process.execPath, [bin, 'list', '--json'], { encoding: 'utf8' }))
  return listed.filter(({ notRun }) => notRun === undefined).map(({ name }) => name)
}

const runs = {
  ci: () => [['ci']],
  campaign: () =>
    scenarios().map((name) => ['run', name, '--seeds', '1..100', '--hours', '24', '--jobs', '2']),
}

const [name, ...more] = process.argv.slice(2)
for (const args of runs[name]()) {
  const code = await run(process.execPath, [bin, ...args, ...more])
  if (code !== 0) process.exitCode = code
}
