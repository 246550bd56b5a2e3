import { expect } from 'chai'
import { Town } from '../../support/devices.ts'

describe('device: two people', () => {
  it('connect by an invite and talk both ways', async () => {
    const town = await Town.found()
    const ada = await town.person('Ada')
    const bob = await town.person('Bob')
    const invite = await ada.device.dispatch('create-invite', { direct: true })
    await town.pass(3_000)
    const adding = bob.device.dispatch('add', { link: invite.link })
    await town.pass(20_000)
    const added = await adding
    await town.pass(10_000)
    const [contact] = await ada.device.view('contacts', {})
    expect(contact).to.include({ name: 'Bob', state: 'connected' })
    const { conversationId } = added
    await bob.device.dispatch('send', { conversationId, text: 'hello Ada' })
    await town.pass(1_000)
    await ada.device.dispatch('send', { conversationId, text: 'hello Bob' })
    await town.pass(1_000)
    expect(await ada.texts(conversationId)).to.deep.equal(['hello Ada', 'hello Bob'])
    expect(await bob.texts(conversationId)).to.deep.equal(['hello Ada', 'hello Bob'])
    const { messages } = await bob.device.view('history', { conversationId })
    expect(messages.map((message) => message.state)).to.deep.equal(['delivered', null])
  })
})
