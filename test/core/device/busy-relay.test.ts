import { expect } from 'chai'
import { MemoryMailboxStore } from '@sotto/core/memory'
import { Town, type Person } from '../../support/devices.ts'
import { befriend } from '../../support/friends.ts'
import { undialled } from '../../support/undialled.ts'

/** A town whose relays answer that they are busy while their disk fails. */
async function withRelay(): Promise<{
  readonly town: Town
  readonly relay: string
  readonly disk: { fails: boolean; refused: number }
}> {
  const town = await Town.found()
  const disk = { fails: false, refused: 0 }
  town.mailbox = () => {
    const store = new MemoryMailboxStore()
    const commit = store.commit.bind(store)
    store.commit = async (writes) => {
      if (disk.fails) {
        disk.refused += 1
        throw new Error('no room')
      }
      await commit(writes)
    }
    return store
  }
  return { town, relay: town.relay('relay-1'), disk }
}

const heldBy = async ({ device }: Person): Promise<readonly string[]> =>
  (await device.view('invites', {}))[0]?.heldBy ?? []

describe('device: a relay whose disk is full for a while', () => {
  it('is asked again for the queues and the invite it did not take, on the same channel', async () => {
    const { town, relay, disk } = await withRelay()
    const ada = await town.person('Ada')
    disk.fails = true
    await ada.device.dispatch('add-relay', { address: relay })
    const { link } = await ada.device.dispatch('create-invite', {})
    await town.pass(30_000)
    expect(disk.refused).to.be.greaterThan(1)
    expect(await heldBy(ada)).not.to.include('relay')

    disk.fails = false
    await town.pass(120_000)
    expect(await heldBy(ada)).to.include('relay')

    const bob = await town.person('Bob')
    await bob.device.dispatch('add-relay', { address: relay })
    await town.pass(5_000)
    town.hub.cut(bob.peerId, ada.peerId)
    const adding = bob.device.dispatch('add', { link })
    await town.pass(20_000)
    const { conversationId } = await adding
    await bob.device.dispatch('send', { conversationId, text: 'your queue is there' })
    await town.pass(60_000)
    expect(await ada.texts(conversationId)).to.deep.equal(['your queue is there'])
  })

  it('is not asked without end while it refuses', async () => {
    const { town, relay, disk } = await withRelay()
    const ada = await town.person('Ada')
    disk.fails = true
    await ada.device.dispatch('add-relay', { address: relay })
    await town.pass(60_000)
    const before = disk.refused
    await town.pass(3_600_000)
    expect(disk.refused - before).to.be.within(10, 120)
  })

  it('that has no queue for somebody any more keeps nothing back from their other relay, and is tried again in minutes', async () => {
    const town = await Town.found()
    town.port = undialled
    const disks: { lost: boolean; kept: number }[] = []
    town.mailbox = () => {
      const [store, disk] = [new MemoryMailboxStore(), { lost: false, kept: 0 }]
      disks.push(disk)
      const [commit, byWriter] = [store.commit.bind(store), store.queueByWriter.bind(store)]
      store.queueByWriter = async (id) => (disk.lost ? undefined : byWriter(id))
      store.commit = async (writes) => {
        disk.kept += writes.filter(({ type }) => type === 'append').length
        await commit(writes)
      }
      return store
    }
    const addresses = ['relay-1', 'relay-2'].map((seed) => town.relay(seed))
    const [ada, bob] = [await town.person('Ada'), await town.person('Bob')]
    for (const { device } of [ada, bob])
      for (const address of addresses) await device.dispatch('add-relay', { address })
    await town.pass(10_000)
    const conversationId = await befriend(town, ada, bob)
    await town.pass(600_000)
    await bob.close()
    disks[0]!.lost = true
    const before = disks.map(({ kept }) => kept)
    await ada.device.dispatch('send', { conversationId, text: 'one' })
    await town.pass(60_000)
    const { messages } = await ada.device.view('history', { conversationId })
    expect(messages.map(({ state }) => state)).to.deep.equal(['relayed'])
    await ada.device.dispatch('send', { conversationId, text: 'two' })
    await town.pass(30_000)
    const kept = (): readonly number[] => disks.map((disk, i) => disk.kept - before[i]!)
    expect(kept()).to.deep.equal([0, 2])
    disks[0]!.lost = false
    await town.pass(5 * 60_000)
    expect(kept()).to.deep.equal([2, 2])
  })
})
