import { execFileSync, type StdioOptions } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import type { Job } from '../report/jobs.ts'
import { readSeed, readSeeds } from '../report/seeds.ts'
import { exitCodes, summarise, worstOf, type Summary } from '../report/summary.ts'
import { catalogue } from '../scenarios/catalogue.ts'
import { everydayActs, everydayFaults, type Scenario } from '../scenarios/scenario.ts'
import { answerAll, type Answered, type SweepingFlags } from './answer-all.ts'
import { readNumber } from './recipe.ts'
import { Refused } from './refused.ts'

/** What every commit is tried with. */
const corpusShape = z.strictObject({
  /** Virtual hours of the seeds below and of those that a commit draws. */
  hours: z.number().min(0.01),
  /** Seeds of every scenario. */
  fixed: z.string().refine((text) => readSeeds(text) !== undefined),
  /** Scenarios of which one seed is run, in which what only they have must happen: they take too long for more. */
  brief: z.array(
    z.strictObject({
      scenario: z.enum(catalogue.map(({ name }) => name)),
      seed: z.string().refine((text) => readSeed(text) !== undefined),
    }),
  ),
  /** How many seeds of each other scenario a commit draws from its hash. */
  drawn: z.number().int().min(0).max(1_000),
  /** Seeds with which something was found, and what. */
  kept: z.array(
    z.strictObject({
      scenario: z.enum(catalogue.map(({ name }) => name)),
      seed: z.string().refine((text) => readSeed(text) !== undefined),
      hours: z.number().min(0.01),
      set: z.array(z.string()).default([]),
      why: z.string().min(20),
    }),
  ),
})

type Corpus = z.infer<typeof corpusShape>

/** Flags of `ci`. */
export interface CiFlags extends SweepingFlags {
  readonly commit?: string
  readonly drawn?: string
}

/** Reads the corpus. Throws what is wrong with it. */
export function readCorpus(text: string): Corpus {
  return corpusShape.parse(JSON.parse(text))
}

/** Seeds of a scenario that a commit draws: the same for the same commit, and others for the next. */
export const drawnSeeds = (commit: string, scenario: string, count: number): readonly string[] =>
  Array.from({ length: count }, (_, n) => {
    const hash = createHash('sha256').update(`${commit}/${scenario}/${n}`).digest()
    return hash.readUIntBE(0, 6).toString()
  })

/** `ci`: the corpus, the same seeds each time, and some of this commit's own; everything must hold and happen. */
export async function commandCi(flags: CiFlags): Promise<number> {
  const corpus = readCorpus(readFileSync(new URL('../corpus.json', import.meta.url), 'utf8'))
  const wanted = flags.drawn === undefined ? corpus.drawn : readNumber(flags.drawn, 'drawn', 0, 1_000)
  const commit = flags.commit ?? (wanted === 0 ? undefined : headNow())
  if (commit === undefined && flags.drawn !== undefined && wanted > 0)
    throw new Refused('this is no checkout; name what is tried with --commit')
  if (commit === undefined && wanted > 0)
    process.stderr.write('this is no checkout: no seeds are drawn; --commit names what is tried\n')
  const isBrief = ({ name }: Scenario): boolean => corpus.brief.some(({ scenario }) => scenario === name)
  const thorough = catalogue.filter((scenario) => !isBrief(scenario))
  const fixed = thorough.flatMap(({ name }) => fixedJobs(corpus, name))
  const isFixed = new Set(fixed.map(nameOf))
  const brief = corpus.brief.map((one) => ({ ...one, hours: corpus.hours }))
  const kept = [...corpus.kept, ...brief.map((one) => ({ ...one, set: [] }))]
    .map(({ scenario, seed, hours, set }) => jobOf({ scenario, seed, hours, set, verify: false }))
    .filter((job) => !isFixed.has(nameOf(job)))
  const drawn = thorough.flatMap(({ name }) =>
    commit === undefined ? [] : drawnJobs(corpus, name, drawnSeeds(commit, name, wanted)),
  )
  const answered = await answerAll([...kept, ...fixed, ...drawn], flags)
  const isWhole = answered.done.length === kept.length + fixed.length + drawn.length
  const asked = [...thorough, ...catalogue.filter(isBrief).map(ownOf)]
  return worstOf([
    ...answered.codes,
    ...(isWhole ? idleCodes(answered, asked, new Set([...kept, ...fixed].map(nameOf))) : []),
  ])
}

