import { expect } from 'chai'
import { Town, type Person } from '../../support/devices.ts'
import { Forgetful } from '../../support/forgetful.ts'
import { acquainted, befriend, friendsAtRelay, groupOf } from '../../support/friends.ts'
import { accountOf } from '../../support/liar.ts'
import { undialled } from '../../support/undialled.ts'

const names = async ({ device }: Person, conversationId: string): Promise<readonly string[]> =>
  (await device.view('members', { conversationId })).map(({ name }) => name).sort()

/** Bob's tablet lets Dee into a group while both are cut off from all others. */
async function letInAlone() {
  const town = await Town.found()
  const [bob, ada, dee] = await acquainted(town, ['Bob', 'Ada', 'Dee'])
  const tablet = await town.link(bob, 'tablet', 'all')
  const conversationId = await groupOf(town, bob, [ada], 'Walkers')
  await town.pass(20_000)
  town.part([
    [bob, ada],
    [tablet, dee],
  ])
  await tablet.device.dispatch('group-add', { conversationId, accountId: await accountOf(dee) })
  await town.pass(20_000)
  expect(await names(dee, conversationId)).to.deep.equal(['Ada', 'Bob', 'Dee'])
  return { town, ada, bob, dee, tablet, conversationId }
}

describe('device: that somebody was let into a group', () => {
  it('is known to all once one of them is met, though the device that did it is gone', async () => {
    const { town, ada, bob, dee, tablet, conversationId } = await letInAlone()
    await tablet.close()
    await dee.device.dispatch('send', { conversationId, text: 'hello' })
    town.join([[bob, ada], [dee]])
    await town.pass(5 * 60_000)
    for (const person of [ada, bob, dee]) {
      expect(await names(person, conversationId), person.name).to.deep.equal(['Ada', 'Bob', 'Dee'])
      expect(await person.texts(conversationId), person.name).to.deep.equal(['hello'])
    }
  })
})

