import { expect } from 'chai'
import { countingPort } from '../../support/counting-port.ts'
import { Town } from '../../support/devices.ts'
import { befriend, groupOf } from '../../support/friends.ts'
import { accountOf } from '../../support/liar.ts'
import { portOver } from '../../support/port-over.ts'

const hour = 60 * 60_000

/** A town in which the frames one device writes are counted, by whom they go to. */
async function countedTown(name: string) {
  const town = await Town.found()
  const frames = new Map<string, number>()
  town.port = (network, who) => (who === name ? countingPort(network, frames) : network)
  const written = (): number => [...frames.values()].reduce((a, b) => a + b, 0)
  return { town, frames, written }
}

describe('device: where there is nothing more to say', function () {
  this.timeout(60_000)

  it('somebody who is out is told so once by a device that came since, and says that they know', async () => {
    const { town, frames, written } = await countedTown('phone')
    const [ada, bob] = [await town.person('Ada'), await town.person('Bob')]
    const direct = await befriend(town, ada, bob)
    const conversationId = await groupOf(town, ada, [bob], 'Lake')
    await bob.device.dispatch('send', { conversationId, text: 'hello' })
    await town.pass(10_000)
    await ada.device.dispatch('group-remove', { conversationId, accountId: await accountOf(bob) })
    await town.pass(60_000)
    const phone = await town.link(ada, 'phone', 'all')
    await phone.close()
    await phone.open(true)
    await bob.device.dispatch('send', { conversationId: direct, text: 'a new phone?' })
    await town.pass(60_000)
    expect(frames.get(bob.peerId), 'Bob was spoken with').to.be.greaterThan(0)
    const before = written()
    await town.pass(hour)
    expect(written() - before).to.equal(0)
  })

  it('two who agree do not meet anew because one of them answers a copy', async () => {
    const town = await Town.found()
    const frames = new Map<string, number>()
    let isDoubled = false
    town.port = (network, who) => {
      if (who !== 'Ada') return network
      const doubled = portOver(network, {
        write: async (channel, frame) => {
          await network.write(channel, frame)
          if (isDoubled) await network.write(channel, frame)
        },
      })
      return countingPort(doubled, frames)
    }
    const [ada, bob] = [await town.person('Ada'), await town.person('Bob')]
    await befriend(town, ada, bob)
    const conversationId = await groupOf(town, ada, [bob], 'Lake')
    const said = async (text: string): Promise<number> => {
      const before = frames.get(bob.peerId) ?? 0
      await ada.device.dispatch('send', { conversationId, text })
      await town.pass(60_000)
      return (frames.get(bob.peerId) ?? 0) - before
    }
    const once = await said('once')
    isDoubled = true
    expect(await said('twice')).to.equal(once)
    expect(once).to.be.greaterThan(0)
    expect(await bob.texts(conversationId)).to.deep.equal(['once', 'twice'])
  })

  it('a device that knows it was removed begins nothing', async () => {
    const { town, written } = await countedTown('phone')
    const [ada, bob] = [await town.person('Ada'), await town.person('Bob')]
    const conversationId = await befriend(town, ada, bob)
    const phone = await town.link(ada, 'phone', 'all')
    const apart = [[phone], [ada, bob]]
    town.part(apart)
    await phone.device.dispatch('send', { conversationId, text: 'nobody hears this' })
    const { deviceId } = (await phone.device.view('self', {}))!
    await ada.device.dispatch('remove-device', { deviceId })
    await town.pass(60_000)
    town.join(apart)
    await town.pass(5 * 60_000)
    const standing = (await phone.device.view('devices', {})).find(({ thisDevice }) => thisDevice)
    expect(standing?.state).to.equal('revoked')
    const before = written()
    await town.pass(hour)
    expect(written() - before).to.equal(0)
    expect(await phone.texts(conversationId), 'what it wrote stays with it').to.deep.equal([
      'nobody hears this',
    ])
  })

  it('and answers whoever speaks to it unaware, who learns of the removal so', async () => {
    const { town, frames } = await countedTown('phone')
    const [ada, bob] = [await town.person('Ada'), await town.person('Bob')]
    const conversationId = await befriend(town, ada, bob)
    const phone = await town.link(ada, 'phone', 'all')
    await town.pass(60_000)
    town.part([[ada], [bob]])
    const { deviceId } = (await phone.device.view('self', {}))!
    await ada.device.dispatch('remove-device', { deviceId })
    await town.pass(60_000)
    const ids = async () =>
      (await bob.device.view('members', { conversationId })).flatMap(({ devices }) =>
        devices.map((one) => one.deviceId),
      )
    expect(await ids()).to.include(deviceId)
    const before = frames.get(bob.peerId) ?? 0
    await bob.device.dispatch('send', { conversationId, text: 'are you there?' })
    await town.pass(60_000)
    expect(frames.get(bob.peerId) ?? 0).to.be.greaterThan(before)
    expect(await ids()).to.not.include(deviceId)
  })
})
