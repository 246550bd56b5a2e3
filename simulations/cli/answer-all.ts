import { runJobs, type Job, type JobAnswer } from '../report/jobs.ts'
import { exitCodeOf, exitCodes, lineOf, reproduce } from '../report/summary.ts'
import type { RunResult } from '../scenarios/run.ts'
import type { Recipe } from '../scenarios/recipe.ts'
import { answerSeed, readNumber, workerWords } from './recipe.ts'

/** Flags that say how a sweep is run. */
export interface SweepingFlags {
  readonly jobs: string
  readonly json?: boolean
  readonly budget?: string
  readonly failFast?: boolean
}

/** What jobs showed, in the order in which they were done, and the exit codes they earn. */
export interface Answered {
  readonly done: readonly { readonly job: Job; readonly result: RunResult }[]
  readonly codes: readonly number[]
}

const minute = 60_000

/**
 * Runs every job and tells how it went, in this process or in several; what is known already is not run again. Starts
 * no further one once the budget of minutes is spent, or after a failure with `failFast`.
 */
export async function answerAll(
  jobs: readonly Job[],
  flags: SweepingFlags,
  known?: RunResult,
): Promise<Answered> {
  const processes = readNumber(flags.jobs, 'jobs', 1, 64)
  const budgetMs = flags.budget === undefined ? Infinity : readNumber(flags.budget, 'budget', 0, 1e6) * minute
  const endMs = performance.now() + budgetMs
  const done: { readonly job: Job; readonly result: RunResult }[] = []
  const codes: number[] = []
  const waiting = [...jobs]
  const isSpent = (): boolean => performance.now() > endMs
  const isOver = (): boolean =>
    isSpent() || (flags.failFast === true && codes.some((code) => code !== exitCodes.held))
  const next = (): Job | undefined => (isOver() ? undefined : waiting.shift())
  const take = (answer: JobAnswer, job: Job): void => {
    const { result, nondeterministic } = answer
    done.push({ job, result })
    codes.push(nondeterministic ? exitCodes.nondeterminism : exitCodeOf(result))
    show(answer, job.recipe, flags)
  }
  if (processes > 1 && jobs.length > 1)
    await runJobs(next, { jobs: Math.min(processes, jobs.length), args: workerWords(jobs) }, take)
  else
    for (let job = next(); job !== undefined; job = next())
      take(await answerSeed(job.recipe, BigInt(job.seed), job.verify, known), job)
  if (waiting.length > 0 && isSpent()) {
    process.stderr.write(`the budget is spent after ${done.length} of ${jobs.length} seeds\n`)
    codes.push(exitCodes.budget)
  }
  return { done, codes }
}

function show({ result, nondeterministic }: JobAnswer, recipe: Recipe, flags: SweepingFlags): void {
  process.stderr.write(`${lineOf(result)}\n`)
  if (nondeterministic) process.stderr.write('  the same seed gave another trace\n')
  for (const { law, atMs, what } of result.violations.slice(0, 3))
    process.stderr.write(`  ${law} at ${(atMs / 1000).toFixed(1)} s: ${what}\n`)
  if (exitCodeOf(result) !== exitCodes.held) process.stderr.write(`  again: ${reproduce(result, recipe)}\n`)
  if (flags.json === true) process.stdout.write(`${JSON.stringify(result)}\n`)
}
