import { expect } from 'chai'
import { Town, type Person } from '../../support/devices.ts'
import { befriend } from '../../support/friends.ts'
import { portOver } from '../../support/port-over.ts'

const removedAt = async ({ device }: Person) =>
  (await device.view('devices', {})).find(({ state }) => state === 'revoked')?.told

describe('who knows that a device was put out', () => {
  it('is counted by what each device says it holds, of contacts, members and own ones', async () => {
    const town = await Town.found()
    const [ada, bob, cy] = [await town.person('Ada'), await town.person('Bob'), await town.person('Cy')]
    await befriend(town, ada, bob)
    await befriend(town, bob, cy)
    const accountIds = [ada, cy].map(async ({ device }) => (await device.view('self', {}))!.accountId)
    await bob.device.dispatch('create-group', { name: 'Lake', members: await Promise.all(accountIds) })
    await town.pass(10_000)
    const laptop = await town.link(ada, 'laptop')
    const phone = await town.link(ada, 'phone')
    expect((await ada.device.view('devices', {})).map(({ told }) => told)).to.deep.equal([null, null, null])
    await cy.close()
    await laptop.close()
    const phoneId = (await phone.device.view('self', {}))!.deviceId
    const { told } = await ada.device.dispatch('remove-device', { deviceId: phoneId })
    expect(told, 'nobody can know yet').to.deep.equal({ devices: 0, of: 3 })
    await town.pass(10_000)
    expect(await removedAt(ada), 'Bob is the one who is there').to.deep.equal({ devices: 1, of: 3 })
    await cy.open(true)
    await town.pass(120_000)
    expect(await removedAt(ada), 'and Cy, a member who is no contact').to.deep.equal({ devices: 2, of: 3 })
    await ada.close()
    await ada.open(true)
    expect(await removedAt(ada), 'it is remembered').to.deep.equal({ devices: 2, of: 3 })
    await laptop.open(true)
    await town.pass(120_000)
    expect(await removedAt(ada)).to.deep.equal({ devices: 3, of: 3 })
    expect(await removedAt(laptop), 'the other own device knows that all know').to.deep.equal({
      devices: 3,
      of: 3,
    })
  })

  it('counts contacts in whose conversation nothing was ever written', async () => {
    const town = await Town.found()
    const [ada, bob] = [await town.person('Ada'), await town.person('Bob')]
    await befriend(town, ada, bob)
    const phone = await town.link(ada, 'phone')
    const phoneId = (await phone.device.view('self', {}))!.deviceId
    const { told } = await ada.device.dispatch('remove-device', { deviceId: phoneId })
    expect(told).to.deep.equal({ devices: 0, of: 1 })
    await town.pass(10_000)
    expect(await removedAt(ada)).to.deep.equal({ devices: 1, of: 1 })
  })

  for (const lost of [false, true])
    it(`the removed one itself hears it from a sibling it is connected with${lost ? ', though what that said was lost' : ''}`, async () => {
      const town = await Town.found()
      let isMute = false
      town.port = (network, name) =>
        portOver(network, {
          write: (channel, frame) =>
            name === 'tablet' && isMute ? Promise.resolve() : network.write(channel, frame),
        })
      const [ada, bob] = [await town.person('Ada'), await town.person('Bob')]
      const conversationId = await befriend(town, ada, bob)
      const phone = await town.link(ada, 'phone')
      const tablet = await town.link(ada, 'tablet')
      await town.pass(20_000)
      for (const other of [ada, bob]) town.hub.cut(phone.peerId, other.peerId)
      const { deviceId } = (await phone.device.view('self', {}))!
      town.hub.cut(ada.peerId, tablet.peerId)
      await ada.device.dispatch('remove-device', { deviceId })
      await town.pass(10_000)
      isMute = lost
      town.hub.heal(ada.peerId, tablet.peerId)
      await town.pass(60_000)
      isMute = false
      const standing = async () =>
        (await phone.device.view('devices', {})).find(({ thisDevice }) => thisDevice)?.state
      expect(await standing()).to.equal(lost ? 'active' : 'revoked')
      if (!lost) return
      await phone.device.dispatch('send', { conversationId, text: 'is anybody there?' })
      await town.pass(60_000)
      expect(await standing()).to.equal('revoked')
    })
})
