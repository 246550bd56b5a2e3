import { expect } from 'chai'
import { MemoryMailboxStore } from '@sotto/core/memory'
import { heldRows, recordRows } from '../../packages/core/src/device/tables.ts'
import { segmentId } from '../../packages/core/src/history/index.ts'
import { limits } from '../../packages/core/src/limits.ts'
import { fromBase32 } from '../../packages/core/src/wire/index.ts'
import { Town, type Person } from '../support/devices.ts'
import { acquainted, befriend, groupOf } from '../support/friends.ts'
import { OpenedHome } from '../support/opened-home.ts'
import { Puppet, type Forged } from '../support/puppet.ts'

const dayMs = 24 * 60 * 60 * 1_000
const membersOf = async ({ device }: Person, conversationId: string): Promise<readonly string[]> =>
  (await device.view('members', { conversationId })).map(({ accountId }) => accountId)
const accountOf = async ({ device }: Person): Promise<string> => (await device.view('self', {}))!.accountId

describe('064: a relay that keeps a removal back', () => {
  it('for three days: any other device of the group tells of it before a message of theirs is taken', async () => {
    const town = await Town.found()
    const relay = { silent: false, kept: 0 }
    town.mailbox = () => {
      const store = new MemoryMailboxStore()
      const commit = store.commit.bind(store)
      store.commit = async (writes) => {
        if (!relay.silent) return commit(writes)
        relay.kept += 1
      }
      return store
    }
    const address = town.relay('silent')
    const [ada, bob, cy, dee] = await acquainted(town, ['Ada', 'Bob', 'Cy', 'Dee'])
    for (const person of [ada, bob, cy, dee]) await person.device.dispatch('add-relay', { address })
    const id = await groupOf(town, ada, [bob, cy, dee], 'Lake')
    for (const person of [ada, bob, cy, dee]) {
      await person.device.dispatch('send', { conversationId: id, text: `I am ${person.name}` })
      await town.pass(10_000)
    }
    // Cy is reached by the relay alone, which says that it has what it throws away.
    town.part([[cy], [ada, bob, dee]])
    relay.silent = true
    const removed = await accountOf(dee)
    await ada.device.dispatch('group-remove', { conversationId: id, accountId: removed })
    await ada.device.dispatch('send', { conversationId: id, text: 'without Dee' })
    for (let day = 0; day < 3; day++) {
      town.clock.advance(dayMs - 60_000)
      await town.pass(60_000)
    }
    expect(relay.kept).to.be.above(0)
    expect(await membersOf(cy, id), 'Cy knows nothing').to.include(removed)
    await ada.close()
    town.join([[cy], [bob]])
    const since = cy.events.length
    await bob.device.dispatch('send', { conversationId: id, text: 'Cy, are you there?' })
    for (const { device } of [bob, cy]) await device.dispatch('retry-now', {})
    await town.pass(120_000)
    expect(await membersOf(cy, id)).to.not.include(removed)
    const news = cy.events.slice(since)
    const told = news.findIndex(({ type }) => type === 'group')
    const first = news.findIndex(({ type }) => type === 'message')
    expect([told >= 0, first > told], 'the removal is told before a message').to.deep.equal([true, true])
    expect(await cy.texts(id)).to.include('Cy, are you there?')
    expect((await cy.device.view('audit', { conversationId: id })).map(({ kind }) => kind)).to.include(
      'member-removed',
    )
    relay.silent = false
    await cy.device.dispatch('send', { conversationId: id, text: 'here I am' })
    await town.pass(120_000)
    expect(await bob.texts(id)).to.include('here I am')
    expect(await dee.texts(id)).to.not.include('here I am')
  }).timeout(60_000)
})

describe('086: messages kept back for thirty days', () => {
  it('come in their order, with their own time, and marked as late', async () => {
    const town = await Town.found()
    const [ada, bob] = [await town.person('Ada'), await town.person('Bob')]
    const conversationId = await befriend(town, ada, bob)
    await bob.device.dispatch('send', { conversationId, text: 'before' })
    await town.pass(10_000)
    town.hub.cut(ada.peerId, bob.peerId)
    const sent = []
    for (const text of ['one', 'two', 'three']) {
      sent.push(await ada.device.dispatch('send', { conversationId, text }))
      await town.pass(60_000)
    }
    for (let day = 0; day < 30; day++) {
      town.clock.advance(dayMs - 60_000)
      await town.pass(60_000)
    }
    town.hub.heal(ada.peerId, bob.peerId)
    for (const { device } of [ada, bob]) await device.dispatch('retry-now', {})
    await town.pass(120_000)
    const { messages, missing } = await bob.device.view('history', { conversationId })
    expect(missing).to.equal(0)
    expect(messages.map(({ text, late }) => [text, late])).to.deep.equal([
      ['before', false],
      ['one', true],
      ['two', true],
      ['three', true],
    ])
    expect(messages.slice(1).map(({ sentAtMs }) => sentAtMs)).to.deep.equal(
      sent.map(({ sentAtMs }) => sentAtMs),
    )
  }).timeout(60_000)
})