describe('device: what ends somebody’s part in a group', () => {
  it('is told to whoever was let in meanwhile, though nobody is connected with them', async () => {
    const town = await Town.found()
    town.port = undialled
    const address = town.relay('relay')
    const people: Person[] = []
    for (const name of ['Ada', 'Bob', 'Cy', 'Dee']) {
      const person = await town.person(name)
      await person.device.dispatch('add-relay', { address })
      people.push(person)
    }
    const [ada, bob, cy, dee] = people as [Person, Person, Person, Person]
    await town.pass(10_000)
    for (const other of [bob, cy, dee]) await befriend(town, ada, other)
    const [bobs, cys, dees] = await Promise.all([bob, cy, dee].map(accountOf))
    const { conversationId } = await ada.device.dispatch('create-group', {
      name: 'Walkers',
      members: [bobs!, cys!],
    })
    await town.pass(10 * 60_000)
    await cy.close()
    await cy.open(false)
    await cy.device.dispatch('group-leave', { conversationId })
    await cy.close()
    await ada.device.dispatch('group-add', { conversationId, accountId: dees! })
    await town.pass(10 * 60_000)
    expect(await names(dee, conversationId)).to.deep.equal(['Ada', 'Bob', 'Cy', 'Dee'])
    await ada.close()
    await cy.open(true)
    await town.pass(20 * 60_000)
    for (const person of [bob, dee])
      expect(await names(person, conversationId), person.name).to.deep.equal(['Ada', 'Bob', 'Dee'])
  })

  it('is told with what makes it count, where the device that ended it is out itself by then', async () => {
    const town = await Town.found()
    const [ada, bob, cy] = await acquainted(town, ['Ada', 'Bob', 'Cy'])
    const laptop = await town.link(ada, 'laptop', 'all')
    const conversationId = await groupOf(town, ada, [bob, cy], 'Walkers')
    for (const person of [ada, laptop, bob]) {
      await person.device.dispatch('send', { conversationId, text: `I am ${person.name}` })
      await town.pass(10_000)
    }
    town.part([
      [ada, cy],
      [bob, laptop],
    ])
    await laptop.device.dispatch('group-remove', { conversationId, accountId: await accountOf(bob) })
    await town.pass(20_000)
    town.part([[bob], [laptop]])
    town.join([[ada, cy], [laptop]])
    await town.pass(60_000)
    const { deviceId } = (await laptop.device.view('self', {}))!
    await ada.device.dispatch('remove-device', { deviceId })
    await town.pass(20_000)
    await laptop.close()
    town.join([[ada, cy], [bob]])
    await town.pass(120_000)
    for (const person of [ada, cy, bob])
      expect(await names(person, conversationId), person.name).to.deep.equal(['Ada', 'Cy'])
  })

  it('is told by the one that put that device out, where only relays carry anything', async () => {
    const town = await Town.found()
    town.port = undialled
    const [here, there] = [town.relay('here'), town.relay('there')]
    const people = [await town.person('Ada'), await town.person('Bob'), await town.person('Cy')] as const
    const [ada, bob, cy] = people
    const use = ({ device }: Person, address: string) => device.dispatch('add-relay', { address })
    for (const one of [ada, cy]) await use(one, here)
    await use(bob, there)
    await town.pass(10_000)
    for (const other of [bob, cy]) await befriend(town, ada, other)
    const laptop = await town.link(ada, 'laptop', 'all')
    await use(laptop, here)
    await town.pass(60_000)
    const conversationId = await groupOf(town, ada, [bob, cy], 'Walkers')
    await town.pass(5 * 60_000)
    for (const person of [...people, laptop])
      expect(await names(person, conversationId), person.name).to.deep.equal(['Ada', 'Bob', 'Cy'])
    town.hub.cut(laptop.peerId, there.split('/p2p/').at(-1)!)
    await laptop.device.dispatch('group-remove', { conversationId, accountId: await accountOf(bob) })
    await town.pass(5 * 60_000)
    const { deviceId } = (await laptop.device.view('self', {}))!
    await laptop.close()
    await ada.device.dispatch('remove-device', { deviceId })
    await town.pass(20 * 60_000)
    for (const person of people)
      expect(await names(person, conversationId), person.name).to.deep.equal(['Ada', 'Cy'])
  })

  it('is told to whoever was let in by a device that was put out before anybody heard of that', async () => {
    const { town, ada, bob, dee, tablet, conversationId } = await letInAlone()
    const { deviceId } = (await tablet.device.view('self', {}))!
    await tablet.close()
    await bob.device.dispatch('remove-device', { deviceId })
    await town.pass(20_000)
    town.join([[bob, ada], [dee]])
    await town.pass(5 * 60_000)
    for (const person of [ada, bob, dee])
      expect(await names(person, conversationId), person.name).to.deep.equal(['Ada', 'Bob'])
  })

  it('is told where it undid the grant by which somebody was back who had left', async () => {
    const town = await Town.found()
    const [ada, bob, cy] = await acquainted(town, ['Ada', 'Bob', 'Cy'])
    const conversationId = await groupOf(town, ada, [bob, cy], 'Walkers')
    const [bobs, cys] = [await accountOf(bob), await accountOf(cy)]
    await ada.device.dispatch('group-role', { conversationId, accountId: bobs, role: 'admin' })
    await town.pass(20_000)
    await cy.device.dispatch('group-leave', { conversationId })
    await town.pass(20_000)
    const apart = [[ada], [bob, cy]]
    town.part(apart)
    await ada.device.dispatch('group-role', { conversationId, accountId: bobs, role: 'member' })
    await bob.device.dispatch('group-add', { conversationId, accountId: cys })
    await town.pass(20_000)
    expect(await names(cy, conversationId)).to.deep.equal(['Ada', 'Bob', 'Cy'])
    town.join(apart)
    await town.pass(120_000)
    for (const person of [ada, bob, cy])
      expect(await names(person, conversationId), person.name).to.deep.equal(['Ada', 'Bob'])
  })

  it('and so is what somebody wrote who held them to be out still, to whoever is back', async () => {
    const town = await Town.found()
    town.port = undialled
    const address = town.relay('relay')
    const people: Person[] = []
    for (const name of ['Ada', 'Bob', 'Cy']) people.push(await town.person(name))
    const [ada, bob, cy] = people as [Person, Person, Person]
    for (const { device } of people) await device.dispatch('add-relay', { address })
    await town.pass(10_000)
    for (const other of [bob, cy]) await befriend(town, ada, other)
    const [bobs, cys] = [await accountOf(bob), await accountOf(cy)]
    const { conversationId } = await ada.device.dispatch('create-group', {
      name: 'Walkers',
      members: [bobs, cys],
    })
    await town.pass(10 * 60_000)
    await cy.device.dispatch('group-leave', { conversationId })
    await town.pass(10 * 60_000)
    await bob.close()
    await bob.open(false)
    await bob.device.dispatch('group-rename', { conversationId, name: 'Climbers' })
    await bob.close()
    await ada.device.dispatch('group-add', { conversationId, accountId: cys })
    await town.pass(10 * 60_000)
    await bob.open(true)
    await town.pass(20 * 60_000)
    for (const { name, device } of [ada, bob, cy]) {
      const titles = (await device.view('conversations', {})).map((one) => one.name)
      expect(titles, name).to.include('Climbers')
    }
  })

  it('is told again, where a relay threw it away', async () => {
    const town = await Town.found()
    town.port = undialled
    const relay = new Forgetful()
    town.mailbox = relay.mailbox
    const { ada, bob } = await friendsAtRelay(town)
    const conversationId = await groupOf(town, ada, [bob], 'Walkers')
    await town.pass(10 * 60_000)
    relay.forgets = true
    await ada.device.dispatch('group-remove', { conversationId, accountId: await accountOf(bob) })
    await town.pass(60_000)
    relay.forgets = false
    expect(await names(bob, conversationId)).to.deep.equal(['Ada', 'Bob'])
    await town.pass(20 * 60_000)
    expect(await names(bob, conversationId)).to.deep.equal(['Ada'])
    const { again } = relay
    await town.pass(12 * 60 * 60_000)
    expect(relay.again - again, 'and then no more').to.equal(0)
  })
})
