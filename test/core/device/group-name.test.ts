import { expect } from 'chai'
import { befriend } from '../../support/friends.ts'
import { Town, type Person } from '../../support/devices.ts'
import { accountOf } from '../../support/liar.ts'

const nameAt = async (person: Person, conversationId: string): Promise<string | undefined> =>
  (await person.device.view('conversations', {})).find((one) => one.conversationId === conversationId)?.name

describe('device: the name of a group', () => {
  it('is taken back with the word of who was being removed, also where it was read already', async () => {
    const town = await Town.found()
    const [ada, bob, cy] = [await town.person('Ada'), await town.person('Bob'), await town.person('Cy')]
    await befriend(town, ada, bob)
    await befriend(town, ada, cy)
    const members = [await accountOf(bob), await accountOf(cy)]
    const { conversationId } = await ada.device.dispatch('create-group', { name: 'Walkers', members })
    await town.pass(20_000)
    for (const name of ['Hikers', 'Runners']) {
      await cy.device.dispatch('group-rename', { conversationId, name })
      await town.pass(10_000)
    }
    expect(await nameAt(bob, conversationId)).to.equal('Runners')
    for (const other of [bob, cy]) town.hub.cut(ada.peerId, other.peerId)
    await bob.device.dispatch('group-rename', { conversationId, name: 'Bob’s' })
    await town.pass(10_000)
    expect(await nameAt(cy, conversationId)).to.equal('Bob’s')
    await ada.device.dispatch('group-remove', { conversationId, accountId: await accountOf(bob) })
    await town.pass(10_000)
    for (const other of [bob, cy]) town.hub.heal(ada.peerId, other.peerId)
    await town.pass(1_200_000)
    for (const person of [ada, cy])
      expect(await nameAt(person, conversationId), person.name).to.equal('Runners')
    await cy.device.dispatch('group-rename', { conversationId, name: 'Swimmers' })
    await town.pass(20_000)
    await cy.close()
    await cy.open(true)
    for (const person of [ada, cy])
      expect(await nameAt(person, conversationId), person.name).to.equal('Swimmers')
    await ada.device.dispatch('group-rename', { conversationId, name: 'Divers' })
    await town.pass(20_000)
    for (const person of [ada, cy])
      expect(await nameAt(person, conversationId), person.name).to.equal('Divers')
  })
})
