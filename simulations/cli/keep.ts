import { execFileSync, spawn } from 'node:child_process'
import { writeFailure, writeResults } from '../report/folder.ts'
import { exitCodeOf, exitCodes, type Summary } from '../report/summary.ts'
import type { Recipe } from '../scenarios/recipe.ts'
import type { RunResult } from '../scenarios/run.ts'
import { scenarioOf, watchSeed, type Watched } from './recipe.ts'

/** What was run, and what it showed. */
export interface Ran {
  readonly recipe: Recipe
  readonly summary: Summary
  readonly results: readonly RunResult[]
  readonly wallMs: number
  /** The only seed, when it was watched as it ran. */
  readonly watched?: Watched | undefined
}

/** Keeps what a run showed in a folder, with the trace of its first failed seed, or of its first; its report. */
export async function keepFolder(
  folder: string,
  { recipe, summary, results, wallMs, watched }: Ran,
): Promise<string> {
  const failed = results.filter((one) => exitCodeOf(one) !== exitCodes.held)
  const shown = failed[0] ?? results[0]
  const { trace, sealed } = watched ?? (await watchSeed(recipe, BigInt(shown?.seed ?? 1)))
  writeResults(
    folder,
    {
      version: 1,
      claim: scenarioOf(recipe).claim,
      recipe,
      commit: commitNow(),
      resources: {
        node: process.version,
        wallMs: Math.round(wallMs),
        peakRssBytes: process.resourceUsage().maxRSS * 1024,
      },
      summary,
      results,
      shownSeed: shown?.seed ?? '',
      sealed,
    },
    trace,
  )
  for (const { seed, traceHash, violated, crash } of failed)
    writeFailure(folder, { ...recipe, seed, traceHash, violated, crash })
  // What draws takes a second to load: only who wants a report waits for it.
  const { makeReport } = await import('../report/report.ts')
  return makeReport(folder)
}

/** The commit that is checked out, marked when something is changed; or that it is not known. */
export function commitNow(): string {
  const git = (...args: readonly string[]): string =>
    execFileSync('git', args, {
      cwd: import.meta.dirname,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  try {
    return `${git('rev-parse', '--short=12', 'HEAD')}${git('status', '--porcelain', '--untracked-files=no') === '' ? '' : ' (changed)'}`
  } catch {
    return 'unknown'
  }
}

const openers: Readonly<Record<string, readonly string[]>> = {
  darwin: ['open'],
  win32: ['cmd', '/c', 'start', ''],
}

/** Shows a file with what this machine shows such files with; says where it lies when there is nothing. */
export function openFile(file: string): void {
  const [command = 'xdg-open', ...args] = openers[process.platform] ?? ['xdg-open']
  const child = spawn(command, [...args, file], { detached: true, stdio: 'ignore' })
  child.once('error', () => process.stderr.write(`nothing here opens a browser; open ${file} yourself\n`))
  child.unref()
}
