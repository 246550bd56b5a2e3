import { basename, dirname, join } from 'node:path'
import { readFailure, writeFailureAs, type Failure } from '../report/folder.ts'
import { exitCodes, reproduce } from '../report/summary.ts'
import type { RunResult } from '../scenarios/run.ts'
import { readNumber, runRecipe } from './recipe.ts'
import { Refused } from './refused.ts'
import { faultsIn } from './settings.ts'

export interface ShrinkFlags {
  readonly runs: string
}

/** What is tried to make a failure smaller, one step at a time: fewer of everything, faults taken away, less time. */
interface Step {
  readonly what: string
  readonly recipe: Failure
}

/** `shrink`: the smallest recipe of the same seed that still breaks the same law. */
export async function commandShrink(file: string, flags: ShrinkFlags): Promise<number> {
  const failure = readFailure(file)
  const most = readNumber(flags.runs, 'runs', 1, 10_000)
  const first = await runRecipe(failure, BigInt(failure.seed))
  const wanted = signOf(first)
  if (wanted === undefined) throw new Refused('this failure does not fail any more')
  process.stderr.write(`breaks ${wanted}; trying to keep that with less\n`)
  let smallest = { failure: noted(failure, first), result: first }
  let runs = 1
  const refused = new Set<string>()
  for (let tried = true; tried && runs < most;) {
    tried = false
    for (const { what, recipe } of stepsFrom(smallest.failure, smallest.result)) {
      if (refused.has(what) || runs >= most) continue
      runs += 1
      tried = true
      const result = await runRecipe(recipe, BigInt(recipe.seed))
      if (signOf(result) !== wanted) {
        refused.add(what)
        continue
      }
      process.stderr.write(`  ${what}: still broken\n`)
      smallest = { failure: noted(recipe, result), result }
      break
    }
  }
  const small = join(dirname(file), `${basename(file, '.json')}-small.json`)
  writeFailureAs(small, smallest.failure)
  process.stderr.write(`after ${runs} runs: ${reproduce(smallest.result, smallest.failure)}\n`)
  process.stdout.write(`${small}\n`)
  return exitCodes.held
}

/** What must stay the same: the first law broken, or the kind of crash. */
const signOf = ({ crash, violated }: RunResult): string | undefined =>
  crash === null ? violated[0] : `crash: ${crash.split('\n')[0] ?? ''}`

const noted = (failure: Failure, { traceHash, violated, crash }: RunResult): Failure => ({
  ...failure,
  traceHash,
  violated,
  crash,
})

/**
 * Smaller neighbours of a failure, the greatest steps first. What its settings say already is not tried again: a scenario
 * may need more people than they name.
 */
export function stepsFrom(
  failure: Failure,
  { plan, hours }: Pick<RunResult, 'plan' | 'hours'>,
): readonly Step[] {
  const scarcerMs = Math.round(plan.messageEveryMs * 2)
  const set = (name: string, value: string): Step => ({
    what: `${name}=${value}`,
    recipe: {
      ...failure,
      set: [...failure.set.filter((one) => !one.startsWith(`${name}=`)), `${name}=${value}`],
    },
  })
  const shorter =
    hours > 0.05 ? [{ what: `hours=${hours / 2}`, recipe: { ...failure, hours: hours / 2 } }] : []
  const said = new Set(failure.set)
  const all = [
    ...shorter,
    ...(plan.users > 2 ? [set('users', String(plan.users - 1))] : []),
    ...(plan.devices > plan.users ? [set('devices', String(plan.devices - 1))] : []),
    ...(plan.groups > 0 ? [set('groups', String(plan.groups - 1))] : []),
    ...(plan.relays > 1 ? [set('relays', String(plan.relays - 1))] : []),
    ...faultsIn(plan).map((name) => set(name, 'off')),
    // Somebody who speaks less than once in the run is silent.
    ...(scarcerMs < hours * 3_600_000 * plan.users ? [set('messageEvery', `${scarcerMs}ms`)] : []),
  ]
  return all.filter(
    ({ recipe }) => recipe.hours !== failure.hours || recipe.set.some((one) => !said.has(one)),
  )
}
