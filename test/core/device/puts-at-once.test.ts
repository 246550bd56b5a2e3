import { expect } from 'chai'
import type { Network } from '@sotto/core/ports'
import { limits } from '../../../packages/core/src/limits.ts'
import { mailboxProtocol } from '../../../packages/core/src/mailbox/index.ts'
import { Town, type Person } from '../../support/devices.ts'
import { befriend } from '../../support/friends.ts'
import { portOver } from '../../support/port-over.ts'
import { undialled } from '../../support/undialled.ts'

/** A relay that takes what comes and, from some moment on, answers nothing; what is written to it since is counted. */
class Mute {
  on = false
  written = 0
  readonly #channels = new Set<number>()

  port(network: Network, relay: string): Network {
    return portOver(network, {
      open: async (peer, addresses, protocol) => {
        const opened = await network.open(peer, addresses, protocol)
        if (protocol === mailboxProtocol && relay.endsWith(peer)) this.#channels.add(opened.channel)
        return opened
      },
      listen: (listener) =>
        network.listen((event) =>
          this.on && event.type === 'frame' && this.#channels.has(event.channel)
            ? undefined
            : listener(event),
        ),
      write: (channel, frame) => {
        if (this.on && this.#channels.has(channel)) this.written += 1
        return network.write(channel, frame)
      },
    })
  }
}

describe('device: what is left at a relay at once', function () {
  this.timeout(30_000)

  it('is a few frames, and no more until it has confirmed one: a channel that breaks takes these alone with it', async () => {
    const town = await Town.found()
    const [mute, relay] = [new Mute(), town.relay('relay')]
    town.port = (network, name) => undialled(name === 'Ada' ? mute.port(network, relay) : network)
    const people: Person[] = []
    for (const name of ['Ada', 'Bob', 'Cy', 'Dan']) people.push(await town.person(name))
    for (const { device } of people) await device.dispatch('add-relay', { address: relay })
    await town.pass(10_000)
    const [ada, ...others] = people
    const talks: string[] = []
    for (const other of others) talks.push(await befriend(town, ada!, other))
    await town.pass(60_000)
    mute.on = true
    for (const conversationId of talks)
      for (let n = 0; n < limits.putsAtOnce; n++)
        await ada!.device.dispatch('send', { conversationId, text: `${n}` })
    await town.pass(5_000)
    expect(mute.written).to.equal(limits.putsAtOnce)
  })

  it('is one answer for each device: the next is made when it has gone, and says all that came meanwhile', async () => {
    const town = await Town.found()
    const [mute, hers, his] = [new Mute(), town.relay('hers'), town.relay('his')]
    town.port = (network, name) => undialled(name === 'Bob' ? mute.port(network, hers) : network)
    const [ada, bob] = [await town.person('Ada'), await town.person('Bob')]
    await ada.device.dispatch('add-relay', { address: hers })
    await bob.device.dispatch('add-relay', { address: his })
    await town.pass(10_000)
    const conversationId = await befriend(town, ada, bob)
    await town.pass(60_000)
    mute.on = true
    for (let n = 0; n < 10; n++) {
      await ada.device.dispatch('send', { conversationId, text: `${n}` })
      await town.pass(2_000)
    }
    expect(await bob.texts(conversationId)).to.have.length(10)
    expect(mute.written).to.equal(1)
  })
})
