import { expect } from 'chai'
import type { SealedStore } from '../../../packages/core/src/device/sealed-store.ts'
import { PortError } from '../../../packages/core/src/errors.ts'
import { utf8 } from '../../../packages/core/src/wire/index.ts'
import { FaultyStore, seededChoice, type CrashMode } from '../../support/faulty-store.ts'
import { compare, openSealed, randomStep, tables, type Model, type Step } from '../../support/sealed-model.ts'

const modes: readonly CrashMode[] = ['drop-unsynced', 'drop-suffix', 'tear-last', 'keep']
const runs = Number(process.env['SOTTO_STORE_RUNS'] ?? 30)

/** A history and everything needed to judge what is left of it. */
interface History {
  /** The model after each commit that returned; the first is empty. */
  readonly models: Model[]
  /** Index of the newest model a power cut must not undo. */
  durable: number
  readonly used: Set<string>
  commits: number
  /** The model of a commit that was under way when the power went. */
  pending: Model | undefined
}

const newHistory = (): History => ({
  models: [new Map()],
  durable: 0,
  used: new Set(),
  commits: 0,
  pending: undefined,
})
const last = (history: History): Model => history.models.at(-1) ?? new Map()

async function commit(store: SealedStore, history: History, step: Step): Promise<void> {
  for (const { table, key } of step.writes) history.used.add(`${table.name}/${new TextDecoder().decode(key)}`)
  history.pending = step.after
  await store.commit(step.writes, { durable: step.durable })
  history.pending = undefined
  history.models.push(step.after)
  if (step.durable) history.durable = history.models.length - 1
}

async function write(
  store: SealedStore,
  history: History,
  steps: number,
  choose: (n: number) => number,
): Promise<void> {
  for (let i = 0; i < steps; i++)
    await commit(store, history, randomStep(last(history), choose, history.commits++))
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work
    return 'no failure'
  } catch (error) {
    if (error instanceof PortError) return error.code
    throw error
  }
}

/** The model the store shows, if it shows one that a power cut may leave; the history goes on from it. */
async function settleOn(store: SealedStore, history: History): Promise<boolean> {
  const allowed = [...history.models.slice(history.durable), ...(history.pending ? [history.pending] : [])]
  for (const model of allowed.reverse()) {
    const { wrong, failed } = await compare(store, model, history.used)
    if (wrong.length + failed.length > 0) continue
    history.models.splice(0, Infinity, model)
    history.durable = 0
    history.pending = undefined
    return true
  }
  return false
}

