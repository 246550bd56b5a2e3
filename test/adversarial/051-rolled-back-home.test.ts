import { expect } from 'chai'
import { decodeFirstFlight } from '../../packages/core/src/session/index.ts'
import { decodeRatchetFrame } from '../../packages/core/src/session/ratchet-frame.ts'
import { Town, type Person } from '../support/devices.ts'
import { FaultyStore, type Snapshot } from '../support/faulty-store.ts'
import { befriend } from '../support/friends.ts'
import { portOver } from '../support/port-over.ts'

/** Puts a whole home back, its mark included, as a restored disk image does. */
async function restore(person: Person, store: FaultyStore, old: Snapshot, mark = true): Promise<FaultyStore> {
  await person.close()
  await store.restore(old, { mark })
  const again = await store.reopen()
  person.store = again
  return again
}

/** Ada, whose home can be put back, and Bob, with a conversation between them. */
async function two(seed: number) {
  const town = await Town.found()
  const store = new FaultyStore(seed)
  const [ada, bob] = [await town.person('Ada', { store }), await town.person('Bob')]
  const conversationId = await befriend(town, ada, bob)
  await town.pass(5_000)
  return { town, store, ada, bob, conversationId }
}

const say = async (
  { device }: Person,
  conversationId: string,
  ...texts: readonly string[]
): Promise<void> => {
  for (const text of texts) await device.dispatch('send', { conversationId, text })
}

/** A group of one with another. */
async function walkers({ device }: Person, other: Person): Promise<string> {
  const members = [(await other.device.view('self', {}))!.accountId]
  return (await device.dispatch('create-group', { name: 'Walkers', members })).conversationId
}

const warned = async (person: Person): Promise<boolean> =>
  (await person.device.view('status', {})).warnings.some(({ code }) => code === 'E_STORE_ROLLED_BACK')

