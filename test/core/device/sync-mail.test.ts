import { expect } from 'chai'
import type { Network } from '@sotto/core/ports'
import { fromBase32, utf8 } from '../../../packages/core/src/wire/index.ts'
import { syncBodiesAskFrame } from '../../../packages/core/src/history/index.ts'
import { isAnswer } from '../../../packages/core/src/device/outbox-rows.ts'
import { syncFrames } from '../../../packages/core/src/device/payload.ts'
import { lateRows, outboxRows } from '../../../packages/core/src/device/tables.ts'
import { limits } from '../../../packages/core/src/limits.ts'
import { fittingMail } from '../../../packages/core/src/device/sync-mail.ts'
import { Town, type Person } from '../../support/devices.ts'
import { befriend } from '../../support/friends.ts'
import { HalfOpen } from '../../support/half-open.ts'
import { Liar } from '../../support/liar.ts'
import { OpenedHome } from '../../support/opened-home.ts'
import { portOver } from '../../support/port-over.ts'
import { undialled } from '../../support/undialled.ts'

const minute = 60_000

/** Ada and Bob at one relay, no channel between any two devices for talking, and how many mails each has left. */
async function stage() {
  const town = await Town.found()
  const writes = new Map<string, number>()
  town.port = (network, name) =>
    portOver(undialled(network), {
      write: (channel, frame) => {
        if (frame.length > limits.paddedMinBytes) writes.set(name, (writes.get(name) ?? 0) + 1)
        return network.write(channel, frame)
      },
    })
  const sentBy = ({ name }: Person): number => writes.get(name) ?? 0
  const address = town.relay('relay')
  const relay = address.split('/p2p/').at(-1)!
  const [ada, bob] = [await town.person('Ada'), await town.person('Bob')]
  for (const one of [ada, bob]) await one.device.dispatch('add-relay', { address })
  await town.pass(10_000)
  const conversationId = await befriend(town, ada, bob)
  const { messageId } = await ada.device.dispatch('send', { conversationId, text: 'to be kept' })
  await town.pass(minute)
  const away = (person: Person): void => town.hub.cut(person.peerId, relay)
  const back = (person: Person): void => town.hub.heal(person.peerId, relay)
  const link = async (name: string): Promise<Person> => {
    const fresh = await town.link(ada, name, 'all')
    await fresh.device.dispatch('add-relay', { address })
    await town.pass(minute)
    return fresh
  }
  return { town, ada, bob, conversationId, messageId, away, back, link, sentBy }
}

/** Ada's new phone, to which the channel went silent before it had anything of her history; they share a relay. */
async function halfTold() {
  const town = await Town.found()
  const half = new HalfOpen()
  let inner: Network | undefined
  let isApart = false
  let asked = 0
  town.port = (network, name) => {
    if (name === 'Ada') inner = network
    const port = name === 'Ada' ? half.port(network) : network
    return portOver(port, {
      open: (...of) => (isApart ? undialled(port) : port).open(...of),
      write: (channel, frame) => {
        if (name === 'phone' && isApart && frame.length > limits.paddedMinBytes) asked += 1
        return port.write(channel, frame)
      },
    })
  }
  const address = town.relay('relay')
  const [ada, bob] = [await town.person('Ada'), await town.person('Bob')]
  for (const one of [ada, bob]) await one.device.dispatch('add-relay', { address })
  await town.pass(10_000)
  const conversationId = await befriend(town, ada, bob)
  await ada.device.dispatch('send', { conversationId, text: 'long ago' })
  await town.pass(10_000)
  half.silent = true
  const phone = await town.link(ada, 'phone', 'all')
  await phone.device.dispatch('add-relay', { address })
  await town.pass(10_000)
  /** From now on nobody reaches another but by the relay. */
  const isolate = async (): Promise<void> => {
    isApart = true
    await half.break(inner!)
  }
  const reunite = (): void => void (isApart = false)
  const relay = address.split('/p2p/').at(-1)!
  return { town, ada, phone, conversationId, relay, isolate, reunite, asked: () => asked }
}

const nonce = new Uint8Array(8)

const exportOf = async ({ device }: Person, conversationId: string): Promise<string> =>
  (await device.view('export', { conversationId })).json

