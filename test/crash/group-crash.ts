/**
 * `npm run crash:group -- --kills 100 [--seed 1] [--minutes 20] [--killers 2]`: five daemons of four accounts, one of
 * which has two devices, and a relay, real processes on loopback. Their group writes, edits, takes back, reacts and is
 * renamed, and a member is let in and out, while one of the six (or, with two killers, two of them) is killed at a
 * random moment, also while it starts or the turn it answers a command. In the end everybody who was in all the time
 * shows what was acknowledged, once, and the same; no (key, nonce) pair was used twice (recorder/). Exit code 1 when
 * anything is wrong.
 */
import { mkdir } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { fileURLToPath } from 'node:url'
import { Deeds, type Doer } from '../support/deeds.ts'
import { seededChoice } from '../support/faulty-store.ts'
import { temporaryFolder } from '../support/folder.ts'
import { accountOf, linkHome, meet } from '../support/households.ts'
import { RealNode } from '../support/real-node.ts'
import { readSeals, recordFolderVariable, type SealReport } from './recorder/seal-line.ts'
import { Relay } from './relay.ts'
import { pause, Victim } from './victim.ts'

/** How hard to try. */
export interface GroupCrashOptions {
  readonly kills: number
  readonly seed: number
  /** Kills no more after this long. */
  readonly minutes?: number
  /** So many may be down at once; 1 when not said. */
  readonly killers?: number
  readonly onProgress?: (line: string) => void
}

/** What became of it; `wrong` must be empty. */
export interface GroupCrashReport {
  readonly kills: Readonly<Record<string, number>>
  /** Of them, kills of a daemon that was still starting, and in the moment a command had been answered. */
  readonly whileStarting: number
  readonly atAnswer: number
  /** Commands that were acknowledged, and those that failed because of a kill. */
  readonly acknowledged: number
  readonly failed: number
  readonly seconds: number
  readonly seals: SealReport
  readonly wrong: readonly string[]
}

interface Counts {
  readonly kills: Record<string, number>
  whileStarting: number
  atAnswer: number
}

const register = fileURLToPath(new URL('./recorder/register.mjs', import.meta.url))
/** Everybody has to agree so long after the last kill. */
const settleMs = 240_000
/** Between the deeds of one device. */
const gapMs = 700
const names = ['Ada', 'Bob', 'Cyd', 'Dee', 'laptop'] as const
/** Emoji of their own tell whose a reaction is; devices of one account have one word between them. */
const emoji: Readonly<Record<string, readonly string[]>> = {
  Ada: ['👍', '👎'],
  Bob: ['🎉', '🚲'],
  Cyd: ['🌊', '🌞'],
}

class Group {
  readonly victims: readonly Victim[]
  readonly relay: Relay
  readonly wrong: string[] = []
  deeds!: Deeds
  #writing = true
  #load: Promise<unknown> = Promise.resolve()
  readonly #choose: (below: number) => number
  #dee = ''
  /** Who is being killed or starts again. */
  readonly #down = new Set<string>()

  constructor(folder: string, relay: Relay, address: string, env: NodeJS.ProcessEnv, seed: number) {
    this.relay = relay
    this.#choose = seededChoice(seed)
    this.victims = names.map(
      (name) => new Victim(name, new RealNode(`${folder}/${name}`, env), ['--bootstrap', address]),
    )
  }

