import { expect } from 'chai'
import { Town } from '../../support/devices.ts'
import { acquainted, groupOf } from '../../support/friends.ts'
import { accountOf } from '../../support/liar.ts'

describe('device: somebody’s new device, which was never heard of before its account was put out', () => {
  it('wrote as one of the group: its words are kept, and nothing is held', async () => {
    const town = await Town.found()
    const [ada, bob] = await acquainted(town, ['Ada', 'Bob'])
    const conversationId = await groupOf(town, ada, [bob], 'Choir')
    await bob.device.dispatch('send', { conversationId, text: 'from the phone' })
    await town.pass(20_000)
    town.part([[ada], [bob]])
    const laptop = await town.link(bob, 'laptop', 'none', [ada])
    await town.pass(20_000)
    await laptop.device.dispatch('send', { conversationId, text: 'from the laptop' })
    await town.pass(20_000)
    await ada.device.dispatch('group-remove', { conversationId, accountId: await accountOf(bob) })
    await town.pass(20_000)
    town.join([[ada], [bob, laptop]])
    await town.pass(120_000)
    expect((await ada.device.view('status', {})).held).to.equal(0)
    expect(await ada.texts(conversationId)).to.deep.equal(['from the phone', 'from the laptop'])
  })
})
