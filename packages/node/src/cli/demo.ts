import { playDemo } from '../demo/script.ts'
import type { Context } from './context.ts'
import { outcome } from './io.ts'
import type { Outcome } from './io.ts'

/** `sotto demo [--check]` */
export async function runDemo({ io, options }: Context, check: boolean): Promise<Outcome> {
  const quiet = check || options.json === true
  const startMs = performance.now()
  const result = await playDemo(io.env, (line) => {
    if (quiet) return
    const seconds = ((performance.now() - startMs) / 1_000).toFixed(1).padStart(5)
    io.out(`${seconds} s  ${line}\n`)
  })
  return outcome(result, check ? `ok (${result.seconds} s)` : '')
}
