import { expect } from 'chai'
import { fromBase32 } from '../../../packages/core/src/wire/index.ts'
import { Town, type Person } from '../../support/devices.ts'
import { befriend, groupOf } from '../../support/friends.ts'
import { Puppet } from '../../support/puppet.ts'
import { PuppetGroup } from '../../support/puppet-group.ts'

const outsides = async ({ device }: Person, conversationId: string) =>
  (await device.view('history', { conversationId })).messages.map(({ text, outside }) => [text, outside])

/** Bob's phone has written to Ada and in a group; then it links a laptop, which is given nothing of that. */
async function linked() {
  const town = await Town.found()
  const [ada, bob] = [await town.person('Ada'), await town.person('Bob')]
  const direct = await befriend(town, ada, bob)
  const group = await groupOf(town, bob, [ada], 'Walkers')
  const { deviceId } = (await bob.device.view('self', {}))!
  for (const conversationId of [direct, group])
    await bob.device.dispatch('send', { conversationId, text: 'from the phone' })
  await town.pass(10_000)
  const laptop = await town.link(bob, 'laptop', 'none')
  await town.pass(60_000)
  return { town, ada, bob, laptop, direct, group, deviceId }
}

describe('device: a phone removed by a device that it brought', () => {
  it('goes on counting with what it wrote before, which that device was never shown', async () => {
    const { town, ada, bob, laptop, direct, group, deviceId } = await linked()
    await bob.close()
    await laptop.device.dispatch('remove-device', { deviceId })
    await town.pass(60_000)
    for (const conversationId of [direct, group]) {
      expect(await outsides(laptop, conversationId)).to.deep.equal([])
      expect(await outsides(ada, conversationId)).to.deep.equal([['from the phone', null]])
    }
    const tablet = await town.link(laptop, 'tablet', 'none')
    await town.pass(60_000)
    await tablet.device.dispatch('remove-device', {
      deviceId: (await laptop.device.view('self', {}))!.deviceId,
    })
    await town.pass(60_000)
    for (const conversationId of [direct, group])
      expect(await outsides(ada, conversationId), 'after the next').to.deep.equal([['from the phone', null]])
  })

  it('has no say in how far its words reach once it has brought that device', async () => {
    const { town, ada, bob, laptop, group, deviceId } = await linked()
    const id = fromBase32(group)!
    for (const other of [ada, bob]) town.hub.cut(laptop.peerId, other.peerId)
    await bob.device.dispatch('send', { conversationId: group, text: 'the thief' })
    await town.pass(10_000)
    expect(await outsides(ada, group)).to.deep.equal([
      ['from the phone', null],
      ['the thief', null],
    ])
    const thief = await Puppet.possess(town, bob)
    town.hub.heal(laptop.peerId, bob.peerId)
    const { account, device } = thief.home.me.self
    const { aseq, selfPrev } = thief.conversation(id)
    const last = [{ device, record: { aseq: aseq - 1, id: selfPrev! }, op: null }]
    const puppets = new PuppetGroup(thief, id)
    const heads = thief.headsOf(account)
    const word = puppets.write({ kind: 'deviceset', account, heads, last }, town.clock.nowMs())
    await puppets.tell(laptop, [word])
    await thief.leave()
    await laptop.device.dispatch('remove-device', { deviceId })
    town.hub.heal(laptop.peerId, ada.peerId)
    await town.pass(60_000)
    expect(await outsides(ada, group)).to.deep.equal([
      ['from the phone', null],
      ['the thief', 'device-out'],
    ])
  })
})
