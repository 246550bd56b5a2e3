import { expect } from 'chai'
import type { Network } from '@sotto/core/ports'
import { mailboxProtocol } from '../../../packages/core/src/mailbox/index.ts'
import { Town, type Person } from '../../support/devices.ts'
import { befriend } from '../../support/friends.ts'
import { portOver } from '../../support/port-over.ts'
import { undialled } from '../../support/undialled.ts'

/** A way to a relay on which channels break; how often they were opened, and how many deposits were written, is counted. */
class Brittle {
  /** How many deposits may be unconfirmed on a channel before it breaks. */
  bears = Infinity
  /** Whether anything that is written breaks it. */
  breaksAtOnce = false
  opened = 0
  deposits = 0
  readonly #unconfirmed = new Map<number, number>()

  port(inner: Network, relay: string): Network {
    return portOver(inner, {
      // What is said goes by the relay alone.
      publish: () => Promise.resolve(),
      open: async (peer, addresses, protocol) => {
        const opened = await inner.open(peer, addresses, protocol)
        if (protocol === mailboxProtocol && relay.endsWith(peer)) {
          this.opened += 1
          this.#unconfirmed.set(opened.channel, 0)
        }
        return opened
      },
      listen: (listener) =>
        inner.listen((event) => {
          if (event.type === 'frame' && this.#unconfirmed.has(event.channel))
            this.#unconfirmed.set(event.channel, 0)
          return listener(event)
        }),
      write: async (channel, frame) => {
        const before = this.#unconfirmed.get(channel)
        if (before === undefined) return inner.write(channel, frame)
        const isDeposit = frame.length > 500
        const now = before + (isDeposit ? 1 : 0)
        this.#unconfirmed.set(channel, now)
        if (isDeposit) this.deposits += 1
        if (this.breaksAtOnce || now > this.bears) return inner.close(channel)
        return inner.write(channel, frame)
      },
    })
  }
}

describe('device: channels to a relay that break', function () {
  this.timeout(60_000)

  /** Ada, who reaches nobody but by relays, one of them over a brittle way, and people whose mail lies there. */
  async function brittleTown(...names: readonly string[]) {
    const town = await Town.found()
    const [brittle, theirs, hers] = [new Brittle(), town.relay('theirs'), town.relay('hers')]
    town.port = (network, name) => undialled(name === 'Ada' ? brittle.port(network, theirs) : network)
    const ada = await town.person('Ada')
    await ada.device.dispatch('add-relay', { address: hers })
    const others: Person[] = []
    const talks: string[] = []
    for (const name of names) {
      const other = await town.person(name)
      others.push(other)
      await other.device.dispatch('add-relay', { address: theirs })
      await town.pass(10_000)
      talks.push(await befriend(town, ada, other))
    }
    await town.pass(60_000)
    return { town, brittle, ada, others, talks }
  }

  it('take less with them each time, until what is given at once gets through', async () => {
    const { town, brittle, ada, others, talks } = await brittleTown(
      ...Array.from({ length: 12 }, (_, n) => `Friend ${n}`),
    )
    brittle.breaksAtOnce = true
    for (let n = 0; n < 2; n++)
      for (const conversationId of talks) await ada.device.dispatch('send', { conversationId, text: `${n}` })
    await town.pass(1_000)
    const before = brittle.deposits
    brittle.breaksAtOnce = false
    brittle.bears = 1
    await town.pass(10 * 60_000)
    for (const [i, conversationId] of talks.entries())
      expect(await others[i]?.texts(conversationId)).to.have.length(2)
    // Halved five times at most, and twice given at once where one got through: 16 each time would be many more.
    expect(brittle.deposits - before).to.be.lessThan(45)
  })

  it('are opened again ever more seldom while they break at once, and soon after one that held', async () => {
    const { town, brittle, ada, others, talks } = await brittleTown('Bob')
    const [conversationId, bob] = [talks[0] ?? '', others[0]]
    brittle.breaksAtOnce = true
    await ada.device.dispatch('send', { conversationId, text: 'one' })
    const before = brittle.opened
    await town.pass(10 * 60_000)
    expect(brittle.opened - before).to.be.within(10, 50)
    brittle.breaksAtOnce = false
    await town.pass(20_000)
    expect(await bob?.texts(conversationId)).to.deep.equal(['one'])
    await town.pass(2 * 60_000)
    brittle.bears = 0
    await ada.device.dispatch('send', { conversationId, text: 'two' })
    await town.pass(1_000)
    brittle.bears = Infinity
    await town.pass(3_000)
    expect(await bob?.texts(conversationId)).to.deep.equal(['one', 'two'])
  })
})
