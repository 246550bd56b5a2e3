import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { RunResult } from '../scenarios/run.ts'

const bin = fileURLToPath(new URL('../bin/sotto-sim.mjs', import.meta.url))

/** What a worker answers a seed with. */
export interface JobAnswer {
  readonly result: RunResult
  /** The second run of the seed gave another trace. */
  readonly nondeterministic: boolean
}

/** Shares seeds among processes; each asks for its next seed when it has answered the last. */
export async function runJobs(
  seeds: readonly bigint[],
  options: { readonly jobs: number; readonly args: readonly string[] },
  each: (answer: JobAnswer) => void,
): Promise<void> {
  const waiting = [...seeds]
  const workers = Array.from({ length: Math.min(options.jobs, seeds.length) }, async () => {
    const child = spawn(process.execPath, [bin, 'work', ...options.args], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const feed = (): void => {
      const seed = waiting.shift()
      if (seed === undefined) child.stdin.end()
      else child.stdin.write(`${seed}\n`)
    }
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
    feed()
    for await (const line of createInterface({ input: child.stdout })) {
      each(JSON.parse(line) as JobAnswer)
      feed()
    }
    const code = await ended
    if (code !== 0) throw new Error(`a worker ended with ${code ?? 'a signal'}`)
  })
  await Promise.all(workers)
}
