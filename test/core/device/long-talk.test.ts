import { expect } from 'chai'
import { MemoryMailboxStore } from '@sotto/core/memory'
import { Town, type Person } from '../../support/devices.ts'
import { befriend } from '../../support/friends.ts'

const codeOf = (error: unknown): unknown => (error as { code?: unknown }).code

/** Every text of a conversation, page by page from the end. */
async function pages(
  person: Person,
  conversationId: string,
  limit: number,
): Promise<readonly (string | null)[]> {
  let texts: (string | null)[] = []
  let before: string | undefined
  for (let more = true; more;) {
    const page = await person.device.view('history', {
      conversationId,
      limit,
      ...(before === undefined ? {} : { before }),
    })
    texts = [...page.messages.map(({ text }) => text), ...texts]
    before = page.messages[0]?.messageId
    more = page.more
  }
  return texts
}

describe('device: a long talk', () => {
  it('crosses a segment from both ends at once, in one order, and pages back through all of it', async () => {
    const town = await Town.found()
    const ada = await town.person('Ada')
    const bob = await town.person('Bob')
    const conversationId = await befriend(town, ada, bob)
    for (let n = 0; n < 510; n++) {
      await ada.device.dispatch('send', { conversationId, text: `a${n}` })
      await bob.device.dispatch('send', { conversationId, text: `b${n}` })
      if (n % 100 === 99) await town.settle()
    }
    await town.pass(20_000)
    const all = await pages(ada, conversationId, 300)
    expect(all).to.have.length(1_020)
    expect(await pages(bob, conversationId, 77)).to.deep.equal(all)
    for (const who of ['a', 'b'])
      expect(all.filter((text) => text?.startsWith(who))).to.deep.equal(
        Array.from({ length: 510 }, (_, n) => `${who}${n}`),
      )
    const [newest] = (await ada.device.view('history', { conversationId, limit: 1 })).messages
    expect(newest?.text).to.equal(all.at(-1))
    const since = await ada.device.view('history', {
      conversationId,
      limit: 10,
      sinceMs: town.clock.nowMs() + 1,
    })
    expect(since.messages).to.deep.equal([])
    const unknown = await ada.device.view('history', { conversationId, before: conversationId }).catch(codeOf)
    expect(unknown).to.equal('E_NOT_FOUND')
  })
})

describe('device: consent', () => {
  it('read is told only when it is on at both ends', async () => {
    for (const [adaOn, bobOn] of [
      [true, true],
      [true, false],
      [false, true],
    ] as const) {
      const town = await Town.found()
      const ada = await town.person('Ada')
      const bob = await town.person('Bob')
      const conversationId = await befriend(town, ada, bob)
      for (const [person, on] of [
        [ada, adaOn],
        [bob, bobOn],
      ] as const)
        await person.device.dispatch('set-setting', { key: 'readReceipts', value: String(on) })
      await ada.device.dispatch('send', { conversationId, text: 'seen?' })
      await town.pass(5_000)
      await bob.device.dispatch('mark-read', { conversationId })
      await town.pass(5_000)
      const { messages } = await ada.device.view('history', { conversationId })
      expect(messages[0]?.state).to.equal(adaOn && bobOn ? 'read' : 'delivered')
    }
  })

  it('a blocked contact is neither heard nor told; what they wrote comes after', async () => {
    const town = await Town.found()
    const ada = await town.person('Ada')
    const bob = await town.person('Bob')
    const conversationId = await befriend(town, ada, bob)
    const [contact] = await ada.device.view('contacts', {})
    const accountId = contact?.accountId ?? ''
    await ada.device.dispatch('block', { accountId })
    await bob.device.dispatch('send', { conversationId, text: 'hello?' })
    await town.pass(120_000)
    expect(await ada.texts(conversationId)).to.deep.equal([])
    const waiting = await bob.device.view('history', { conversationId })
    expect(waiting.messages[0]?.state).to.equal('waiting')
    await ada.device.dispatch('unblock', { accountId })
    await town.pass(600_000)
    expect(await ada.texts(conversationId)).to.deep.equal(['hello?'])
  })
})

describe('device: relays that fail', () => {
  it('what lay at a relay that lost everything, or kept it too long, is left there again', async () => {
    for (const loss of ['wiped', 'expired'] as const) {
      const town = await Town.found()
      const store = new MemoryMailboxStore()
      const queues: Uint8Array[] = []
      town.mailbox = () => {
        const commit = store.commit.bind(store)
        store.commit = async (writes) => {
          for (const write of writes) if (write.type === 'create') queues.push(write.queue.recvId)
          await commit(writes)
        }
        return store
      }
      const relay = town.relay('forgetful')
      const ada = await town.person('Ada')
      const bob = await town.person('Bob')
      for (const person of [ada, bob]) await person.device.dispatch('add-relay', { address: relay })
      await town.pass(5_000)
      const conversationId = await befriend(town, ada, bob)
      await town.pass(20_000)
      await bob.close()
      await ada.device.dispatch('send', { conversationId, text: 'lost at the relay' })
      await town.pass(60_000)
      const { messages } = await ada.device.view('history', { conversationId })
      expect(messages[0]?.state).to.equal('relayed')
      town.hub.cut(ada.peerId, bob.peerId)
      if (loss === 'wiped') {
        for (const recvId of queues) await store.commit([{ type: 'delete', recvId }])
        const peer = relay.split('/p2p/')[1] ?? ''
        town.hub.cut(ada.peerId, peer)
        town.hub.heal(ada.peerId, peer)
      } else {
        town.clock.advance(15 * 24 * 60 * 60 * 1_000)
        await store.sweep(town.clock.nowMs())
        await town.pass(60_000)
      }
      await bob.open(true)
      await town.pass(3_600_000)
      expect(await bob.texts(conversationId), loss).to.deep.equal(['lost at the relay'])
    }
  })
})
