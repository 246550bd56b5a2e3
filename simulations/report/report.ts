import type { RunResult } from '../scenarios/run.ts'
import type { Figure } from './figure.ts'
import { converged, latencies, latencyOverTime, relaysEye, sealed, traffic, waiting } from './figures.ts'
import { readResults, readTrace, writeReport, type Results } from './folder.ts'
import { growth, homeParts, homesOverTime } from './growth.ts'
import { pageOf } from './page.ts'
import { audienceMatrix, epochMatrix } from './readability.ts'
import { spaceTime, spaceTimeZoom, type Focus } from './space-time.ts'
import { readStory, type Story } from './story.ts'

/** Makes the report of a folder of results anew; nothing is run. Returns its file. */
export function makeReport(folder: string): string {
  const results = readResults(folder)
  const story = readStory(readTrace(folder))
  const figures = figuresOf(results, story)
  return writeReport(folder, pageOf(results, story, figures), figures)
}

function figuresOf({ results, sealed: causes, shownSeed }: Results, story: Story): readonly Figure[] {
  const shown = results.find(({ seed }) => seed === shownSeed)
  const values = results.flatMap(({ latenciesMs }) => latenciesMs)
  const focus = focusOf(story, shown)
  return [
    spaceTime(story),
    ...(focus === undefined ? [] : [spaceTimeZoom(story, focus)]),
    ...(values.length === 0 ? [] : [latencies(values, results.length)]),
    ...(story.deliveries.length === 0 ? [] : [latencyOverTime(story), waiting(story)]),
    ...(results.length > 1 ? [converged(results)] : []),
    ...(story.carried.length === 0 ? [] : [traffic(story)]),
    ...(Object.keys(causes).length === 0 ? [] : [sealed(causes)]),
    ...(story.queues.some(({ deposits }) => deposits.length > 0) ? [relaysEye(story)] : []),
    ...[audienceMatrix(story), epochMatrix(story)].filter((figure) => figure !== undefined),
    ...(story.inside.sizes.length === 0 ? [] : [homesOverTime(story)]),
    ...(results.some(({ homes }) => homes.length > 0) ? [growth(results)] : []),
    ...(story.inside.parts.length === 0 ? [] : [homeParts(story)]),
  ]
}

/**
 * Where to look closer: where a law broke, or where the message was written that never arrived; in a run that
 * held, at the frame whose loss was followed by the longest wait.
 */
function focusOf(story: Story, result: RunResult | undefined): Focus | undefined {
  const violation = result?.violations[0]
  if (violation !== undefined && violation.atMs < story.healMs)
    return { atMs: violation.atMs, why: `${violation.law} is broken` }
  const missing = story.deliveries.find(({ shownMs }) => shownMs === undefined)
  if (violation !== undefined && missing !== undefined)
    return { atMs: missing.acceptedMs, why: `a message is written that is never shown (${violation.law})` }
  if (violation !== undefined) {
    const next = story.carried.find(({ sentMs }) => sentMs >= story.healMs)
    return {
      atMs: next?.sentMs ?? story.healMs,
      why: `what follows the heal (${violation.law} is broken later)`,
    }
  }
  const lost = story.carried.filter((one) => one.lost && one.sentMs > story.workloadMs)
  const [first] = lost
  return first === undefined ? undefined : { atMs: first.sentMs, why: 'the first frame that is lost' }
}
