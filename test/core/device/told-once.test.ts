import { expect } from 'chai'
import { fromBase32, toBase32 } from '../../../packages/core/src/wire/index.ts'
import { Town } from '../../support/devices.ts'
import { acquainted, befriend, groupOf } from '../../support/friends.ts'
import { accountOf } from '../../support/liar.ts'
import { Puppet } from '../../support/puppet.ts'

describe('device: a message that came without its body', () => {
  it('is told once, though an older frame with the body is read after the newer one without', async () => {
    const town = await Town.found()
    const [ada, bob] = [await town.person('Ada'), await town.person('Bob')]
    const conversationId = await befriend(town, ada, bob)
    const puppet = await Puppet.possess(town, ada)
    const { header, incoming } = puppet.forge(fromBase32(conversationId)!, {}, 'said and taken back')
    const told = () => bob.events.flatMap((event) => (event.type === 'message' ? [event.message.text] : []))
    await puppet.say(bob, [{ kind: 'records', from: 0, records: [{ ...incoming, said: null }] }])
    await town.pass(5_000)
    expect(told()).to.deep.equal([])
    const messageId = toBase32(header.id)
    expect(await bob.device.view('message', { messageId })).to.include({ text: null, deleted: false })
    await puppet.say(bob, [{ kind: 'records', from: 0, records: [incoming] }])
    await town.pass(5_000)
    expect(told()).to.deep.equal(['said and taken back'])
    await puppet.say(bob, [{ kind: 'records', from: 0, records: [incoming] }])
    await town.pass(5_000)
    expect(told()).to.deep.equal(['said and taken back'])
  })

  it('is told once in a group it does not count in, when its text comes', async () => {
    const town = await Town.found()
    const [ada, bob, cleo] = await acquainted(town, ['Ada', 'Bob', 'Cleo'])
    const conversationId = await groupOf(town, ada, [bob, cleo], 'Choir')
    for (const { device } of [ada, cleo]) await device.dispatch('send', { conversationId, text: 'still in' })
    await town.pass(10_000)
    const accountId = await accountOf(cleo)
    const puppet = await Puppet.possess(town, cleo)
    await ada.device.dispatch('group-remove', { conversationId, accountId })
    await town.pass(10_000)
    bob.events.length = 0
    const told = () => bob.events.flatMap((event) => (event.type === 'message' ? [event.message] : []))
    const { header, incoming } = puppet.forge(fromBase32(conversationId)!, {}, 'said when out')
    await puppet.say(bob, [{ kind: 'records', from: 0, records: [{ ...incoming, said: null }] }])
    await town.pass(5_000)
    expect(told()).to.deep.equal([])
    const messageId = toBase32(header.id)
    const held = await bob.device.view('message', { messageId })
    expect(held).to.include({ text: null, outside: 'sent-while-removed' })
    await puppet.say(bob, [{ kind: 'records', from: 0, records: [incoming] }])
    await town.pass(5_000)
    expect(told().map(({ text, outside }) => ({ text, outside }))).to.deep.equal([
      { text: 'said when out', outside: 'sent-while-removed' },
    ])
  })
})