/** A scenario of which nothing is wanted but what no other has. */
const ownOf = (scenario: Scenario): Scenario => ({
  ...scenario,
  expects: scenario.expects.filter((kind) => !everydayFaults.some((everyday) => everyday === kind)),
  acts: scenario.acts.filter((act) => !everydayActs.some((everyday) => everyday === act)),
})

/** Twice the same is asked of one seed; all would double the time. */
const fixedJobs = ({ hours, fixed }: Corpus, scenario: string): readonly Job[] =>
  (readSeeds(fixed) ?? []).map((seed, i) =>
    jobOf({ scenario, seed: String(seed), hours, set: [], verify: i === 0 }),
  )

const drawnJobs = ({ hours }: Corpus, scenario: string, seeds: readonly string[]): readonly Job[] =>
  seeds.map((seed) => jobOf({ scenario, seed, hours, set: [], verify: false }))

const jobOf = ({
  scenario,
  hours,
  set,
  seed,
  verify,
}: Omit<Job, 'recipe'> & Pick<Job['recipe'], 'scenario' | 'hours' | 'set'>): Job => ({
  recipe: { scenario, hours, set, plantBug: null },
  seed,
  verify,
})

/** What tells one seed's run from another. */
const nameOf = ({ recipe: { scenario, hours, set }, seed }: Job): string =>
  [scenario, hours, ...set, seed].join(' ')

/**
 * Says of each scenario what the seeds that every commit is tried with showed together; a code when something that one of
 * them wants happened in none. What a commit draws is left out: it would fail for what the next draws instead.
 */
function idleCodes(
  { done }: Answered,
  scenarios: readonly Scenario[],
  always: ReadonlySet<string>,
): readonly number[] {
  const summaries = scenarios.map((scenario) => {
    const results = done
      .filter(({ job }) => job.recipe.scenario === scenario.name)
      .filter(({ job }) => always.has(nameOf(job)))
      .map(({ result }) => result)
    return summarise(scenario, results)
  })
  for (const { scenario, seeds, messages, idleFaults, idleActs } of summaries) {
    const lacking = [...idleFaults, ...idleActs]
    const not = lacking.length === 0 ? '' : `; not here: ${lacking.join(', ')}`
    process.stderr.write(`${scenario}: ${seeds} seeds, ${messages} messages${not}\n`)
  }
  const never = neverHappened(summaries)
  if (never.length > 0) process.stderr.write(`NEVER HAPPENED: ${never.join(', ')}\n`)
  return never.length > 0 ? [exitCodes.idle] : []
}

/** What some scenario wants to have happened, and happened in none. */
const neverHappened = (summaries: readonly Summary[]): readonly string[] => {
  const happened = new Set(
    summaries.flatMap(({ faults, acts }) =>
      Object.entries({ ...faults, ...acts }).flatMap(([kind, times]) => (times > 0 ? [kind] : [])),
    ),
  )
  const wanted = new Set(summaries.flatMap(({ idleFaults, idleActs }) => [...idleFaults, ...idleActs]))
  return [...wanted].filter((kind) => !happened.has(kind))
}

/** The commit that is checked out; undefined where none is. */
function headNow(): string | undefined {
  try {
    const stdio: StdioOptions = ['ignore', 'pipe', 'ignore']
    return execFileSync('git', ['rev-parse', 'HEAD'], {
      cwd: import.meta.dirname,
      encoding: 'utf8',
      stdio,
    }).trim()
  } catch {
    return undefined
  }
}
