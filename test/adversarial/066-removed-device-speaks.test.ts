import { expect } from 'chai'
import { Town, type Person } from '../support/devices.ts'
import { befriend, groupOf } from '../support/friends.ts'
import { limits } from '../../packages/core/src/limits.ts'
import { Puppet } from '../support/puppet.ts'
import { fromBase32 } from '../../packages/core/src/wire/index.ts'

interface Scene {
  readonly town: Town
  readonly ada: Person
  readonly bob: Person
  /** Bob's second device, which somebody has taken: it is not online. */
  readonly laptop: Person
  readonly conversationId: string
}

async function stage(): Promise<Scene> {
  const town = await Town.found()
  const ada = await town.person('Ada')
  const bob = await town.person('Bob')
  const conversationId = await befriend(town, ada, bob)
  const laptop = await town.link(bob, 'laptop')
  return { town, ada, bob, laptop, conversationId }
}

/** Bob removes the laptop while it is away; its thief works there before it hears of that, and then goes online. */
async function steal({ town, bob, laptop }: Scene, work: () => Promise<unknown>): Promise<void> {
  await laptop.close()
  const other = (await bob.device.view('devices', {})).find(({ thisDevice }) => !thisDevice)
  await bob.device.dispatch('remove-device', { deviceId: other!.deviceId })
  await town.pass(10_000)
  await laptop.open(false)
  await work()
  await laptop.close()
  await laptop.open(true)
  await town.pass(60_000)
}

async function remove(by: Person, gone: Person): Promise<void> {
  const { deviceId } = (await gone.device.view('self', {}))!
  await by.device.dispatch('remove-device', { deviceId })
}

const outsideOf = async (person: Person, conversationId: string, text: string) =>
  (await person.device.view('history', { conversationId })).messages
    .filter((message) => message.text === text)
    .map(({ outside }) => outside)

