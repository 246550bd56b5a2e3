/**
 * Runs a few seeds under this Node and under others, whose programs are given as arguments, and compares the hashes of
 * their traces: `npm run sim:nodes -- /path/to/another/node`.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { root } from './run.mjs'

const seeds = [
  ['partition-heal', '42'],
  ['churn', '7'],
]
const program = join(root, 'simulations', 'bin', 'sotto-sim.mjs')

/** The hash a seed of a scenario has under a Node. */
function hashOf(node, scenario, seed) {
  const words = [program, 'run', scenario, '--seed', seed, '--hours', '1', '--json']
  const { stdout } = spawnSync(node, words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
  return JSON.parse(stdout).traceHash
}

const versionOf = (node) => spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim()

const others = process.argv.slice(2)
let differ = others.length === 0
if (differ) process.stdout.write('give the path of another Node to compare this one with\n')
for (const [scenario, seed] of others.length === 0 ? [] : seeds) {
  const own = hashOf(process.execPath, scenario, seed)
  process.stdout.write(`${scenario} ${seed}: ${process.version} ${own}\n`)
  for (const node of others) {
    const theirs = hashOf(node, scenario, seed)
    if (theirs !== own) differ = true
    process.stdout.write(`  ${versionOf(node)} ${theirs === own ? 'the same' : theirs}\n`)
  }
}
process.exitCode = differ ? 1 : 0
