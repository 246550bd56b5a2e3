/**
 * `npm run bench [-- NAME…]`: every row of `rows/`, or those whose file name contains a NAME. CPU time of
 * this process, all contenders of a row in turns, medians of rounds; only ratios within one run mean anything.
 */
import { execFileSync } from 'node:child_process'
import { readdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { Bench } from 'tinybench'
import type { Contender, MakeRows, Row, TimedRow } from './row.ts'

const home = new URL(process.env['SOTTO_BENCH_HOME'] ?? import.meta.url)
const rounds = Number(process.env['BENCH_ROUNDS'] ?? 7)
const roundMs = Number(process.env['BENCH_ROUND_MS'] ?? 250)

/** CPU time of this process in milliseconds: what other programs do on the machine hardly enters it. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN

/** Microseconds an operation, one value a contender: the median over rounds of each round's median. */
async function measure(row: TimedRow): Promise<readonly number[]> {
  const perRound = row.contenders.map((): number[] => [])
  for (let round = 0; round < rounds; round++) {
    const bench = new Bench({
      time: roundMs,
      warmupTime: round === 0 ? roundMs : 20,
      now: cpuMs,
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

async function linesOf(row: Row): Promise<readonly Line[]> {
  if (row.kind === 'bytes') {
    return row.sizes.map(({ name, bytes }, i) => ({
      name,
      value: `${bytes.toFixed(Number.isInteger(bytes) ? 0 : 1)} B`,
      ratio: '',
      target: i === 0 && row.target !== undefined ? verdict(bytes <= row.target, `≤ ${row.target} B`) : '',
    }))
  }
  const times = await measure(row)
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

const tableOf = (row: Row, lines: readonly Line[]): string =>
  [
    `### ${row.title}`,
    '',
    row.kind === 'time'
      ? '| contender | CPU each | ours is faster by | target |'
      : '| contender | bytes | | target |',
    '| --- | ---: | ---: | --- |',
    ...lines.map(({ name, value, ratio, target }) => `| ${name} | ${value} | ${ratio} | ${target} |`),
    '',
  ].join('\n')

const git = (...args: string[]): string => execFileSync('git', args, { encoding: 'utf8' }).trim()

async function main(): Promise<void> {
  const wanted = process.argv.slice(2)
  const names = readdirSync(new URL('rows/', home)).filter((name) => /[.]m?[jt]s$/.test(name))
  const chosen = names.filter((name) => wanted.length === 0 || wanted.some((word) => name.includes(word)))
  const processor = cpus()[0]?.model ?? 'unknown processor'
  const head = `Commit ${git('rev-parse', '--short', 'HEAD')}, ${new Date().toISOString().slice(0, 10)}, Node ${process.version}, ${cpus().length} × ${processor}; \`npm run bench${['', ...(wanted.length > 0 ? ['--'] : []), ...wanted].join(' ')}\`.\n`
  const parts = [head]
  for (const name of chosen) {
    const { rows } = (await import(new URL(`rows/${name}`, home).href)) as { readonly rows: MakeRows }
    for (const row of await rows()) {
      const table = tableOf(row, await linesOf(row))
      console.log(table)
      parts.push(table)
    }
  }
  const report = process.env['BENCH_REPORT']
  if (report !== undefined) writeFileSync(report, parts.join('\n'))
}

await main()
