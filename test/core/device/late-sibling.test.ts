import { expect } from 'chai'
import type { HistoryChoice } from '../../../packages/core/src/device/api.ts'
import { limits } from '../../../packages/core/src/limits.ts'
import { countingPort } from '../../support/counting-port.ts'
import { befriend } from '../../support/friends.ts'
import { Town, type Person } from '../../support/devices.ts'
import { undialled } from '../../support/undialled.ts'

const accountOf = async (person: Person): Promise<string> => (await person.device.view('self', {}))!.accountId

const exportOf = async (person: Person, conversationId: string): Promise<string> =>
  (await person.device.view('export', { conversationId })).json

/** Ada with a tablet and Bob share a group; the tablet and Bob are cut off, and Ada links a phone meanwhile. */
async function stage(history: HistoryChoice) {
  const town = await Town.found()
  const [ada, bob] = [await town.person('Ada'), await town.person('Bob')]
  const direct = await befriend(town, ada, bob)
  const tablet = await town.link(ada, 'tablet', 'all')
  const members = [await accountOf(bob)]
  const { conversationId } = await ada.device.dispatch('create-group', { name: 'Lake', members })
  await ada.device.dispatch('send', { conversationId, text: 'before' })
  await town.pass(20_000)
  const away = [bob, tablet]
  town.part([[ada], away])
  const phone = await town.link(ada, 'phone', history, away)
  return { town, ada, bob, tablet, phone, direct, conversationId, away }
}

describe('device: a device linked while others were cut off', function () {
  this.timeout(60_000)

  it('comes to hold what they wrote before they heard of it', async () => {
    const { town, ada, bob, tablet, phone, direct, conversationId, away } = await stage('all')
    for (const one of away) await one.device.dispatch('send', { conversationId, text: `${one.name} alone` })
    await bob.device.dispatch('send', { conversationId: direct, text: 'only for Ada' })
    await tablet.device.dispatch('send', { conversationId: direct, text: 'only for Bob' })
    await town.pass(20_000)
    town.join([[ada, phone], away])
    await town.pass(120_000)
    for (const id of [conversationId, direct])
      for (const one of [phone, tablet, bob])
        expect(await exportOf(one, id), one.name).to.equal(await exportOf(ada, id))
    expect(await phone.texts(conversationId)).to.include.members(['before', 'Bob alone', 'tablet alone'])
    expect(await phone.texts(direct)).to.have.members(['only for Ada', 'only for Bob'])
  })

  it('also when it was away while they met', async () => {
    const { town, ada, bob, tablet, phone, conversationId, away } = await stage('all')
    for (const one of away) await one.device.dispatch('send', { conversationId, text: `${one.name} alone` })
    await town.pass(5_000)
    await phone.close()
    town.join([[ada, phone], away])
    await town.pass(120_000)
    await phone.open(true)
    await town.pass(60_000)
    for (const one of [phone, tablet, bob])
      expect(await exportOf(one, conversationId), one.name).to.equal(await exportOf(ada, conversationId))
  })

  it('is shown no more than its person granted it', async () => {
    const { town, ada, bob, phone, conversationId, away } = await stage('none')
    for (const one of away) await one.device.dispatch('send', { conversationId, text: `${one.name} alone` })
    await town.pass(5_000)
    town.join([[ada, phone], away])
    await town.pass(120_000)
    await bob.device.dispatch('send', { conversationId, text: 'together' })
    await town.pass(120_000)
    expect(await ada.texts(conversationId)).to.include.members(['before', 'Bob alone', 'tablet alone'])
    expect(await phone.texts(conversationId)).to.deep.equal(['together'])
  })
})

