/**
 * `sim:ci`: the corpus and the same seeds of every scenario each time. `sim:drawn`: these, and seeds that the commit
 * draws. `campaign:sim`: a sweep of every scenario. Further arguments go to `sotto-sim`.
 */
import { join } from 'node:path'
import { root, run } from './run.mjs'

const scenarios = ['partition-heal', 'offline-sync', 'admin-quarrel', 'lost-phone']
const runs = {
  ci: [['ci', '--drawn', '0']],
  drawn: [['ci']],
  campaign: scenarios.map((name) => ['run', name, '--seeds', '1..100', '--hours', '24', '--jobs', '2']),
}

const [name, ...more] = process.argv.slice(2)
const bin = join(root, 'simulations', 'bin', 'sotto-sim.mjs')
for (const args of runs[name]) {
  const code = await run(process.execPath, [bin, ...args, ...more])
  if (code !== 0) process.exitCode = code
}
