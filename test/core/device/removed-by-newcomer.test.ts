import { expect } from 'chai'
import { fromBase32 } from '../../../packages/core/src/wire/index.ts'
import { limits } from '../../../packages/core/src/limits.ts'
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

describe('device: a phone removed by a device that its sibling brought', () => {
  /** Bob's phone has written to Ada and in a group, and the last of it was taken back; then his desk links a laptop. */
  async function brought() {
    const town = await Town.found()
    const [ada, bob] = [await town.person('Ada'), await town.person('Bob')]
    const direct = await befriend(town, ada, bob)
    const group = await groupOf(town, bob, [ada], 'Walkers')
    const desk = await town.link(bob, 'desk', 'all')
    for (const conversationId of [direct, group])
      for (const text of ['from the phone', 'taken back'])
        await bob.device.dispatch('send', { conversationId, text })
    for (const conversationId of [direct, group]) {
      const { messages } = await bob.device.view('history', { conversationId })
      await bob.device.dispatch('delete', { messageId: messages.at(-1)!.messageId })
    }
    await town.pass(20_000)
    const laptop = await town.link(desk, 'laptop', 'none')
    await town.pass(60_000)
    return { town, ada, bob, desk, laptop, both: [direct, group] }
  }

  const deviceIdOf = async ({ device }: Person): Promise<string> => (await device.view('self', {}))!.deviceId

  it('goes on counting with what it wrote before, which that device was never shown', async () => {
    const { town, ada, bob, desk, laptop, both } = await brought()
    const deviceId = await deviceIdOf(bob)
    await bob.close()
    await laptop.device.dispatch('remove-device', { deviceId })
    await town.pass(60_000)
    for (const person of [ada, desk])
      for (const conversationId of both)
        expect(await outsides(person, conversationId), person.name).to.deep.equal([
          ['from the phone', null],
          [null, null],
        ])
  })

  it('also where the one that removes it was brought by one that knows it only so, and what it writes then does not', async () => {
    const { town, ada, bob, desk, laptop, both } = await brought()
    const deviceId = await deviceIdOf(bob)
    const tablet = await town.link(laptop, 'tablet', 'none')
    await town.pass(60_000)
    await desk.close()
    await laptop.close()
    for (const other of [tablet, ada]) town.hub.cut(bob.peerId, other.peerId)
    await tablet.device.dispatch('remove-device', { deviceId })
    await bob.device.dispatch('send', { conversationId: both[1]!, text: 'the thief' })
    await town.pass(20_000)
    town.hub.heal(bob.peerId, ada.peerId)
    await town.pass(60_000)
    const shown = await outsides(ada, both[1]!)
    expect(shown.slice(0, 2)).to.deep.equal([
      ['from the phone', null],
      [null, null],
    ])
    expect(shown.slice(2).filter(([, outside]) => outside === null)).to.deep.equal([])
  })

  it('is spoken of in limits.broughtConversations conversations, and not one more', async () => {
    const bounded = limits as { broughtConversations: number }
    const { broughtConversations } = bounded
    bounded.broughtConversations = 1
    try {
      const { town, ada, bob, laptop, both } = await brought()
      const deviceId = await deviceIdOf(bob)
      await bob.close()
      await laptop.device.dispatch('remove-device', { deviceId })
      await town.pass(60_000)
      const first = await Promise.all(both.map(async (id) => (await outsides(ada, id))[0]?.[1]))
      expect(first).to.include('device-out')
    } finally {
      bounded.broughtConversations = broughtConversations
    }
  })

  for (const taken of ['phone', 'tablet', 'desk'] as const)
    it(`has no say in how far its words reach, nor has its sibling later: the ${taken} is in other hands`, async () => {
      const { town, ada, bob, desk, laptop, both } = await brought()
      const tablet = await town.link(bob, 'tablet', 'all')
      await desk.close()
      // Of this group the desk has said nothing yet.
      const fresh = await groupOf(town, ada, [bob], 'Fresh')
      const group = taken === 'desk' ? both[1]! : fresh
      const id = fromBase32(group)!
      for (const other of [ada, bob, tablet]) town.hub.cut(laptop.peerId, other.peerId)
      await bob.device.dispatch('send', { conversationId: group, text: 'the thief' })
      await town.pass(10_000)
      expect((await outsides(ada, group)).at(-1)).to.deep.equal(['the thief', null])
      const deviceId = await deviceIdOf(bob)
      const writer = await Puppet.possess(town, bob)
      const { device } = writer.home.me.self
      const { aseq, selfPrev } = writer.conversation(id)
      const last = [{ device, record: { aseq: aseq - 1, id: selfPrev! }, op: null }]
      if (taken !== 'phone') await writer.leave()
      const other = taken === 'desk' ? desk : tablet
      const thief = taken === 'phone' ? writer : await Puppet.possess(town, other)
      town.hub.heal(laptop.peerId, taken === 'phone' ? bob.peerId : other.peerId)
      await thief.say(laptop, [{ kind: 'siblings', conversation: id, last }])
      await town.pass(10_000)
      await thief.leave()
      await laptop.device.dispatch('remove-device', { deviceId })
      town.hub.heal(laptop.peerId, ada.peerId)
      await town.pass(60_000)
      const shown = await outsides(ada, group)
      expect(shown.at(-1)).to.deep.equal(['the thief', 'device-out'])
      expect(shown.slice(0, -1).map(([, outside]) => outside)).to.deep.equal(
        taken === 'desk' ? [null, null] : [],
      )
    })
})
