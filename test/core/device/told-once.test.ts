import { expect } from 'chai'
import { fromBase32, toBase32 } from '../../../packages/core/src/wire/index.ts'
import { Town } from '../../support/devices.ts'
import { befriend } from '../../support/friends.ts'
import { Puppet } from '../../support/puppet.ts'

describe('device: a message whose body its author took back', () => {
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
})
