import { expect } from 'chai'
import { Town } from '../support/devices.ts'
import type { Person } from '../support/devices.ts'
import { DyingStore } from '../support/dying-store.ts'

describe('104 a crash around the outbox', () => {
  let town: Town
  let ada: Person
  let bob: Person
  let stores: { ada: DyingStore; bob: DyingStore }
  let conversationId: string

  beforeEach(async () => {
    town = await Town.found()
    stores = { ada: new DyingStore(), bob: new DyingStore() }
    ada = await town.person('Ada', { store: stores.ada })
    bob = await town.person('Bob', { store: stores.bob })
    const { link } = await ada.device.dispatch('create-invite', { direct: true })
    await town.pass(3_000)
    const adding = bob.device.dispatch('add', { link })
    await town.pass(20_000)
    conversationId = (await adding).conversationId
    await bob.device.dispatch('send', { conversationId, text: 'first' })
    await town.pass(10_000)
  })

  /** Ends a person's process where its store stopped, and starts it again. */
  async function restart(person: Person, store: DyingStore): Promise<void> {
    store.die()
    person.dueMs = Infinity
    await person.device.stop().catch(() => undefined)
    person.store = store.rows.reopen()
    await person.open(true)
    await town.pass(120_000)
  }

  /** Both have it, once, and its author knows. */
  async function shownOnce(): Promise<void> {
    expect(await ada.texts(conversationId)).to.deep.equal(['first', 'second'])
    expect(await bob.texts(conversationId)).to.deep.equal(['first', 'second'])
    const { messages } = await bob.device.view('history', { conversationId })
    expect(messages.map(({ state }) => state)).to.deep.equal(['delivered', 'delivered'])
    // Events are stored with what they tell, so that a face that was not told replays them by number.
    const events = await ada.device.view('events', { since: 0 })
    const shown = events.filter((event) => event.type === 'message' && event.message.text === 'second')
    expect(shown).to.have.length(1)
    expect((await bob.device.view('status', {})).outbox).to.equal(0)
  }

  it('between storing and sending: it is sent after the restart, and shown once', async () => {
    const dead = stores.bob.endAfterNextBatch({ answers: false })
    const sending = bob.device.dispatch('send', { conversationId, text: 'second' }).catch(() => 'unanswered')
    await dead
    await town.pass(1_000)
    expect(await ada.texts(conversationId), 'nothing leaves before it is answered').to.deep.equal(['first'])
    await restart(bob, stores.bob)
    expect(await sending).to.equal('unanswered')
    await shownOnce()
  })

  it('between sending and the acknowledgement: it is sent again, and shown once', async () => {
    const dead = stores.bob.endAfterNextBatch({ answers: true })
    await bob.device.dispatch('send', { conversationId, text: 'second' })
    await town.pass(1_000)
    await dead
    expect(await ada.texts(conversationId), 'it was sent').to.deep.equal(['first', 'second'])
    await restart(bob, stores.bob)
    await shownOnce()
  })

  it('of its reader, between storing it and acknowledging it: it is shown once', async () => {
    const dead = stores.ada.endAfterNextBatch({ answers: false })
    await bob.device.dispatch('send', { conversationId, text: 'second' })
    await town.pass(100)
    await dead
    await restart(ada, stores.ada)
    await shownOnce()
  })
})
