import { expect } from 'chai'
import { Town, type Person } from '../../support/devices.ts'
import { acquainted, groupOf } from '../../support/friends.ts'

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
})