describe('051: a whole home rolled back', () => {
  for (const boots of [0, 2]) {
    it(`is named by the first peer that answers, and talk goes on (${boots} openings since)`, async () => {
      const town = await Town.found()
      let store = new FaultyStore(7)
      const ada = await town.person('Ada', { store })
      const bob = await town.person('Bob')
      const conversationId = await befriend(town, ada, bob)
      await ada.device.dispatch('send', { conversationId, text: 'a1' })
      await bob.device.dispatch('send', { conversationId, text: 'b1' })
      await town.pass(5_000)
      const old = await store.snapshot()
      for (let n = 0; n < boots; n++) {
        await ada.close()
        store = await store.reopen()
        ada.store = store
        await ada.open(true)
        await town.pass(5_000)
      }
      for (const text of ['a2', 'a3', 'a4']) await ada.device.dispatch('send', { conversationId, text })
      await town.pass(5_000)
      for (const text of ['b2', 'b3']) await bob.device.dispatch('send', { conversationId, text })
      await town.pass(5_000)

      await restore(ada, store, old)
      await ada.open(true)
      await ada.device.dispatch('send', { conversationId, text: 'new from Ada' })
      await town.pass(600_000)
      await bob.device.dispatch('send', { conversationId, text: 'new from Bob' })
      await town.pass(7_200_000)

      expect(await warned(ada)).to.equal(true)
      const atBob = await bob.texts(conversationId)
      expect(atBob.filter((text) => text === 'new from Ada')).to.have.length(1)
      expect([...atBob].sort()).to.deep.equal(
        ['a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'b3', 'new from Ada', 'new from Bob'].sort(),
      )
      const atAda = await ada.texts(conversationId)
      // What was lost here, and what Bob wrote after it, comes back once the two have met on a new session.
      expect([...atAda].sort()).to.deep.equal([...atBob].sort())
      expect((await ada.device.view('history', { conversationId })).missing).to.equal(0)
      const change = bob.events.some((event) => event.type === 'device' && event.change === 'rolled-back')
      expect(change, 'the contact is told').to.equal(true)
      const lines = await bob.device.view('audit', { conversationId })
      expect(
        lines.map(({ kind }) => kind),
        'in the conversation too',
      ).to.include('device-rolled-back')
      const mine = (await ada.device.view('history', { conversationId, limit: 100 })).messages
      expect(mine.find((message) => message.text === 'new from Ada')?.state).to.equal('delivered')
    })
  }

  it('is named by the first peer that speaks to it though it says nothing, and uses no number twice', async () => {
    const { town, store, ada, bob, conversationId } = await two(8)
    await say(ada, conversationId, 'kept')
    await town.pass(5_000)
    const old = await store.snapshot()
    await say(ada, conversationId, 'lost', 'lost too')
    await town.pass(5_000)
    await restore(ada, store, old)
    await ada.open(true)
    await say(bob, conversationId, 'and you?')
    await town.pass(7_200_000)
    expect(await warned(ada)).to.equal(true)
    const all = ['kept', 'lost', 'lost too', 'and you?']
    expect(await ada.texts(conversationId), 'they are back').to.deep.equal(all)
    await say(ada, conversationId, 'new')
    await town.pass(60_000)
    expect(await bob.texts(conversationId)).to.deep.equal([...all, 'new'])
    expect(bob.log.count('record-forked'), 'refused for their number').to.equal(0)
  })

  it('goes on where the older copy had never written anything', async () => {
    const { town, store, ada, bob, conversationId } = await two(9)
    const old = await store.snapshot()
    await say(ada, conversationId, 'lost', 'lost too')
    await town.pass(5_000)
    await restore(ada, store, old)
    await ada.open(true)
    await say(bob, conversationId, 'and you?')
    await town.pass(7_200_000)
    await say(ada, conversationId, 'new')
    await town.pass(60_000)
    const all = ['lost', 'lost too', 'and you?', 'new']
    for (const person of [ada, bob]) expect(await person.texts(conversationId)).to.deep.equal(all)
    expect(bob.log.count('record-rejected'), 'a number without the record before it').to.equal(0)
  })

  it('takes back what was compared with somebody before it was written again', async () => {
    const { town, store, ada, bob, conversationId: direct } = await two(10)
    const group = await walkers(ada, bob)
    await town.pass(5_000)
    const both = [direct, group]
    const old = await store.snapshot()
    for (const conversationId of both) await say(ada, conversationId, 'lost')
    await town.pass(5_000)
    await bob.close()
    await restore(ada, store, old)
    await ada.open(true)
    for (const conversationId of both) await say(ada, conversationId, 'new')
    await bob.open(true)
    await town.pass(7_200_000)
    for (const person of [ada, bob])
      for (const conversationId of both) {
        const { messages, missing } = await person.device.view('history', { conversationId, limit: 100 })
        expect(missing).to.equal(0)
        const there = messages.filter(({ deleted }) => !deleted)
        expect(there.map(({ text }) => text)).to.deep.equal(['lost', 'new'])
      }
    const taken = (await bob.device.view('history', { conversationId: group })).messages
    expect(taken.filter(({ deleted }) => deleted)).to.have.length(1)
    expect((await ada.device.view('status', {})).outbox, 'everybody has what there is').to.equal(0)
  })

  for (const mark of [true, false])
    it(`has a group again that was made since (its own mark ${mark ? 'put back too' : 'left'})`, async () => {
      const { town, store, ada, bob } = await two(11)
      const old = await store.snapshot()
      const conversationId = await walkers(bob, ada)
      await say(bob, conversationId, 'before')
      await town.pass(5_000)
      let held = store
      const said = ['before']
      // A second time everybody stands as they stood the first time.
      for (const text of ['after', 'after that']) {
        expect(await ada.texts(conversationId)).to.deep.equal(said)
        held = await restore(ada, held, old, mark)
        await ada.open(true)
        await town.pass(60_000)
        await say(bob, conversationId, text)
        await town.pass(600_000)
        said.push(text)
      }
      expect(await ada.texts(conversationId)).to.deep.equal(said)
    })

  it('seals nothing on its old sessions, though a contact goes on writing on them', async () => {
    const town = await Town.found()
    const written: Uint8Array[] = []
    let isLost = false
    town.port = (network, name) =>
      name !== 'Ada'
        ? network
        : portOver(network, {
            write: (channel, frame) => {
              if (!isLost) return network.write(channel, frame)
              written.push(frame)
              return Promise.resolve()
            },
          })
    const store = new FaultyStore(12)
    const [ada, bob] = [await town.person('Ada', { store }), await town.person('Bob')]
    const conversationId = await befriend(town, ada, bob)
    await town.pass(5_000)
    // What Ada writes is lost on its way, so Bob's turn of the ratchet goes on.
    isLost = true
    await say(bob, conversationId, 'one')
    await town.pass(5_000)
    const old = await store.snapshot()
    await say(bob, conversationId, 'two')
    await town.pass(5_000)
    await restore(ada, store, old, false)
    written.length = 0
    await ada.open(true)
    await say(bob, conversationId, 'three')
    await town.pass(20_000)
    expect(await ada.texts(conversationId)).to.deep.equal(['one', 'two', 'three'])
    expect(written.filter((frame) => decodeFirstFlight(frame) !== undefined)).to.not.have.length(0)
    expect(written.filter((frame) => decodeRatchetFrame(frame) !== undefined)).to.have.length(0)
    isLost = false
    await say(ada, conversationId, 'four')
    await town.pass(600_000)
    expect(await bob.texts(conversationId)).to.deep.equal(['one', 'two', 'three', 'four'])
  })

  it('is no alarm when older frames only come late', async () => {
    const town = await Town.found()
    const relay = town.relay('late')
    const ada = await town.person('Ada')
    const bob = await town.person('Bob')
    for (const person of [ada, bob]) await person.device.dispatch('add-relay', { address: relay })
    await town.pass(5_000)
    const conversationId = await befriend(town, ada, bob)
    await town.pass(20_000)
    await bob.close()
    await ada.device.dispatch('send', { conversationId, text: 'left at the relay' })
    await town.pass(60_000)
    await ada.close()
    await ada.open(true)
    await bob.open(true)
    await ada.device.dispatch('send', { conversationId, text: 'said directly' })
    await town.pass(120_000)
    expect(await bob.texts(conversationId)).to.deep.equal(['left at the relay', 'said directly'])
    for (const person of [ada, bob]) {
      expect(await warned(person)).to.equal(false)
      expect(person.events.filter((event) => event.type === 'device')).to.deep.equal([])
    }
  })
})
