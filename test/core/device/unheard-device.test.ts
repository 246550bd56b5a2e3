import { expect } from 'chai'
import { Town } from '../../support/devices.ts'
import { acquainted, befriend, groupOf } from '../../support/friends.ts'
import { accountOf } from '../../support/liar.ts'

describe('device: somebody’s new device, which was never heard of before its account was put out', () => {
  for (const alone of [false, true])
    it(`wrote as one of the group: its words are kept, and nothing is held (met ${alone ? 'alone' : 'with another'})`, async () => {
      const town = await Town.found()
      const [ada, bob] = await acquainted(town, ['Ada', 'Bob'])
      const conversationId = await groupOf(town, ada, [bob], 'Choir')
      await bob.device.dispatch('send', { conversationId, text: 'from the phone' })
      await town.pass(20_000)
      town.part([[ada], [bob]])
      const laptop = await town.link(bob, 'laptop', 'none', [ada])
      await town.pass(20_000)
      await laptop.device.dispatch('send', { conversationId, text: 'from the laptop' })
      await town.pass(20_000)
      await ada.device.dispatch('group-remove', { conversationId, accountId: await accountOf(bob) })
      await town.pass(20_000)
      town.join([[ada], alone ? [laptop] : [bob, laptop]])
      await town.pass(120_000)
      expect((await ada.device.view('status', {})).held).to.equal(0)
      expect(await ada.texts(conversationId)).to.deep.equal(['from the phone', 'from the laptop'])
    })
})

describe('device: one that was let in by another, which was put out by somebody who had not heard of it', () => {
  it('counts for nothing, and nobody holds its words back for good', async () => {
    const town = await Town.found()
    const [ada, bob] = [await town.person('Ada'), await town.person('Bob')]
    const conversationId = await befriend(town, ada, bob)
    await ada.device.dispatch('send', { conversationId, text: 'hello' })
    const phone = await town.link(ada, 'phone', 'all')
    await phone.device.dispatch('send', { conversationId, text: 'from the phone' })
    await town.pass(20_000)
    town.part([[ada], [phone, bob]])
    const tablet = await town.link(phone, 'tablet', 'all', [ada])
    const { deviceId } = (await phone.device.view('self', {}))!
    await ada.device.dispatch('remove-device', { deviceId })
    await town.pass(20_000)
    await phone.close()
    town.part([[ada], [tablet]])
    town.part([[tablet], [bob]])
    await tablet.device.dispatch('send', { conversationId, text: 'from the tablet' })
    town.join([[ada], [bob]])
    await town.pass(60_000)
    town.join([[tablet], [bob]])
    await town.pass(60_000)
    expect((await bob.device.view('status', {})).held).to.equal(0)
    const { messages } = await bob.device.view('history', { conversationId })
    expect(messages.map(({ text, outside }) => [text, outside])).to.deep.equal([
      ['hello', null],
      ['from the phone', null],
      ['from the tablet', 'device-out'],
    ])
    const devices = await ada.device.view('devices', {})
    expect(devices.map(({ state }) => state)).to.deep.equal(['active', 'revoked', 'revoked'])
  })
})
