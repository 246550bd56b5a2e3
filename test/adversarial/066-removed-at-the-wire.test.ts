import { expect } from 'chai'
import { MemoryMailboxStore } from '@sotto/core/memory'
import { Town, type Person } from '../support/devices.ts'
import { befriend } from '../support/friends.ts'
import { HomeThief } from '../support/home-thief.ts'
import { accountOf } from '../support/liar.ts'
import { OpenedHome } from '../support/opened-home.ts'

/** A town in which every byte on the wire and at the relay is kept. */
async function overheard() {
  const town = await Town.found()
  const [frames, published]: [Uint8Array[], Uint8Array[]] = [[], []]
  town.port = (network) =>
    new Proxy(network, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key)
        if (typeof value !== 'function') return value
        return (...args: unknown[]): unknown => {
          if (key === 'write') frames.push((args[1] as Uint8Array).slice())
          if (key === 'publish') published.push((args[1] as Uint8Array).slice())
          return Reflect.apply(value, target, args)
        }
      },
    })
  town.mailbox = () => {
    const store = new MemoryMailboxStore()
    const commit = store.commit.bind(store)
    store.commit = async (writes) => {
      for (const write of writes)
        for (const part of Object.values(write) as unknown[])
          if (part instanceof Uint8Array) frames.push(part.slice())
      return commit(writes)
    }
    return store
  }
  const thief = async (...homes: readonly OpenedHome[]): Promise<HomeThief> => {
    const one = new HomeThief(town.crypto, homes, town.clock.nowMs())
    one.listen(frames, published)
    return one
  }
  return { town, frames, published, thief }
}

const homeOf = (town: Town, person: Person): Promise<OpenedHome> =>
  OpenedHome.of(town.crypto, person, town.clock.nowMs())

async function largeGroup(town: Town, relay?: string) {
  const people: Person[] = []
  for (const name of ['Ada', 'Bob', 'Cy', 'Dee', 'Fay', 'Eve']) {
    const person = await town.person(name)
    if (relay !== undefined) await person.device.dispatch('add-relay', { address: relay })
    people.push(person)
  }
  const [ada, bob, cy, dee, fay, eve] = people as [Person, Person, Person, Person, Person, Person]
  const members: string[] = []
  for (const other of [bob, cy, dee, fay, eve]) {
    await befriend(town, ada, other)
    members.push(await accountOf(other))
  }
  const { conversationId } = await ada.device.dispatch('create-group', { name: 'Choir', members })
  await town.pass(20_000)
  for (const person of people) {
    await person.device.dispatch('send', { conversationId, text: `I am ${person.name}` })
    await town.pass(5_000)
  }
  await town.pass(120_000)
  const say = async (person: Person, text: string): Promise<void> => {
    await person.device.dispatch('send', { conversationId, text })
    await town.pass(30_000)
  }
  return { people, ada, bob, cy, eve, conversationId, say }
}

