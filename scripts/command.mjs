/**
 * The commands by their names, for `npx` in a clone: without them it would look for packages of these names elsewhere
 * until something is installed.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { install } from './install.mjs'
import { root } from './run.mjs'

/** Runs a program of this clone with the words of this process; what it needs is installed first where nothing is. */
export async function command(program) {
  try {
    if (!existsSync(join(root, 'node_modules', '.package-lock.json'))) await install()
    await import(pathToFileURL(join(root, program)))
  } catch (error) {
    console.error(error.message)
    process.exitCode = 1
  }
}
