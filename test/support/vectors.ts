/** Published test vectors that are not part of the project: SOTTO_VECTORS, or `shared/vectors` beside it. */
import type { Context } from 'mocha'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const folder =
  process.env['SOTTO_VECTORS'] ?? fileURLToPath(new URL('../../../shared/vectors', import.meta.url))

/** The parsed file; where the folder is absent, says so and skips the running test or suite. */
export function readVectors<T>(context: Context, name: string): T {
  const path = join(folder, name)
  if (existsSync(path)) return JSON.parse(readFileSync(path, 'utf8')) as T
  console.warn(`SKIPPED: no test vectors at ${path} (set SOTTO_VECTORS to their folder)`)
  return context.skip()
}

export const fromHex = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'))
export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