describe('066: who was removed, with every byte afterwards and all it held', () => {
  it('opens nothing of a group that was sealed by who knew; what was sealed for it, it opens', async () => {
    const { town, frames, published, thief } = await overheard()
    const { ada, bob, cy, eve, conversationId, say } = await largeGroup(town, town.relay('wire'))
    const early = await homeOf(town, eve)
    await say(ada, 'while Eve was in')
    const late = await homeOf(town, eve)
    await eve.close()
    // Bob does not hear of it at once, and speaks to all.
    for (const other of [ada, cy]) town.hub.cut(bob.peerId, other.peerId)
    await ada.device.dispatch('group-remove', { conversationId, accountId: await idOf(ada, 'Eve') })
    await say(ada, 'Ada knows one')
    const marks = [frames.length, published.length]
    const control = await homeOf(town, ada)
    for (const other of [ada, cy]) town.hub.heal(bob.peerId, other.peerId)
    await town.pass(60_000)
    for (const person of [bob, cy, ada]) await say(person, `${person.name} knows two`)
    await cy.close()
    await say(ada, 'left at the relay')
    await cy.open(true)
    await town.pass(60_000)
    expect(frames.length).to.be.above(marks[0]!)
    expect(published.length).to.be.above(marks[1]!)
    const before = await thief(early, late, await homeOf(town, eve))
    expect(before.reads('while Eve was in')).to.equal(true)
    for (const text of [
      'Ada knows one',
      'Bob knows two',
      'Cy knows two',
      'Ada knows two',
      'left at the relay',
    ])
      expect(before.reads(text), text).to.equal(false)
    expect(await cy.texts(conversationId)).to.include('left at the relay')
    // With the home that a member had meanwhile the same thief reads it all: nothing but keys is in its way.
    const member = await thief(control)
    for (const text of ['Bob knows two', 'Cy knows two']) expect(member.reads(text), text).to.equal(true)
  }).timeout(120_000)

  it('as a device of an account, opens nothing its account or a contact said to who remained', async () => {
    const { town, thief } = await overheard()
    const [ada, bob] = [await town.person('Ada'), await town.person('Bob')]
    const conversationId = await befriend(town, ada, bob)
    const laptop = await town.link(bob, 'laptop')
    const early = await homeOf(town, laptop)
    const say = async (person: Person, text: string): Promise<void> => {
      await person.device.dispatch('send', { conversationId, text })
      await town.pass(10_000)
    }
    await say(ada, 'to both devices')
    const late = await homeOf(town, laptop)
    await laptop.close()
    const other = (await bob.device.view('devices', {})).find(({ thisDevice }) => !thisDevice)!
    await bob.device.dispatch('remove-device', { deviceId: other.deviceId })
    await town.pass(10_000)
    await say(bob, 'from Bob alone')
    await say(ada, 'to one device')
    await laptop.open(true)
    await town.pass(60_000)
    await say(ada, 'and again')
    const one = await thief(early, late, await homeOf(town, laptop))
    expect(one.reads('to both devices')).to.equal(true)
    for (const text of ['from Bob alone', 'to one device', 'and again'])
      expect(one.reads(text), text).to.equal(false)
  })
})

describe('027, 058: a stolen copy of a home', () => {
  it('of a conversation of two reads on until a round trip, and nothing that was read and erased before', async () => {
    const { town, thief } = await overheard()
    const [ada, bob] = [await town.person('Ada'), await town.person('Bob')]
    const conversationId = await befriend(town, ada, bob)
    const say = async (person: Person, text: string): Promise<void> => {
      await person.device.dispatch('send', { conversationId, text })
      await town.pass(10_000)
    }
    const early = await homeOf(town, bob)
    const secret = await ada.device.dispatch('send', { conversationId, text: 'read and erased' })
    await town.pass(10_000)
    await ada.device.dispatch('delete', { messageId: secret.messageId })
    await town.pass(10_000)
    const copy = await homeOf(town, bob)
    expect(await copy.dump()).to.not.include(Buffer.from('read and erased').toString('hex'))
    await say(ada, 'not healed')
    for (const round of [1, 2]) {
      await say(ada, `question ${round}`)
      await say(bob, `answer ${round}`)
    }
    await say(ada, 'closed to it')
    await say(bob, 'and this')
    const [one, earlier] = [await thief(copy), await thief(early)]
    expect(one.reads('not healed')).to.equal(true)
    for (const text of ['read and erased', 'closed to it', 'and this'])
      expect(one.reads(text), text).to.equal(false)
    expect(earlier.reads('read and erased')).to.equal(true)
  })

  it('of a large group is closed out by round trips and one epoch', async () => {
    const { town, thief } = await overheard()
    const { people, ada, bob, eve, say } = await largeGroup(town)
    const copy = await homeOf(town, eve)
    await say(ada, 'same epoch')
    for (let round = 0; round < 2; round++)
      for (const person of people) await say(person, `round ${round} ${person.name}`)
    town.clock.advance(25 * 60 * 60 * 1_000)
    await town.pass(10_000)
    for (const person of [ada, bob]) await say(person, `begins ${person.name}`)
    await town.pass(120_000)
    for (const person of people) await say(person, `closed ${person.name}`)
    const one = await thief(copy)
    expect(one.reads('same epoch')).to.equal(true)
    for (const name of ['Ada', 'Bob', 'Cy', 'Dee', 'Fay'])
      expect(one.reads(`closed ${name}`), name).to.equal(false)
  }).timeout(120_000)
})

async function idOf(person: Person, name: string): Promise<string> {
  const conversations = await person.device.view('contacts', {})
  return conversations.find((one) => one.name === name)!.accountId
}
