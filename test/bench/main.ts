/**
 * `npm run bench [-- NAME…]`: every row of `rows/`, or those whose file name contains a NAME. Processor time, all
 * contenders of a row by turns, each in its process, medians of rounds; only ratios within one run mean anything.
 */
import { execFileSync } from 'node:child_process'
import { readdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { ownPlace, serve, timesApart } from './apart.ts'
import { tableOf } from './report.ts'
import type { MakeRows, Row } from './row.ts'
import type { Pace } from './sample.ts'

const home = new URL(process.env['SOTTO_BENCH_HOME'] ?? import.meta.url)
/** CPU time of this process in milliseconds: what other programs do on the machine hardly enters it. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}

const pace: Pace = {
  nowMs: cpuMs,
  rounds: Number(process.env['BENCH_ROUNDS'] ?? 7),
  roundMs: Number(process.env['BENCH_ROUND_MS'] ?? 250),
}

async function rowsOf(file: string): Promise<readonly Row[]> {
  const { rows } = (await import(new URL(`rows/${file}`, home).href)) as { readonly rows: MakeRows }
  return rows()
}

const git = (...args: string[]): string => execFileSync('git', args, { encoding: 'utf8' }).trim()

async function main(): Promise<void> {
  const wanted = process.argv.slice(2)
  const names = readdirSync(new URL('rows/', home)).filter((name) => /[.]m?[jt]s$/.test(name))
  const chosen = names.filter((name) => wanted.length === 0 || wanted.some((word) => name.includes(word)))
  const processor = cpus()[0]?.model ?? 'unknown processor'
  const head = `Commit ${git('rev-parse', '--short', 'HEAD')}, ${new Date().toISOString().slice(0, 10)}, Node ${process.version}, ${cpus().length} × ${processor}; \`npm run bench${['', ...(wanted.length > 0 ? ['--'] : []), ...wanted].join(' ')}\`.\n`
  const parts = [head]
  for (const name of chosen) {
    for (const [i, row] of (await rowsOf(name)).entries()) {
      const table = await tableOf(
        row,
        ({ contenders }) => timesApart(name, i, contenders.length, pace),
        'CPU',
      )
      console.log(table)
      parts.push(table)
    }
  }
  const report = process.env['BENCH_REPORT']
  if (report !== undefined) writeFileSync(report, parts.join('\n'))
}

async function contend(place: NonNullable<ReturnType<typeof ownPlace>>): Promise<void> {
  const row = (await rowsOf(place.file))[place.row]
  if (row === undefined) throw new Error('no such row')
  await serve(row, place, pace)
}

const place = ownPlace()
await (place === undefined ? main() : contend(place))
