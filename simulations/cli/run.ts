import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Job } from '../report/jobs.ts'
import { readSeed, readSeeds } from '../report/seeds.ts'
import { exitCodes, isIdle, summarise, worstOf, type Summary } from '../report/summary.ts'
import type { RunResult } from '../scenarios/run.ts'
import type { Recipe } from '../scenarios/recipe.ts'
import { answerAll, type SweepingFlags } from './answer-all.ts'
import { keepFolder, openFile } from './keep.ts'
import { answerSeed, findScenario, readHours, runRecipe, scenarioOf, watchSeed } from './recipe.ts'
import { Refused } from './refused.ts'
import { readScenarioFile, type ScenarioFile } from './scenario-file.ts'
import { readSettings } from './settings.ts'

/** Flags that make a recipe. */
export interface RecipeFlags {
  readonly hours?: string
  readonly set: readonly string[]
  readonly plantBug?: string
}

/** Flags of `run`. */
export interface RunFlags extends RecipeFlags, SweepingFlags {
  readonly seed?: string
  readonly seeds?: string
  readonly verify?: boolean
  readonly out?: string
  readonly open?: boolean
  readonly trace?: string
  readonly allHappens?: boolean
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
  const jobs = seeds.map((seed) => ({ recipe, seed: seed.toString(), verify: flags.verify === true }))
  const { done, codes } = await answerAll(jobs, flags, watched?.result)
  const results = bySeed(done.map(({ result }) => result))
  if (flags.trace !== undefined) await writeTrace(recipe, only, flags.trace)
  const summary = summarise(scenarioOf(recipe), results)
  if (seeds.length > 1) tellSummary(summary, flags)
  const idle = flags.allHappens === true && isIdle(summary) ? [exitCodes.idle] : []
  if (folder !== undefined && results.length > 0) {
    const ran = { recipe, summary, results, wallMs: performance.now() - startMs, watched }
    const report = await keepFolder(folder, ran)
    process.stderr.write(`report: ${report}\n`)
    if (flags.open === true) openFile(report)
  }
  return worstOf([...codes, ...idle])
}

async function writeTrace(recipe: Recipe, seed: bigint, file: string): Promise<void> {
  const out = createWriteStream(file)
  await runRecipe(recipe, seed, { line: (line) => void out.write(`${line}\n`) })
  await new Promise<void>((resolve) => out.end(resolve))
}

/** Results in the order of their seeds. */
export const bySeed = (results: readonly RunResult[]): readonly RunResult[] =>
  results.toSorted((a, b) => (BigInt(a.seed) < BigInt(b.seed) ? -1 : 1))

/** Says what a sweep showed together, and what never happened in it. */
export function tellSummary(summary: Summary, flags: { readonly json?: boolean }): void {
  if (flags.json === true) process.stdout.write(`${JSON.stringify({ summary })}\n`)
  else process.stderr.write(`${JSON.stringify(summary, null, 2)}\n`)
  const idle = [...summary.idleFaults, ...summary.idleActs]
  if (idle.length > 0)
    process.stderr.write(`never happened: ${idle.join(', ')}; more seeds or hours are needed\n`)
}

/** A worker of `--jobs`: reads jobs, a line each, and answers each with a line. */
export async function commandWork(): Promise<number> {
  for await (const line of createInterface({ input: process.stdin })) {
    const { recipe, seed, verify } = JSON.parse(line) as Job
    process.stdout.write(`${JSON.stringify(await answerSeed(recipe, BigInt(seed), verify))}\n`)
  }
  return exitCodes.held
}