describe('087: two devices of one account that are shown different things', () => {
  it('have the same once they meet, without whoever told them apart', async () => {
    const town = await Town.found()
    const [ada, bob] = [await town.person('Ada'), await town.person('Bob')]
    const conversationId = await befriend(town, ada, bob)
    const laptop = await town.link(ada, 'laptop')
    await town.pass(60_000)
    await bob.device.dispatch('send', { conversationId, text: 'to both' })
    await town.pass(20_000)
    town.part([[ada], [laptop]])
    const puppet = await Puppet.possess(town, bob)
    const id = fromBase32(conversationId)!
    const first = puppet.forge(id, {}, 'for the first alone')
    const { aseq, sseq, lamport } = first.header.content
    const next = { aseq: aseq + 1, sseq: sseq + 1, lamport: lamport + 1, selfPrev: first.header.id }
    const second = puppet.forge(id, next, 'for the second alone')
    await puppet.say(ada, [{ kind: 'records', from: 0, records: [first.incoming] }])
    await puppet.say(laptop, [{ kind: 'records', from: 0, records: [second.incoming] }])
    await puppet.leave()
    expect(await ada.texts(conversationId)).to.deep.equal(['to both', 'for the first alone'])
    expect(await laptop.texts(conversationId)).to.deep.equal(['to both'])
    town.join([[ada], [laptop]])
    for (const { device } of [ada, laptop]) await device.dispatch('retry-now', {})
    await town.pass(120_000)
    for (const person of [ada, laptop])
      expect(await person.texts(conversationId), person.name).to.deep.equal([
        'to both',
        'for the first alone',
        'for the second alone',
      ])
    expect((await ada.device.view('export', { conversationId })).json).to.equal(
      (await laptop.device.view('export', { conversationId })).json,
    )
  }).timeout(60_000)
})

describe('078: records that stand on nothing, without end', () => {
  it('are held in a limited number, count nowhere, and keep nobody else waiting', async () => {
    const town = await Town.found()
    const [ada, bob, mallory] = await acquainted(town, ['Ada', 'Bob', 'Mallory'])
    await befriend(town, bob, mallory)
    const conversationId = await groupOf(town, ada, [bob, mallory], 'Orphans')
    for (const person of [ada, bob, mallory]) {
      await person.device.dispatch('send', { conversationId, text: `I am ${person.name}` })
      await town.pass(5_000)
    }
    const puppet = await Puppet.possess(town, mallory)
    const id = fromBase32(conversationId)!
    const segment = segmentId(town.crypto, id, 1)
    const orphan = (n: number): Forged =>
      puppet.forge(
        id,
        {
          segment,
          aseq: 10 + n,
          sseq: 2,
          selfPrev: town.crypto.sha256(Uint8Array.of(n, n >> 8)),
          lamport: 9,
        },
        `orphan ${n}`,
      )
    const many = limits.heldRecords + 60
    for (let at = 0; at < many; at += 60) {
      const records = Array.from({ length: 60 }, (_, n) => orphan(at + n).incoming)
      await puppet.say(ada, [{ kind: 'records', from: 0, records }])
    }
    const home = await OpenedHome.of(town.crypto, ada, town.clock.nowMs())
    expect(home.rows.all(heldRows)).to.have.length(limits.heldRecords)
    const before = (await home.raw(recordRows)).size
    for (const person of [ada, bob])
      await person.device.dispatch('send', { conversationId, text: `${person.name} goes on` })
    await town.pass(120_000)
    for (const person of [ada, bob]) {
      const texts = await person.texts(conversationId)
      expect(texts).to.include.members(['Ada goes on', 'Bob goes on'])
      expect(texts.some((text) => text?.startsWith('orphan') === true)).to.equal(false)
    }
    const after = await OpenedHome.of(town.crypto, ada, town.clock.nowMs())
    expect((await after.raw(recordRows)).size).to.equal(before + 2)
  }).timeout(120_000)
})
