import { expect } from 'chai'
import type { MessageView } from '../../../packages/core/src/device/api.ts'
import { lackingRows, pageRows, recordRows } from '../../../packages/core/src/device/tables.ts'
import { pageKey } from '../../../packages/core/src/device/segments.ts'
import { openSealedStore } from '../../../packages/core/src/device/sealed-store.ts'
import { Secret } from '../../../packages/core/src/crypto/index.ts'
import { recordKinds, readRecord } from '../../../packages/core/src/history/index.ts'
import { CollectingLog, MemoryStore, seededRandom } from '../../../packages/core/src/memory/index.ts'
import { Database } from '../../../packages/core/src/device/database.ts'
import type { Step } from '../../../packages/core/src/device/context.ts'
import { noteHad, noteLacking } from '../../../packages/core/src/device/lacking.ts'
import { counterKey } from '../../../packages/core/src/device/row.ts'
import { limits } from '../../../packages/core/src/limits.ts'
import { nodeProvider } from '../../support/session-world.ts'
import type { Network, Store } from '../../../packages/core/src/ports/index.ts'
import { fromBase32, toHex, utf8 } from '../../../packages/core/src/wire/index.ts'
import { Town, type Person } from '../../support/devices.ts'
import { befriend } from '../../support/friends.ts'
import { accountOf } from '../../support/liar.ts'
import { OpenedHome } from '../../support/opened-home.ts'
import { portOver } from '../../support/port-over.ts'
import { reopened } from './folding-world.ts'

const hour = 60 * 60 * 1_000

/** What is shown of a conversation, and why of some of it there is no text. */
const shownTo = async ({ device }: Person, conversationId: string): Promise<readonly MessageView[]> =>
  (await device.view('history', { conversationId, limit: 1_000 })).messages
const missingOf = async (person: Person, conversationId: string): Promise<readonly unknown[]> =>
  (await shownTo(person, conversationId)).filter(({ text }) => text === null).map((one) => one.textMissing)

/** Lets so many more frames of a person through, then cuts off the one they go to; or keeps long ones back. */
class Shears {
  #left = Infinity
  #longest = Infinity
  readonly #held: (() => Promise<void>)[] = []
  #cut: () => void = () => undefined
  /** Bytes that left since this was set to 0. */
  bytes = 0

  over(network: Network): Network {
    return portOver(network, {
      write: (channel, frame) => {
        if (frame.length > this.#longest) {
          this.#held.push(() => network.write(channel, frame))
          return Promise.resolve()
        }
        if (this.#left === 0) {
          this.#cut()
          return Promise.reject(new Error('cut'))
        }
        this.#left -= 1
        this.bytes += frame.length
        return network.write(channel, frame)
      },
    })
  }

  after(frames: number, cut: () => void): void {
    this.#left = frames
    this.#cut = cut
  }

  /** From now on all frames go through but longer ones, which wait. */
  hold(longest: number): void {
    this.#left = Infinity
    this.#longest = longest
  }

  /** How many frames wait. */
  get holding(): number {
    return this.#held.length
  }

