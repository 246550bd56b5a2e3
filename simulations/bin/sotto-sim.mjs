#!/usr/bin/env node
import { launch } from '@sotto/core/launch'
import { bugIn, plant } from '../mutants/plant.mjs'

try {
  const bug = bugIn(process.argv.slice(2))
  const planted = bug === undefined ? () => true : plant(bug)
  await launch(new URL('../main.ts', import.meta.url), bug === undefined ? {} : { asWritten: true })
  if (!planted()) throw new Error(`planted bug ${bug.name} was in a file that nothing loads`)
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
