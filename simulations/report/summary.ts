import { safetyLaws } from '../laws/laws.ts'
import type { RunResult } from '../scenarios/run.ts'
import type { Recipe } from '../scenarios/recipe.ts'
import type { Scenario } from '../scenarios/scenario.ts'

/** Exit codes of `sotto-sim`. */
export const exitCodes = {
  held: 0,
  usage: 1,
  safety: 10,
  liveness: 11,
  crash: 12,
  budget: 13,
  nondeterminism: 14,
  worse: 15,
  idle: 16,
} as const

/** What a sweep of seeds showed together. */
export interface Summary {
  readonly scenario: string
  readonly claim: string
  readonly seeds: number
  readonly hours: number
  readonly messages: number
  readonly relayed: number
  readonly lost: number
  readonly duplicated: number
  readonly unauthenticated: number
  readonly diverged: number
  readonly keyReuse: number
  readonly slowestConvergedMs: number
  readonly faults: Readonly<Record<string, number>>
  /** Faults of the scenario that never struck: a green sweep with one is an idle one. */
  readonly idleFaults: readonly string[]
  /** What people did in all seeds together, and what of the scenario nobody did. */
  readonly acts: Readonly<Record<string, number>>
  readonly idleActs: readonly string[]
  readonly failedSeeds: readonly string[]
}

/** Adds the results of a sweep up. */
export function summarise(scenario: Scenario, results: readonly RunResult[]): Summary {
  const sum = (of: (one: RunResult) => number): number => results.reduce((total, one) => total + of(one), 0)
  const faults = added(results.map((one) => one.faults))
  const acts = added(results.map((one) => one.acts))
  return {
    scenario: scenario.name,
    claim: scenario.claim,
    seeds: results.length,
    hours: results[0]?.hours ?? 0,
    messages: sum((one) => one.messages),
    relayed: sum((one) => one.relayed),
    lost: sum((one) => one.lost),
    duplicated: sum((one) => one.duplicated),
    unauthenticated: sum((one) => one.unauthenticated),
    diverged: sum((one) => one.diverged),
    keyReuse: sum((one) => one.keyReuse),
    slowestConvergedMs: Math.max(0, ...results.map((one) => Math.round(one.convergedMs ?? 0))),
    faults,
    idleFaults: scenario.expects.filter((kind) => (faults[kind] ?? 0) === 0),
    acts,
    idleActs: scenario.acts.filter((kind) => (acts[kind] ?? 0) === 0),
    failedSeeds: results.filter((one) => exitCodeOf(one) !== exitCodes.held).map((one) => one.seed),
  }
}

/** Whether a fault the scenario declares never struck, or nobody did something people do in it. */
export const isIdle = ({ idleFaults, idleActs }: Summary): boolean => idleFaults.length + idleActs.length > 0

function added(counts: readonly Readonly<Record<string, number>>[]): Readonly<Record<string, number>> {
  const sums: Record<string, number> = {}
  for (const one of counts)
    for (const [kind, times] of Object.entries(one)) sums[kind] = (sums[kind] ?? 0) + times
  return sums
}

/** The exit code one result earns. */
export function exitCodeOf(result: RunResult): number {
  if (result.crash !== null) return exitCodes.crash
  if (result.violated.some((law) => safetyLaws.some((safety) => safety === law))) return exitCodes.safety
  return result.violated.length > 0 ? exitCodes.liveness : exitCodes.held
}

/** The worst of several: a safety violation before a crash, before what merely took too long. */
export function worstOf(codes: readonly number[]): number {
  const order = [
    exitCodes.safety,
    exitCodes.crash,
    exitCodes.nondeterminism,
    exitCodes.liveness,
    exitCodes.idle,
    exitCodes.budget,
  ]
  return order.find((code) => codes.includes(code)) ?? codes.find((code) => code !== 0) ?? exitCodes.held
}

/** A result as people read it, one line, with what to run again when it failed. */
export function lineOf(result: RunResult): string {
  const code = exitCodeOf(result)
  const { seed, messages, relayed, convergedMs, violated, crash } = result
  const settled =
    convergedMs === null ? 'not settled' : `settled ${(convergedMs / 1000).toFixed(0)} s after the heal`
  const verdict = code === exitCodes.held ? 'held  ' : 'FAILED'
  const why = crash === null ? violated.join(', ') : (crash.split('\n')[0] ?? 'crash')
  return `${verdict} seed ${seed}: ${messages} messages, ${relayed} by relay, ${settled}${why === '' ? '' : ` (${why})`}`
}

/** How to see one seed again. */
export function reproduce(result: RunResult, recipe?: Recipe): string {
  const bug = recipe?.plantBug ?? null
  const planted = bug === null ? '' : ` --plant-bug ${bug}`
  if (recipe?.own !== undefined) return `sotto-sim run ${recipe.own.file} --seed ${result.seed}${planted}`
  const set = (recipe?.set ?? []).map((one) => ` --set ${one}`).join('')
  return `sotto-sim run ${result.scenario} --seed ${result.seed} --hours ${result.hours}${set}${planted}`
}