describe('device: sync where no channel opens', function () {
  this.timeout(60_000)

  it('brings a device what was written before its author knew of it', async () => {
    const { town, ada, bob, conversationId, messageId, away, back, link } = await stage()
    away(bob)
    await bob.device.dispatch('react', { messageId, emoji: '👍' })
    await bob.device.dispatch('send', { conversationId, text: 'from afar' })
    const phone = await link('phone')
    back(bob)
    await town.pass(10 * minute)
    expect(await exportOf(ada, conversationId)).to.include('👍')
    expect(await exportOf(phone, conversationId)).to.equal(await exportOf(ada, conversationId))
    expect(await phone.texts(conversationId)).to.include('from afar')
  })

  it('waits for who is away, and asks it seldom meanwhile', async () => {
    const { town, ada, bob, conversationId, away, back, link, sentBy } = await stage()
    away(bob)
    await bob.device.dispatch('send', { conversationId, text: 'from afar' })
    const phone = await link('phone')
    await phone.close()
    back(bob)
    await town.pass(2 * minute)
    expect(await ada.texts(conversationId)).to.include('from afar')
    const before = sentBy(ada)
    await town.pass(24 * 60 * minute)
    // Nine pauses of 2, 4, 8 and so on minutes are 17 hours; the day has mails of its own.
    expect(sentBy(ada) - before).to.be.below(30)
    await phone.open(true)
    await town.pass(30 * minute)
    expect(await exportOf(phone, conversationId)).to.equal(await exportOf(ada, conversationId))
  })

  it('also where whoever was to ask was closed before it had', async () => {
    const { town, ada, bob, conversationId, away, back, link } = await stage()
    away(bob)
    await bob.device.dispatch('send', { conversationId, text: 'from afar' })
    const phone = await link('phone')
    back(bob)
    for (let i = 0; i < 600 && !(await ada.texts(conversationId)).includes('from afar'); i++)
      await town.pass(100)
    expect(await ada.texts(conversationId)).to.include('from afar')
    await ada.close()
    await town.pass(minute)
    await ada.open(true)
    await town.pass(10 * minute)
    expect(await exportOf(phone, conversationId)).to.equal(await exportOf(ada, conversationId))
    const home = await OpenedHome.of(town.crypto, ada, town.clock.nowMs())
    expect(home.rows.all(lateRows), 'nothing is due any more').to.deep.equal([])
  })

  it('goes on where the channel broke on which an own device was asked, and none opens any more', async () => {
    const { town, phone, conversationId, isolate } = await halfTold()
    await isolate()
    await town.pass(30 * minute)
    expect(await phone.texts(conversationId)).to.deep.equal(['long ago'])
  })

  it('keeps nobody from asking on a channel that opens before there is an answer', async () => {
    const { town, ada, phone, conversationId, asked, relay, isolate, reunite } = await halfTold()
    town.hub.cut(ada.peerId, relay)
    await isolate()
    await town.pass(25 * minute)
    const before = asked()
    for (let n = 0; n < 3_600 && asked() === before; n++) await town.pass(1_000)
    expect(asked(), 'the phone asked once more').to.be.above(before)
    await ada.close()
    reunite()
    await ada.open(true)
    await town.pass(5 * minute)
    expect(await phone.texts(conversationId)).to.deep.equal(['long ago'])
  })

  it('asks nobody who was put out meanwhile', async () => {
    const { town, ada, bob, conversationId, away, back, link, sentBy } = await stage()
    away(bob)
    await bob.device.dispatch('send', { conversationId, text: 'from afar' })
    const phone = await link('phone')
    const { deviceId } = (await phone.device.view('self', {}))!
    await phone.close()
    back(bob)
    await town.pass(minute)
    await ada.device.dispatch('remove-device', { deviceId })
    await town.pass(10 * minute)
    const before = sentBy(ada)
    await town.pass(60 * minute)
    expect(sentBy(ada)).to.equal(before)
  })
})

describe('device: mails of sync that find no relay', function () {
  this.timeout(60_000)

  it('are so many; who is owed more asks again', async () => {
    const town = await Town.found()
    const liar = new Liar('Bob')
    town.provider = liar.provider
    let mute = false
    town.port = (network, name) =>
      portOver(undialled(network), {
        write: (channel, frame) =>
          mute && name === 'Ada' && frame.length > limits.paddedMinBytes
            ? Promise.resolve()
            : network.write(channel, frame),
      })
    const [ada, bob] = [await town.person('Ada'), await town.person('Bob')]
    const address = town.relay('relay')
    for (const one of [ada, bob]) await one.device.dispatch('add-relay', { address })
    await town.pass(10_000)
    const id = await befriend(town, ada, bob)
    await town.pass(minute)
    mute = true
    const conversation = fromBase32(id)!
    const question = syncBodiesAskFrame.encode({ version: 1, conversation, nonce, records: [] })
    const ask = { kind: 'sync', conversation, what: syncFrames.bodiesAsk, frame: question } as const
    const asked = () =>
      liar.say(town, [ask], () => bob.device.dispatch('send', { conversationId: id, text: 'so' }))
    const waiting = async (): Promise<number> =>
      (await OpenedHome.of(town.crypto, ada, town.clock.nowMs())).rows.all(outboxRows).filter(isAnswer).length
    for (let n = 0; n < limits.syncMails; n++) await asked()
    expect([await waiting(), ada.log.count('sync-mail-left-out')]).to.deep.equal([limits.syncMails, 0])
    await asked()
    expect([await waiting(), ada.log.count('sync-mail-left-out')]).to.deep.equal([limits.syncMails, 1])
  })
})

describe('device: what one mail of sync holds', () => {
  const frame = (bytes: number) => ({ bytes: new Uint8Array(bytes) })
  const answer = utf8('an answer')
  const room = limits.syncFrameBytes + 1024 - answer.length

  it('is as many frames as fit beside the answer, and not one byte more', () => {
    const frames = [frame(room - 10), frame(10)]
    expect(fittingMail(answer, frames)).to.have.length(2)
    expect(fittingMail(answer, [...frames, frame(1)])).to.have.length(2)
    expect(fittingMail(answer, [frame(room - 10), frame(11)])).to.have.length(1)
  })

  it('is as many items as a payload has', () => {
    const frames = Array.from({ length: limits.payloadItems }, () => frame(1))
    expect(fittingMail(answer, frames)).to.have.length(limits.payloadItems - 1)
  })
})
