/**
 * Runs a Node entry point from its TypeScript source: polyfill, then what esbuild puts together of it, or tsx with the
 * `sotto-source` export condition, so that a clone needs no build step.
 */
import './polyfill.mjs'
import { register } from 'node:module'
import { assembled } from './assemble.mjs'

/** Whether this process was started with something loaded before it, which may look at files as they are loaded. */
const isWatched = () =>
  [process.env.NODE_OPTIONS ?? '', ...process.execArgv].some((word) =>
    /--(import|loader|require)\b/.test(word),
  )

/**
 * Imports `entry`, the URL of a `.ts` file, from the sources as they are. `asWritten` loads them file by file, for
 * module hooks that look at them.
 */
export async function launch(entry, { asWritten = isWatched() } = {}) {
  process.setSourceMapsEnabled(true)
  const program = asWritten ? undefined : await assembled(entry)
  if (program === undefined) {
    const { register: registerTsx } = await import('tsx/esm/api')
    registerTsx()
    register('./source-condition.mjs', import.meta.url)
  }
  await import(program ?? entry.href)
}
