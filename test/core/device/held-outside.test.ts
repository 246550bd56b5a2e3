import { expect } from 'chai'
import { Town } from '../../support/devices.ts'
import { acquainted, groupOf } from '../../support/friends.ts'
import { accountOf } from '../../support/liar.ts'

describe('device: records that wait, of a group one is put out of', () => {
  it('are no longer said to wait: nobody brings any more what they stand on', async () => {
    const town = await Town.found()
    const [ada, bob, cy] = await acquainted(town, ['Ada', 'Bob', 'Cy'])
    const conversationId = await groupOf(town, ada, [bob, cy], 'Choir')
    const waiting = async (): Promise<number> => (await cy.device.view('status', {})).held
    town.hub.cut(bob.peerId, cy.peerId)
    const { messageId } = await bob.device.dispatch('send', { conversationId, text: 'heard by Ada alone' })
    await town.pass(3_000)
    await ada.device.dispatch('react', { messageId, emoji: '👍' })
    await town.pass(3_000)
    expect(await waiting()).to.equal(1)
    await ada.device.dispatch('group-remove', { conversationId, accountId: await accountOf(cy) })
    await town.pass(10_000)
    expect(await waiting()).to.equal(0)
    await town.pass(10 * 60_000)
    expect(await waiting()).to.equal(0)
  })
})
