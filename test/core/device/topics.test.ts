import { expect } from 'chai'
import type { Network } from '@sotto/core/ports'
import { seedRows } from '../../../packages/core/src/device/tables.ts'
import { limits } from '../../../packages/core/src/limits.ts'
import { toBase32 } from '../../../packages/core/src/wire/index.ts'
import { befriend } from '../../support/friends.ts'
import { Town, type Person } from '../../support/devices.ts'
import { OpenedHome } from '../../support/opened-home.ts'

/** What left each device: publications, and frames on channels. */
interface Traffic {
  readonly published: { readonly by: string; readonly topic: string }[]
  readonly written: string[]
}

async function largeGroup(first = 4): Promise<{
  readonly town: Town
  readonly people: readonly Person[]
  readonly conversationId: string
  readonly traffic: Traffic
}> {
  const town = await Town.found()
  const traffic: Traffic = { published: [], written: [] }
  town.port = (network, name) =>
    heard(network, {
      publish: (topic) => traffic.published.push({ by: name, topic: String(topic) }),
      write: () => traffic.written.push(name),
    })
  const people: Person[] = []
  for (const name of ['Ada', 'Bob', 'Cy', 'Dee', 'Eve']) people.push(await town.person(name))
  const [ada, ...others] = people as [Person, ...Person[]]
  const accounts: string[] = []
  for (const other of others) {
    await befriend(town, ada, other)
    accounts.push((await other.device.view('self', {}))!.accountId)
  }
  const members = accounts.slice(0, first)
  const { conversationId } = await ada.device.dispatch('create-group', { name: 'Choir', members })
  await town.pass(20_000)
  return { town, people, conversationId, traffic }
}

/** The network, with somebody listening to some of its calls. */
const heard = (network: Network, listeners: Record<string, (...args: unknown[]) => void>): Network =>
  new Proxy(network, {
    get: (target, key) => {
      const value: unknown = Reflect.get(target, key)
      if (typeof value !== 'function') return value
      return (...args: unknown[]): unknown => {
        listeners[String(key)]?.(...args)
        return Reflect.apply(value, target, args)
      }
    },
  })

describe('device: topics', () => {
  it('a large group publishes a record once, and everybody who has the seed reads it there', async () => {
    const { town, people, conversationId, traffic } = await largeGroup()
    const [ada, bob] = people as [Person, Person]
    // Everybody speaks once, so that all have met and have their seeds.
    for (const person of people) {
      await person.device.dispatch('send', { conversationId, text: `I am ${person.name}` })
      await town.pass(5_000)
    }
    await town.pass(120_000)
    traffic.published.length = 0
    traffic.written.length = 0
    await ada.device.dispatch('send', { conversationId, text: 'all together' })
    await town.settle()
    expect(traffic.published.map(({ by }) => by)).to.deep.equal(['Ada'])
    expect(traffic.written.filter((name) => name === 'Ada')).to.deep.equal([])
    for (const person of people)
      expect((await person.texts(conversationId)).at(-1), person.name).to.equal('all together')
    ada.events.length = 0
    await town.pass(60_000)
    const { messages } = await ada.device.view('history', { conversationId })
    expect(messages.at(-1)).to.include({ state: 'delivered' })
    expect(
      traffic.written.filter((name) => name === 'Ada'),
      'no copy of what is acknowledged',
    ).to.deep.equal([])
    const told = ada.events.filter((event) => event.type === 'state').map(({ state }) => state)
    expect(told.at(-1), 'faces are told').to.equal('delivered')
    await bob.device.dispatch('send', { conversationId, text: 'and again' })
    await town.pass(60_000)
    const exports: string[] = []
    for (const person of people) exports.push((await person.device.view('export', { conversationId })).json)
    expect(new Set(exports).size).to.equal(1)
  })

  it('whoever was removed gets no seed of the next epoch, and nothing published under it opens there', async () => {
    const { town, people, conversationId, traffic } = await largeGroup()
    const [ada, , , , eve] = people as [Person, Person, Person, Person, Person]
    for (const person of people) {
      await person.device.dispatch('send', { conversationId, text: `I am ${person.name}` })
      await town.pass(5_000)
    }
    await town.pass(120_000)
    await eve.close()
    const { accountId } = (await ada.device.view('members', { conversationId })).find(
      ({ name }) => name === 'Eve',
    )!
    await ada.device.dispatch('group-remove', { conversationId, accountId })
    const before = new Set(traffic.published.map(({ topic }) => topic))
    await town.pass(10_000)
    for (let n = 0; n < 4; n++) {
      await ada.device.dispatch('send', { conversationId, text: `without Eve ${n}` })
      await town.pass(30_000)
    }
    await eve.open(true)
    await town.pass(60_000)
    expect((await eve.texts(conversationId)).filter((text) => text?.startsWith('without'))).to.deep.equal([])
    for (const person of people.slice(1, 4))
      expect((await person.texts(conversationId)).at(-1), person.name).to.equal('without Eve 3')
    expect(before.size).to.be.greaterThan(0)
  })

  it('a seed kept for somebody who is put out meanwhile goes nowhere, and is wiped', async () => {
    const { town, people, conversationId } = await largeGroup()
    const [ada, , , , eve] = people as [Person, Person, Person, Person, Person]
    for (const person of people) {
      await person.device.dispatch('send', { conversationId, text: `I am ${person.name}` })
      await town.pass(5_000)
    }
    await town.pass(180_000)
    const { accountId, deviceId } = (await eve.device.view('self', {}))!
    await eve.close()
    const owed = async (): Promise<readonly string[]> => {
      const { rows } = await OpenedHome.of(town.crypto, ada, town.clock.nowMs())
      return rows.all(seedRows).map(({ device }) => toBase32(device))
    }
    // Others spoke last, a while ago: the next word begins an epoch, which lists Eve.
    await ada.device.dispatch('send', { conversationId, text: 'is Eve there?' })
    await town.pass(30_000)
    expect(await owed()).to.deep.equal([deviceId])
    await ada.device.dispatch('group-remove', { conversationId, accountId })
    await town.pass(2 * limits.topicTendMs)
    expect(await owed()).to.deep.equal([])
  })

  it('what was written before somebody came is not published to them, nor waited for there', async () => {
    const { town, people, conversationId } = await largeGroup(3)
    const [ada, bob, cy, dee, eve] = people as [Person, Person, Person, Person, Person]
    for (const person of [ada, bob, cy, dee]) {
      await person.device.dispatch('send', { conversationId, text: `before, by ${person.name}` })
      await town.pass(5_000)
    }
    for (const person of [bob, cy, dee]) await person.close()
    const { accountId } = (await eve.device.view('self', {}))!
    await ada.device.dispatch('group-add', { conversationId, accountId })
    for (let n = 0; n < 3; n++) {
      await town.pass(20_000)
      await ada.device.dispatch('send', { conversationId, text: `with Eve ${n}` })
    }
    for (const person of [bob, cy, dee]) await person.open(true)
    await town.pass(60_000)
    expect(await eve.texts(conversationId)).to.deep.equal([0, 1, 2].map((n) => `with Eve ${n}`))
    expect(await eve.device.view('status', {})).to.include({ held: 0 })
    expect(await bob.texts(conversationId)).to.have.length(7)
  })
})
