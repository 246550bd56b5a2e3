import { expect } from 'chai'
import type { Network, NetworkListener } from '@sotto/core/ports'
import { directProtocol } from '../../../packages/core/src/device/protocols.ts'
import { Town } from '../../support/devices.ts'
import { befriend } from '../../support/friends.ts'
import { portOver } from '../../support/port-over.ts'

/** A port whose channels to devices go silent both ways without breaking, until they are found to be broken. */
class HalfOpen {
  silent = false
  readonly #channels = new Set<number>()
  #listener: NetworkListener | undefined

  port(network: Network): Network {
    return portOver(network, {
      open: async (peer, addresses, protocol) => {
        const opened = await network.open(peer, addresses, protocol)
        if (protocol === directProtocol) this.#channels.add(opened.channel)
        return opened
      },
      listen: (listener) => {
        this.#listener = listener
        network.listen((event) => {
          if (event.type === 'opened' && event.protocol === directProtocol) this.#channels.add(event.channel)
          if (this.silent && 'channel' in event && this.#channels.has(event.channel)) return undefined
          return listener(event)
        })
      },
      write: (channel, frame) =>
        this.silent && this.#channels.has(channel) ? Promise.resolve() : network.write(channel, frame),
    })
  }

  async break(network: Pick<Network, 'close'>): Promise<void> {
    for (const channel of this.#channels) await network.close(channel)
    this.silent = false
    for (const channel of this.#channels) this.#listener?.({ type: 'closed', channel, reason: 'reset' })
    this.#channels.clear()
  }
}

describe('device: a channel that is half open', () => {
  it('takes no answer along: what went into it and may not have arrived is said again on the next', async () => {
    const town = await Town.found()
    const half = new HalfOpen()
    let inner: Network | undefined
    town.port = (network, name) => {
      if (name !== 'Bob') return network
      inner = network
      return half.port(network)
    }
    const [ada, bob] = [await town.person('Ada'), await town.person('Bob')]
    for (const { device } of [ada, bob])
      await device.dispatch('set-setting', { key: 'readReceipts', value: 'on' })
    const conversationId = await befriend(town, ada, bob)
    const { messageId } = await ada.device.dispatch('send', { conversationId, text: 'read this' })
    await town.pass(60_000)
    const state = async (): Promise<unknown> => {
      const { messages } = await ada.device.view('history', { conversationId, limit: 10 })
      return messages.find((one) => one.messageId === messageId)?.state
    }
    expect(await state()).to.equal('delivered')
    half.silent = true
    await bob.device.dispatch('mark-read', { conversationId })
    await town.pass(20_000)
    expect(await state()).to.equal('delivered')
    await half.break(inner!)
    await town.pass(30_000)
    expect(await state()).to.equal('read')
  })
})
