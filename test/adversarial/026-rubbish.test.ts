import { expect } from 'chai'
import { seededRandom } from '@sotto/core/memory'
import { mailboxProtocol } from '@sotto/core/mailbox'
import type { Network } from '@sotto/core/ports'
import { directProtocol, inviteProtocol } from '../../packages/core/src/device/protocols.ts'
import { peerIdOf } from '../../packages/core/src/identity/index.ts'
import { Town } from '../support/devices.ts'
import { FaultyStore } from '../support/faulty-store.ts'
import { befriend } from '../support/friends.ts'

describe('016, 019, 020, 026, 039: frames from anybody', () => {
  it('random, cut, lengthened, replayed and foreign frames change nothing and stop nothing', async () => {
    const town = await Town.found()
    const caught: Uint8Array[] = []
    town.port = (network) =>
      new Proxy(network, {
        get(target, key) {
          const value: unknown = Reflect.get(target, key, target)
          if (typeof value !== 'function') return value
          const call = value.bind(target) as (...input: unknown[]) => unknown
          return (...input: unknown[]) => {
            if (key === 'write' && input[1] instanceof Uint8Array) caught.push(input[1].slice())
            return call(...input)
          }
        },
      })
    const store = new FaultyStore()
    const ada = await town.person('Ada', { store })
    const bob = await town.person('Bob')
    const conversationId = await befriend(town, ada, bob)
    await bob.device.dispatch('send', { conversationId, text: 'before' })
    await town.pass(60_000)
    const random = seededRandom(town.crypto, 'eve')
    const id = peerIdOf(town.crypto.signKeyPair(random.bytes(32)).publicKey)
    const eve = town.hub.join(id, { protocols: [] })
    eve.listen(() => undefined)
    // That she is there at all is an event; what she says is none.
    await eve.close((await eve.open(ada.peerId, [], directProtocol)).channel)
    await town.settle()
    const rows = JSON.stringify((await store.snapshot()).rows.map(({ key, value }) => [[...key], [...value]]))
    const frames = [...caught]
    for (const frame of caught) {
      for (const cut of [1, 2, Math.floor(frame.length / 2), frame.length - 1])
        frames.push(frame.slice(0, cut))
      frames.push(Buffer.concat([frame, random.bytes(1)]), Buffer.concat([frame, new Uint8Array(1_024)]))
      const flipped = frame.slice()
      flipped[frame.length >> 1] = (flipped[frame.length >> 1] ?? 0) ^ 4
      frames.push(flipped, Buffer.concat([Uint8Array.of(2), frame.slice(1)]))
    }
    for (let n = 0; n < 200; n++) frames.push(random.bytes(1 + ((n * 37) % 4_000)))
    frames.push(random.bytes(65 * 1024))
    for (const protocol of [directProtocol, inviteProtocol]) {
      const opens = async (): Promise<number> => (await eve.open(ada.peerId, [], protocol)).channel
      let channel = await opens()
      for (const frame of frames)
        await eve.write(channel, frame).catch(async () => {
          channel = await opens()
        })
      await eve.close(channel)
      await town.settle()
    }
    await town.pass(1_000)
    const after = JSON.stringify(
      (await store.snapshot()).rows.map(({ key, value }) => [[...key], [...value]]),
    )
    expect(after, 'the store is byte for byte what it was').to.equal(rows)
    await bob.device.dispatch('send', { conversationId, text: 'after' })
    await town.pass(10_000)
    expect(await ada.texts(conversationId)).to.deep.equal(['before', 'after'])
  })

  it('endless small frames of a stranger end with the channel', async () => {
    const town = await Town.found()
    const ada = await town.person('Ada')
    const eve = town.hub.join(peerIdOf(town.crypto.signKeyPair(new Uint8Array(32).fill(9)).publicKey), {
      protocols: [],
    })
    const closed = new Set<number>()
    eve.listen((event) => event.type === 'closed' && closed.add(event.channel))
    for (const protocol of [directProtocol, inviteProtocol]) {
      const { channel } = await eve.open(ada.peerId, [], protocol)
      let written = 0
      while (!closed.has(channel) && written < 5_000) {
        await eve.write(channel, Uint8Array.of(1)).catch(() => undefined)
        written += 1
        if (written % 16 === 0) await town.settle()
      }
      expect(closed.has(channel), protocol).to.equal(true)
      expect(written).to.be.below(5_000)
    }
    expect(await ada.device.view('self', {})).to.include({ name: 'Ada' })
  })

  it('a relay that greets wrongly, speaks another version, pushes and floods', async () => {
    const town = await Town.found()
    const ada = await town.person('Ada')
    const bob = await town.person('Bob')
    const random = seededRandom(town.crypto, 'rogue')
    const frames = [
      Uint8Array.of(),
      Uint8Array.of(0),
      random.bytes(100),
      random.bytes(60_000),
      Uint8Array.of(0x83, 2, 0, 0x81, 0),
    ]
    for (const [n, frame] of frames.entries()) {
      const peer = peerIdOf(town.crypto.signKeyPair(random.bytes(32)).publicKey)
      const rogue: Network = town.hub.join(peer, { protocols: [mailboxProtocol] })
      rogue.listen((event) => {
        if (event.type !== 'opened') return
        for (let i = 0; i < 500; i++) rogue.write(event.channel, frame).catch(() => undefined)
      })
      await ada.device.dispatch('add-relay', { address: `/memory/rogue${n}/p2p/${peer}` })
      await town.pass(5_000)
    }
    const relays = await ada.device.view('relays', {})
    expect(relays.filter(({ state }) => state === 'connected')).to.deep.equal([])
    const conversationId = await befriend(town, ada, bob)
    await bob.device.dispatch('send', { conversationId, text: 'unmoved' })
    await town.pass(10_000)
    expect(await ada.texts(conversationId)).to.deep.equal(['unmoved'])
  })
})
