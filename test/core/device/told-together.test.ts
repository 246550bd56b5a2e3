import { expect } from 'chai'
import { MemoryMailboxStore } from '@sotto/core/memory'
import type { MailboxItem, Network } from '@sotto/core/ports'
import { mailboxProtocol } from '../../../packages/core/src/mailbox/index.ts'
import { Town } from '../../support/devices.ts'
import { friendsAtRelay, groupOf } from '../../support/friends.ts'
import { accountOf } from '../../support/liar.ts'
import { portOver } from '../../support/port-over.ts'
import { undialled } from '../../support/undialled.ts'

/** A relay's store that gives what waits piece by piece, as it does where each fills a push. */
class OneByOne extends MemoryMailboxStore {
  override page(recvId: Uint8Array, after: number): Promise<readonly MailboxItem[]> {
    return super.page(recvId, after, 1)
  }
}

/** A slow way to relays: each push comes when it is let through. What is left there and is more than an answer is counted. */
class Slow {
  on = false
  left = 0
  readonly #relays = new Set<number>()
  readonly #waiting: (() => unknown)[] = []

  port(network: Network): Network {
    return portOver(network, {
      open: async (peer, addresses, protocol) => {
        const opened = await network.open(peer, addresses, protocol)
        if (protocol === mailboxProtocol) this.#relays.add(opened.channel)
        return opened
      },
      listen: (listener) =>
        network.listen((event) => {
          const isPush = event.type === 'frame' && this.#relays.has(event.channel) && event.frame.length > 500
          if (this.on && isPush) this.#waiting.push(() => listener(event))
          else return listener(event)
          return undefined
        }),
      write: (channel, frame) => {
        if (this.#relays.has(channel) && frame.length > answerBytes) this.left += 1
        return network.write(channel, frame)
      },
    })
  }

  /** Lets one push through; false where none waits. */
  next(): boolean {
    const push = this.#waiting.shift()
    push?.()
    return push !== undefined
  }
}

/** A deposit of the smallest size there is. */
const answerBytes = 730

describe('device: how a group stands', function () {
  this.timeout(60_000)

  it('is answered once where several older states come from a relay one after another', async () => {
    const town = await Town.found()
    town.mailbox = () => new OneByOne()
    const slow = new Slow()
    town.port = (network, name) => undialled(name === 'Bob' ? slow.port(network) : network)
    const { ada, bob } = await friendsAtRelay(town)
    const conversationId = await groupOf(town, ada, [bob], 'Lake')
    await ada.device.dispatch('group-role', {
      conversationId,
      accountId: await accountOf(bob),
      role: 'admin',
    })
    await town.pass(60_000)
    await bob.close()
    for (let n = 0; n < 8; n++) {
      await ada.device.dispatch('group-rename', { conversationId, name: `Lake ${n}` })
      await town.pass(30_000)
    }
    await ada.close()
    await bob.open(false)
    await bob.device.dispatch('group-rename', { conversationId, name: 'Sea' })
    await bob.close()
    slow.on = true
    await bob.open(true)
    await town.pass(10_000)
    const before = slow.left
    let pushes = 0
    for (; slow.next(); pushes++) await town.pass(100)
    await town.pass(60_000)
    expect(pushes).to.be.greaterThan(7)
    expect(slow.left - before).to.equal(1)
  })
})
