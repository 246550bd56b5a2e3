import { expect } from 'chai'
import { Town, type Person } from '../../support/devices.ts'
import { Forgetful } from '../../support/forgetful.ts'
import { acquainted, befriend, friendsAtRelay, groupOf } from '../../support/friends.ts'
import { undialled } from '../../support/undialled.ts'

const stateAt = async ({ device }: Person, id: string): Promise<string | undefined> =>
  (await device.view('conversations', {})).find(({ conversationId }) => conversationId === id)?.contactState

describe('device: an own device whose account goes out of a group elsewhere', () => {
  it('is told by its sibling, where neither who left nor who brings that knows of it', async () => {
    const town = await Town.found()
    const [ada, bob, cy] = await acquainted(town, ['Ada', 'Bob', 'Cy'])
    const laptop = await town.link(bob, 'laptop', 'all')
    const conversationId = await groupOf(town, ada, [bob, cy], 'Lake')
    town.part([
      [bob, cy],
      [ada, laptop],
    ])
    const tablet = await town.link(laptop, 'tablet', 'all', [ada, bob, cy])
    await bob.device.dispatch('group-leave', { conversationId })
    await town.pass(10_000)
    await bob.close()
    await ada.close()
    expect(await stateAt(tablet, conversationId)).to.equal('connected')
    town.join([[cy], [laptop]])
    await town.pass(60_000)
    expect(await stateAt(laptop, conversationId)).to.equal('left')
    expect(await stateAt(tablet, conversationId)).to.equal('left')
  })

  it('is told again, where the relay between them threw it away', async () => {
    const town = await Town.found()
    town.port = undialled
    const relay = new Forgetful()
    town.mailbox = relay.mailbox
    const { ada, bob, address } = await friendsAtRelay(town)
    const laptop = await town.link(bob, 'laptop', 'all')
    await laptop.device.dispatch('add-relay', { address })
    const conversationId = await groupOf(town, ada, [bob], 'Lake')
    await town.pass(10 * 60_000)
    expect(await stateAt(laptop, conversationId)).to.equal('connected')
    await ada.close()
    relay.forgets = true
    await bob.device.dispatch('group-leave', { conversationId })
    await town.pass(60_000)
    relay.forgets = false
    expect(await stateAt(laptop, conversationId)).to.equal('connected')
    await town.pass(20 * 60_000)
    expect(await stateAt(laptop, conversationId)).to.equal('left')
  })

  it('is told also where it came only since, and had the group from somebody who did not know that yet', async () => {
    const town = await Town.found()
    const [ada, bob, cy] = await acquainted(town, ['Ada', 'Bob', 'Cy'])
    await befriend(town, bob, cy)
    const conversationId = await groupOf(town, ada, [bob, cy], 'Lake')
    const apart = [[cy], [ada, bob]]
    town.part(apart)
    await bob.device.dispatch('group-leave', { conversationId })
    await town.pass(20_000)
    const laptop = await town.link(bob, 'laptop', 'none', [cy])
    await ada.close()
    await bob.close()
    expect(await stateAt(laptop, conversationId)).to.equal(undefined)
    town.join([[cy], [laptop]])
    await town.pass(60_000)
    expect(await stateAt(laptop, conversationId)).to.equal('connected')
    await cy.close()
    await bob.open(true)
    await town.pass(60_000)
    expect(await stateAt(laptop, conversationId)).to.equal('left')
  })
  it('shows it nothing of before when the account is let in again, where its person granted it none', async () => {
    const town = await Town.found()
    const [ada, bob, cy] = await acquainted(town, ['Ada', 'Bob', 'Cy'])
    await befriend(town, bob, cy)
    const conversationId = await groupOf(town, ada, [bob, cy], 'Lake')
    await ada.device.dispatch('send', { conversationId, text: 'before the laptop' })
    await town.pass(20_000)
    const apart = [[cy], [ada, bob]]
    town.part(apart)
    await bob.device.dispatch('group-leave', { conversationId })
    await town.pass(20_000)
    const laptop = await town.link(bob, 'laptop', 'none', [cy])
    await ada.close()
    await bob.close()
    town.join([[cy], [laptop]])
    await town.pass(60_000)
    await cy.close()
    await bob.open(true)
    await town.pass(60_000)
    expect(await stateAt(laptop, conversationId)).to.equal('left')
    await ada.open(true)
    await town.pass(60_000)
    const accountId = (await bob.device.view('self', {}))!.accountId
    await ada.device.dispatch('group-add', { conversationId, accountId })
    await town.pass(60_000)
    await ada.device.dispatch('send', { conversationId, text: 'since' })
    await town.pass(60_000)
    expect(await bob.texts(conversationId)).to.deep.equal(['before the laptop', 'since'])
    expect(await laptop.texts(conversationId)).to.deep.equal(['since'])
  })
})
