import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Recipe } from '../scenarios/recipe.ts'
import type { RunResult } from '../scenarios/run.ts'

/** Room for what is young, in MB: worlds make much that lives for one event, and collecting it is a twentieth of their time. */
const youngMb = 64

const bin = fileURLToPath(new URL('../bin/sotto-sim.mjs', import.meta.url))

/** One seed of a recipe; run twice to compare the traces when it is to be verified. */
export interface Job {
  readonly recipe: Recipe
  readonly seed: string
  readonly verify: boolean
}

/** What a job is answered with. */
export interface JobAnswer {
  readonly result: RunResult
  /** The second run of the seed gave another trace. */
  readonly nondeterministic: boolean
}

/** Shares jobs among processes; each asks `next` for another when it has answered the last. */
export async function runJobs(
  next: () => Job | undefined,
  options: { readonly jobs: number; readonly args: readonly string[] },
  each: (answer: JobAnswer, job: Job) => void,
): Promise<void> {
  const workers = Array.from({ length: options.jobs }, async () => {
    const first = next()
    if (first === undefined) return
    const child = spawn(
      process.execPath,
      [`--max-semi-space-size=${youngMb}`, bin, 'work', ...options.args],
      {
        stdio: ['pipe', 'pipe', 'inherit'],
      },
    )
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
    let job: Job | undefined
    const feed = (given: Job | undefined): void => {
      job = given
      if (given === undefined) child.stdin.end()
      else child.stdin.write(`${JSON.stringify(given)}\n`)
    }
    feed(first)
    for await (const line of createInterface({ input: child.stdout })) {
      if (job !== undefined) each(JSON.parse(line) as JobAnswer, job)
      feed(next())
    }
    const code = await ended
    if (code !== 0) throw new Error(`a worker ended with ${code ?? 'a signal'}`)
  })
  await Promise.all(workers)
}
