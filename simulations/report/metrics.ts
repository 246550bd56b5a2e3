import type { RunResult } from '../scenarios/run.ts'
import { exitCodeOf, exitCodes } from './summary.ts'
import { ascending, intervalOf, quantile, shareOf, type Interval } from './stats.ts'
import { duration, size } from './units.ts'

/** A number one seed gives; less is better in all of them. */
export interface Metric {
  readonly name: string
  readonly title: string
  /** Null when a seed has none: no message, or not settled. */
  readonly of: (result: RunResult) => number | null
  readonly format: (value: number) => string
}

const percentile = (result: RunResult, share: number): number | null => {
  const value = quantile(ascending(result.latenciesMs), share)
  return Number.isFinite(value) ? value : null
}

const share = (value: number): string => `${(value * 100).toFixed(1)} %`

/** What runs are compared by. */
export const metrics: readonly Metric[] = [
  {
    name: 'failed',
    title: 'seeds that fail',
    of: (result) => (exitCodeOf(result) === exitCodes.held ? 0 : 1),
    format: share,
  },
  {
    name: 'latency-median',
    title: 'median latency of a seed',
    of: (result) => percentile(result, 0.5),
    format: duration,
  },
  {
    name: 'latency-p99',
    title: '99 % of latencies of a seed',
    of: (result) => percentile(result, 0.99),
    format: duration,
  },
  { name: 'converged', title: 'time to converge', of: (result) => result.convergedMs, format: duration },
  {
    name: 'bytes-per-message',
    title: 'bytes outside for each message',
    of: ({ bytesOutside, messages }) => (messages === 0 ? null : bytesOutside / messages),
    format: (bytes) => size(Math.round(bytes)),
  },
  {
    name: 'relayed',
    title: 'share of messages a relay kept',
    of: ({ relayed, messages }) => (messages === 0 ? null : relayed / messages),
    format: share,
  },
]

/** The values of a metric over seeds that have it. */
export const valuesOf = (metric: Metric, results: readonly RunResult[]): readonly number[] =>
  results.map(metric.of).filter((value) => value !== null)

/** The mean of a metric with its interval; none of them can be negative. */
export function meanOf(metric: Metric, results: readonly RunResult[]): Interval {
  const values = valuesOf(metric, results)
  if (metric.name === 'failed') return shareOf(values.filter((value) => value > 0).length, values.length)
  const interval = intervalOf(values)
  return { ...interval, low: Math.max(0, interval.low) }
}