describe('sealed store under faults', () => {
  it('after a power cut shows exactly one of the states that may be left', async () => {
    for (let seed = 1; seed <= runs; seed++) {
      const choose = seededChoice(seed)
      let below = new FaultyStore(seed)
      const history = newHistory()
      for (let round = 0; round < 3; round++) {
        below = await below.reopen()
        const store = await openSealed(below)
        expect(await settleOn(store, history), `seed ${seed} round ${round}`).to.equal(true)
        if (round > 0) expect(store.doubt).to.be.oneOf(['unclean', 'truncated', 'unmarked'])
        await write(store, history, 1 + choose(30), choose)
        await below.crash(modes[choose(2)] ?? 'keep')
      }
    }
  })

  it('survives a cut at every write boundary of a script, in every mode', async function () {
    this.timeout(120_000)
    const steps = Number(process.env['SOTTO_STORE_STEPS'] ?? 24)
    let cuts = 0
    for (let boundary = 1; ; boundary++) {
      let reached = false
      for (const mode of modes) {
        const choose = seededChoice(99)
        let below = new FaultyStore(boundary)
        const history = newHistory()
        below.cutAt(boundary, mode)
        const run = async (): Promise<void> => {
          const store = await openSealed(below)
          await write(store, history, steps, choose)
          await store.close()
        }
        reached = (await codeOf(run())) !== 'no failure'
        cuts++
        below = await below.reopen()
        // A torn batch breaks the promise of the store below; what creates the store has nothing to lose.
        if (mode === 'tear-last' && boundary === 1) continue
        const again = await openSealed(below)
        const whole = await settleOn(again, history)
        const named = again.doubt === 'broken' || again.damaged.length > 0
        expect(whole || (mode === 'tear-last' && named), `cut ${boundary} ${mode}: ${again.doubt}`).to.equal(
          true,
        )
      }
      if (!reached) break
    }
    expect(cuts).to.be.greaterThan(4 * steps)
  })

  it('under bit rot reads the truth or a typed failure, and nothing gets lost in silence', async () => {
    let failures = 0
    for (let seed = 1; seed <= 6 * runs; seed++) {
      const choose = seededChoice(seed)
      let below = new FaultyStore(seed)
      const history = newHistory()
      const store = await openSealed(below)
      await write(store, history, 5 + choose(30), choose)
      await store.close()
      below = await below.reopen()
      for (let flips = 0; flips <= choose(3); flips++) await below.rot(choose(4) === 0 ? 'key' : 'value')
      let rotten: SealedStore
      try {
        rotten = await openSealed(below)
      } catch (error) {
        expect(error).to.be.instanceOf(PortError)
        expect((error as PortError).code).to.be.oneOf(['E_STORE_CORRUPT'])
        failures++
        continue
      }
      const { wrong, failed } = await compare(rotten, last(history), history.used)
      if (failed.length > 0) failures++
      // A missing append row reads as absent; the list of its table must then refuse.
      for (const id of wrong) {
        const named = failed.some((line) => line.startsWith(`list ${id.split('/')[0]} `))
        expect(named || rotten.doubt === 'broken', `seed ${seed}: ${id} was wrong and not named`).to.equal(
          true,
        )
      }
    }
    expect(failures).to.be.greaterThan(runs)
  })

  it('names a rollback of any part of the store', async () => {
    let steppedBack = 0
    for (let seed = 1; seed <= 4 * runs; seed++) {
      const choose = seededChoice(seed)
      let below = new FaultyStore(seed)
      const history = newHistory()
      let store = await openSealed(below)
      await write(store, history, 5 + choose(20), choose)
      const old = await below.snapshot()
      await write(store, history, 1 + choose(20), choose)
      await store.close()
      const share = 2 + choose(8)
      await below.restore(old, { which: () => choose(share) === 0 })
      below = await below.reopen()
      try {
        store = await openSealed(below)
      } catch (error) {
        expect((error as PortError).code).to.equal('E_STORE_CORRUPT')
        continue
      }
      const { wrong, failed } = await compare(store, last(history), history.used)
      if (wrong.length > 0) steppedBack++
      for (const id of wrong) {
        const named = failed.some((line) => line.startsWith(`list ${id.split('/')[0]} `))
        const doubted = store.doubt === 'broken' || store.doubt === 'rolled-back'
        expect(named || doubted, `seed ${seed}: ${id} stepped back unnoticed`).to.equal(true)
      }
    }
    expect(steppedBack).to.be.greaterThan(0)
  })

  it('names a rollback of all of it through the mark, at every opening until it is settled', async () => {
    let below = new FaultyStore()
    const history = newHistory()
    const choose = seededChoice(5)
    let store = await openSealed(below)
    await write(store, history, 10, choose)
    const old = await below.snapshot()
    await write(store, history, 10, choose)
    const { generation, boot } = store
    await store.close()
    await below.restore(old)
    for (let opening = 0; opening < 3; opening++) {
      below = await below.reopen()
      store = await openSealed(below)
      expect(store.doubt).to.equal('rolled-back')
      expect(store.generation).to.be.greaterThan(generation)
      expect(store.boot).to.be.greaterThan(boot + opening)
      if (opening === 2) await store.commit([], { durable: true, settlesDoubt: true })
      await store.close()
    }
    expect((await openSealed(await below.reopen())).doubt).to.equal(null)
  })

  it('tells an emptied store from a new one by the mark', async () => {
    const below = new FaultyStore()
    const empty = await below.snapshot()
    const store = await openSealed(below)
    expect(store.doubt).to.equal(null)
    await store.close()
    await below.restore(empty)
    const again = await openSealed(await below.reopen())
    expect([again.doubt, again.boot]).to.deep.equal(['wiped', 2])
  })

  it('says unmarked when the mark is gone and unclean after a kill', async () => {
    let below = new FaultyStore()
    await (await openSealed(below)).close()
    const { rows } = await below.snapshot()
    await below.restore({ rows, mark: undefined }, { mark: true })
    below = await below.reopen()
    const store = await openSealed(below)
    expect(store.doubt).to.equal('unmarked')
    await store.commit([], { durable: true, settlesDoubt: true })
    await below.crash('keep')
    expect((await openSealed(await below.reopen())).doubt).to.equal('unclean')
  })

  it('changes nothing when the disk is full, goes on reading, and commits again once there is room', async () => {
    const below = new FaultyStore()
    const store = await openSealed(below)
    const [sessions = { name: '', kind: 'mutable' as const }] = tables
    const put = (value: string) =>
      store.commit([{ table: sessions, key: utf8('a'), value: utf8(value) }], { durable: true })
    await put('1')
    const { generation } = store
    below.fullAfter(0)
    expect(await codeOf(put('2'))).to.equal('E_STORE_FULL')
    expect(await codeOf(put('3'))).to.equal('E_STORE_FULL')
    expect(store.generation).to.equal(generation)
    expect(await store.get(sessions, utf8('a'))).to.deep.equal(utf8('1'))
    below.free()
    await put('4')
    expect(await store.get(sessions, utf8('a'))).to.deep.equal(utf8('4'))
    await store.close()
    const again = await openSealed(await below.reopen())
    expect(await again.get(sessions, utf8('a'))).to.deep.equal(utf8('4'))
    expect(again.doubt).to.equal(null)
  })

  it('loses no append row whose page, list and count say it is there (count without reading)', async () => {
    const below = new FaultyStore()
    const store = await openSealed(below)
    const bodies = { name: 'bodies', kind: 'append' } as const
    for (let i = 0; i < 20; i++)
      await store.commit([{ table: bodies, key: utf8(`${i}`), value: utf8('x') }], { durable: false })
    await store.commit(
      [
        { table: bodies, key: utf8('3'), value: null },
        { table: bodies, key: utf8('absent'), value: null },
      ],
      { durable: true },
    )
    expect(store.count(bodies)).to.equal(19)
    await store.close()
    const again = await openSealed(await below.reopen())
    expect(again.count(bodies)).to.equal(19)
    expect(await again.list(bodies)).to.have.length(19)
  })
})
