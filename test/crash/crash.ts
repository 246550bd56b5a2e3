/**
 * `npm run crash -- --kills 100 [--seed 1] [--per-second 5] [--minutes 10]`: two daemons and a relay, real processes on
 * loopback, under a steady load of messages; one of the three is killed at a random moment, also while it
 * starts, and started again. In the end every message whose command succeeded is in both histories, once, in
 * order, and no (key, nonce) pair was used twice (recorder/). Exit code 1 when anything is wrong.
 */
import { mkdir } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { fileURLToPath } from 'node:url'
import { seededChoice } from '../support/faulty-store.ts'
import { temporaryFolder } from '../support/folder.ts'
import { RealNode } from '../support/real-node.ts'
import { Actor } from './actor.ts'
import { compareHistories } from './compare.ts'
import { readSeals, recordFolderVariable } from './recorder/seal-line.ts'
import type { SealReport } from './recorder/seal-line.ts'
import { Relay } from './relay.ts'
import { pause } from './victim.ts'

/** How hard to try. */
export interface CrashOptions {
  readonly kills: number
  readonly seed: number
  /** Messages each side writes a second. */
  readonly perSecond: number
  /** Kills no more after this long. */
  readonly minutes?: number
  readonly onProgress?: (line: string) => void
}

/** What became of it; `wrong` must be empty. */
export interface CrashReport {
  readonly kills: Readonly<Record<string, number>>
  /** Of them, kills of a daemon that was still starting. */
  readonly whileStarting: number
  /** Of them, kills in the moment a command had been answered. */
  readonly atAnswer: number
  /** Messages whose command succeeded, and commands that failed because of a kill. */
  readonly acknowledged: number
  readonly failed: number
  /** Of the failed ones, those whose message is there all the same: the answer was lost, not the message. */
  readonly failedButSent: number
  readonly seconds: number
  readonly seals: SealReport
  readonly wrong: readonly string[]
}

const register = fileURLToPath(new URL('./recorder/register.mjs', import.meta.url))
/** Delivery of what waits in the end may take this long. */
const settleMs = 120_000

interface World {
  readonly relay: Relay
  readonly actors: readonly [Actor, Actor]
}

async function meet([ada, bob]: World['actors'], relay: string): Promise<void> {
  await Promise.all([ada.node.begin(ada.name, '--relay', relay), bob.node.begin(bob.name, '--relay', relay)])
  const { link } = await ada.node.face.dispatch('create-invite', { direct: true })
  const { conversationId } = await bob.node.face.dispatch('add', { link })
  for (const actor of [ada, bob]) {
    await actor.node.until(async () =>
      (await actor.node.face.view('contacts', {})).some(({ state }) => state === 'connected'),
    )
    actor.begin(conversationId)
  }
}

/** Kills and restarts until the number is reached; what ended on its own is wrong. */
async function killAll(world: World, options: CrashOptions, wrong: string[]) {
  const choose = seededChoice(options.seed)
  const kills: Record<string, number> = { ada: 0, bob: 0, relay: 0 }
  let [whileStarting, atAnswer] = [0, 0]
  const untilMs = performance.now() + (options.minutes ?? Infinity) * 60_000
  for (let n = 1; n <= options.kills && performance.now() < untilMs; n++) {
    await pause(choose(1_200))
    const who = choose(5)
    const actor = world.actors[who >> 1]
    kills[actor?.name ?? 'relay']! += 1
    if (actor === undefined) {
      await world.relay.restart(wrong)
    } else {
      const { victim } = actor
      if (choose(2) === 0) {
        atAnswer += 1
        await victim.killAtAnswer(wrong)
      } else await victim.kill(wrong)
      if (choose(6) === 0) await actor.sendAlone(wrong)
      if (choose(4) === 0 && n < options.kills && (await victim.killStarting(choose(1_500)))) {
        n += 1
        whileStarting += 1
        kills[actor.name]! += 1
      }
      await victim.up(wrong)
    }
    const sent = world.actors.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0)
    options.onProgress?.(
      `kill ${n}/${options.kills} (${actor?.name ?? 'relay'}), ${sent} messages acknowledged`,
    )
  }
  return { kills, whileStarting, atAnswer }
}