  #victim(name: (typeof names)[number]): Victim {
    return this.victims.find((one) => one.name === name)!
  }

  doer({ name, node, dispatch }: Victim): Doer {
    return { name, face: () => ({ ...node.face, dispatch }) }
  }

  /** Everybody meets, the second device is linked, and the group is opened. */
  async found(address: string): Promise<void> {
    const people = names.slice(0, 4).map((name) => this.#victim(name))
    const [ada, bob, cyd, dee] = people.map(({ node }) => node) as [RealNode, RealNode, RealNode, RealNode]
    for (const { name, node } of people) await node.begin(name, '--relay', address)
    for (const guest of [bob, cyd, dee]) await meet(ada, guest)
    await linkHome(ada, this.#victim('laptop').node, address)
    this.#dee = await accountOf(dee)
    const members = [await accountOf(bob), await accountOf(cyd)]
    const { conversationId } = await ada.face.dispatch('create-group', { name: 'Walkers', members })
    this.deeds = new Deeds(conversationId, 'Walkers')
    for (const name of ['Bob', 'Cyd', 'laptop'] as const) {
      const { node } = this.#victim(name)
      await node.until(async () =>
        (await node.face.view('conversations', {})).some((one) => one.conversationId === conversationId),
      )
    }
  }

  begin(): void {
    this.#load = Promise.all(this.victims.filter(({ name }) => name !== 'Dee').map((one) => this.#write(one)))
  }

  async endLoad(): Promise<void> {
    this.#writing = false
    await this.#load
  }

  async #write(victim: Victim): Promise<void> {
    while (this.#writing) {
      if (victim.node.isUp) await this.#deed(victim)
      await pause(gapMs)
    }
  }

  async #deed(victim: Victim): Promise<unknown> {
    const [doer, deeds] = [this.doer(victim), this.deeds]
    const { name } = victim
    const what = this.#choose(20)
    if (what < 11) return deeds.send(doer)
    if (what < 14) return deeds.edit(doer)
    if (what < 15) return deeds.delete(doer)
    const own = emoji[name]
    if (what < 18 && own !== undefined)
      return deeds.react(doer, this.#choose(2) === 0 ? 'Ada' : 'Cyd', own[this.#choose(2)]!)
    if (name !== 'Ada') return deeds.send(doer)
    return what === 18 ? deeds.rename(doer) : deeds.member(doer, this.#dee, this.#choose(2) === 0)
  }

  /** One kill of somebody no other kill is at, or two where the daemon is killed again while it starts. */
  async kill(counts: Counts): Promise<void> {
    await pause(this.#choose(1_200))
    const free = ['relay', ...names].filter((name) => !this.#down.has(name))
    const name = free[this.#choose(free.length)]!
    this.#down.add(name)
    await this.#killAndStart(name, counts)
    this.#down.delete(name)
  }

  async #killAndStart(name: string, counts: Counts): Promise<void> {
    const victim = this.victims.find((one) => one.name === name)
    counts.kills[name] = (counts.kills[name] ?? 0) + 1
    if (victim === undefined) return this.relay.restart(this.wrong)
    if (victim.name !== 'Dee' && this.#choose(2) === 0) {
      counts.atAnswer += 1
      await victim.killAtAnswer(this.wrong)
    } else await victim.kill(this.wrong)
    // Away for a while, so that sync has something to bring.
    if (this.#choose(5) === 0) await pause(5_000)
    if (this.#choose(4) === 0 && (await victim.killStarting(this.#choose(1_500)))) {
      counts.whileStarting += 1
      counts.kills[victim.name]! += 1
    }
    await victim.up(this.wrong)
  }

  /** Resolves once all who were in all the time show what they should, or says what is not so. */
  async settle(): Promise<void> {
    const untilMs = Date.now() + settleMs
    const readers = this.victims.filter(({ name }) => name !== 'Dee').map((one) => this.doer(one))
    for (;;) {
      for (const { node } of this.victims) await node.face.dispatch('retry-now', {})
      const found = await this.deeds.judge(readers)
      if (found.length === 0) return
      if (Date.now() > untilMs) return void this.wrong.push(...found)
      await pause(2_000)
    }
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    await Promise.all([...this.victims.map(({ node }) => node.end(signal)), this.relay.end('SIGTERM')])
  }
}

/** Runs the campaign. */
export async function groupCrash(options: GroupCrashOptions): Promise<GroupCrashReport> {
  const folder = temporaryFolder()
  const startMs = performance.now()
  const seals = `${folder.path}/seals`
  await mkdir(seals)
  const env = { NODE_OPTIONS: `--import ${register}`, [recordFolderVariable]: seals }
  const relay = await Relay.in(folder.path)
  const address = await relay.up()
  const group = new Group(folder.path, relay, address, env, options.seed)
  const counts: Counts = { kills: {}, whileStarting: 0, atAnswer: 0 }
  const killed = (): number => Object.values(counts.kills).reduce((sum, n) => sum + n, 0)
  try {
    await group.found(address)
    group.begin()
    const untilMs = performance.now() + (options.minutes ?? Infinity) * 60_000
    const killOn = async (): Promise<void> => {
      while (killed() < options.kills && performance.now() < untilMs) {
        await group.kill(counts)
        options.onProgress?.(`${killed()} of ${options.kills} kills, ${group.deeds.acknowledged} deeds`)
      }
    }
    await Promise.all(Array.from({ length: options.killers ?? 1 }, killOn))
    await group.endLoad()
    await group.settle()
    await group.end('SIGTERM')
    const sealed = await readSeals(seals)
    if (sealed.pairsTwice > 0) group.wrong.push(`${sealed.pairsTwice} (key, nonce) pairs were used twice`)
    if (sealed.keysTwiceInOneProcess > 0)
      group.wrong.push(`${sealed.keysTwiceInOneProcess} message keys sealed two texts in one process`)
    if (sealed.seals < group.deeds.acknowledged) group.wrong.push('the recorder did not see the seals')
    const { acknowledged, failed } = group.deeds
    const seconds = Math.round((performance.now() - startMs) / 1_000)
    return { ...counts, acknowledged, failed, seconds, seals: sealed, wrong: group.wrong }
  } finally {
    await group.endLoad()
    await group.end('SIGKILL')
    folder.remove()
  }
}

if (process.argv[1]?.endsWith('group-crash.ts') === true) {
  const { values } = parseArgs({
    options: {
      kills: { type: 'string', default: '100' },
      seed: { type: 'string', default: '1' },
      minutes: { type: 'string', default: 'Infinity' },
      killers: { type: 'string', default: '1' },
    },
  })
  const report = await groupCrash({
    kills: Number(values.kills),
    seed: Number(values.seed),
    minutes: Number(values.minutes),
    killers: Number(values.killers),
    onProgress: (line) => console.error(line),
  })
  console.log(JSON.stringify(report, undefined, 2))
  process.exitCode = report.wrong.length > 0 ? 1 : 0
}
