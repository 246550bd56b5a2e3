/** `sim:ci` and `campaign:sim`: sweeps of every scenario. Further arguments go to `sotto-sim run`. */
import { join } from 'node:path'
import { root, run } from './run.mjs'

const scenarios = ['partition-heal', 'offline-sync', 'admin-quarrel', 'lost-phone']
const sweeps = {
  ci: ['--seeds', '2..3', '--hours', '2', '--verify'],
  campaign: ['--seeds', '1..100', '--hours', '24', '--jobs', '2'],
}

const [sweep, ...more] = process.argv.slice(2)
const bin = join(root, 'simulations', 'bin', 'sotto-sim.mjs')
for (const scenario of scenarios) {
  const code = await run(process.execPath, [bin, 'run', scenario, ...sweeps[sweep], ...more])
  if (code !== 0) process.exitCode = code
}