/** Resolves once everything acknowledged is delivered, or says what is not. */
async function settle({ actors }: World, wrong: string[]): Promise<void> {
  const untilMs = Date.now() + settleMs
  for (const { node, name } of actors) {
    for (;;) {
      await node.face.dispatch('retry-now', {})
      const { outbox } = await node.face.view('status', {})
      if (outbox === 0) break
      if (Date.now() > untilMs) {
        wrong.push(`${name} has ${outbox} messages undelivered after ${settleMs} ms`)
        return
      }
      await pause(500)
    }
  }
}

/** Runs the campaign. */
export async function crash(options: CrashOptions): Promise<CrashReport> {
  const folder = temporaryFolder()
  const startMs = performance.now()
  const seals = `${folder.path}/seals`
  await mkdir(seals)
  const env = { NODE_OPTIONS: `--import ${register}`, [recordFolderVariable]: seals }
  const [ada, bob] = ['ada', 'bob'].map(
    (name) => new Actor(name, new RealNode(`${folder.path}/${name}`, env), 1_000 / options.perSecond),
  ) as [Actor, Actor]
  const world: World = { relay: await Relay.in(folder.path), actors: [ada, bob] }
  const wrong: string[] = []
  try {
    await meet(world.actors, await world.relay.up())
    const killed = await killAll(world, options, wrong)
    await Promise.all(world.actors.map((actor) => actor.endLoad()))
    await settle(world, wrong)
    const failedButSent = await compareHistories(world.actors, wrong)
    await Promise.all(world.actors.map((actor) => actor.node.end()))
    const sealed = await readSeals(seals)
    judge(sealed, world, wrong)
    return {
      ...killed,
      acknowledged: ada.acknowledged.length + bob.acknowledged.length,
      failed: ada.failed.length + bob.failed.length,
      failedButSent,
      seconds: Math.round((performance.now() - startMs) / 1_000),
      seals: sealed,
      wrong,
    }
  } finally {
    await Promise.all([ada.endLoad(), bob.endLoad()])
    await Promise.all([ada.node.end('SIGKILL'), bob.node.end('SIGKILL'), world.relay.end('SIGTERM')])
    folder.remove()
  }
}

function judge(seals: SealReport, { actors }: World, wrong: string[]): void {
  if (seals.pairsTwice > 0) wrong.push(`${seals.pairsTwice} (key, nonce) pairs were used twice`)
  if (seals.keysTwiceInOneProcess > 0)
    wrong.push(`${seals.keysTwiceInOneProcess} message keys sealed two texts in one process`)
  const sent = actors.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0)
  if (seals.seals < sent || seals.messageKeys === 0) wrong.push('the recorder did not see the seals')
}

function table({ seals, wrong, kills, ...rest }: CrashReport): string {
  const rows = {
    ...Object.fromEntries(Object.entries(kills).map(([who, n]) => [`kills of ${who}`, n])),
    ...rest,
    ...seals,
  }
  return [
    ...Object.entries(rows).map(([name, value]) => `${name.padEnd(24)} ${value}`),
    ...(wrong.length === 0
      ? ['nothing lost, nothing doubled, no key reused']
      : wrong.map((line) => `WRONG: ${line}`)),
  ].join('\n')
}

if (process.argv[1]?.endsWith('crash.ts') === true) {
  const { values } = parseArgs({
    options: {
      kills: { type: 'string', default: '100' },
      seed: { type: 'string', default: '1' },
      'per-second': { type: 'string', default: '5' },
      minutes: { type: 'string', default: 'Infinity' },
    },
  })
  const report = await crash({
    kills: Number(values.kills),
    seed: Number(values.seed),
    perSecond: Number(values['per-second']),
    minutes: Number(values.minutes),
    onProgress: (line) => console.error(line),
  })
  console.log(table(report))
  process.exitCode = report.wrong.length > 0 ? 1 : 0
}
