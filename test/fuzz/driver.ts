import { toHex } from '../../packages/core/src/wire/index.ts'
import { drawFrom, mutate } from './mutator.ts'

/** One decoder under fire. */
export interface FuzzTarget {
  /** `room/decoder`. */
  readonly name: string
  /** Inputs the decoder accepts; what the mutator starts from. */
  readonly seeds: readonly Uint8Array[]
  /**
   * Gives the bytes to the decoder and says whether it took them. Throws when the decoder did, or when what
   * it took is not what it would write: both are findings.
   */
  readonly run: (input: Uint8Array) => boolean | Promise<boolean>
  /** How many ordinary inputs one of this target costs; it gets that many times fewer. Default 1. */
  readonly weight?: number
}

/** An input that broke a promise, with what was thrown. */
export interface Finding {
  readonly target: string
  readonly input: string
  readonly error: string
}

/** What a campaign against one target saw. */
export interface FuzzResult {
  readonly target: string
  readonly inputs: number
  readonly accepted: number
  readonly refused: number
  readonly findings: readonly Finding[]
  /** Slowest input, milliseconds, repeated alone to leave out pauses of the machine; 0 without a stopwatch. */
  readonly slowestMs: number
  /** Inputs that stayed over the budget when repeated. */
  readonly overBudget: readonly string[]
}

/** How a campaign runs. */
export interface FuzzOptions {
  readonly inputs: number
  readonly seed: number
  /** Milliseconds one input may take, and the clock that measures; without it nothing is timed. */
  readonly budget?: { readonly ms: number; readonly now: () => number }
}

/** A finding for each distinct message, up to this many a target. */
const findingsKept = 5

/** Runs one target. */
export async function fuzz(target: FuzzTarget, options: FuzzOptions): Promise<FuzzResult> {
  const draw = drawFrom(options.seed ^ hashOf(target.name))
  const inputs = Math.max(1, Math.floor(options.inputs / (target.weight ?? 1)))
  const findings: Finding[] = []
  const overBudget: string[] = []
  let [accepted, refused, slowestMs] = [0, 0, 0]
  for (let i = 0; i < inputs; i++) {
    const input = i < target.seeds.length ? (target.seeds[i] ?? new Uint8Array()) : mutate(target.seeds, draw)
    const startMs = options.budget?.now() ?? 0
    try {
      if (await target.run(input)) accepted++
      else refused++
    } catch (error) {
      keep(findings, { target: target.name, input: toHex(input), error: String(error) })
    }
    if (options.budget === undefined) continue
    const tookMs = options.budget.now() - startMs
    if (tookMs <= slowestMs) continue
    const leastMs = await repeated(target, input, tookMs, options.budget.now)
    slowestMs = Math.max(slowestMs, leastMs)
    if (leastMs > options.budget.ms) overBudget.push(toHex(input))
  }
  return { target: target.name, inputs, accepted, refused, findings, slowestMs, overBudget }
}

function keep(findings: Finding[], finding: Finding): void {
  if (findings.length < findingsKept && !findings.some(({ error }) => error === finding.error))
    findings.push(finding)
}

/** The least of four runs: what the input costs, without what else the machine did. */
async function repeated(
  target: FuzzTarget,
  input: Uint8Array,
  firstMs: number,
  now: () => number,
): Promise<number> {
  let leastMs = firstMs
  for (let i = 0; i < 3; i++) {
    const startMs = now()
    try {
      await target.run(input)
    } catch {
      // The first run reported it.
    }
    leastMs = Math.min(leastMs, now() - startMs)
  }
  return leastMs
}

function hashOf(name: string): number {
  let hash = 7
  for (let i = 0; i < name.length; i++) hash = (hash * 31 + name.charCodeAt(i)) | 0
  return hash
}
