import { expect } from 'chai'
import { Town } from '../../support/devices.ts'

describe('device: a relay between two people', () => {
  it('carries an invite, messages and receipts between people who are never online together', async () => {
    const town = await Town.found()
    const relay = town.relay('relay-1')
    const ada = await town.person('Ada')
    await ada.device.dispatch('add-relay', { address: relay })
    await town.pass(5_000)
    const invite = await ada.device.dispatch('create-invite', {})
    await town.pass(5_000)
    const [held] = await ada.device.view('invites', {})
    expect(held?.heldBy).to.deep.equal(['relay', 'dht'])
    await ada.close()

    const bob = await town.person('Bob')
    await bob.device.dispatch('add-relay', { address: relay })
    await town.pass(5_000)
    const adding = bob.device.dispatch('add', { link: invite.link })
    await town.pass(20_000)
    const { conversationId, state } = await adding
    expect(state).to.equal('pending')
    await bob.device.dispatch('send', { conversationId, text: 'while you were away' })
    await town.pass(60_000)
    const waiting = await bob.device.view('history', { conversationId })
    expect(waiting.messages.map((message) => message.state)).to.deep.equal(['relayed'])
    await bob.close()

    await ada.open(true)
    await town.pass(60_000)
    expect(await ada.texts(conversationId)).to.deep.equal(['while you were away'])
    await ada.device.dispatch('send', { conversationId, text: 'thanks' })
    await town.pass(60_000)
    await ada.close()

    await bob.open(true)
    await town.pass(60_000)
    expect(await bob.texts(conversationId)).to.deep.equal(['while you were away', 'thanks'])
    const { messages } = await bob.device.view('history', { conversationId })
    expect(messages[0]?.state).to.equal('delivered')
  })
})
