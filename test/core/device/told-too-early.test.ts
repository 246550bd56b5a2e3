import { expect } from 'chai'
import { Town } from '../../support/devices.ts'
import { befriend } from '../../support/friends.ts'
import { accountOf } from '../../support/liar.ts'
import { undialled } from '../../support/undialled.ts'

describe('device: what a stranger says in a group before the group is known', () => {
  it('comes again once it is known, though nobody has a channel and its relay holds it confirmed', async () => {
    const town = await Town.found()
    town.port = undialled
    const [near, far] = [town.relay('near'), town.relay('far')]
    const [ada, bob, cy] = [await town.person('Ada'), await town.person('Bob'), await town.person('Cy')]
    await bob.device.dispatch('add-relay', { address: near })
    for (const { device } of [ada, cy]) await device.dispatch('add-relay', { address: far })
    await town.pass(10_000)
    for (const other of [bob, cy]) await befriend(town, ada, other)
    await town.pass(10 * 60_000)
    // Ada's word on the group reaches Cy, and not yet Bob.
    const nearPeer = near.split('/p2p/').at(-1)!
    town.hub.cut(ada.peerId, nearPeer)
    const members = [await accountOf(bob), await accountOf(cy)]
    const { conversationId } = await ada.device.dispatch('create-group', { name: 'Choir', members })
    await town.pass(10_000)
    await cy.device.dispatch('send', { conversationId, text: 'early' })
    await town.pass(10_000)
    expect(await bob.device.view('requests', {})).to.have.length(1)
    expect((await bob.device.view('conversations', {})).map(({ name }) => name)).not.to.include('Choir')
    town.hub.heal(ada.peerId, nearPeer)
    await town.pass(30_000)
    expect((await bob.device.view('conversations', {})).map(({ name }) => name)).to.include('Choir')
    await town.pass(4 * 60_000)
    expect(await bob.texts(conversationId)).to.deep.equal(['early'])
  })
})
