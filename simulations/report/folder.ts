import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Recipe } from '../scenarios/recipe.ts'
import type { RunResult } from '../scenarios/run.ts'
import { csvOf } from './csv.ts'
import type { Figure } from './figure.ts'
import type { Summary } from './summary.ts'

/** One seed that failed, as `replay` and `shrink` read it. */
export interface Failure extends Recipe {
  readonly seed: string
  readonly traceHash: string
  readonly violated: readonly string[]
  readonly crash: string | null
}

/** What machines and people need to see what was run, and where. */
export interface Resources {
  readonly node: string
  readonly wallMs: number
  readonly peakRssBytes: number
}

/** `results.json`: everything a folder is about but the trace. */
export interface Results {
  readonly version: 1
  readonly claim: string
  readonly recipe: Recipe
  readonly commit: string
  readonly resources: Resources
  readonly summary: Summary
  readonly results: readonly RunResult[]
  /** The seed whose trace lies beside. */
  readonly shownSeed: string
  /** Bytes of session frames of that seed, by what they are. */
  readonly sealed: Readonly<Record<string, number>>
}

/** One combination of settings and what its seeds showed. */
export interface Point {
  /** Values of the varied settings, in their order. */
  readonly values: readonly string[]
  readonly results: readonly RunResult[]
}

/** `sweep.json`. */
export interface Sweep {
  readonly version: 1
  readonly claim: string
  readonly recipe: Recipe
  readonly commit: string
  readonly varied: readonly { readonly name: string; readonly values: readonly string[] }[]
  readonly points: readonly Point[]
}

const pretty = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`

/** Writes results, trace and failures into a folder. */
export function writeResults(folder: string, results: Results, trace: readonly string[]): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'results.json'), pretty(results))
  writeFileSync(join(folder, 'trace.jsonl'), trace.map((line) => `${line}\n`).join(''))
}

/** Writes down one failed seed. */
export function writeFailure(folder: string, failure: Failure): string {
  mkdirSync(join(folder, 'failures'), { recursive: true })
  const file = join(folder, 'failures', `${failure.seed}.json`)
  writeFailureAs(file, failure)
  return file
}

/** Writes a failure to a file of a name. */
export const writeFailureAs = (file: string, failure: Failure): void => {
  writeFileSync(file, pretty(failure))
}

/** Writes the report and the numbers of every figure. */
export function writeReport(folder: string, html: string, figures: readonly Figure[]): string {
  for (const { name, rows } of figures) writeFileSync(join(folder, `${name}.csv`), csvOf(rows))
  const file = join(folder, 'report.html')
  writeFileSync(file, html)
  return file
}

/** Reads a folder back. Throws what reading files throws. */
export function readResults(folder: string): Results {
  return JSON.parse(readFileSync(join(folder, 'results.json'), 'utf8')) as Results
}

/** The lines of the trace of the seed shown. */
export const readTrace = (folder: string): readonly string[] =>
  readFileSync(join(folder, 'trace.jsonl'), 'utf8').split('\n')

export const readFailure = (file: string): Failure => JSON.parse(readFileSync(file, 'utf8')) as Failure
