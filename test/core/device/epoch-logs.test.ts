import { expect } from 'chai'
import { limits } from '@sotto/core'
import { MemoryMailboxStore } from '@sotto/core/memory'
import type { MailboxStore, MailboxWrite } from '@sotto/core/ports'
import { Town, type Person } from '../../support/devices.ts'
import { befriend, groupOf } from '../../support/friends.ts'
import { greet } from '../../support/topic-town.ts'

/** A relay that tells what is left there, and in which kind of queue. */
interface Left {
  readonly kind: 'inbox' | 'intro' | 'log'
  readonly bytes: number
}

interface Scene {
  readonly town: Town
  readonly people: readonly [Person, ...Person[]]
  readonly conversationId: string
  readonly left: Left[]
  readonly store: () => MailboxStore
}

async function stage(names: readonly string[], fullLogs = false): Promise<Scene> {
  const town = await Town.found()
  const left: Left[] = []
  let made: MailboxStore | undefined
  town.mailbox = (): MailboxStore => {
    const store = new MemoryMailboxStore()
    made = store
    const commit = store.commit.bind(store)
    if (fullLogs) store.deposited = async () => ({ items: limits.queueItems, bytes: 0 })
    store.commit = async (writes: readonly MailboxWrite[]) => {
      for (const write of writes) {
        if (write.type !== 'append') continue
        const queue = await store.queueByReader(write.recvId)
        left.push({ kind: queue!.kind, bytes: write.blob.length })
      }
      await commit(writes)
    }
    return store
  }
  const address = town.relay('harbour')
  const people: Person[] = []
  for (const name of names) {
    const person = await town.person(name)
    await person.device.dispatch('add-relay', { address })
    people.push(person)
  }
  await town.pass(5_000)
  const [first, ...others] = people as [Person, ...Person[]]
  for (const other of others) await befriend(town, first, other)
  const conversationId = await groupOf(town, first, others, 'Crew')
  await greet(town, people, conversationId)
  left.length = 0
  return { town, people: [first, ...others], conversationId, left, store: () => made! }
}

const stateOf = async (person: Person, conversationId: string): Promise<string | null | undefined> =>
  (await person.device.view('history', { conversationId })).messages.at(-1)?.state

