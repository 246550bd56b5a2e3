import { expect } from 'chai'
import { Town } from '../support/devices.ts'
import { acquainted, groupOf } from '../support/friends.ts'
import { accountOf } from '../support/liar.ts'

describe('066: somebody who was put out and is let in again', () => {
  it('is not sent what was written to be kept from them, by whoever had left when they came back', async () => {
    const town = await Town.found()
    const [ada, bob, cy] = await acquainted(town, ['Ada', 'Bob', 'Cy'])
    const conversationId = await groupOf(town, ada, [bob, cy], 'Walkers')
    await bob.device.dispatch('send', { conversationId, text: 'to all' })
    await town.pass(10_000)
    const accountId = await accountOf(cy)
    await ada.device.dispatch('group-remove', { conversationId, accountId })
    await town.pass(10_000)
    // Bob writes and leaves where nobody hears of it yet.
    const apart = [[bob], [ada, cy]]
    town.part(apart)
    await bob.device.dispatch('send', { conversationId, text: 'not for Cy' })
    await bob.device.dispatch('group-leave', { conversationId })
    await ada.device.dispatch('group-add', { conversationId, accountId })
    await town.pass(20_000)
    town.join(apart)
    await town.pass(20 * 60_000)
    const members = await ada.device.view('members', { conversationId })
    expect(members.map(({ name }) => name).sort()).to.deep.equal(['Ada', 'Cy'])
    expect(await ada.texts(conversationId)).to.deep.equal(['to all', 'not for Cy'])
    expect(await cy.texts(conversationId)).to.deep.equal(['to all'])
    expect(await cy.device.view('status', {})).to.include({ held: 0 })
  })
  it('shows a device of theirs that was away what it had read before', async () => {
    const town = await Town.found()
    const [ada, bob, cy] = await acquainted(town, ['Ada', 'Bob', 'Cy'])
    const conversationId = await groupOf(town, ada, [bob, cy], 'Walkers')
    const phone = await town.link(cy, 'phone', 'all')
    await phone.close()
    await bob.device.dispatch('send', { conversationId, text: 'while the phone was off' })
    await town.pass(10_000)
    const accountId = await accountOf(cy)
    await ada.device.dispatch('group-remove', { conversationId, accountId })
    await town.pass(10_000)
    await ada.device.dispatch('group-add', { conversationId, accountId })
    await town.pass(10_000)
    await cy.device.dispatch('send', { conversationId, text: 'back' })
    await town.pass(10_000)
    await phone.open(true)
    await town.pass(60_000)
    expect(await phone.texts(conversationId)).to.deep.equal(['while the phone was off', 'back'])
    expect(await phone.device.view('status', {})).to.include({ held: 0 })
  })
})