describe('device: own devices that may lack records', function () {
  this.timeout(60_000)

  it('are asked once for all that came, and again after the pause, whatever authors claim', async () => {
    const frames = new Map<string, number>()
    const town = await Town.found()
    town.port = (network, name) => (name === 'Ada' ? countingPort(network, frames) : network)
    const [ada, bob] = [await town.person('Ada'), await town.person('Bob')]
    const tablet = await town.link(ada, 'tablet')
    // Nobody has said in this conversation which devices Ada has.
    const conversationId = await befriend(town, ada, bob)
    await town.pass(2 * limits.lateSyncPauseMs)
    const asked = (): number => frames.get(tablet.peerId) ?? 0
    const before = asked()
    const say = () => bob.device.dispatch('send', { conversationId, text: 'and another thing' })
    for (let n = 0; n < 10; n++) await say()
    await town.pass(limits.lateSyncMs - 1_000)
    expect(asked() - before, 'waits for more').to.equal(0)
    await town.pass(2_000)
    expect(asked() - before, 'a question, and an answer to the other’s').to.equal(2)
    for (let n = 0; n < 10; n++) {
      await say()
      await town.pass((limits.lateSyncPauseMs - 2_000) / 10)
    }
    expect(asked() - before, 'within the pause').to.equal(2)
    await town.pass(2_000)
    expect(asked() - before, 'after the pause').to.equal(4)
  })

  it('hears of what somebody did to a group who did not know of it, where only relays carry anything', async () => {
    const town = await Town.found()
    town.port = undialled
    const address = town.relay('relay')
    const [ada, bob] = [await town.person('Ada'), await town.person('Bob')]
    for (const { device } of [ada, bob]) await device.dispatch('add-relay', { address })
    await town.pass(10_000)
    await befriend(town, ada, bob)
    // Bob links a laptop while two frames of Ada wait for him: what the second says, Ada tells all she knows of herself.
    const relay = address.split('/p2p/').at(-1)!
    town.hub.cut(bob.peerId, relay)
    const members = [await accountOf(bob)]
    const { conversationId } = await ada.device.dispatch('create-group', { name: 'Lake', members })
    await town.pass(60_000)
    await ada.device.dispatch('group-rename', { conversationId, name: 'Sea' })
    await town.pass(60_000)
    const laptop = await town.link(bob, 'laptop')
    await laptop.device.dispatch('add-relay', { address })
    await town.pass(60_000)
    await ada.close()
    town.hub.heal(bob.peerId, relay)
    await town.pass(20 * 60_000)
    await ada.open(true)
    await town.pass(20 * 60_000)
    for (const { device, name } of [ada, bob, laptop]) {
      const views = await device.view('conversations', {})
      expect(views.find((one) => one.conversationId === conversationId)?.name, name).to.equal('Sea')
    }
  })

  it('what a removed device said reaches those it could not reach, where only relays carry anything', async () => {
    const town = await Town.found()
    town.port = undialled
    const relays = ['a', 'b', 'c', 'd'].map((name) => town.relay(name))
    const [first, second, third, fourth] = relays as [string, string, string, string]
    const peerOf = (address: string): string => address.split('/p2p/').at(-1)!
    const use = (person: Person, address: string) => person.device.dispatch('add-relay', { address })
    const people = [await town.person('Ada'), await town.person('Bob'), await town.person('Cy')] as const
    const [ada, bob, cy] = people
    for (const address of [first, second]) await use(ada, address)
    await use(cy, third)
    await use(bob, fourth)
    await town.pass(10_000)
    for (const other of [ada, cy]) await befriend(town, bob, other)
    const members = await Promise.all([ada, cy].map(accountOf))
    const { conversationId } = await bob.device.dispatch('create-group', { name: 'Lake', members })
    await town.pass(3 * 60_000)
    const tablet = await town.link(bob, 'tablet', 'all')
    await use(tablet, fourth)
    await town.pass(5 * 60_000)
    for (const address of [second, third]) town.hub.cut(tablet.peerId, peerOf(address))
    await ada.close()
    town.hub.cut(ada.peerId, peerOf(first))
    await tablet.device.dispatch('send', { conversationId, text: 'my last words' })
    await town.pass(60_000)
    const { deviceId } = (await tablet.device.view('self', {}))!
    await tablet.close()
    expect(await bob.texts(conversationId)).to.deep.equal(['my last words'])
    await bob.device.dispatch('remove-device', { deviceId })
    await town.pass(60_000)
    await ada.open(true)
    await town.pass(10 * 60_000)
    expect(await ada.texts(conversationId), 'not here yet').to.deep.equal([])
    town.hub.heal(ada.peerId, peerOf(first))
    await town.pass(10 * 60_000)
    for (const person of people)
      expect(await person.texts(conversationId), person.name).to.deep.equal(['my last words'])
  })
})
