import type { CryptoProvider } from '@sotto/core/crypto'
import type { SpoilDevice, SpoilNetwork } from '../actors/user.ts'
import { beginTalk, introduce } from '../actors/workload.ts'
import { livenessLaws, safetyLaws, type Law, type Violation } from '../laws/ledger.ts'
import { allKnown, allShown, audit, type Tally } from '../laws/quiescence.ts'
import { calm } from '../world/conditions.ts'
import { World } from '../world/world.ts'
import { beginFaults } from './faults.ts'
import { drawPlan, type Plan } from './plan.ts'
import type { Scenario } from './scenario.ts'
import { Stage } from './stage.ts'

const second = 1_000
const minute = 60 * second
const hour = 60 * minute

/** Everything must have settled this long after the world has healed. */
export const healedWithinMs = 10 * minute

export interface RunOptions {
  readonly seed: bigint
  /** Virtual hours of workload and faults. */
  readonly hours: number
  readonly crypto: CryptoProvider
  readonly line?: ((line: string) => void) | undefined
  /** How a test plants a fault: in the provider, or between a device and its person. */
  readonly plantCrypto?: ((crypto: CryptoProvider) => CryptoProvider) | undefined
  readonly plantDevice?: SpoilDevice | undefined
  readonly plantNetwork?: SpoilNetwork | undefined
  /** Takes the place of what the seed would have drawn. */
  readonly plan?: Partial<Plan> | undefined
  readonly look?: Look | undefined
  /** Changes what the seed has drawn. */
  readonly adjust?: ((plan: Plan) => Plan) | undefined
}

/** A look at the world at a moment; the run ends with it. */
export interface Look {
  readonly atMs: number
  readonly see: (stage: Stage) => Promise<void>
}

/** Ends a run at the moment somebody wants to look. */
class Paused extends Error {}

/** What one seed showed. Fields are only ever added. */
export interface RunResult extends Tally {
  readonly scenario: string
  readonly seed: string
  readonly hours: number
  readonly traceHash: string
  readonly virtualMs: number
  readonly events: number
  /** Virtual milliseconds from the heal until everything accepted was shown and known to be. */
  readonly convergedMs: number | null
  readonly bytesOutside: number
  readonly sends: number
  readonly relayed: number
  readonly faults: Readonly<Record<string, number>>
  readonly plan: Plan
  readonly held: readonly Law[]
  readonly violated: readonly Law[]
  readonly violations: readonly Violation[]
  /** Virtual milliseconds from accepted to shown, of every message that was. */
  readonly latenciesMs: readonly number[]
  /** What every device holds at the end. */
  readonly homes: readonly Home[]
  /** A crash in product code, with its stack, or nothing. */
  readonly crash: string | null
}

/** What a device holds at the end of a run. */
export interface Home {
  readonly host: string
  readonly messages: number
  readonly bytes: number
}

/** Runs one seed of a scenario: people meet, workload and faults, heal, quiesce, audit. */
export async function runScenario(scenario: Scenario, options: RunOptions): Promise<RunResult> {
  const { seed, hours, crypto, line, plantCrypto, plantDevice, plantNetwork } = options
  const world = new World({ seed, crypto, line, plant: plantCrypto })
  const drawn = { ...drawPlan(world.stream('plan'), hours), ...options.plan }
  const plan = options.adjust?.(drawn) ?? drawn
  const stage = new Stage(world, plan, { spoil: plantDevice, spoilNetwork: plantNetwork })
  if (options.look !== undefined)
    world.timeline.after(options.look.atMs, () => {
      throw new Paused()
    })
  let crash: string | null = null
  let tally: Tally = { messages: 0, lost: 0, duplicated: 0, unauthenticated: 0, diverged: 0, keyReuse: 0 }
  let convergedMs: number | null = null
  let homes: readonly Home[] = []
  try {
    await introduce(stage)
    await disturb(stage, scenario, hours)
    convergedMs = await heal(stage)
    tally = await world.timeline.until(audit(stage), minute)
    homes = await world.timeline.until(measure(stage), minute)
  } catch (error) {
    if (error instanceof Paused)
      await world.timeline.until(options.look?.see(stage) ?? Promise.resolve(), minute)
    else crash = error instanceof Error ? (error.stack ?? error.message) : String(error)
  }
  for (const user of stage.users)
    if (user.log.count('device-halted') > 0) crash ??= `the device of ${user.name} halted on a bug of its own`
  const violated = [...new Set(world.ledger.violations.map((one) => one.law))].sort()
  return {
    scenario: scenario.name,
    seed: seed.toString(),
    hours,
    traceHash: world.trace.end(),
    virtualMs: Math.round(world.timeline.nowMs),
    events: world.timeline.events,
    convergedMs,
    bytesOutside: world.outside.totalBytes,
    ...tally,
    sends: world.ledger.sent.size,
    relayed: world.ledger.accepted().filter((sent) => sent.relayed).length,
    faults: world.faults.toJSON(),
    plan,
    held: crash === null ? [...safetyLaws, ...livenessLaws].filter((law) => !violated.includes(law)) : [],
    violated,
    violations: world.ledger.violations.slice(0, 20),
    latenciesMs: world.ledger
      .accepted()
      .flatMap(({ atMs, shownAtMs }) => (shownAtMs === undefined ? [] : [Math.round(shownAtMs - atMs)])),
    homes,
    crash,
  }
}

async function measure(stage: Stage): Promise<readonly Home[]> {
  const homes: Home[] = []
  for (const user of stage.users) {
    let messages = 0
    for (const id of user.conversations.values()) messages += (await user.history(id)).length
    homes.push({ host: user.name, messages, bytes: await user.disk.bytes() })
  }
  return homes
}

async function disturb(stage: Stage, scenario: Scenario, hours: number): Promise<void> {
  const { world, plan } = stage
  world.trace.note('workload')
  world.air.conditions = plan.net
  beginTalk(stage)
  beginFaults(stage)
  scenario.begin(stage, world.stream('faults', scenario.name))
  await world.timeline.runUntil(world.timeline.nowMs + hours * hour)
}

/** Ends every fault, opens every app, and waits until nothing is on its way. */
async function heal(stage: Stage): Promise<number | null> {
  const { world, relays, users } = stage
  const { timeline } = world
  world.trace.note('heal')
  world.air.conditions = { ...stage.plan.net, ...calmOf(stage.plan) }
  stage.close()
  for (const relay of relays) {
    relay.disk.failing = false
    relay.boot()
  }
  for (const user of users) {
    user.disk.mend()
    user.clock.errorMs = 0
    if (user.disk.sick) await user.crash()
    void user.boot()
  }
  const healedAt = timeline.nowMs
  while (timeline.nowMs - healedAt < healedWithinMs) {
    await timeline.runUntil(timeline.nowMs + 5 * second)
    if (allShown(stage) && (await timeline.until(allKnown(stage), minute))) return timeline.nowMs - healedAt
  }
  world.ledger.violate('converged', `not settled ${healedWithinMs / minute} minutes after the heal`)
  await timeline.runUntil(timeline.nowMs + hour)
  return null
}

const calmOf = ({ net }: Plan): typeof calm => ({ ...calm, medianMs: net.medianMs, sigma: net.sigma })
