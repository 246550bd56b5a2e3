import { expect } from 'chai'
import { Town } from '../../support/devices.ts'
import { befriend } from '../../support/friends.ts'

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

  it('on another machine does not lend the host of its own loopback page', async () => {
    const town = await Town.found()
    const relay = town
      .relay('relay-1', () => '127.0.0.1:9640')
      .replace('/memory/', '/dns4/relay.example/tcp/4001/memory/')
    const ada = await town.person('Ada')
    await ada.device.dispatch('add-relay', { address: relay })
    await town.pass(5_000)
    const [held] = await ada.device.view('relays', {})
    expect(held?.state).to.equal('connected')
    const { link } = await ada.device.dispatch('create-invite', {})
    expect(link).to.match(/^sotto:i#/)
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

  /** Bob with a link of Ada, who has gone, and a conversation nobody has answered. */
  async function unanswered(seed: string) {
    const town = await Town.found()
    const relay = town.relay(seed)
    const ada = await town.person('Ada')
    await ada.device.dispatch('add-relay', { address: relay })
    await town.pass(5_000)
    const { link } = await ada.device.dispatch('create-invite', {})
    await town.pass(5_000)
    await ada.close()
    const bob = await town.person('Bob')
    await bob.device.dispatch('add-relay', { address: relay })
    await town.pass(5_000)
    const adding = bob.device.dispatch('add', { link })
    await town.pass(20_000)
    const { conversationId } = await adding
    const states = async () => {
      const { messages } = await bob.device.view('history', { conversationId, limit: 200 })
      return messages.map((message) => message.state)
    }
    return { town, ada, bob, conversationId, states }
  }

  it('takes a hundred messages for somebody who never answered, in few frames', async () => {
    const { town, ada, bob, conversationId, states } = await unanswered('relay-2')
    const texts = Array.from({ length: 100 }, (_, at) => `message ${at}`)
    for (const text of texts) await bob.device.dispatch('send', { conversationId, text })
    await town.pass(60_000)
    expect(await states()).to.deep.equal(texts.map(() => 'relayed'))
    await bob.close()
    await ada.open(true)
    await town.pass(60_000)
    const { messages } = await ada.device.view('history', { conversationId, limit: 200 })
    expect(messages.map(({ text }) => text)).to.deep.equal(texts)
  })

  it('keeps the rest of what an unanswered person writes, once eight frames wait', async () => {
    const { town, ada, bob, conversationId, states } = await unanswered('relay-3')
    for (let at = 0; at < 10; at += 1) {
      await bob.device.dispatch('send', { conversationId, text: `message ${at}` })
      await town.pass(200_000)
    }
    const eight = Array.from({ length: 8 }, () => 'relayed')
    expect(await states()).to.deep.equal([...eight, 'waiting', 'waiting'])
    await ada.open(true)
    await town.pass(60_000)
    expect(await states()).to.deep.equal(Array.from({ length: 10 }, () => 'delivered'))
    expect(await ada.texts(conversationId)).to.have.length(10)
  })

  it('falls silent when all is said, though two relays carry every frame twice', async () => {
    const town = await Town.found()
    let written = 0
    town.port = (network) => {
      const write = network.write.bind(network)
      network.write = (channel, frame) => {
        written += 1
        return write(channel, frame)
      }
      return network
    }
    const relays = ['relay-1', 'relay-2'].map((seed) => town.relay(seed))
    const [ada, bob] = [await town.person('Ada'), await town.person('Bob')]
    for (const { device } of [ada, bob])
      for (const address of relays) await device.dispatch('add-relay', { address })
    await town.pass(5_000)
    const conversationId = await befriend(town, ada, bob)
    await town.pass(60_000)
    town.hub.cut(ada.peerId, bob.peerId)
    for (const [person, text] of [
      [ada, 'once'],
      [bob, 'twice'],
    ] as const) {
      await person.device.dispatch('send', { conversationId, text })
      await town.pass(60_000)
    }
    for (const person of [ada, bob])
      expect(await person.texts(conversationId)).to.deep.equal(['once', 'twice'])
    const { messages } = await ada.device.view('history', { conversationId })
    expect(messages[0]?.state).to.equal('delivered')
    const before = written
    await town.pass(10 * 60_000)
    expect(written - before).to.equal(0)
  })
})
