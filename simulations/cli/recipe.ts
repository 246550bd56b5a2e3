import { createNodeProvider } from '@sotto/core/crypto-node'
import { plannedScenario } from '../scenarios/planned.ts'
import type { Recipe } from '../scenarios/recipe.ts'
import type { Job, JobAnswer } from '../report/jobs.ts'
import { SealedCauses } from '../report/sealed-causes.ts'
import { catalogue } from '../scenarios/catalogue.ts'
import { missingDrills } from '../scenarios/drills.ts'
import { runScenario, type RunOptions, type RunResult } from '../scenarios/run.ts'
import type { Scenario } from '../scenarios/scenario.ts'
import { Refused } from './refused.ts'
import { readSettings } from './settings.ts'

/** The scenario of a name. */
export function findScenario(name: string): Scenario {
  const found = catalogue.find((scenario) => scenario.name === name)
  const missing = missingDrills.find((drill) => drill.name === name)
  if (missing !== undefined) throw new Refused(`${name} was not run: ${missing.why}`)
  if (found === undefined) throw new Refused(`there is no scenario ${name}; see \`sotto-sim list\``)
  return found
}

/** The scenario a recipe asks for, with what somebody planned on top. */
export function scenarioOf({ scenario, own }: Recipe): Scenario {
  const base = scenario === 'none' ? undefined : findScenario(scenario)
  if (own !== undefined) return plannedScenario(base, own)
  if (base === undefined) throw new Refused('nothing is asked for')
  return base
}

/** Reads a number within bounds. */
export function readNumber(text: string, what: string, low: number, high: number): number {
  const value = Number(text)
  if (text === '' || !Number.isFinite(value) || value < low || value > high)
    throw new Refused(`${what} is a number from ${low} to ${high}`)
  return value
}

export const readHours = (text: string): number => readNumber(text, 'hours', 0.01, 24 * 365)

/** Runs one seed of a recipe. */
export async function runRecipe(
  recipe: Recipe,
  seed: bigint,
  more: Partial<RunOptions> = {},
): Promise<RunResult> {
  const crypto = await createNodeProvider()
  const adjust = readSettings(recipe.set)
  return runScenario(scenarioOf(recipe), { seed, hours: recipe.hours, crypto, adjust, ...more })
}

/** One seed, or the same seed twice; `known` is what it has shown already. */
export async function answerSeed(
  recipe: Recipe,
  seed: bigint,
  verify: boolean,
  known?: RunResult,
): Promise<JobAnswer> {
  const result = known ?? (await runRecipe(recipe, seed))
  const again = verify ? await runRecipe(recipe, seed) : result
  return { result, nondeterministic: again.traceHash !== result.traceHash }
}

/** A seed with everything that can be seen of it. */
export interface Watched {
  readonly result: RunResult
  readonly trace: readonly string[]
  readonly sealed: Readonly<Record<string, number>>
}

/** Runs one seed and keeps its trace and what its bytes were for. */
export async function watchSeed(recipe: Recipe, seed: bigint): Promise<Watched> {
  const causes = new SealedCauses()
  const trace: string[] = []
  const result = await runRecipe(recipe, seed, {
    line: (line) => trace.push(line),
    plantCrypto: causes.wrap,
  })
  return { result, trace, sealed: causes.bytes }
}

/** Words that start a worker for jobs: a planted bug is one of the process. */
export const workerWords = (jobs: readonly Job[]): readonly string[] => {
  const bug = jobs[0]?.recipe.plantBug ?? null
  return bug === null ? [] : ['--plant-bug', bug]
}
