import { join } from 'node:path'
import { meanOf, metrics } from '../report/metrics.ts'
import { readSeed } from '../report/seeds.ts'
import type { Interval } from '../report/stats.ts'
import { exitCodeOf, worstOf } from '../report/summary.ts'
import type { Point } from '../report/folder.ts'
import type { RunResult } from '../scenarios/run.ts'
import type { Recipe } from '../scenarios/recipe.ts'
import { answerAll } from './answer-all.ts'
import { commitNow, openFile } from './keep.ts'
import { readNumber, scenarioOf } from './recipe.ts'
import { Refused } from './refused.ts'
import { bySeed, readAsked, type RecipeFlags } from './run.ts'
import { combinations, readVaried } from './vary.ts'

export interface SweepFlags extends RecipeFlags {
  readonly vary: readonly string[]
  readonly repeat: string
  readonly seed: string
  readonly jobs: string
  readonly json?: boolean
  readonly out?: string
  readonly open?: boolean
}

/** `sweep`: every combination of the varied settings, over the same seeds. */
export async function commandSweep(name: string, flags: SweepFlags): Promise<number> {
  const { recipe } = readAsked(name, flags)
  if (flags.vary.length === 0) throw new Refused('a sweep varies something: --vary net.loss=0..30%:10%')
  const varied = flags.vary.map(readVaried)
  const repeat = readNumber(flags.repeat, 'repeat', 1, 10_000)
  const first = readSeed(flags.seed)
  if (first === undefined) throw new Refused('a seed is a number below 2^64')
  const seeds = Array.from({ length: repeat }, (_, i) => first + BigInt(i))
  const points: Point[] = []
  for (const set of combinations(varied)) {
    const results = await runPoint({ ...recipe, set: [...recipe.set, ...set] }, seeds, flags.jobs)
    const point = { values: set.map((one) => one.slice(one.indexOf('=') + 1)), results }
    points.push(point)
    tellPoint(set, point, flags.json === true)
  }
  const folder =
    flags.out ?? (flags.open === true ? join('results', `${scenarioOf(recipe).name}-sweep`) : undefined)
  if (folder !== undefined) {
    const { claim } = scenarioOf(recipe)
    const { writeSweep } = await import('../report/sweep-report.ts')
    const report = writeSweep(folder, { version: 1, claim, recipe, commit: commitNow(), varied, points })
    process.stderr.write(`report: ${report}\n`)
    if (flags.open === true) openFile(report)
  }
  return worstOf(points.flatMap(({ results }) => results.map(exitCodeOf)))
}

async function runPoint(
  recipe: Recipe,
  seeds: readonly bigint[],
  jobs: string,
): Promise<readonly RunResult[]> {
  const each = seeds.map((seed) => ({ recipe, seed: seed.toString(), verify: false }))
  const { done } = await answerAll(each, { jobs })
  return bySeed(done.map(({ result }) => result))
}

function tellPoint(set: readonly string[], { results }: Point, json: boolean): void {
  const rows = metrics.map((metric) => ({ metric, interval: meanOf(metric, results) }))
  if (json) {
    const figures = Object.fromEntries(rows.map(({ metric, interval }) => [metric.name, interval]))
    process.stdout.write(`${JSON.stringify({ set, ...figures })}\n`)
    return
  }
  process.stdout.write(`${set.join(' ')}\n`)
  for (const { metric, interval } of rows) process.stdout.write(`  ${describeInterval(metric, interval)}\n`)
}

/** A mean with its interval, as people read it. */
export function describeInterval(
  { title, format }: (typeof metrics)[number],
  { n, mean, low, high }: Interval,
): string {
  if (n === 0) return `${title}: none`
  const range = Number.isFinite(low) ? ` (95 %: ${format(low)} to ${format(high)})` : ''
  return `${title}: ${format(mean)}${range}`
}
