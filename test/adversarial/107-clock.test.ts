import { expect } from 'chai'
import { Town, type Person } from '../support/devices.ts'
import { befriend } from '../support/friends.ts'

const day = 24 * 60 * 60 * 1_000
const year = 365 * day

const clockWarned = async (person: Person): Promise<boolean> =>
  (await person.device.view('status', {})).warnings.some(({ code }) => code === 'E_CLOCK')

describe('107, 108: a clock that is wrong', () => {
  for (const [what, shift] of [
    ['ten years ahead', 10 * year],
    ['in 1970', -Date.UTC(2026, 0, 1) + day],
  ] as const)
    for (const when of ['at the start', 'in the middle'] as const)
      it(`${what} ${when}: is said, expires nothing, keeps sending`, async () => {
        const town = await Town.found()
        const ada = await town.person('Ada')
        const bob = await town.person('Bob')
        const conversationId = await befriend(town, ada, bob)
        const invite = await ada.device.dispatch('create-invite', { direct: true })
        town.hub.cut(ada.peerId, bob.peerId)
        await bob.close()
        if (when === 'at the start') await ada.close()
        town.clock.setWall(town.clock.nowMs() + shift)
        if (when === 'at the start') await ada.open(true)
        else await ada.device.dispatch('mark-read', { conversationId })
        await town.pass(60_000)
        expect(await clockWarned(ada)).to.equal(true)
        const open = (await ada.device.view('invites', {})).find(
          ({ inviteId }) => inviteId === invite.inviteId,
        )
        expect(open?.state).to.equal('open')
        await ada.device.dispatch('send', { conversationId, text: 'sent all the same' })
        expect(await clockWarned(ada)).to.equal(true)
        town.clock.setWall(town.clock.nowMs() - shift)
        await bob.open(true)
        town.hub.heal(ada.peerId, bob.peerId)
        await ada.device.dispatch('retry-now', {})
        await town.pass(120_000)
        expect(await bob.texts(conversationId)).to.deep.equal(['sent all the same'])
        await bob.device.dispatch('send', { conversationId, text: 'my clock agrees' })
        await town.pass(60_000)
        expect(await ada.texts(conversationId)).to.deep.equal(['sent all the same', 'my clock agrees'])
        expect(await clockWarned(ada), 'a contact agreed').to.equal(false)
      })

  it('a long sleep is ended by the first contact who agrees, and by nobody else', async () => {
    const town = await Town.found()
    const ada = await town.person('Ada')
    const bob = await town.person('Bob')
    const conversationId = await befriend(town, ada, bob)
    await ada.close()
    await bob.close()
    town.clock.advance(5 * day)
    await ada.open(true)
    await town.pass(60_000)
    expect(await clockWarned(ada)).to.equal(true)
    await bob.open(true)
    await bob.device.dispatch('send', { conversationId, text: 'good morning' })
    await town.pass(60_000)
    expect(await clockWarned(ada)).to.equal(false)
    expect(await clockWarned(bob)).to.equal(false)
    expect(await ada.texts(conversationId)).to.deep.equal(['good morning'])
  })
})

describe('109: a contact whose clock is in 2099', () => {
  it('changes no order and dodges nothing', async () => {
    const town = await Town.found()
    const ada = await town.person('Ada')
    const bob = await town.person('Bob')
    const conversationId = await befriend(town, ada, bob)
    await ada.device.dispatch('send', { conversationId, text: 'one' })
    await town.pass(2_000)
    const shift = Date.UTC(2099, 0, 1) - town.clock.nowMs()
    town.hub.cut(ada.peerId, bob.peerId)
    town.clock.setWall(town.clock.nowMs() + shift)
    await bob.device.dispatch('send', { conversationId, text: 'two, stamped 2099' })
    town.clock.setWall(town.clock.nowMs() - shift)
    town.hub.heal(ada.peerId, bob.peerId)
    await bob.device.dispatch('retry-now', {})
    await town.pass(60_000)
    await ada.device.dispatch('send', { conversationId, text: 'three' })
    await town.pass(10_000)
    const order = ['one', 'two, stamped 2099', 'three']
    expect(await ada.texts(conversationId)).to.deep.equal(order)
    expect(await bob.texts(conversationId)).to.deep.equal(order)
    expect(await clockWarned(ada)).to.equal(false)
  })
})
