import { expect } from 'chai'
import { directProtocol } from '@sotto/core'
import type { Network, NetworkEvent } from '@sotto/core/ports'
import { Town, type Person } from '../../support/devices.ts'
import { acquainted, groupOf } from '../../support/friends.ts'
import { portOver } from '../../support/port-over.ts'

/** Longer frames than this are answers with texts. */
const longBytes = 1_500

/** One device's network: a channel on which long frames are lost until it breaks, and another one beside it. */
class TwoChannels {
  #network!: Network
  #tell: (event: NetworkEvent) => void = () => undefined
  losing = false
  #first: number | undefined

  over(network: Network): Network {
    this.#network = network
    return portOver(network, {
      listen: (listener) => {
        this.#tell = listener
        network.listen(listener)
      },
      write: (channel, frame) => {
        if (!this.losing || frame.length <= longBytes) return network.write(channel, frame)
        this.#first ??= channel
        if (channel !== this.#first) return network.write(channel, frame)
        return Promise.resolve()
      },
    })
  }

  /** A channel beside the one in use. */
  async add({ peerId }: Person): Promise<void> {
    const { channel, route } = await this.#network.open(peerId, [], directProtocol)
    this.#tell({ type: 'opened', channel, peer: peerId, protocol: directProtocol, route })
  }

  /** The channel on which frames were lost breaks. */
  async break(): Promise<void> {
    const channel = this.#first
    if (channel === undefined) throw new Error('nothing was lost')
    await this.#network.close(channel)
    this.#tell({ type: 'closed', channel, reason: 'reset' })
  }
}

describe('device: two channels to one device', () => {
  it('what was asked for on the one that breaks is asked for at once on the other', async () => {
    const town = await Town.found()
    const channels = new TwoChannels()
    town.port = (network, name) => (name === 'Cy' ? channels.over(network) : network)
    const [ada, bob, cy] = await acquainted(town, ['Ada', 'Bob', 'Cy'])
    const conversationId = await groupOf(town, ada, [bob, cy], 'Choir')
    for (const one of [bob, cy])
      await one.device.dispatch('send', { conversationId, text: `I am ${one.name}` })
    await town.pass(60_000)
    await bob.close()
    const texts = ['one', 'two', 'three', 'four', 'five'].map((text) => text.padEnd(600, '.'))
    for (const text of texts) await ada.device.dispatch('send', { conversationId, text })
    await town.pass(60_000)
    await ada.close()
    channels.losing = true
    await bob.open(true)
    await bob.device.dispatch('send', { conversationId, text: 'back' })
    const bare = async () => (await bob.texts(conversationId)).includes(null)
    for (let tries = 0; tries < 20 && !(await bare()); tries++) await town.pass(1_000)
    expect(await bare(), 'records without their texts').to.equal(true)
    await channels.add(bob)
    await channels.break()
    await town.pass(2_000)
    expect(await bob.texts(conversationId)).to.include.members(texts)
  })
})
