/** Writes the tables of rows. */
import type { Row, TimedRow } from './row.ts'

/** Microseconds an operation, one value a contender. */
export type Times = (row: TimedRow) => Promise<readonly number[]>

interface Line {
  readonly name: string
  readonly value: string
  readonly ratio: string
  readonly target: string
}

async function linesOf(row: Row, timesOf: Times): Promise<readonly Line[]> {
  if (row.kind === 'bytes') {
    return (await row.sizes()).map(({ name, bytes }, i) => ({
      name,
      value: `${bytes.toFixed(Number.isInteger(bytes) ? 0 : 1)} B`,
      ratio: '',
      target: i === 0 && row.target !== undefined ? verdict(bytes <= row.target, `≤ ${row.target} B`) : '',
    }))
  }
  const times = await timesOf(row)
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
export async function tableOf(row: Row, timesOf: Times, clock: string): Promise<string> {
  const lines = await linesOf(row, timesOf)
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
