import { createWriteStream, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createNodeProvider } from '@sotto/core/crypto-node'
import { Command, CommanderError } from 'commander'
import { runJobs, type JobAnswer } from './report/jobs.ts'
import { readSeed, readSeeds } from './report/seeds.ts'
import { exitCodeOf, exitCodes, lineOf, reproduce, summarise, worstOf } from './report/summary.ts'
import { catalogue } from './scenarios/catalogue.ts'
import { runScenario, type RunResult } from './scenarios/run.ts'
import type { Scenario } from './scenarios/scenario.ts'

interface RunFlags {
  readonly seed?: string
  readonly seeds?: string
  readonly hours: string
  readonly jobs: string
  readonly json?: boolean
  readonly verify?: boolean
  readonly out?: string
  readonly trace?: string
  readonly budget?: string
}

class Refused extends Error {}

function findScenario(name: string): Scenario {
  const found = catalogue.find((scenario) => scenario.name === name)
  if (found === undefined) throw new Refused(`there is no scenario ${name}; see \`sotto-sim list\``)
  return found
}

function readNumber(text: string, what: string, low: number, high: number): number {
  const value = Number(text)
  if (text === '' || !Number.isFinite(value) || value < low || value > high)
    throw new Refused(`${what} is a number from ${low} to ${high}`)
  return value
}

function seedsOf(flags: RunFlags): readonly bigint[] {
  const seeds =
    flags.seeds === undefined ? [readSeed(flags.seed ?? '1')] : (readSeeds(flags.seeds) ?? [undefined])
  const good = seeds.filter((seed) => seed !== undefined)
  if (good.length !== seeds.length) throw new Refused('a seed is a number below 2^64, seeds are A..B')
  return good
}

/** One seed, or the same seed twice. */
async function answer(
  scenario: Scenario,
  seed: bigint,
  flags: Pick<RunFlags, 'hours' | 'verify' | 'trace'>,
): Promise<JobAnswer> {
  const crypto = await createNodeProvider()
  const hours = readNumber(flags.hours, 'hours', 0.01, 24 * 365)
  const file = flags.trace === undefined ? undefined : createWriteStream(flags.trace)
  const line = file === undefined ? undefined : (text: string) => void file.write(`${text}\n`)
  const result = await runScenario(scenario, { seed, hours, crypto, line })
  file?.end()
  const again = flags.verify === true ? await runScenario(scenario, { seed, hours, crypto }) : result
  return { result, nondeterministic: again.traceHash !== result.traceHash }
}

async function commandRun(name: string, flags: RunFlags): Promise<number> {
  const scenario = findScenario(name)
  const seeds = seedsOf(flags)
  const jobs = readNumber(flags.jobs, 'jobs', 1, 64)
  readNumber(flags.hours, 'hours', 0.01, 24 * 365)
  const budgetMs = flags.budget === undefined ? Infinity : readNumber(flags.budget, 'budget', 1, 1e9) * 1_000
  if (flags.trace !== undefined && seeds.length > 1) throw new Refused('--trace goes with one seed')
  const results: RunResult[] = []
  const codes: number[] = []
  const take = ({ result, nondeterministic }: JobAnswer): void => {
    results.push(result)
    codes.push(nondeterministic ? exitCodes.nondeterminism : exitCodeOf(result))
    show(result, nondeterministic, flags)
  }
  if (jobs > 1 && seeds.length > 1) {
    const args = ['--hours', flags.hours, ...(flags.verify === true ? ['--verify'] : [])]
    await runJobs(name, seeds, { jobs, args }, take)
  } else {
    const start = performance.now()
    for (const seed of seeds) {
      if (performance.now() - start > budgetMs) {
        process.stderr.write(`the budget is spent after ${results.length} of ${seeds.length} seeds\n`)
        codes.push(exitCodes.budget)
        break
      }
      take(await answer(scenario, seed, flags))
    }
  }
  return finish(scenario, seeds.length, results, codes, flags)
}