describe('device: logs of epochs', () => {
  it('a message to a group whose nine other devices are away is left once, and read by each when it is back', async function () {
    this.timeout(300_000)
    const names = ['Ada', 'Bob', 'Cy', 'Dee', 'Eve', 'Flo', 'Gus', 'Hal', 'Ida', 'Joe']
    const { town, people, conversationId, left } = await stage(names)
    const [ada, ...others] = people
    for (const other of others) await other.close()
    await town.pass(1_000)
    await ada.device.dispatch('send', { conversationId, text: 'to the whole crew' })
    await town.pass(120_000)
    expect(left.map(({ kind }) => kind)).to.deep.equal(['log'])
    expect(left[0]!.bytes).to.be.at.most(1_024)
    expect(await stateOf(ada, conversationId)).to.equal('relayed')
    const states = ada.events.filter((event) => event.type === 'state').map(({ state }) => state)
    expect(states.at(-1)).to.equal('relayed')
    // Ada is gone when they come back: the relay has what they need.
    await ada.close()
    for (const other of others) {
      await other.open(true)
      await town.pass(2_000)
      expect((await other.texts(conversationId)).at(-1), other.name).to.equal('to the whole crew')
    }
    await town.pass(60_000)
    await ada.open(true)
    await town.pass(60_000)
    expect(await stateOf(ada, conversationId)).to.equal('delivered')
    expect(ada.events.at(-1)).to.not.equal(undefined)
    expect(
      left.filter(({ kind }) => kind === 'log'),
      'nothing was left again',
    ).to.have.length(1)
  })

  it('what a relay does not take into a log goes to the queue of each device', async function () {
    this.timeout(300_000)
    const names = ['Ada', 'Bob', 'Cy', 'Dee', 'Eve']
    const { town, people, conversationId, left } = await stage(names, true)
    const [ada, ...others] = people
    for (const other of others) await other.close()
    await town.pass(1_000)
    await ada.device.dispatch('send', { conversationId, text: 'one' })
    await ada.device.dispatch('send', { conversationId, text: 'two' })
    await town.pass(120_000)
    expect(left.map(({ kind }) => kind)).to.deep.equal(others.map(() => 'inbox'))
    expect(await stateOf(ada, conversationId)).to.equal('relayed')
    for (const other of others) await other.open(true)
    await town.pass(60_000)
    for (const other of others)
      expect((await other.texts(conversationId)).slice(-2), other.name).to.deep.equal(['one', 'two'])
    expect(await stateOf(ada, conversationId)).to.equal('delivered')
  })

  it('what follows a record in a log does not wait for it where the log takes no more', async function () {
    this.timeout(300_000)
    const { town, people, conversationId, left } = await stage(['Ada', 'Bob', 'Cy', 'Dee', 'Eve'])
    const [ada, ...others] = people
    for (const other of others) await other.close()
    // The next epoch comes within these, and nobody who is away has its seed.
    const count = limits.epochMessages + 3
    for (let n = 0; n < count; n++) {
      await ada.device.dispatch('send', { conversationId, text: `n${String(n)}` })
      if (n % 50 === 0) await town.pass(1_000)
    }
    await town.pass(120_000)
    expect(left.filter(({ kind }) => kind === 'log').length).to.be.within(1, limits.epochMessages)
    expect(left.filter(({ kind }) => kind === 'inbox').length).to.be.within(others.length, 10 * others.length)
    expect(await stateOf(ada, conversationId)).to.equal('relayed')
    for (const other of others) await other.open(true)
    await town.pass(120_000)
    for (const other of others) {
      const texts = (await other.texts(conversationId)).filter((text) => text?.startsWith('n'))
      expect(texts, other.name).to.deep.equal(Array.from({ length: count }, (_, n) => `n${String(n)}`))
    }
  })

  it('a record that the log lost is sent to each device that is heard of again', async function () {
    this.timeout(300_000)
    const { town, people, conversationId, left, store } = await stage(['Ada', 'Bob', 'Cy', 'Dee', 'Eve'])
    const [ada, ...others] = people
    for (const other of others) await other.close()
    await town.pass(1_000)
    await ada.device.dispatch('send', { conversationId, text: 'lost on the way' })
    await town.pass(60_000)
    expect(left.map(({ kind }) => kind)).to.deep.equal(['log'])
    const page = store().page.bind(store())
    store().page = async () => []
    // Only relays reach them, so that no two devices compare what they hold.
    for (const other of others) town.hub.cut(ada.peerId, other.peerId)
    for (const [at, other] of others.entries())
      for (const more of others.slice(at + 1)) town.hub.cut(other.peerId, more.peerId)
    for (const other of others) await other.open(true)
    store().page = page
    await town.pass(10_000)
    for (const other of others)
      await other.device.dispatch('send', { conversationId, text: `${other.name} is back` })
    await town.pass(1_500_000)
    for (const other of others)
      expect(await other.texts(conversationId), other.name).to.include('lost on the way')
  })

  it('whoever was removed watches no later log, and nothing of it opens there', async function () {
    this.timeout(300_000)
    const { town, people, conversationId, left } = await stage(['Ada', 'Bob', 'Cy', 'Dee', 'Eve', 'Flo'])
    const [ada, bob, cy, dee, eve, flo] = people as unknown as Person[] &
      [Person, Person, Person, Person, Person, Person]
    const { accountId } = (await ada.device.view('members', { conversationId })).find(
      ({ name }) => name === 'Eve',
    )!
    await ada.device.dispatch('group-remove', { conversationId, accountId })
    await town.pass(10_000)
    await greet(town, [ada, bob, cy, dee, flo], conversationId)
    const away = [bob, cy, dee, flo, eve]
    for (const person of away) await person.close()
    left.length = 0
    await ada.device.dispatch('send', { conversationId, text: 'without Eve' })
    await town.pass(60_000)
    expect(left.map(({ kind }) => kind)).to.deep.equal(['log'])
    for (const person of away) await person.open(true)
    await town.pass(60_000)
    for (const person of [bob, cy, dee, flo])
      expect((await person.texts(conversationId)).at(-1), person.name).to.equal('without Eve')
    expect(await eve.texts(conversationId)).to.not.include('without Eve')
  })
})