  /** What waits goes on its way. */
  async release(): Promise<void> {
    this.#longest = Infinity
    for (const write of this.#held.splice(0)) await write()
  }
}

/** A group of four in which Bob was away while Ada spoke and went; Cy and Dee have it all, and Bob meets neither. */
async function stage(deeds: (ada: Person, conversationId: string) => Promise<void>) {
  const town = await Town.found()
  const shears = new Shears()
  town.port = (network, name) => (name === 'Cy' ? shears.over(network) : network)
  const ada = await town.person('Ada')
  const [bob, cy, dee] = [await town.person('Bob'), await town.person('Cy'), await town.person('Dee')]
  for (const other of [bob, cy, dee]) await befriend(town, ada, other)
  const members = await Promise.all([bob, cy, dee].map(accountOf))
  const { conversationId } = await ada.device.dispatch('create-group', { name: 'Choir', members })
  await town.pass(20_000)
  for (const one of [bob, cy, dee])
    await one.device.dispatch('send', { conversationId, text: `I am ${one.name}` })
  await town.pass(60_000)
  await bob.close()
  await deeds(ada, conversationId)
  await town.pass(60_000)
  await ada.close()
  for (const other of [cy, dee]) town.hub.cut(bob.peerId, other.peerId)
  await bob.open(true)
  await town.pass(5_000)
  return { town, shears, ada, bob, cy, dee, conversationId }
}

/** Cy gives Bob the records, and the channel breaks before the bodies come. */
async function bodiesCutOff({ town, shears, bob, cy, conversationId }: Awaited<ReturnType<typeof stage>>) {
  for (let frames = 1; frames < 20; frames++) {
    await bob.device.dispatch('send', { conversationId, text: `back ${frames}` })
    shears.after(frames, () => {
      town.hub.cut(bob.peerId, cy.peerId)
    })
    town.hub.heal(bob.peerId, cy.peerId)
    await town.pass(5 * 60_000)
    town.hub.cut(bob.peerId, cy.peerId)
    await town.pass(1_000)
    if ((await missingOf(bob, conversationId)).length > 0) return
  }
  throw new Error('records and bodies came together')
}

const lines = ['one', 'two', 'three', 'four', 'five']
const long = lines.map((line) => line.padEnd(600, '.'))

/** Bob lacked the texts of Ada's messages and asked Cy for them; Ada came and brought them while Cy's answer is on its way. */
async function broughtMeanwhile(): Promise<Awaited<ReturnType<typeof stage>>> {
  const scene = await stage(async (ada, conversationId) => {
    for (const text of long) await ada.device.dispatch('send', { conversationId, text })
  })
  const { town, shears, ada, bob, cy, dee, conversationId } = scene
  await bodiesCutOff(scene)
  bob.events.length = 0
  shears.hold(1_500)
  town.hub.heal(bob.peerId, cy.peerId)
  for (let tries = 0; tries < 100 && shears.holding === 0; tries++) await town.pass(5_000)
  for (const other of [cy, dee]) town.hub.cut(ada.peerId, other.peerId)
  await ada.open(true)
  await town.pass(20_000)
  expect(await bob.texts(conversationId), 'from Ada').to.include.members(long)
  expect(shears.holding, 'the answer is on its way').to.be.above(0)
  return scene
}

/** Which of these messages a person was told of. */
const textsTold = ({ events }: Person): (string | null)[] =>
  events
    .flatMap((event) => (event.type === 'message' ? [event.message.text] : []))
    .filter((text) => long.includes(text ?? ''))

describe('device: what is known to be wanted', () => {
  it('are not told a second time when their author brought them before the answer came', async () => {
    const { shears, town, bob } = await broughtMeanwhile()
    await shears.release()
    await town.pass(60_000)
    expect(textsTold(bob).sort()).to.deep.equal(long.toSorted())
  })

  it('nor are they told or kept when their author took them back before the answer came', async () => {
    const { shears, town, ada, bob, conversationId } = await broughtMeanwhile()
    const own = (await shownTo(ada, conversationId)).filter(({ author }) => author.me)
    for (const { messageId } of own) await ada.device.dispatch('delete', { messageId })
    await town.pass(20_000)
    const before = bob.events.length
    await shears.release()
    await town.pass(60_000)
    expect(bob.events.slice(before).filter(({ type }) => type === 'message')).to.deep.equal([])
    const shown = (await shownTo(bob, conversationId)).filter(({ messageId }) =>
      own.some((one) => one.messageId === messageId),
    )
    expect(shown.map(({ deleted, text }) => [deleted, text])).to.deep.equal(long.map(() => [true, null]))
  })

  it('are bodies lost with a channel: shown as such, had from another member, also after a restart', async () => {
    const scene = await stage(async (ada, conversationId) => {
      for (const text of lines) await ada.device.dispatch('send', { conversationId, text })
    })
    const { town, bob, dee, conversationId } = scene
    await bodiesCutOff(scene)
    expect(await missingOf(bob, conversationId)).to.deep.equal(lines.map(() => 'asked-for'))
    await bob.close()
    await bob.open(true)
    expect(await missingOf(bob, conversationId)).to.deep.equal(lines.map(() => 'asked-for'))
    town.hub.heal(bob.peerId, dee.peerId)
    await town.pass(20 * 60_000)
    expect(await bob.texts(conversationId)).to.include.members(lines)
    await bob.close()
    expect((await OpenedHome.of(town.crypto, bob, town.clock.nowMs())).rows.all(lackingRows)).to.deep.equal(
      [],
    )
  })

  it('are bodies asked for again of somebody who had none either, and came to have them', async () => {
    const scene = await stage(async (ada, conversationId) => {
      for (const text of lines) await ada.device.dispatch('send', { conversationId, text })
    })
    const { town, ada, bob, cy, dee, conversationId } = scene
    await bodiesCutOff(scene)
    const laptop = await town.link(bob, 'laptop', 'all', [ada, cy, dee])
    await town.pass(60_000)
    const missing = async (): Promise<number> => (await missingOf(laptop, conversationId)).length
    expect(await missing()).to.be.greaterThan(0)
    town.hub.heal(bob.peerId, dee.peerId)
    await town.pass(30 * 60_000)
    expect(await missingOf(bob, conversationId)).to.deep.equal([])
    await town.pass(15 * 60_000)
    expect(await missing()).to.equal(0)
    expect(await laptop.texts(conversationId)).to.include.members(lines)
  })

  it('are had from their author, where that one is met first', async () => {
    const scene = await stage(async (ada, conversationId) => {
      for (const text of lines) await ada.device.dispatch('send', { conversationId, text })
    })
    const { town, ada, bob, conversationId } = scene
    await bodiesCutOff(scene)
    await ada.open(true)
    await town.pass(20 * 60_000)
    expect(await bob.texts(conversationId)).to.include.members(lines)
  })

  it('are bodies whose author is not told before they are here that its messages arrived', async () => {
    const long = lines.map((line) => line.repeat(3_000))
    const scene = await stage(async (ada, conversationId) => {
      for (const text of long) await ada.device.dispatch('send', { conversationId, text })
    })
    const { town, ada, bob, conversationId } = scene
    await bodiesCutOff(scene)
    let withheld = true
    town.port = (network) =>
      portOver(network, {
        write: (channel, frame) =>
          withheld && frame.length > 20_000 ? Promise.resolve() : network.write(channel, frame),
      })
    await ada.open(true)
    await town.pass(60_000)
    const lacking = (await shownTo(bob, conversationId)).filter(({ text }) => text === null)
    const states = async (): Promise<readonly unknown[]> => {
      const ids = lacking.map(({ messageId }) => messageId)
      const mine = await shownTo(ada, conversationId)
      return mine.filter(({ messageId }) => ids.includes(messageId)).map(({ state }) => state)
    }
    expect(lacking).to.not.deep.equal([])
    expect(await states()).to.deep.equal(lacking.map(() => 'waiting'))
    withheld = false
    await town.pass(20 * 60_000)
    expect(await missingOf(bob, conversationId)).to.deep.equal([])
    expect(await states()).to.deep.equal(lacking.map(() => 'delivered'))
  })

  it('are no bodies of what was taken back since', async () => {
    const scene = await stage(async (ada, conversationId) => {
      const ids: string[] = []
      for (const text of lines)
        ids.push((await ada.device.dispatch('send', { conversationId, text })).messageId)
      for (const messageId of ids.slice(1)) await ada.device.dispatch('delete', { messageId })
    })
    const { town, shears, bob, cy, conversationId } = scene
    await bodiesCutOff(scene)
    shears.after(Infinity, () => undefined)
    town.hub.heal(bob.peerId, cy.peerId)
    await town.pass(20 * 60_000)
    const shown = (await shownTo(bob, conversationId)).filter((one) => !one.author.me).slice(-5)
    expect(shown.map(({ text }) => text)).to.deep.equal(['one', null, null, null, null])
    expect(shown.map(({ textMissing }) => textMissing)).to.deep.equal(lines.map(() => null))
    await bob.close()
    expect((await OpenedHome.of(town.crypto, bob, town.clock.nowMs())).rows.all(lackingRows)).to.deep.equal(
      [],
    )
  })

  it('are damaged bodies, asked for in turn until nobody is left who may have one', async () => {
    const town = await Town.found()
    const [ada, bob] = [await town.person('Ada'), await town.person('Bob')]
    const conversationId = await befriend(town, ada, bob)
    const laptop = await town.link(bob, 'laptop', 'all')
    await ada.device.dispatch('send', { conversationId, text: 'short' })
    const before = await Promise.all([ada, bob, laptop].map(({ store }) => keysOf(store)))
    const long = 'a long one '.repeat(600)
    await ada.device.dispatch('send', { conversationId, text: long })
    await town.pass(60_000)
    const spoil = async (some: readonly Person[]): Promise<void> => {
      for (const one of some) await one.close()
      for (const one of some) {
        one.store = await reopened(one.store)
        await spoilLargest(one.store, before[[ada, bob, laptop].indexOf(one)]!)
        await one.open(true)
      }
    }
    await spoil([bob])
    expect(await missingOf(bob, conversationId)).to.deep.equal(['asked-for'])
    await town.pass(10 * 60_000)
    expect(await missingOf(bob, conversationId)).to.deep.equal([])
    expect((await bob.texts(conversationId)).at(-1)).to.equal(long)
    await spoil([ada, bob, laptop])
    expect(await missingOf(bob, conversationId)).to.deep.equal(['asked-for'])
    await town.pass(hour)
    expect(await missingOf(bob, conversationId)).to.deep.equal(['nobody-has-it'])
  })

  it('are records lost here and there in a segment: only those are sent', async () => {
    const town = await Town.found()
    const shears = new Shears()
    town.port = (network, name) => (name === 'Bob' ? shears.over(network) : network)
    const [ada, bob] = [await town.person('Ada'), await town.person('Bob')]
    const conversationId = await befriend(town, ada, bob)
    for (let n = 0; n < 300; n++) await bob.device.dispatch('send', { conversationId, text: `b ${n}` })
    await town.pass(60_000)
    const laptop = await town.link(ada, 'laptop', 'all')
    await bob.device.dispatch('send', { conversationId, text: 'in the next segment' })
    await town.pass(60_000)
    await laptop.close()
    // The two compare once more, and know what each segment holds.
    await ada.close()
    await ada.open(true)
    await ada.device.dispatch('send', { conversationId, text: 'and I am back' })
    await town.pass(60_000)
    const texts = await ada.texts(conversationId)
    await ada.close()
    const lost = await loseRecords(town, ada, conversationId, 10)
    expect(lost).to.equal(30)
    town.hub.cut(ada.peerId, bob.peerId)
    await ada.open(true)
    expect((await ada.device.view('history', { conversationId, limit: 1_000 })).missing).to.equal(lost)
    await town.pass(5_000)
    expect((await ada.device.view('history', { conversationId, limit: 1_000 })).missing).to.equal(lost)
    shears.bytes = 0
    town.hub.heal(ada.peerId, bob.peerId)
    await town.pass(hour)
    expect(await ada.texts(conversationId)).to.deep.equal(texts)
    expect((await ada.device.view('status', {})).warnings).to.deep.equal([])
    expect(shears.bytes, 'bytes of the other side').to.be.below(16 * 1024)
  })

  it('is what a damaged page of the journal named: said at once, and had again from the other', async () => {
    const town = await Town.found()
    const [ada, bob] = [await town.person('Ada'), await town.person('Bob')]
    const conversationId = await befriend(town, ada, bob)
    for (let n = 0; n < 30; n++) await bob.device.dispatch('send', { conversationId, text: `b ${n}` })
    await town.pass(60_000)
    const texts = await ada.texts(conversationId)
    await ada.close()
    await losePage(town, ada, conversationId)
    town.hub.cut(ada.peerId, bob.peerId)
    await ada.open(true)
    const history = () => ada.device.view('history', { conversationId, limit: 1_000 })
    const first = await history()
    expect([first.messages.length, first.missing]).to.deep.equal([0, texts.length])
    await town.pass(1_000)
    expect((await history()).missing).to.be.greaterThan(0)
    const { warnings } = await ada.device.view('status', {})
    expect(warnings.map(({ code }) => code)).to.include('E_SEGMENT_DAMAGED')
    town.hub.heal(ada.peerId, bob.peerId)
    await bob.device.dispatch('send', { conversationId, text: 'one more' })
    await town.pass(hour)
    expect(await ada.texts(conversationId)).to.deep.equal([...texts, 'one more'])
  })

  it('are as many bodies of a segment as one question names, and of so many segments', async () => {
    const random = seededRandom(nodeProvider, 'lacking')
    const key = new Secret(random.bytes(32))
    const store = new MemoryStore()
    const sealed = await openSealedStore({ crypto: nodeProvider, store, random, key, nowMs: 0 })
    const log = new CollectingLog()
    const tx = (await Database.open(sealed, [lackingRows])).begin()
    const step = { tx, context: { log } } as unknown as Step
    const [conversation, id] = [new Uint8Array(32), (n: number) => nodeProvider.sha256(counterKey(n))]
    const noted = (): number => tx.all(lackingRows).reduce((sum, { records }) => sum + records.length, 0)
    for (let n = 0; n <= limits.syncBodies; n++) noteLacking(step, { conversation, segment: 0 }, id(n))
    expect([noted(), log.count('body-not-noted')]).to.deep.equal([limits.syncBodies, 1])
    for (let n = 1; n <= limits.lackingSegments; n++) noteLacking(step, { conversation, segment: n }, id(n))
    expect(tx.all(lackingRows)).to.have.length(limits.lackingSegments)
    expect(log.count('body-not-noted')).to.equal(2)
    for (let n = 0; n < limits.syncBodies; n++) noteHad(step, conversation, 0, id(n))
    expect([noted(), tx.all(lackingRows).length]).to.deep.equal([255, 255])
  })
})

const everything = { gte: new Uint8Array(0), lt: new Uint8Array(64).fill(255) }
const keysOf = async (store: Store): Promise<ReadonlySet<string>> =>
  new Set((await store.range(everything)).map(({ key }) => toHex(key)))

/** Flips one bit of the largest row that was not there before: the body of a long message. */
async function spoilLargest(store: Store, before: ReadonlySet<string>): Promise<void> {
  const rows = (await store.range(everything)).filter(({ key }) => !before.has(toHex(key)))
  const { key, value } = rows.reduce((a, b) => (b.value.length > a.value.length ? b : a))
  value[value.length >> 1]! ^= 4
  await store.batch([{ type: 'put', key, value }], { durable: true })
}

/** Takes every so manyth message of a closed device's first segment out of its store; how many. */
async function loseRecords(town: Town, person: Person, id: string, every: number): Promise<number> {
  const { crypto } = town
  const store = await reopened(person.store)
  const sealed = await openSealedStore({
    ...{ crypto, store, random: seededRandom(crypto, 'loss'), nowMs: town.clock.nowMs() },
    key: new Secret(crypto.sha256(utf8(person.name))),
  })
  const conversation = fromBase32(id)!
  const lost = (await sealed.list(recordRows)).filter(({ value }) => {
    const { bytes, segment } = recordRows.decode(value)
    const content = readRecord(crypto, bytes)?.content
    return segment === 0 && content?.kind === recordKinds.msg && content.aseq % every === 3
      ? toHex(content.conversation) === toHex(conversation)
      : false
  })
  await sealed.commit(
    lost.map(({ key }) => ({ table: recordRows, key, value: null })),
    { durable: true },
  )
  await sealed.close()
  person.store = await reopened(store)
  return lost.length
}

/** Takes the first page of a closed device's journal out of its store. */
async function losePage(town: Town, person: Person, id: string): Promise<void> {
  const { crypto } = town
  const store = await reopened(person.store)
  const sealed = await openSealedStore({
    ...{ crypto, store, random: seededRandom(crypto, 'loss'), nowMs: town.clock.nowMs() },
    key: new Secret(crypto.sha256(utf8(person.name))),
  })
  await sealed.commit([{ table: pageRows, key: pageKey(fromBase32(id)!, 0, 0), value: null }], {
    durable: true,
  })
  await sealed.close()
  person.store = await reopened(store)
}
