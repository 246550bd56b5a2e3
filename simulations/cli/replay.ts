import { readFailure } from '../report/folder.ts'
import { exitCodeOf, exitCodes } from '../report/summary.ts'
import type { Look, RunResult } from '../scenarios/run.ts'
import type { Stage } from '../scenarios/stage.ts'
import { runRecipe } from './recipe.ts'
import { readDuration } from './quantity.ts'
import { Refused } from './refused.ts'

export interface ReplayFlags {
  readonly until?: string
  readonly inspect?: string
  readonly json?: boolean
}

/** Lines of the trace shown of whom one looks at. */
const lastLines = 20

/** `replay`: the failed seed once more; at a moment, how things stand with somebody. */
export async function commandReplay(file: string, flags: ReplayFlags): Promise<number> {
  const failure = readFailure(file)
  const lines: string[] = []
  const result = await runRecipe(failure, BigInt(failure.seed), {
    line: (line) => lines.push(line),
    look: lookOf(flags, lines),
  })
  if (flags.until !== undefined) return exitCodes.held
  tell(result, flags)
  if (result.traceHash === failure.traceHash) return exitCodeOf(result)
  process.stderr.write(
    'the trace is another one than when it failed: the code has changed, or is not deterministic\n',
  )
  return exitCodes.nondeterminism
}

function lookOf({ until, inspect }: ReplayFlags, lines: readonly string[]): Look | undefined {
  if (until === undefined) {
    if (inspect !== undefined) throw new Refused('--inspect goes with --until')
    return undefined
  }
  const atMs = readDuration(until.replace(/^t=/, ''))
  if (atMs === undefined || atMs < 0)
    throw new Refused('--until is a time with its unit, such as 31.2s or 5h')
  return {
    atMs,
    see: async (stage) => {
      const seen = inspect === undefined ? standing(stage) : await inspection(stage, inspect, lines)
      process.stdout.write(`${JSON.stringify(seen, null, 2)}\n`)
    },
  }
}

function tell(result: RunResult, flags: ReplayFlags): void {
  if (flags.json === true) process.stdout.write(`${JSON.stringify(result)}\n`)
  for (const { law, atMs, what } of result.violations)
    process.stderr.write(`${law} at ${(atMs / 1000).toFixed(1)} s: ${what}\n`)
  if (result.crash !== null) process.stderr.write(`${result.crash}\n`)
}

/** Who is there, and what has been seen so far. */
const standing = ({ world, relays, everything }: Stage): unknown => ({
  atMs: world.timeline.nowMs,
  running: everything()
    .filter(({ device }) => device !== undefined)
    .map(({ name }) => name),
  relays: relays.filter(({ running }) => running).map(({ name }) => name),
  accepted: world.ledger.accepted().length,
  shown: world.ledger.accepted().filter(({ shownAtMs }) => shownAtMs !== undefined).length,
  faults: world.faults.toJSON(),
  violations: world.ledger.violations,
})

/** One device: what it says of itself, its conversations, and what befell it last. */
async function inspection(stage: Stage, name: string, lines: readonly string[]): Promise<unknown> {
  const machine = stage.everything().find((one) => one.name === name)
  if (machine === undefined)
    throw new Refused(
      `nothing is called ${name}; there are ${stage
        .everything()
        .map((one) => one.name)
        .join(', ')}`,
    )
  const mark = `"${name}"`
  const conversations: Record<string, unknown> = {}
  for (const view of (await machine.device?.view('conversations', {})) ?? []) {
    const { messages } = await machine.history(view.conversationId)
    conversations[`${view.kind} ${view.conversationId.slice(0, 8)}`] = messages.map(
      ({ messageId, text, author, state, outside }) => ({
        messageId: messageId.slice(0, 8),
        text: text?.slice(0, 24),
        mine: author.me,
        state,
        outside,
      }),
    )
  }
  return {
    atMs: stage.world.timeline.nowMs,
    running: machine.device !== undefined,
    clockErrorMs: machine.clock.errorMs,
    status: (await machine.device?.view('status', {})) ?? null,
    conversations,
    lately: lines
      .filter((line) => line.includes(mark))
      .slice(-lastLines)
      .map((line) => JSON.parse(line) as unknown),
  }
}
