import type { CryptoProvider } from '@sotto/core/crypto'
import type { SpoilDevice, SpoilNetwork } from '../actors/machine.ts'
import { introduce } from '../actors/introduce.ts'
import { discardWrecks, removeStrays } from '../actors/linking.ts'
import { beginLife } from '../actors/talk.ts'
import { audit, type Tally } from '../laws/audit.ts'
import { livenessLaws, safetyLaws, type Law, type Violation } from '../laws/laws.ts'
import { unsettled } from '../laws/quiescence.ts'
import { calm, everyday } from '../world/conditions.ts'
import { World } from '../world/world.ts'
import { tellGrowth, tellHomes } from './afterwards.ts'
import { beginFaults } from './faults.ts'
import { drawPlan, type Plan } from './plan.ts'
import { UnknownHost } from './planned.ts'
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
  /** Devices that ever were, and groups. */
  readonly devices: number
  readonly groups: number
  readonly relayed: number
  readonly faults: Readonly<Record<string, number>>
  /** What people did. */
  readonly acts: Readonly<Record<string, number>>
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

const streamName = ({ name, drawsAs = name }: Scenario): string => drawsAs

/** Runs one seed of a scenario: people meet, workload and faults, heal, quiesce, audit. */
export async function runScenario(scenario: Scenario, options: RunOptions): Promise<RunResult> {
  const { seed, hours, crypto, line, plantCrypto, plantDevice, plantNetwork } = options
  const world = new World({ seed, crypto, line, plant: plantCrypto })
  const drawn = drawPlan(world.stream('plan'), hours)
  const shaped = scenario.shape?.(drawn, world.stream('plan', streamName(scenario)), hours) ?? drawn
  const given = { ...shaped, ...options.plan }
  const plan = options.adjust?.(given) ?? given
  const stage = new Stage(world, plan, hours * hour, { spoil: plantDevice, spoilNetwork: plantNetwork })
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
    await scenario.prepare?.(stage, world.stream('workload', streamName(scenario)))
    await disturb(stage, scenario)
    convergedMs = await heal(stage)
    await world.timeline.until(scenario.judge?.(stage) ?? Promise.resolve(), minute)
    tally = await world.timeline.until(audit(stage), minute)
    homes = await world.timeline.until(measure(stage), minute)
  } catch (error) {
    if (error instanceof UnknownHost) throw error
    if (error instanceof Paused)
      await world.timeline.until(options.look?.see(stage) ?? Promise.resolve(), minute)
    else crash = error instanceof Error ? (error.stack ?? error.message) : String(error)
  }
  for (const machine of stage.everything())
    if (machine.log.count('device-halted') > 0) crash ??= `${machine.name} halted on a bug of its own`
  const traceHash = world.trace.end()
  if (crash === null) await tellHomes(stage)
  const violated = [...new Set(world.ledger.violations.map((one) => one.law))].sort()
  return {
    scenario: scenario.name,
    seed: seed.toString(),
    hours,
    traceHash,
    virtualMs: Math.round(world.timeline.nowMs),
    events: world.timeline.events,
    convergedMs,
    bytesOutside: world.outside.totalBytes,
    ...tally,
    sends: world.ledger.said.size,
    devices: stage.everything().length,
    groups: [...world.ledger.rooms.values()].filter(({ group }) => group).length,
    relayed: world.ledger.accepted().filter((sent) => sent.relayed).length,
    faults: world.faults.toJSON(),
    acts: world.acts.toJSON(),
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
  for (const machine of stage.everything()) {
    let messages = 0
    for (const { conversationId } of (await machine.device?.view('conversations', {})) ?? []) {
      const history = await machine.history(conversationId)
      const whole = history.messages.filter(({ text, deleted }) => text !== null || deleted)
      stage.world.trace.tell('shows', () => ({
        host: machine.name,
        messages: whole.map(({ messageId }) => messageId).join(),
      }))
      messages += history.messages.length
    }
    homes.push({ host: machine.name, messages, bytes: await machine.disk.bytes() })
  }
  return homes
}

async function disturb(stage: Stage, scenario: Scenario): Promise<void> {
  const { world, plan } = stage
  world.trace.note('workload')
  world.air.conditions = plan.net
  beginLife(stage)
  beginFaults(stage)
  scenario.begin(stage, world.stream('faults', streamName(scenario)))
  tellGrowth(stage)
  await world.timeline.runUntil(world.timeline.nowMs + stage.lastsMs)
}

/** Ends every fault, opens every app, and waits until nothing is on its way. */
async function heal(stage: Stage): Promise<number | null> {
  const { world, relays } = stage
  const { timeline } = world
  world.trace.note('heal')
  world.air.conditions = { ...stage.plan.net, ...calmOf(stage.plan) }
  stage.close()
  for (const relay of relays) {
    relay.disk.failing = false
    relay.boot()
  }
  for (const machine of stage.everything()) {
    machine.disk.calm()
    machine.clock.errorMs = 0
    if (machine.disk.sick) await machine.crash()
    void machine.boot()
  }
  const healedAt = timeline.nowMs
  let left: string | undefined = 'nothing was looked at'
  while (timeline.nowMs - healedAt < healedWithinMs) {
    await timeline.runUntil(timeline.nowMs + 5 * second)
    await timeline.until(tidy(stage), minute)
    left = await timeline.until(unsettled(stage), minute)
    if (left === undefined) return timeline.nowMs - healedAt
  }
  world.ledger.violate('converged', `not settled ${healedWithinMs / minute} minutes after the heal: ${left}`)
  await timeline.runUntil(timeline.nowMs + hour)
  return null
}

/** People look at their lists of devices: what they do not hold in their hands goes. */
async function tidy(stage: Stage): Promise<void> {
  for (const person of stage.people) await removeStrays(stage, person)
  await discardWrecks(stage)
}

const calmOf = ({ net: { medianMs, sigma, bandwidth } }: Plan): typeof calm => ({
  ...calm,
  ...everyday,
  medianMs,
  sigma,
  bandwidth,
})
