/** Measures rows and writes their tables; in Node and in a page alike. */
import { Bench } from 'tinybench'
import type { Contender, Row, TimedRow } from './row.ts'

/** How long is measured, and by which clock. */
export interface Pace {
  readonly nowMs: () => number
  readonly rounds: number
  readonly roundMs: number
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN

/** Microseconds an operation, one value a contender: the median over rounds of each round's median. */
async function measure(row: TimedRow, { nowMs, rounds, roundMs }: Pace): Promise<readonly number[]> {
  const perRound = row.contenders.map((): number[] => [])
  for (let round = 0; round < rounds; round++) {
    const bench = new Bench({
      time: roundMs,
      warmupTime: round === 0 ? roundMs : 20,
      // The library wants 64 samples otherwise, of half a second each in some rows.
      iterations: 10,
      warmupIterations: 3,
      now: nowMs,
      throws: true,
    })
    for (const contender of row.contenders) bench.add(contender.name, () => contender.run(batchOf(contender)))
    await bench.run()
    for (const [i, contender] of row.contenders.entries()) {
      const result = bench.tasks[i]?.result
      if (result === undefined || !('latency' in result)) throw new Error(`${contender.name}: no result`)
      perRound[i]?.push((result.latency.p50 * 1_000) / batchOf(contender))
    }
  }
  return perRound.map(median)
}

const batchOf = (contender: Contender): number => contender.batch ?? 1

interface Line {
  readonly name: string
  readonly value: string
  readonly ratio: string
  readonly target: string
}

async function linesOf(row: Row, pace: Pace): Promise<readonly Line[]> {
  if (row.kind === 'bytes') {
    return row.sizes.map(({ name, bytes }, i) => ({
      name,
      value: `${bytes.toFixed(Number.isInteger(bytes) ? 0 : 1)} B`,
      ratio: '',
      target: i === 0 && row.target !== undefined ? verdict(bytes <= row.target, `≤ ${row.target} B`) : '',
    }))
  }
  const times = await measure(row, pace)
  const own = times[0] ?? NaN
  return row.contenders.map(({ name }, i) => {
    const ratio = (times[i] ?? NaN) / own
    const target = row.targets?.[name]
    return {
      name,
      value: `${(times[i] ?? NaN).toFixed(1)} µs`,
      ratio: i === 0 ? '' : `${ratio.toFixed(2)}×`,
      target: target === undefined ? '' : verdict(ratio >= target, `≥ ${target}×`),
    }
  })
}

const verdict = (met: boolean, what: string): string => `${what} ${met ? 'met' : 'MISSED'}`

/** Measures a row and writes it as a Markdown table; `clock` names what its times are. */
export async function tableOf(row: Row, pace: Pace, clock: string): Promise<string> {
  const lines = await linesOf(row, pace)
  return [
    `### ${row.title}`,
    '',
    row.kind === 'time'
      ? `| contender | ${clock} each | ours is faster by | target |`
      : '| contender | bytes | | target |',
    '| --- | ---: | ---: | --- |',
    ...lines.map(({ name, value, ratio, target }) => `| ${name} | ${value} | ${ratio} | ${target} |`),
    '',
  ].join('\n')
}
