import { expect } from 'chai'
import { Town, type Person } from '../../support/devices.ts'
import { acquainted, befriend, groupOf } from '../../support/friends.ts'
import { portOver } from '../../support/port-over.ts'
import { accountOf } from '../../support/liar.ts'

describe('device: words from before it came', () => {
  it('are not missing on a linked device, where their author was removed before it could say so', async () => {
    const town = await Town.found()
    const people = [await town.person('Ada'), await town.person('Bob'), await town.person('Cy')] as const
    const [ada, bob, cy] = people
    await befriend(town, ada, bob)
    await befriend(town, bob, cy)
    const laptop = await town.link(ada, 'laptop', 'all')
    const [bobs, cys] = await Promise.all([bob, cy].map(accountOf))
    const { conversationId } = await ada.device.dispatch('create-group', { name: 'Choir', members: [bobs!] })
    await town.pass(20_000)
    await ada.device.dispatch('group-role', { conversationId, accountId: bobs!, role: 'admin' })
    await town.pass(20_000)
    const say = (text: string) => laptop.device.dispatch('send', { conversationId, text })
    for (const text of ['one', 'two']) await say(text)
    await town.pass(20_000)
    town.part([[ada], [laptop, bob, cy]])
    const tablet = await town.link(ada, 'tablet', 'none', [laptop, bob, cy])
    await bob.device.dispatch('group-add', { conversationId, accountId: cys! })
    await town.pass(20_000)
    await say('three')
    await town.pass(20_000)
    const { deviceId } = (await laptop.device.view('self', {}))!
    await ada.device.dispatch('remove-device', { deviceId })
    await town.pass(20_000)
    await laptop.close()
    town.join([
      [ada, tablet],
      [bob, cy],
    ])
    await town.pass(5 * 60_000)
    const shown = await tablet.device.view('history', { conversationId })
    expect(shown.messages.map(({ text }) => text)).to.deep.equal(['three'])
    expect(shown.missing).to.equal(0)
  })

  it('are not missing where somebody else brought what came after them, and their author heard of that first', async () => {
    const town = await Town.found()
    let isMute = false
    town.port = (network, name) =>
      portOver(network, {
        write: (channel, frame) =>
          name === 'Ada' && isMute ? Promise.resolve() : network.write(channel, frame),
      })
    const [ada, bob] = [await town.person('Ada'), await town.person('Bob')]
    const conversationId = await befriend(town, ada, bob)
    const say = (text: string) => ada.device.dispatch('send', { conversationId, text })
    await say('before')
    await town.pass(10_000)
    const phone = await town.link(bob, 'phone')
    await town.pass(10_000)
    await phone.close()
    await say('after')
    await town.pass(10_000)
    await ada.close()
    await phone.open(true)
    await town.pass(60_000)
    expect(await phone.texts(conversationId)).to.deep.equal(['after'])
    isMute = true
    await ada.open(true)
    await town.pass(1_000)
    isMute = false
    // What was written there is lost with the channel.
    town.part([[ada], [phone]])
    town.join([[ada], [phone]])
    await town.pass(120_000)
    expect((await phone.device.view('history', { conversationId })).missing).to.equal(0)
  })

  it('are not missing where none that came since is by their author', async () => {
    const town = await Town.found()
    const [ada, bob] = [await town.person('Ada'), await town.person('Bob')]
    const conversationId = await befriend(town, ada, bob)
    await ada.device.dispatch('send', { conversationId, text: 'before the laptop' })
    await town.pass(10_000)
    const laptop = await town.link(bob, 'laptop')
    await town.pass(10_000)
    const { deviceId } = (await bob.device.view('self', {}))!
    await laptop.device.dispatch('remove-device', { deviceId })
    await bob.close()
    await ada.device.dispatch('send', { conversationId, text: 'before the tablet' })
    await town.pass(20_000)
    expect(await laptop.texts(conversationId)).to.deep.equal(['before the tablet'])
    const tablet = await town.link(laptop, 'tablet', 'all')
    await town.pass(5 * 60_000)
    const shown = await tablet.device.view('history', { conversationId })
    expect(shown.messages.map(({ text }) => text)).to.deep.equal(['before the tablet'])
    expect(shown.missing).to.equal(0)
  })

  it('are waited for by nothing that came, once whoever brought it gives none of them', async () => {
    const town = await Town.found()
    const address = town.relay('relay')
    const [ada, bob, cy, dan] = await acquainted(town, ['Ada', 'Bob', 'Cy', 'Dan'])
    const accountId = await accountOf(cy)
    await cy.device.dispatch('add-relay', { address })
    const conversationId = await groupOf(town, ada, [bob, cy, dan], 'Choir')
    await town.pass(60_000)
    await cy.close()
    town.hub.cut(dan.peerId, address.split('/').at(-1)!)
    const say = ({ device }: Person, text: string) => device.dispatch('send', { conversationId, text })
    await say(dan, 'one')
    await town.pass(10_000)
    await dan.close()
    await say(bob, 'two')
    await town.pass(60_000)
    await ada.device.dispatch('group-remove', { conversationId, accountId })
    await town.pass(60_000)
    await ada.device.dispatch('group-add', { conversationId, accountId })
    await town.pass(60_000)
    await cy.open(true)
    await town.pass(5 * 60_000)
    expect((await cy.device.view('status', {})).held).to.equal(0)
    await say(ada, 'three')
    await town.pass(20_000)
    expect(await cy.texts(conversationId)).to.deep.equal(['three'])
  })
})
