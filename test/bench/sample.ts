/** One timed sample of a contender, and medians of several; in Node and in a page alike. */
import { Bench } from 'tinybench'
import type { Contender, TimedRow } from './row.ts'

/** How long is measured, and by which clock. */
export interface Pace {
  readonly nowMs: () => number
  readonly rounds: number
  readonly roundMs: number
}

/** Microseconds an operation, in one round. */
export type Sampler = (round: number) => Promise<number>

/** A contender, ready. */
export async function samplerOf(contender: Contender, { nowMs, roundMs }: Pace): Promise<Sampler> {
  const { name, batch = 1 } = contender
  const run = await contender.prepare()
  return async (round) => {
    const bench = new Bench({
      time: roundMs,
      warmupTime: round === 0 ? roundMs : 20,
      // The library wants 64 samples otherwise, of half a second each in some rows.
      iterations: 10,
      warmupIterations: 3,
      now: nowMs,
      throws: true,
    })
    bench.add(name, () => run(batch))
    await bench.run()
    const result = bench.tasks[0]?.result
    if (result === undefined || !('latency' in result)) throw new Error(`${name}: no result`)
    return (result.latency.p50 * 1_000) / batch
  }
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN

/** Microseconds an operation, one value a contender: each has its turn in each round; the median of the rounds. */
export async function inTurns(samplers: readonly Sampler[], rounds: number): Promise<readonly number[]> {
  const perContender = samplers.map((): number[] => [])
  for (let round = 0; round < rounds; round++)
    for (const [i, sample] of samplers.entries()) perContender[i]?.push(await sample(round))
  return perContender.map(median)
}

/** Times a row in this process. */
export const timesHere = (pace: Pace) => async (row: TimedRow) =>
  inTurns(await Promise.all(row.contenders.map((one) => samplerOf(one, pace))), pace.rounds)
