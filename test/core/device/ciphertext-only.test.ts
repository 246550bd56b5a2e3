import { expect } from 'chai'
import { MemoryMailboxStore } from '@sotto/core/memory'
import { writersOf, type MailboxStore, type Network } from '@sotto/core/ports'
import { fromBase32, utf8 } from '../../../packages/core/src/wire/index.ts'
import { Town, type Person } from '../../support/devices.ts'
import { befriend } from '../../support/friends.ts'
import { idNeedles, Outside, overheard, textNeedles } from '../../support/taint.ts'

const names = ['Adelheid Planted', 'Bertram Planted', 'Caecilia Planted'] as const
const texts = ['planted words by direct stream', 'planted words for the relay', 'planted words in answer']

/** A relay's store that tells everything it is given to keep. */
function watchedStore(outside: Outside): MailboxStore {
  const inner = new MemoryMailboxStore()
  const commit = inner.commit.bind(inner)
  inner.commit = async (writes) => {
    for (const write of writes) {
      if (write.type === 'create')
        outside.note(
          'relay',
          write.queue.recvId,
          write.queue.readKey,
          ...writersOf(write.queue).flatMap(({ sendId, writeKey }) => [sendId, writeKey]),
        )
      if (write.type === 'append') outside.note('relay', write.recvId, write.blob, write.blobHash)
      if (write.type === 'record')
        outside.note('relay', write.locator, write.record.value, write.record.editKey)
    }
    await commit(writes)
  }
  return inner
}

type Planted = ReadonlyMap<string, readonly Uint8Array[]>

async function plant(people: readonly Person[], conversations: readonly string[]): Promise<Planted> {
  const planted = new Map<string, readonly Uint8Array[]>()
  for (const text of [...names, ...texts]) planted.set(text, textNeedles(text))
  for (const person of people) {
    const self = await person.device.view('self', {})
    if (self === null) throw new Error('no account')
    planted.set(`account of ${person.name}`, idNeedles(self.accountId))
    planted.set(`device of ${person.name}`, idNeedles(self.deviceId))
  }
  for (const [i, id] of conversations.entries()) planted.set(`conversation ${i}`, idNeedles(id))
  return planted
}

/** Invite by stream, by DHT and by relay; talk directly and through the relay; cards, receipts, a refusal. */
async function wholeRun(outside: Outside, leak: (network: Network, name: string) => Network) {
  const town = await Town.found()
  town.port = (network, name) => leak(overheard(network, outside), name)
  town.mailbox = () => watchedStore(outside)
  const relay = town.relay('taint')
  const [ada, bob] = [await town.person(names[0]), await town.person(names[1])]
  for (const person of [ada, bob]) {
    await person.device.dispatch('add-relay', { address: relay })
    await person.device.dispatch('set-setting', { key: 'readReceipts', value: 'on' })
  }
  await town.pass(5_000)
  const first = await befriend(town, ada, bob)
  await ada.device.dispatch('send', { conversationId: first, text: texts[0] ?? '' })
  await town.pass(5_000)
  await bob.device.dispatch('mark-read', { conversationId: first })
  await town.pass(5_000)
  const { link } = await ada.device.dispatch('create-invite', {})
  await town.pass(5_000)
  await ada.close()
  await bob.device.dispatch('send', { conversationId: first, text: texts[1] ?? '' })
  const cleo = await town.person(names[2])
  await cleo.device.dispatch('add-relay', { address: relay })
  await town.pass(5_000)
  const adding = cleo.device.dispatch('add', { link })
  await town.pass(20_000)
  const second = (await adding).conversationId
  await cleo.device.dispatch('send', { conversationId: second, text: texts[1] ?? '' })
  await town.pass(60_000)
  await ada.open(true)
  await town.pass(60_000)
  await ada.device.dispatch('send', { conversationId: second, text: texts[2] ?? '' })
  await town.pass(30_000)
  expect(await cleo.texts(second)).to.deep.equal([texts[1], texts[2]])
  expect(await ada.texts(first)).to.deep.equal([texts[0], texts[1]])
  return plant([ada, bob, cleo], [first, second])
}

describe('I10: ciphertext only', () => {
  /*
   * Not looked for, because visible by nature: PeerIds and the multiaddrs that name them (the transport key, which
   * is neither the account's nor the device's identity key), protocol names, and hashes of queue keys.
   */
  it('no name, text, account, device or conversation leaves a device in clear, by any road', async () => {
    const outside = new Outside()
    const planted = await wholeRun(outside, (network) => network)
    for (const road of ['write', 'put', 'open', 'relay']) expect(outside.bytes(road), road).to.be.above(500)
    expect(outside.leaks(planted)).to.deep.equal([])
  })

  const spoilt =
    (
      append: (name: string, device: string) => Uint8Array,
      key: 'write' | 'put',
      selves: Map<string, string>,
    ) =>
    (network: Network, name: string): Network =>
      new Proxy(network, {
        get(target, prop) {
          const value: unknown = Reflect.get(target, prop, target)
          if (typeof value !== 'function') return value
          const call = value.bind(target) as (...input: unknown[]) => unknown
          if (prop !== key) return call
          return (at: unknown, bytes: Uint8Array) => {
            void call(at, Buffer.concat([bytes, append(name, selves.get(name) ?? '')]))
            return call(at, bytes)
          }
        },
      })

  it('a build that says a name in clear on a stream, or in the DHT, is found', async () => {
    for (const key of ['write', 'put'] as const) {
      const outside = new Outside()
      const town = await Town.found()
      const leak = spoilt((name) => utf8(name), key, new Map())
      town.port = (network, name) => leak(overheard(network, outside), name)
      const [ada, bob] = [await town.person(names[0]), await town.person(names[1])]
      const conversation = await befriend(town, ada, bob).catch(() => undefined)
      const planted = await plant([ada, bob], conversation === undefined ? [] : [conversation])
      expect(outside.leaks(planted), key).to.include(`${names[0]} in ${key}`)
    }
  })

  it('ids are found in every writing a build could use', async () => {
    const town = await Town.found()
    const ada = await town.person(names[0])
    const self = await ada.device.view('self', {})
    const raw = fromBase32(self?.deviceId ?? '') ?? new Uint8Array()
    const planted = await plant([ada], [])
    const hex = Buffer.from(raw).toString('hex')
    const writings = [
      raw,
      utf8(hex),
      utf8(self?.deviceId ?? ''),
      utf8(Buffer.from(raw).toString('base64url')),
    ]
    for (const writing of writings) {
      const outside = new Outside()
      outside.note('write', Buffer.concat([Buffer.from('before '), writing, Buffer.from(' after')]))
      expect(outside.leaks(planted)).to.deep.equal([`device of ${names[0]} in write`])
    }
  })
})