describe('066: a device that was taken and then removed', () => {
  it('counts for nothing in a conversation it never wrote in before', async () => {
    const scene = await stage()
    const { ada, bob, laptop, conversationId } = scene
    await steal(scene, () => laptop.device.dispatch('send', { conversationId, text: 'the thief' }))
    for (const person of [ada, bob])
      expect(await outsideOf(person, conversationId, 'the thief'), person.name).to.deep.equal(['device-out'])
    expect(ada.notifier.shown, 'nobody is called').to.have.length(0)
  })

  it('counts for nothing where it wrote before; what it wrote then counts', async () => {
    const scene = await stage()
    const { town, ada, bob, laptop, conversationId } = scene
    await laptop.device.dispatch('send', { conversationId, text: 'Bob' })
    await town.pass(10_000)
    const called = ada.notifier.shown.length
    await steal(scene, () => laptop.device.dispatch('send', { conversationId, text: 'the thief' }))
    for (const person of [ada, bob]) {
      expect(await outsideOf(person, conversationId, 'Bob'), person.name).to.deep.equal([null])
      const seen = await outsideOf(person, conversationId, 'the thief')
      expect(seen, person.name).to.deep.equal(seen.map(() => 'device-out'))
    }
    expect(ada.notifier.shown, 'nobody is called').to.have.length(called)
  })

  it('holds nobody up who answered it before hearing that it is out', async () => {
    const scene = await stage()
    const { town, ada, bob, laptop, conversationId } = scene
    for (const other of [ada, laptop]) town.hub.cut(bob.peerId, other.peerId)
    const other = (await bob.device.view('devices', {})).find(({ thisDevice }) => !thisDevice)
    await bob.device.dispatch('remove-device', { deviceId: other!.deviceId })
    const { messageId } = await laptop.device.dispatch('send', { conversationId, text: 'the thief' })
    await town.pass(5_000)
    await ada.device.dispatch('send', { conversationId, text: 'Ada', replyTo: messageId })
    await laptop.close()
    for (const peer of [ada, laptop]) town.hub.heal(bob.peerId, peer.peerId)
    await town.pass(1_200_000)
    expect(await outsideOf(ada, conversationId, 'the thief')).to.deep.equal(['device-out'])
    for (const person of [ada, bob]) {
      expect(await outsideOf(person, conversationId, 'Ada'), person.name).to.deep.equal([null])
      expect(await person.device.view('status', {}), person.name).to.include({ held: 0 })
    }
  })

  for (const wrote of [false, true])
    it(`counts for nothing still when another device goes, ${wrote ? 'though' : 'as'} it ${wrote ? 'did' : 'never did'} before`, async () => {
      const scene = await stage()
      const { town, ada, bob, laptop, conversationId } = scene
      const tablet = await town.link(bob, 'tablet')
      if (wrote) await laptop.device.dispatch('send', { conversationId, text: 'Bob' })
      await town.pass(10_000)
      await steal(scene, () => laptop.device.dispatch('send', { conversationId, text: 'the thief' }))
      await remove(bob, tablet)
      await town.pass(60_000)
      for (const person of [ada, bob]) {
        expect(await outsideOf(person, conversationId, 'the thief'), person.name).to.deep.equal([
          'device-out',
        ])
        const before = await outsideOf(person, conversationId, 'Bob')
        expect(before, person.name).to.deep.equal(wrote ? [null] : [])
      }
    })

  it('counts for nothing in a group that came up unknown to the device that removed it', async () => {
    const { town, ada, bob, laptop } = await stage()
    const cy = await town.person('Cy')
    await befriend(town, bob, cy)
    const tablet = await town.link(bob, 'tablet')
    const apart = [[bob], [ada, cy, laptop, tablet]]
    town.part(apart)
    await remove(bob, laptop)
    const conversationId = await groupOf(town, tablet, [ada, cy], 'Plans')
    await laptop.device.dispatch('send', { conversationId, text: 'the thief' })
    await town.pass(10_000)
    await ada.device.dispatch('send', { conversationId, text: 'Ada' })
    await town.pass(10_000)
    expect(await outsideOf(tablet, conversationId, 'the thief'), 'nobody knows').to.deep.equal([null])
    town.join(apart)
    await town.pass(1_200_000)
    // Who begins an epoch writes down what it saw of the devices that are out.
    await town.link(ada, 'pad')
    await ada.device.dispatch('send', { conversationId, text: 'again' })
    await town.pass(60_000)
    const check = async (people: readonly Person[], when: string): Promise<void> => {
      for (const person of people) {
        const seen = await outsideOf(person, conversationId, 'the thief')
        expect(seen, `${person.name} ${when}`).to.deep.equal(['device-out'])
        expect(await outsideOf(person, conversationId, 'Ada'), person.name).to.deep.equal([null])
        expect(await person.device.view('status', {}), person.name).to.include({ held: 0 })
      }
    }
    await check([ada, cy, tablet, bob], 'when all have met')
    await remove(bob, tablet)
    await town.pass(60_000)
    await check([ada, cy, bob], 'when another device has gone')
  })

  for (const late of [false, true])
    it(`counts for nothing at whoever is out of a group, and heard of the removal ${late ? 'after' : 'before'} its words`, async () => {
      const { town, ada, bob, laptop } = await stage()
      const conversationId = await groupOf(town, bob, [ada], 'Plans')
      await laptop.device.dispatch('send', { conversationId, text: 'Bob' })
      await town.pass(20_000)
      expect(await outsideOf(ada, conversationId, 'Bob')).to.deep.equal([null])
      const { deviceId } = (await laptop.device.view('self', {}))!
      await laptop.close()
      const accountId = (await ada.device.view('self', {}))!.accountId
      await bob.device.dispatch('group-remove', { conversationId, accountId })
      await town.pass(20_000)
      if (late) town.part([[bob], [ada, laptop]])
      await bob.device.dispatch('remove-device', { deviceId })
      await town.pass(20_000)
      await laptop.open(false)
      await laptop.device.dispatch('send', { conversationId, text: 'the thief' })
      await laptop.close()
      await laptop.open(true)
      await town.pass(60_000)
      if (late) {
        expect(await outsideOf(ada, conversationId, 'the thief'), 'nobody knows').to.deep.equal([null])
        town.join([[bob], [ada, laptop]])
        await town.pass(60_000)
      }
      const seen = await outsideOf(ada, conversationId, 'the thief')
      expect(seen).to.deep.equal(late ? ['device-out'] : [])
    })

  it('is not waited for when it writes on top of what nobody has', async () => {
    const { town, ada, bob, laptop, conversationId } = await stage()
    await laptop.device.dispatch('send', { conversationId, text: 'Bob' })
    await town.pass(10_000)
    const { deviceId } = (await laptop.device.view('self', {}))!
    const thief = await Puppet.possess(town, laptop)
    const id = fromBase32(conversationId)!
    const { aseq } = thief.conversation(id)
    const onNothing = (n: number) =>
      thief.forge(id, { aseq: aseq + n, sseq: 40 + n, selfPrev: new Uint8Array(32).fill(n) }).incoming
    const held = async (): Promise<number> => (await ada.device.view('status', {})).held
    await thief.say(ada, [{ kind: 'records', from: 0, records: [onNothing(1)] }])
    expect(await held(), 'who may have gone on writing').to.equal(1)
    await bob.device.dispatch('remove-device', { deviceId })
    await town.pass(60_000)
    expect(await held(), 'once it is out').to.equal(0)
    await thief.say(ada, [{ kind: 'records', from: 0, records: [onNothing(2)] }])
    expect(await held()).to.equal(0)
  })

  it('goes on for whoever reads there: that it was put out stops nothing', async () => {
    const { town, ada, bob, laptop, conversationId } = await stage()
    await ada.device.dispatch('send', { conversationId, text: 'to both' })
    await town.pass(10_000)
    await remove(bob, laptop)
    await town.pass(60_000)
    const devices = await laptop.device.view('devices', {})
    expect(devices.find(({ thisDevice }) => thisDevice)?.state, 'it knows').to.equal('revoked')
    await laptop.device.dispatch('mark-read', { conversationId })
    await town.pass(2 * limits.ownPauseMs)
    expect(laptop.log.count('device-halted')).to.equal(0)
    expect(await laptop.texts(conversationId)).to.deep.equal(['to both'])
  })

  it('stays out when the device that removed it goes, whose clock was ahead', async () => {
    const { town, ada, bob, laptop } = await stage()
    const tablet = await town.link(bob, 'tablet')
    const nowMs = town.clock.nowMs()
    town.clock.setWall(nowMs + 3_600_000)
    await remove(tablet, laptop)
    await town.pass(60_000)
    town.clock.setWall(nowMs + 60_000)
    await remove(bob, tablet)
    await town.pass(60_000)
    const states = (await bob.device.view('devices', {})).map(({ state }) => state)
    expect(states).to.deep.equal(['active', 'revoked', 'revoked'])
    expect((await ada.device.view('contacts', {})).map(({ devices }) => devices)).to.deep.equal([1])
  })

  it('keeps what it wrote where no other device of its account held that, and marks it', async () => {
    const scene = await stage()
    const { town, ada, bob, laptop, conversationId } = scene
    town.hub.cut(bob.peerId, laptop.peerId)
    town.hub.cut(bob.peerId, ada.peerId)
    await laptop.device.dispatch('send', { conversationId, text: 'before' })
    await town.pass(5_000)
    await steal(scene, async () => undefined)
    town.hub.heal(bob.peerId, ada.peerId)
    await town.pass(1_200_000)
    expect(await outsideOf(ada, conversationId, 'before')).to.deep.equal(['device-out'])
  })

  for (const wrote of [false, true])
    it(`changes no contact of its account, ${wrote ? 'though' : 'as'} it ${wrote ? 'did' : 'never did'} before`, async () => {
      const scene = await stage()
      const { town, bob, laptop } = scene
      const { accountId } = (await laptop.device.view('contacts', {}))[0]!
      if (wrote) await laptop.device.dispatch('rename-contact', { accountId, name: 'Countess' })
      await town.pass(10_000)
      const name = wrote ? 'Countess' : 'Ada'
      expect((await bob.device.view('contacts', {}))[0]).to.include({ name })
      await steal(scene, async () => {
        await laptop.device.dispatch('rename-contact', { accountId, name: 'Bank' })
        await laptop.device.dispatch('block', { accountId })
      })
      expect((await bob.device.view('contacts', {}))[0]).to.include({ name, state: 'connected' })
    })
})
