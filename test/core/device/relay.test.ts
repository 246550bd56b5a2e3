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

  it('lends its host to invite links, which need no addresses then', async () => {
    const town = await Town.found()
    const relay = town.relay('relay-1', () => '127.0.0.1:9640')
    const ada = await town.person('Ada')
    await ada.device.dispatch('add-relay', { address: relay })
    await town.pass(5_000)
    const { link } = await ada.device.dispatch('create-invite', {})
    expect(link.startsWith('http://127.0.0.1:9640/i#'), link).to.equal(true)
    expect(link.length).to.be.at.most(100)
    expect(link.split('#')[1], 'no hints').to.have.length(64)
    await town.pass(5_000)

    const bob = await town.person('Bob')
    await bob.device.dispatch('add-relay', { address: relay })
    await town.pass(5_000)
    const adding = bob.device.dispatch('add', { link })
    await town.pass(20_000)
    const { conversationId } = await adding
    await bob.device.dispatch('send', { conversationId, text: 'your link works' })
    await town.pass(60_000)
    expect(await ada.texts(conversationId)).to.deep.equal(['your link works'])
  })

  it('is followed when it moves, and not believed when it names what no link bears', async () => {
    const town = await Town.found()
    let web: string | null = 'relay.example'
    const relay = town.relay('relay-1', () => web)
    const ada = await town.person('Ada')
    await ada.device.dispatch('add-relay', { address: relay })
    await town.pass(5_000)
    const originNow = async (): Promise<string | undefined> => {
      await ada.close()
      await ada.open(true)
      await town.pass(5_000)
      return (await ada.device.dispatch('create-invite', {})).link.split('#')[0]
    }
    expect(await originNow()).to.equal('https://relay.example/i')
    for (web of ['Relay.example', 'evil.example/x'])
      expect(await originNow(), web).to.equal('https://relay.example/i')
    web = 'other.example:8443'
    expect(await originNow()).to.equal('https://other.example:8443/i')
    web = null
    expect(await originNow()).to.equal('sotto:i')
  })
})
