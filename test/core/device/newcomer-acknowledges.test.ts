import { expect } from 'chai'
import { Town } from '../../support/devices.ts'
import { befriend } from '../../support/friends.ts'

describe('device: what a new device of a contact acknowledges', () => {
  it('is less than was written before it came, and no sign that it has forgotten anything', async () => {
    const town = await Town.found()
    const [ada, bob] = [await town.person('Ada'), await town.person('Bob')]
    const conversationId = await befriend(town, ada, bob)
    await ada.device.dispatch('send', { conversationId, text: 'read before' })
    await town.pass(10_000)
    await ada.close()
    await ada.open(false)
    await ada.device.dispatch('send', { conversationId, text: 'on its way' })
    const phone = await town.link(bob, 'phone', 'all')
    await bob.close()
    await ada.close()
    await ada.open(true)
    await town.pass(60_000)
    await phone.device.dispatch('send', { conversationId, text: 'from the phone' })
    await town.pass(60_000)
    await bob.open(true)
    await town.pass(120_000)
    const changes = ada.events.flatMap((event) => (event.type === 'device' ? [event.change] : []))
    expect(changes).to.deep.equal(['added'])
    expect((await ada.device.view('status', {})).outbox).to.equal(0)
  })
})
