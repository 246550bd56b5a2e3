import { expect } from 'chai'
import { Town, type Person } from '../support/devices.ts'
import { FaultyStore, seededChoice, type CrashMode } from '../support/faulty-store.ts'
import { befriend } from '../support/friends.ts'
import { KeyWatch } from '../support/key-watch.ts'

const modes: readonly CrashMode[] = ['drop-unsynced', 'drop-suffix', 'keep']
/** Runs of the script, each with the cuts one write later. */
const runs = Number(process.env['SOTTO_POWER_RUNS'] ?? 1)
const operations = Number(process.env['SOTTO_POWER_OPERATIONS'] ?? 200)

/** A person whose machine loses power at planned writes and starts again. */
class Fragile {
  readonly person: Person
  store: FaultyStore
  cuts = 0
  readonly #town: Town

  constructor(town: Town, person: Person, store: FaultyStore) {
    this.#town = town
    this.person = person
    this.store = store
  }

  /** Carries one command out, or fails as a process does whose machine went dark. */
  async attempt(work: () => Promise<unknown>): Promise<boolean> {
    const done = await work().then(
      () => true,
      () => false,
    )
    await this.#town.pass(100)
    return done
  }

  async restart(mode: CrashMode): Promise<void> {
    await this.store.crash(mode)
    await this.person.close().catch(() => undefined)
    this.cuts += 1
    this.store = await this.store.reopen()
    this.person.store = this.store
    await this.person.open(true)
  }
}

async function run(offset: number): Promise<void> {
  const watch = new KeyWatch()
  const town = await Town.found(watch.over)
  town.port = watch.port
  const store = new FaultyStore(offset + 1)
  const ada = new Fragile(town, await town.person('Ada', { store }), store)
  const bob = await town.person('Bob')
  const conversationId = await befriend(town, ada.person, bob)
  const choose = seededChoice(offset + 99)
  const accepted: string[] = []
  const attempted = new Set<string>()
  for (let n = 0; n < operations; n++) {
    const text = `${n % 3 === 2 ? 'b' : 'a'}${n}`
    attempted.add(text)
    const mode = modes[n % modes.length] ?? 'keep'
    ada.store.cutAt(ada.store.writes + 1 + ((n + offset) % 7), mode)
    if (n % 3 === 2) {
      await bob.device.dispatch('send', { conversationId, text })
      accepted.push(text)
      await town.pass(50 + choose(300))
    } else if (await ada.attempt(() => ada.person.device.dispatch('send', { conversationId, text })))
      accepted.push(text)
    if (ada.store.writes > 0 && (await isDown(ada.store))) await ada.restart(mode)
  }
  await ada.restart('drop-unsynced')
  await town.pass(600_000)

  const [atAda, atBob] = [await ada.person.texts(conversationId), await bob.texts(conversationId)]
  expect(atBob, 'equal order').to.deep.equal(atAda)
  expect(new Set(atAda).size, 'nothing doubled').to.equal(atAda.length)
  expect(
    accepted.filter((text) => !atBob.includes(text)),
    'nothing accepted is lost',
  ).to.deep.equal([])
  expect(
    atBob.filter((text) => text === null || !attempted.has(text)),
    'nothing invented',
  ).to.deep.equal([])
  expect(ada.cuts, 'the power was cut').to.be.above(operations / 5)
  expect(watch.bodies, 'message keys that were used').to.be.above(operations / 2)
  expect(watch.pairsReused, 'pairs of key and nonce').to.equal(0)
  expect(watch.keysReused, 'message keys used twice').to.equal(0)
}

const isDown = (store: FaultyStore): Promise<boolean> =>
  store.readMark().then(
    () => false,
    () => true,
  )

describe('097, 104: power cuts at every write of a script', () => {
  for (let offset = 0; offset < runs; offset++)
    it(`loses nothing accepted, doubles nothing, uses no key twice (offset ${offset})`, async () => {
      await run(offset)
    }).timeout(120_000)
})