function show(result: RunResult, nondeterministic: boolean, flags: RunFlags): void {
  process.stderr.write(`${lineOf(result)}\n`)
  if (nondeterministic) process.stderr.write('  the same seed gave another trace\n')
  for (const { law, atMs, what } of result.violations.slice(0, 3))
    process.stderr.write(`  ${law} at ${(atMs / 1000).toFixed(1)} s: ${what}\n`)
  if (exitCodeOf(result) !== exitCodes.held) process.stderr.write(`  again: ${reproduce(result)}\n`)
  if (flags.out !== undefined) {
    mkdirSync(flags.out, { recursive: true })
    writeFileSync(
      join(flags.out, `${result.scenario}-${result.seed}.json`),
      `${JSON.stringify(result, null, 2)}\n`,
    )
  }
  if (flags.json === true) process.stdout.write(`${JSON.stringify(result)}\n`)
}

function finish(
  scenario: Scenario,
  wanted: number,
  results: readonly RunResult[],
  codes: readonly number[],
  flags: RunFlags,
): number {
  if (wanted > 1) {
    const summary = summarise(scenario, results)
    if (flags.out !== undefined)
      writeFileSync(join(flags.out, `${scenario.name}-summary.json`), `${JSON.stringify(summary, null, 2)}\n`)
    if (flags.json === true) process.stdout.write(`${JSON.stringify({ summary })}\n`)
    else process.stderr.write(`${JSON.stringify(summary, null, 2)}\n`)
    if (summary.idleFaults.length > 0)
      process.stderr.write(`never struck: ${summary.idleFaults.join(', ')}; more seeds or hours are needed\n`)
  }
  return worstOf(codes)
}

/** A worker of `--jobs`: reads seeds, a line each, and answers each with a line. */
async function commandWork(name: string, flags: Pick<RunFlags, 'hours' | 'verify'>): Promise<number> {
  const scenario = findScenario(name)
  for await (const line of createInterface({ input: process.stdin })) {
    const seed = readSeed(line)
    if (seed === undefined) throw new Refused('a worker reads seeds')
    process.stdout.write(`${JSON.stringify(await answer(scenario, seed, flags))}\n`)
  }
  return exitCodes.held
}

function commandList(flags: { readonly json?: boolean }): number {
  if (flags.json === true)
    process.stdout.write(`${JSON.stringify(catalogue.map(({ name, claim }) => ({ name, claim })))}\n`)
  else for (const { name, claim } of catalogue) process.stdout.write(`${name}\n  ${claim}\n`)
  return exitCodes.held
}

async function main(args: readonly string[]): Promise<number> {
  let code: number = exitCodes.held
  const program = new Command('sotto-sim').description('runs Sotto in worlds of virtual time').exitOverride()
  program
    .command('list')
    .description('the scenarios and what each proves')
    .option('--json', 'one JSON value')
    .action((flags: { json?: boolean }) => {
      code = commandList(flags)
    })
  program
    .command('run <scenario>')
    .description('runs one seed, or a sweep')
    .option('--seed <n>', 'one seed (default 1)')
    .option('--seeds <a..b>', 'a sweep, both ends included')
    .option('--hours <h>', 'virtual hours of workload and faults', '24')
    .option('--jobs <n>', 'processes that share a sweep', '1')
    .option('--json', 'one JSON object a seed, then the summary of a sweep')
    .option('--verify', 'runs each seed twice and compares the trace hashes')
    .option('--out <dir>', 'writes the results there')
    .option('--trace <file>', 'writes every event of one seed, a JSON object a line')
    .option('--budget <s>', 'starts no further seed after so many seconds')
    .action(async (scenario: string, flags: RunFlags) => {
      code = await commandRun(scenario, flags)
    })
  program
    .command('work <scenario>', { hidden: true })
    .option('--hours <h>', '', '24')
    .option('--verify')
    .action(async (scenario: string, flags: Pick<RunFlags, 'hours' | 'verify'>) => {
      code = await commandWork(scenario, flags)
    })
  await program.parseAsync([...args], { from: 'user' })
  return code
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof CommanderError && error.exitCode === 0)) {
    if (!(error instanceof CommanderError))
      process.stderr.write(
        `${error instanceof Refused ? error.message : String(error instanceof Error ? error.stack : error)}\n`,
      )
    process.exitCode = exitCodes.usage
  }
}
