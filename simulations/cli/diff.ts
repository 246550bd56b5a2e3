import { readResults } from '../report/folder.ts'
import { metrics, valuesOf, type Metric } from '../report/metrics.ts'
import { differenceOf, intervalOf, pairedDifferenceOf, type Interval } from '../report/stats.ts'
import { exitCodes } from '../report/summary.ts'
import type { RunResult } from '../scenarios/run.ts'
import { Refused } from './refused.ts'

/** One metric before and after. */
export interface Difference {
  readonly metric: string
  readonly before: Interval
  readonly after: Interval
  readonly change: Interval
  readonly verdict: 'worse' | 'better' | 'no difference shown' | 'too few seeds'
}

/** Nobody wants less of these, or more. */
const neutral: ReadonlySet<string> = new Set(['relayed'])

/** `diff`: two folders of results; exit code 15 when a metric is worse beyond chance. */
export function commandDiff(before: string, after: string, flags: { readonly json?: boolean }): number {
  const [old, fresh] = [readResults(before), readResults(after)]
  if (old.recipe.scenario !== fresh.recipe.scenario)
    throw new Refused(`${old.recipe.scenario} and ${fresh.recipe.scenario} are not the same scenario`)
  const differences = metrics.map((metric) => compare(metric, old.results, fresh.results))
  if (flags.json === true) process.stdout.write(`${JSON.stringify(differences)}\n`)
  else for (const one of differences) process.stdout.write(`${lineOf(one)}\n`)
  return differences.some(({ verdict }) => verdict === 'worse') ? exitCodes.worse : exitCodes.held
}

/** A seed that fails and did not before is worse, whatever the interval says. */
export function compare(
  metric: Metric,
  before: readonly RunResult[],
  after: readonly RunResult[],
): Difference {
  const [old, fresh] = [valuesOf(metric, before), valuesOf(metric, after)]
  const [a, b] = [intervalOf(old), intervalOf(fresh)]
  const change = changeOf(metric, before, after)
  const failing = metric.name === 'failed' && b.mean > a.mean
  return {
    metric: metric.name,
    before: a,
    after: b,
    change,
    verdict: failing ? 'worse' : verdictOf(metric, old, fresh, change),
  }
}

/** Seeds that both have are compared one by one: what a seed draws is the same before and after. */
function changeOf(metric: Metric, before: readonly RunResult[], after: readonly RunResult[]): Interval {
  const pairs = before.flatMap((one) => {
    const other = after.find(({ seed }) => seed === one.seed)
    const [old, fresh] = [metric.of(one), other === undefined ? null : metric.of(other)]
    return old === null || fresh === null ? [] : [[old, fresh] as const]
  })
  return pairs.length >= 2
    ? pairedDifferenceOf(
        pairs.map(([old]) => old),
        pairs.map(([, fresh]) => fresh),
      )
    : differenceOf(valuesOf(metric, before), valuesOf(metric, after))
}

function verdictOf(
  metric: Metric,
  old: readonly number[],
  fresh: readonly number[],
  { low, high }: Interval,
): Difference['verdict'] {
  if (old.length < 2 || fresh.length < 2) return 'too few seeds'
  if (neutral.has(metric.name)) return 'no difference shown'
  return low > 0 ? 'worse' : high < 0 ? 'better' : 'no difference shown'
}

function lineOf({ metric, before, after, change, verdict }: Difference): string {
  const { title = metric, format = String } = metrics.find(({ name }) => name === metric) ?? {}
  const signed = (value: number): string => `${value < 0 ? '-' : '+'}${format(Math.abs(value))}`
  const range = Number.isFinite(change.low) ? ` (95 %: ${signed(change.low)} to ${signed(change.high)})` : ''
  return `${title}: ${format(before.mean)} to ${format(after.mean)}, ${signed(change.mean)}${range}: ${verdict}`
}
