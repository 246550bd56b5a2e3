/**
 * `npm run bitrot -- --flips 300 [--seed 1] [--messages 300]`: three real daemons, two of them of one account, fill a
 * home with a direct conversation and a group, one copy of it closed in good order and one left by a kill. Then single bits of its database and mark are flipped, each in a
 * fresh copy, and the home is opened twice without a network by a process of its own. Each reading must be the
 * truth, a typed failure, or name what is missing; a process that dies may do so once. Exit code 1 otherwise.
 */
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { cp, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { fileURLToPath } from 'node:url'
import { seededChoice } from '../support/faulty-store.ts'
import { temporaryFolder } from '../support/folder.ts'
import { accountOf, linkHome, meet } from '../support/households.ts'
import { RealNode } from '../support/real-node.ts'
import { flip } from './bitrot.ts'
import type { ReadMessage, ReadOrder, Reading } from './bitrot-reader.ts'
import { Relay } from './relay.ts'

/** What became of the flips. `wrong` must be empty. */
export interface HomeBitrotReport {
  readonly flips: number
  readonly messages: number
  /** The bit did not matter: everything read was the truth. */
  readonly harmless: number
  /** The home was refused with a typed error. */
  readonly refused: number
  /** The home opened, and what is gone was named: a gap, a damaged message, a failed query, a warning. */
  readonly named: number
  /** The process that opened the home died, and the next one did not. */
  readonly died: number
  readonly codes: Readonly<Record<string, number>>
  readonly wrong: readonly string[]
}

/** A filled home: `homes` are copies of its store, `keys` is where key and format lie. */
interface Filled {
  readonly keys: string
  readonly stores: readonly string[]
  readonly conversations: readonly string[]
}

const url = (path: string): URL => new URL(path, import.meta.url)
const patienceMs = 60_000

/**
 * Daemons on loopback, two of them of one account, write to each other, directly and in a group, until half of
 * `messages` are in either conversation and everybody has everything.
 */
async function fill(folder: string, messages: number): Promise<Filled> {
  const nodes = ['ada', 'bob', 'laptop'].map((name) => new RealNode(join(folder, name)))
  const [ada, bob, laptop] = nodes as [RealNode, RealNode, RealNode]
  const relay = await Relay.in(folder)
  try {
    const address = await relay.up()
    await Promise.all([ada.begin('Ada', '--relay', address), bob.begin('Bob', '--relay', address)])
    await meet(ada, bob)
    await linkHome(ada, laptop, address)
    const [direct] = await ada.face.view('conversations', {})
    const members = [await accountOf(bob)]
    const group = await ada.face.dispatch('create-group', { name: 'Rot', members })
    const conversations = [direct!.conversationId, group.conversationId]
    for (const node of nodes) await untilIn(node, conversations)
    await talk([ada, bob], conversations[0]!, messages / 2)
    await talk(nodes, conversations[1]!, messages / 2)
    for (const node of nodes) await node.until(async () => (await node.face.view('status', {})).outbox === 0)
    const stores = ['closed', 'killed'].map((name) => join(folder, name))
    await ada.end('SIGKILL')
    await copyStore(ada.home, stores[1] ?? '')
    await ada.up()
    await ada.end()
    await copyStore(ada.home, stores[0] ?? '')
    return { keys: ada.home, stores, conversations }
  } finally {
    await Promise.all([...nodes.map((node) => node.end('SIGKILL')), relay.end('SIGTERM')])
  }
}

/** Resolves once a device takes part in all of these. */
const untilIn = (node: RealNode, conversations: readonly string[]): Promise<void> =>
  node.until(async () => {
    const here = (await node.face.view('conversations', {})).map(({ conversationId }) => conversationId)
    return conversations.every((id) => here.includes(id))
  })

/** Messages by turns; of every ten one is edited, one taken back and one reacted to. */
async function talk(nodes: readonly RealNode[], conversationId: string, messages: number): Promise<void> {
  for (let n = 0; n < messages; n++) {
    const { face, home } = nodes[n % nodes.length]!
    const { messageId } = await face.dispatch('send', {
      conversationId,
      text: `${home.at(-1) ?? ''} says ${n}`,
    })
    if (n % 10 === 3) await face.dispatch('edit', { messageId, text: `${home.at(-1) ?? ''} edits ${n}` })
    if (n % 10 === 6) await face.dispatch('delete', { messageId })
    if (n % 10 === 9) await face.dispatch('react', { messageId, emoji: '👍' })
  }
}

async function copyStore(from: string, to: string): Promise<void> {
  await mkdir(to)
  for (const name of ['store', 'store.mark', 'store.open'])
    await cp(join(from, name), join(to, name), { recursive: true }).catch((error: unknown) => {
      if (name !== 'store.open') throw error
    })
}

/** A reader process; a new one takes the place of one that died. */
class Reader {
  #child: ChildProcess | undefined

  #start(): ChildProcess {
    const polyfill = url('../../packages/core/bindings/host-node/polyfill.mjs').href
    return fork(fileURLToPath(url('./bitrot-reader.ts')), {
      execArgv: ['--import', polyfill, '--import', 'tsx', '--conditions=sotto-source'],
      env: { ...process.env, NODE_OPTIONS: '' },
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    })
  }

  /** What the home said, or how the process that opened it ended. */
  async read(order: ReadOrder): Promise<Reading | 'died' | 'hung'> {
    const child = (this.#child ??= this.#start())
    const answer = Promise.withResolvers<Reading | 'died' | 'hung'>()
    const onMessage = (reading: unknown): void => answer.resolve(reading as Reading)
    const onExit = (): void => answer.resolve('died')
    child.once('message', onMessage).once('exit', onExit)
    const timer = setTimeout(() => answer.resolve('hung'), patienceMs)
    child.send(order)
    const result = await answer.promise
    clearTimeout(timer)
    child.off('message', onMessage).off('exit', onExit)
    if (typeof result === 'string') this.stop()
    return result
  }

  stop(): void {
    this.#child?.kill('SIGKILL')
    this.#child = undefined
  }
}

/** Whether a failure says that the home is damaged. */
const namesDamage = (code: string): boolean => code.startsWith('E_STORE_')

/** What is wrong with a reading, and whether it names that anything is. */
export function judgeReading(
  reading: Reading,
  truth: Reading,
): { readonly wrong: string[]; readonly named: boolean } {
  const wrong = reading.untyped.map((text) => `untyped: ${text}`)
  wrong.push(...reading.failed.filter((code) => !namesDamage(code)).map((code) => `failed with ${code}`))
  const known = new Map(truth.messages.map((message) => [message.messageId, message]))
  const older: string[] = []
  for (const message of reading.messages) {
    const { messageId, text, author } = message
    const real = known.get(messageId)
    if (real === undefined) wrong.push(`a message that never was: ${String(text)}`)
    else if (author !== real.author) wrong.push(`wrong author of ${String(real.text)}`)
    else if (text !== null && !looksLike(message, real)) {
      if (lookedLike(message, real)) older.push(`${text} stands as it was before, unnamed`)
      else wrong.push(`wrong text: ${text}, not ${String(real.text)}`)
    }
  }
  const warned = reading.warnings.some((code) => !truth.warnings.includes(code))
  const damaged = reading.messages.some(
    ({ messageId, text }) => text === null && known.get(messageId)?.text !== null,
  )
  const said = reading.failed.length > 0 || warned
  const named = said || reading.missing > truth.missing || damaged
  const gone = known.size - reading.messages.length
  if (!named) wrong.push(...older)
  if (!said) {
    if (gone > reading.missing - truth.missing) wrong.push(`${gone} messages gone, ${reading.missing} named`)
    const moved = reading.messages.filter(({ messageId, state }) => known.get(messageId)?.state !== state)
    if (moved.length > 0) wrong.push(`${moved.length} messages stand elsewhere on the ladder, unnamed`)
    for (const [query, answer] of Object.entries(truth.rest))
      if (reading.rest[query] !== answer) wrong.push(`${query} is ${reading.rest[query] ?? 'gone'}`)
  }
  return { wrong, named }
}

const looksLike = (one: ReadMessage, real: ReadMessage): boolean =>
  one.text === real.text && one.edited === real.edited && one.reactions === real.reactions

/** Whether a message may have been shown so before it was edited, taken back or reacted to: see `talk`. */
const lookedLike = (one: ReadMessage, real: ReadMessage): boolean =>
  !one.edited &&
  one.reactions === '' &&
  (real.deleted || one.text === real.text?.replace(' edits ', ' says '))

class Campaign {
  readonly #reader = new Reader()
  readonly #filled: Filled
  readonly #copy: string
  readonly codes: Record<string, number> = {}
  readonly counts = { harmless: 0, refused: 0, named: 0, died: 0 }
  readonly wrong: string[] = []

  constructor(folder: string, filled: Filled) {
    this.#filled = filled
    this.#copy = join(folder, 'rotten')
  }

  stop(): void {
    this.#reader.stop()
  }

  async #fresh(store: string): Promise<ReadOrder> {
    await rm(this.#copy, { recursive: true, force: true })
    await cp(store, this.#copy, { recursive: true })
    const { keys, conversations } = this.#filled
    return { store: join(this.#copy, 'store'), home: keys, conversations }
  }

  /** What the whole home says. */
  async truth(store: string): Promise<Reading> {
    const reading = await this.#reader.read(await this.#fresh(store))
    if (typeof reading === 'string' || reading.failed.length + reading.untyped.length > 0)
      throw new Error(`the whole home cannot be read: ${JSON.stringify(reading)}`)
    return reading
  }

  async one(store: string, truth: Reading, choose: (below: number) => number): Promise<void> {
    const order = await this.#fresh(store)
    const where = await flip(this.#copy, choose)
    const first = await this.#readOnceMore(order, where)
    if (first === undefined) return
    const readings = [first, await this.#reader.read(order)]
    let worst: 'harmless' | 'named' | 'refused' = 'harmless'
    for (const reading of readings) {
      if (typeof reading === 'string') {
        this.wrong.push(`${where}: the second opening ${reading}`)
        return
      }
      const { wrong, named } = judgeReading(reading, truth)
      this.wrong.push(...wrong.map((text) => `${where}: ${text}`))
      for (const code of [...reading.failed, ...reading.warnings])
        this.codes[code] = (this.codes[code] ?? 0) + 1
      const refused = Object.keys(reading.rest).length === 0
      if (refused) worst = 'refused'
      else if (named && worst === 'harmless') worst = 'named'
    }
    this.counts[worst] += 1
  }

  /** The first opening may end the process; the one after may not. */
  async #readOnceMore(order: ReadOrder, where: string): Promise<Reading | undefined> {
    const first = await this.#reader.read(order)
    if (typeof first !== 'string') return first
    if (first === 'died') this.counts.died += 1
    const second = first === 'hung' ? first : await this.#reader.read(order)
    if (typeof second !== 'string') return second
    this.wrong.push(`${where}: the process ${second}, again and again`)
    return undefined
  }
}

/** Fills a home, then flips `flips` single bits, each in a fresh copy of it. */
export async function bitrotHome(
  flips: number,
  seed: number,
  messages: number,
  onProgress: (line: string) => void = () => undefined,
): Promise<HomeBitrotReport> {
  const folder = temporaryFolder()
  try {
    const filled = await fill(folder.path, messages)
    const campaign = new Campaign(folder.path, filled)
    try {
      const truths: Reading[] = []
      for (const store of filled.stores) truths.push(await campaign.truth(store))
      const choose = seededChoice(seed)
      for (let n = 0; n < flips; n++) {
        const at = n % filled.stores.length
        await campaign.one(filled.stores[at] ?? '', truths[at]!, choose)
        if ((n + 1) % 25 === 0) onProgress(`${n + 1} of ${flips}, ${campaign.wrong.length} wrong`)
      }
      const { counts, codes, wrong } = campaign
      return { flips, messages: truths[0]?.messages.length ?? 0, ...counts, codes, wrong }
    } finally {
      campaign.stop()
    }
  } finally {
    folder.remove()
  }
}

if (process.argv[1]?.endsWith('bitrot-home.ts') === true) {
  const { values } = parseArgs({
    options: {
      flips: { type: 'string', default: '300' },
      seed: { type: 'string', default: '1' },
      messages: { type: 'string', default: '300' },
    },
  })
  const say = (line: string): void => console.error(line)
  const report = await bitrotHome(Number(values.flips), Number(values.seed), Number(values.messages), say)
  console.log(JSON.stringify(report, undefined, 2))
  process.exitCode = report.wrong.length > 0 ? 1 : 0
}
