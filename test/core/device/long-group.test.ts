import { expect } from 'chai'
import { Town } from '../../support/devices.ts'
import { acquainted, groupOf } from '../../support/friends.ts'

/** Operations enough to fill what one frame has for them several times. */
const changes = 120

describe('device: a group with a long past', () => {
  it('tells a member who was away what put it out', async () => {
    const town = await Town.found()
    const [ada, bob, cy] = await acquainted(town, ['Ada', 'Bob', 'Cy'])
    const conversationId = await groupOf(town, ada, [bob, cy], 'Lake')
    const [bobId, cyId] = await Promise.all(
      [bob, cy].map(async ({ device }) => (await device.view('self', {}))!.accountId),
    )
    for (let n = 0; n < changes; n++) {
      const role = n % 2 === 0 ? 'admin' : 'member'
      await ada.device.dispatch('group-role', { conversationId, accountId: bobId!, role })
      await town.pass(200)
    }
    await town.pass(10_000)
    await cy.close()
    await ada.device.dispatch('group-remove', { conversationId, accountId: cyId! })
    await cy.open(true)
    await town.pass(60_000)
    const [seen] = (await cy.device.view('conversations', {})).filter(
      (one) => one.conversationId === conversationId,
    )
    expect(seen?.contactState).to.equal('left')
  })
})
