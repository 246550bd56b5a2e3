/**
 * `npm run bitrot:store -- --flips 300 [--seed 1] [--commits 120]`: flips single bits in the files of a LevelDB
 * home, one at a time, and holds what the store then says against what was written. A flip may go unnoticed
 * only where it changes nothing: every reading is the truth or a typed failure. Tables are verified before
 * opening, as after a crash, for LevelDB would stop this process on some of the flips.
 */
import { mkdtemp, readdir, readFile, rm, writeFile, cp, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { openLevelStore } from '../../packages/core/bindings/level/index.ts'
import type { SealedStore } from '../../packages/core/src/device/sealed-store.ts'
import { PortError } from '../../packages/core/src/errors.ts'
import type { Store } from '../../packages/core/src/ports/index.ts'
import { seededChoice } from '../support/faulty-store.ts'
import { compare, openSealed, randomStep, type Choose, type Model } from '../support/sealed-model.ts'

/** What became of the flips. `silent` must be empty. */
export interface BitrotReport {
  readonly flips: number
  /** Nothing was wrong: the bit did not matter. */
  readonly harmless: number
  /** Opening or a reading failed with a typed error, or the store voiced a doubt. */
  readonly named: number
  /** File, bit and row of every wrong reading nobody was told of. */
  readonly silent: readonly string[]
}

interface Home {
  readonly path: string
  readonly model: Model
  readonly used: ReadonlySet<string>
}

async function writeHome(folder: string, commits: number, choose: Choose): Promise<Home> {
  const path = join(folder, 'whole', 'store')
  const used = new Set<string>()
  let model: Model = new Map()
  for (let opening = 0; opening < 3; opening++) {
    const store = await openSealed(await openLevelStore(path))
    for (let i = 0; i < commits / 3; i++) {
      const { writes, durable, after } = randomStep(model, choose, opening * commits + i)
      for (const { table, key } of writes) used.add(`${table.name}/${new TextDecoder().decode(key)}`)
      await store.commit(writes, { durable })
      model = after
    }
    await store.close()
  }
  return { path, model, used }
}

/** Flips one bit of one file, each byte of the home equally likely; says where. */
export async function flip(folder: string, choose: Choose): Promise<string> {
  const names = (await readdir(folder, { recursive: true })).sort()
  const sizes = await Promise.all(names.map((name) => stat(join(folder, name))))
  const files = names.flatMap((name, i) => {
    const size = sizes[i]?.isFile() === true && !/LOG|LOCK/.test(name) ? sizes[i].size : 0
    return size === 0 ? [] : [{ name, size }]
  })
  let at = choose(files.reduce((sum, { size }) => sum + size, 0))
  for (const { name, size } of files) {
    if (at < size) {
      const bytes = await readFile(join(folder, name))
      const bit = choose(8)
      bytes[at] = (bytes[at] ?? 0) ^ (1 << bit)
      await writeFile(join(folder, name), bytes)
      return `${name} byte ${at} bit ${bit}`
    }
    at -= size
  }
  throw new Error('The home is empty.')
}

async function open(path: string): Promise<SealedStore | 'refused'> {
  let below: Store | undefined
  try {
    below = await openLevelStore(path, { verify: 'always' })
    return await openSealed(below)
  } catch (error) {
    await below?.close().catch(() => undefined)
    if (error instanceof PortError) return 'refused'
    throw error
  }
}

async function judge(
  { path }: { readonly path: string },
  { model, used }: Home,
): Promise<'harmless' | 'named' | readonly string[]> {
  const store = await open(path)
  if (store === 'refused') return 'named'
  try {
    const { wrong, failed } = await compare(store, model, used)
    const doubted = store.doubt !== null
    const unnamed = wrong.filter(
      (id) => !failed.some((line) => line.startsWith(`list ${id.split('/')[0] ?? ''} `)),
    )
    if (unnamed.length > 0 && !doubted) return unnamed
    return wrong.length + failed.length > 0 || doubted ? 'named' : 'harmless'
  } finally {
    await store.close()
  }
}

/** Writes a home, then flips `flips` single bits, each in a fresh copy of it. */
export async function bitrot(flips: number, seed = 1, commits = 120): Promise<BitrotReport> {
  const folder = await mkdtemp(join(tmpdir(), 'sotto-bitrot-'))
  const choose = seededChoice(seed)
  const silent: string[] = []
  const counts = { harmless: 0, named: 0 }
  try {
    const home = await writeHome(folder, commits, choose)
    for (let i = 0; i < flips; i++) {
      const copy = join(folder, 'rotten')
      await cp(join(folder, 'whole'), copy, { recursive: true })
      const where = await flip(copy, choose)
      const verdict = await judge({ path: join(copy, 'store') }, home)
      if (typeof verdict === 'string') counts[verdict]++
      else silent.push(`${where}: ${verdict.join(', ')}`)
      await rm(copy, { recursive: true, force: true })
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
  return { flips, ...counts, silent }
}

if (process.argv[1]?.endsWith('bitrot.ts') === true) {
  const { values } = parseArgs({
    options: {
      flips: { type: 'string', default: '300' },
      seed: { type: 'string', default: '1' },
      commits: { type: 'string', default: '120' },
    },
  })
  const report = await bitrot(Number(values.flips), Number(values.seed), Number(values.commits))
  console.log(JSON.stringify(report, undefined, 2))
  process.exitCode = report.silent.length > 0 ? 1 : 0
}
