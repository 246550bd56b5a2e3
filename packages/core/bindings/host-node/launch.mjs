/**
 * Runs a Node entry point from its TypeScript source: polyfill, tsx, and the `sotto-source` export
 * condition, so that a clone needs no build step.
 */
import './polyfill.mjs'
import { register } from 'node:module'
import { register as registerTsx } from 'tsx/esm/api'

/** Imports `entry` (the URL of a `.ts` file) with its sources resolved in place. */
export async function launch(entry) {
  registerTsx()
  register('./source-condition.mjs', import.meta.url)
  await import(entry.href)
}
