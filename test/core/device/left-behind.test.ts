import { expect } from 'chai'
import { Town } from '../../support/devices.ts'
import { Forgetful } from '../../support/forgetful.ts'
import { friendsAtRelay, groupOf } from '../../support/friends.ts'
import { accountOf } from '../../support/liar.ts'
import { portOver } from '../../support/port-over.ts'
import { undialled } from '../../support/undialled.ts'

describe('device: whoever is left behind in a group', () => {
  it('is told again that somebody left, where the relay between them threw it away', async () => {
    const town = await Town.found()
    let written = 0
    town.port = (network) =>
      portOver(undialled(network), {
        write: (channel, frame) => {
          written += 1
          return network.write(channel, frame)
        },
      })
    const relay = new Forgetful()
    town.mailbox = relay.mailbox
    const { ada, bob } = await friendsAtRelay(town)
    const conversationId = await groupOf(town, ada, [bob], 'Lake')
    await town.pass(10 * 60_000)
    const bobs = await accountOf(bob)
    const hasBob = async (): Promise<boolean> =>
      (await ada.device.view('members', { conversationId })).some(({ accountId }) => accountId === bobs)
    relay.forgets = true
    await bob.device.dispatch('group-leave', { conversationId })
    await town.pass(60_000)
    relay.forgets = false
    expect(await hasBob()).to.equal(true)
    await town.pass(20 * 60_000)
    expect(await hasBob()).to.equal(false)
    const before = written
    await town.pass(60 * 60_000)
    expect(written - before, 'frames in an hour with nothing left to say').to.equal(0)
  })
})
