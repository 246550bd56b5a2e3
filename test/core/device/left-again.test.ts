import { expect } from 'chai'
import { Town } from '../../support/devices.ts'
import { Forgetful } from '../../support/forgetful.ts'
import { friendsAtRelay } from '../../support/friends.ts'
import { undialled } from '../../support/undialled.ts'

describe('device: a message that a relay confirmed and nobody acknowledged', () => {
  it('is left there again when the relay threw it away, though nobody says anything more', async () => {
    const town = await Town.found()
    town.port = undialled
    const relay = new Forgetful()
    town.mailbox = relay.mailbox
    const { ada, bob, conversationId } = await friendsAtRelay(town)
    await town.pass(60_000)
    relay.forgets = true
    const { messageId } = await ada.device.dispatch('send', { conversationId, text: 'are you there?' })
    await town.pass(60_000)
    const stateOf = async () => (await ada.device.view('message', { messageId })).state
    expect(await stateOf()).to.equal('relayed')
    relay.forgets = false
    await town.pass(3 * 60_000)
    expect(await bob.texts(conversationId), 'not yet').to.deep.equal([])
    await town.pass(3 * 60_000)
    expect(await bob.texts(conversationId)).to.deep.equal(['are you there?'])
    expect(await stateOf()).to.equal('delivered')
  })

  it('lies there once, however long its reader is away', async () => {
    const town = await Town.found()
    town.port = undialled
    const relay = new Forgetful()
    town.mailbox = relay.mailbox
    const { ada, bob, conversationId } = await friendsAtRelay(town)
    await town.pass(60_000)
    await bob.close()
    await ada.device.dispatch('send', { conversationId, text: 'good night' })
    await town.pass(60_000)
    const { kept, again } = relay
    await town.pass(12 * 60 * 60_000)
    expect(relay.again - again, 'after 5, 15, 35 minutes and so on').to.equal(7)
    expect(relay.kept - kept, 'nothing more is kept').to.equal(0)
    await bob.open(true)
    await town.pass(60_000)
    expect(await bob.texts(conversationId)).to.deep.equal(['good night'])
  })
})
