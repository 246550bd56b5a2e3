import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { runJobs, type JobAnswer } from '../report/jobs.ts'
import { readSeed, readSeeds } from '../report/seeds.ts'
import {
  exitCodeOf,
  exitCodes,
  lineOf,
  reproduce,
  summarise,
  worstOf,
  type Summary,
} from '../report/summary.ts'
import type { RunResult } from '../scenarios/run.ts'
import type { Recipe } from '../scenarios/recipe.ts'
import { keepFolder, openFile } from './keep.ts'
import {
  answerSeed,
  findScenario,
  readHours,
  readNumber,
  recipeWords,
  runRecipe,
  scenarioOf,
  watchSeed,
} from './recipe.ts'
import { Refused } from './refused.ts'
import { readScenarioFile, type ScenarioFile } from './scenario-file.ts'
import { readSettings } from './settings.ts'

/** Flags that make a recipe. */
export interface RecipeFlags {
  readonly hours?: string
  readonly set: readonly string[]
  readonly plantBug?: string
}

export interface RunFlags extends RecipeFlags {
  readonly seed?: string
  readonly seeds?: string
  readonly jobs: string
  readonly json?: boolean
  readonly verify?: boolean
  readonly out?: string
  readonly open?: boolean
  readonly trace?: string
  readonly budget?: string
  readonly failFast?: boolean
}

/** What the words of a command line ask for: a scenario by its name, or one in a file of YAML. Throws Refused. */
export function readAsked(name: string, flags: RecipeFlags): ScenarioFile {
  readSettings(flags.set)
  const plantBug = flags.plantBug ?? null
  if (/\.ya?ml$/.test(name)) {
    const read = readScenarioFile(name)
    const hours = flags.hours === undefined ? read.recipe.hours : readHours(flags.hours)
    return { ...read, recipe: { ...read.recipe, hours, set: [...read.recipe.set, ...flags.set], plantBug } }
  }
  const hours = readHours(flags.hours ?? '24')
  const scenario = findScenario(name).name
  return { recipe: { scenario, hours, set: flags.set, plantBug }, seed: undefined, seeds: undefined }
}

/** Seeds from `--seed` or `--seeds`. */
export function seedsOf(flags: {
  readonly seed?: string | undefined
  readonly seeds?: string | undefined
}): readonly bigint[] {
  const seeds =
    flags.seeds === undefined ? [readSeed(flags.seed ?? '1')] : (readSeeds(flags.seeds) ?? [undefined])
  const good = seeds.filter((seed) => seed !== undefined)
  if (good.length !== seeds.length) throw new Refused('a seed is a number below 2^64, seeds are A..B')
  return good
}

/** `run`: one seed, or a sweep of them. */
export async function commandRun(name: string, flags: RunFlags): Promise<number> {
  const asked = readAsked(name, flags)
  const { recipe } = asked
  const seeds = seedsOf(flags.seed === undefined && flags.seeds === undefined ? asked : flags)
  if (flags.trace !== undefined && seeds.length > 1) throw new Refused('--trace goes with one seed')
  const folder = flags.out ?? (flags.open === true ? join('results', scenarioOf(recipe).name) : undefined)
  const startMs = performance.now()
  const [only = 1n] = seeds
  const watched = folder !== undefined && seeds.length === 1 ? await watchSeed(recipe, only) : undefined
  const { results, codes } = await runSeeds(recipe, seeds, flags, watched?.result)
  if (flags.trace !== undefined) await writeTrace(recipe, only, flags.trace)
  const summary = summarise(scenarioOf(recipe), results)
  if (seeds.length > 1) tellSummary(summary, flags)
  if (folder !== undefined && results.length > 0) {
    const ran = { recipe, summary, results, wallMs: performance.now() - startMs, watched }
    const report = await keepFolder(folder, ran)
    process.stderr.write(`report: ${report}\n`)
    if (flags.open === true) openFile(report)
  }
  return worstOf(codes)
}

/** Runs every seed, in this process or in several; what has been run already is not run again. */
async function runSeeds(
  recipe: Recipe,
  seeds: readonly bigint[],
  flags: RunFlags,
  known: RunResult | undefined,
): Promise<{ readonly results: readonly RunResult[]; readonly codes: readonly number[] }> {
  const jobs = readNumber(flags.jobs, 'jobs', 1, 64)
  const budgetMs = flags.budget === undefined ? Infinity : readNumber(flags.budget, 'budget', 1, 1e9) * 1_000
  const verify = flags.verify === true
  const startMs = performance.now()
  const results: RunResult[] = []
  const codes: number[] = []
  const take = ({ result, nondeterministic }: JobAnswer): void => {
    results.push(result)
    codes.push(nondeterministic ? exitCodes.nondeterminism : exitCodeOf(result))
    show(result, nondeterministic, recipe, flags)
  }
  if (jobs > 1 && seeds.length > 1)
    await runJobs(seeds, { jobs, args: [...recipeWords(recipe), ...(verify ? ['--verify'] : [])] }, take)
  else
    for (const seed of seeds) {
      if (performance.now() - startMs > budgetMs) {
        process.stderr.write(`the budget is spent after ${results.length} of ${seeds.length} seeds\n`)
        codes.push(exitCodes.budget)
        break
      }
      take(await answerSeed(recipe, seed, verify, known))
      if (flags.failFast === true && codes.at(-1) !== exitCodes.held) break
    }
  results.sort((a, b) => (BigInt(a.seed) < BigInt(b.seed) ? -1 : 1))
  return { results, codes }
}

async function writeTrace(recipe: Recipe, seed: bigint, file: string): Promise<void> {
  const out = createWriteStream(file)
  await runRecipe(recipe, seed, { line: (line) => void out.write(`${line}\n`) })
  await new Promise<void>((resolve) => out.end(resolve))
}

function show(result: RunResult, nondeterministic: boolean, recipe: Recipe, flags: RunFlags): void {
  process.stderr.write(`${lineOf(result)}\n`)
  if (nondeterministic) process.stderr.write('  the same seed gave another trace\n')
  for (const { law, atMs, what } of result.violations.slice(0, 3))
    process.stderr.write(`  ${law} at ${(atMs / 1000).toFixed(1)} s: ${what}\n`)
  if (exitCodeOf(result) !== exitCodes.held) process.stderr.write(`  again: ${reproduce(result, recipe)}\n`)
  if (flags.json === true) process.stdout.write(`${JSON.stringify(result)}\n`)
}

function tellSummary(summary: Summary, flags: RunFlags): void {
  if (flags.json === true) process.stdout.write(`${JSON.stringify({ summary })}\n`)
  else process.stderr.write(`${JSON.stringify(summary, null, 2)}\n`)
  const idle = [...summary.idleFaults, ...summary.idleActs]
  if (idle.length > 0)
    process.stderr.write(`never happened: ${idle.join(', ')}; more seeds or hours are needed\n`)
}

/** A worker of `--jobs`: reads seeds, a line each, and answers each with a line. */
export async function commandWork(flags: {
  readonly recipe: string
  readonly verify?: boolean
}): Promise<number> {
  const recipe = JSON.parse(flags.recipe) as Recipe
  for await (const line of createInterface({ input: process.stdin })) {
    const seed = readSeed(line)
    if (seed === undefined) throw new Refused('a worker reads seeds')
    process.stdout.write(`${JSON.stringify(await answerSeed(recipe, seed, flags.verify === true))}\n`)
  }
  return exitCodes.held
}
