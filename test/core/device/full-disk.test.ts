import { expect } from 'chai'
import { PortError } from '../../../packages/core/src/errors.ts'
import { MemoryStore } from '../../../packages/core/src/memory/index.ts'
import { portOver } from '../../support/port-over.ts'
import { Town } from '../../support/devices.ts'
import { befriend } from '../../support/friends.ts'
import { undialled } from '../../support/undialled.ts'

describe('device: a disk that is full for hours', () => {
  it('fetches what waits for it less and less often, and all of it once there is room', async () => {
    const town = await Town.found()
    const asked = { relays: 0 }
    town.port = (network, name) =>
      portOver(undialled(network), {
        open: (peer, addresses, protocol) => {
          if (name === 'Ada' && protocol.includes('relay')) asked.relays += 1
          return undialled(network).open(peer, addresses, protocol)
        },
      })
    const disk = { full: false, refused: 0 }
    class Disk extends MemoryStore {
      override async batch(...input: Parameters<MemoryStore['batch']>): Promise<void> {
        if (disk.full) {
          disk.refused += 1
          throw new PortError('E_STORE_FULL', 'there is no room')
        }
        await super.batch(...input)
      }
    }
    const address = town.relay('relay')
    const ada = await town.person('Ada', { store: new Disk() })
    const bob = await town.person('Bob')
    for (const { device } of [ada, bob]) await device.dispatch('add-relay', { address })
    await town.pass(10_000)
    const conversationId = await befriend(town, ada, bob)
    await town.pass(10 * 60_000)
    disk.full = true
    asked.relays = 0
    await bob.device.dispatch('send', { conversationId, text: 'no room for this' })
    await town.pass(2 * 60 * 60_000)
    expect(disk.refused).to.be.within(60, 1_000)
    expect(asked.relays).to.be.within(60, 200)
    disk.full = false
    await town.pass(2 * 60_000)
    expect(await ada.texts(conversationId)).to.deep.equal(['no room for this'])
  })
})
