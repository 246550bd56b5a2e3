import { expect } from 'chai'
import { directProtocol, limits } from '@sotto/core'
import type { CryptoProvider } from '@sotto/core/crypto'
import { createNodeProvider } from '@sotto/core/crypto-node'
import { pad, unpad } from '../../packages/core/src/crypto/index.ts'
import { payloadFrame, type Payload, type PayloadItem } from '../../packages/core/src/device/payload.ts'
import { lies, type Lie } from '../../simulations/actors/lies.ts'
import { lying, toldAs } from '../../simulations/actors/liar.ts'
import { Spammer } from '../../simulations/actors/spammer.ts'
import { isNamed, judgeCopies } from '../../simulations/laws/copies.ts'
import type { Stage } from '../../simulations/scenarios/stage.ts'
import { Node } from '../../simulations/world/node.ts'
import { streamOf } from '../../simulations/world/stream.ts'
import { Counts } from '../../simulations/world/trace.ts'
import { World } from '../../simulations/world/world.ts'

const id = (n: number): Uint8Array => new Uint8Array(32).fill(n)
const record = {
  bytes: new Uint8Array(200).fill(5),
  signature: new Uint8Array(64).fill(6),
  said: { salt: id(7), body: new Uint8Array(40).fill(8) },
} as const
const items = [
  { kind: 'records', from: 0, records: [record, record] },
  { kind: 'got', conversation: id(1), account: id(2), device: id(3), upTo: 9, holes: [4], last: null },
] as unknown as readonly PayloadItem[]
const payload: Payload = {
  version: 1,
  boot: 1,
  bootSeen: 1,
  sentAtMs: 1,
  myLogHeads: [],
  yourLogHeads: [],
  items,
}

/** What a lie makes of the payload, as its reader decodes it. */
const read = (lie: Lie) => payloadFrame.decode(toldAs(streamOf('lies'), lie, payload) ?? new Uint8Array())

const bitsApart = (a: Uint8Array, b: Uint8Array): number =>
  a.reduce((sum, byte, i) => sum + (byte ^ (b[i] ?? 0)).toString(2).replaceAll('0', '').length, 0)

describe('a member who lies', () => {
  let crypto: CryptoProvider
  before(async () => {
    crypto = await createNodeProvider()
  })

  it('forges: in each record one bit is another', () => {
    const told = read('member-forges')
    if (!told.ok) throw new Error(told.reason)
    const [first] = told.value.items
    if (first?.kind !== 'records') throw new Error('no records')
    for (const one of first.records)
      expect(
        bitsApart(one.bytes, record.bytes) + bitsApart(one.said?.body ?? id(0), record.said.body),
      ).to.equal(1)
  })

  it('equivocates: its claims are others, its records are not', () => {
    const told = read('member-equivocates')
    if (!told.ok) throw new Error(told.reason)
    expect(told.value.items[0]).to.deep.equal(payload.items[0])
    expect(told.value.items[1]).to.not.deep.equal(payload.items[1])
  })

  it('stuffs: as many items as a payload takes, none of them new', () => {
    const told = read('member-stuffs')
    if (!told.ok) throw new Error(told.reason)
    expect(told.value.items).to.have.length(limits.payloadItems)
    expect(new Set(told.value.items.map(({ kind }) => kind)).size).to.be.at.most(2)
  })

  it('bombs: whoever decodes it refuses it, and would not without its depth', () => {
    const bomb = toldAs(streamOf('lies'), 'member-bombs', payload)
    expect(bomb).to.have.length.above(payloadFrame.encode({ ...payload, items: [] }).length)
    expect(read('member-bombs').ok).to.equal(false)
    const depth = 4 * limits.cborDepth
    const shallow = Uint8Array.from([...bomb!.subarray(0, -depth - 1), 0x00])
    expect(payloadFrame.decode(shallow).ok).to.equal(true)
  })

  it('lies under its own keys and only while it does, and counts what it made up', () => {
    const faults = new Counts(lies)
    let [on, made] = [true, 0]
    const provider = lying(crypto, {
      draw: streamOf('lies'),
      faults,
      isOn: () => on,
      onForged: (count) => (made += count),
    })
    const plaintext = pad(payloadFrame.encode(payload))
    const said = (): Uint8Array => {
      const sealed = provider.seal(id(1), new Uint8Array(24), plaintext, new Uint8Array())
      return unpad(crypto.open(id(1), new Uint8Array(24), sealed, new Uint8Array())!)!
    }
    const honest = Buffer.from(payloadFrame.encode(payload))
    for (let n = 0; n < 100; n++) said()
    for (const lie of lies) expect(faults.toJSON()[lie], lie).to.be.above(0)
    expect(made).to.equal(2 * (faults.toJSON()['member-forges'] ?? 0))
    on = false
    for (let n = 0; n < 20; n++) expect(honest.equals(said())).to.equal(true)
  })
})

describe('a spammer', () => {
  /** Floods one device that closes a channel after so many frames, and looks at it after a while. */
  async function flooded(closesAfter: number) {
    const world = new World({ seed: 5n, crypto: await createNodeProvider() })
    const target = new Node(world.air, {
      host: 'user0-1',
      peer: 'target',
      address: '/memory/user0-1/p2p/target',
      protocols: [directProtocol],
      validate: () => true,
      dialable: true,
    })
    const taken = new Map<number, number>()
    target.listen(async (event) => {
      if (event.type !== 'frame') return
      const count = (taken.get(event.channel) ?? 0) + 1
      taken.set(event.channel, count)
      if (count === closesAfter) await target.close(event.channel)
    })
    const spammer = new Spammer(world, 'spammer0')
    for (let n = 0; n < 6; n++) {
      await world.timeline.until(spammer.flood(streamOf(`spam ${n}`)), 60_000)
      await world.timeline.runUntil(world.timeline.nowMs + 180_000)
    }
    return { spammer, taken, faults: world.faults.toJSON() }
  }

  it('opens more channels than there may be, and more frames than anybody must take', async () => {
    const { spammer, taken, faults } = await flooded(limits.strangeFrames)
    expect(taken.size).to.be.at.least(limits.channelsPerPeer)
    expect(Math.max(...taken.values())).to.be.at.least(limits.strangeFrames)
    for (const kind of ['spam-channel', 'spam-frame', 'spam-refused', 'spam-cut-off'])
      expect(faults[kind], kind).to.be.above(0)
    expect(spammer.patient(), 'all hung up').to.deep.equal([])
  })

  it('is noticed to be listened to', async () => {
    const { spammer } = await flooded(Infinity)
    expect(spammer.patient().length).to.be.within(1, limits.channelsPerPeer)
    expect(spammer.patient()[0]).to.include({ to: 'user0-1', protocol: directProtocol })
  })
})

describe('the law of copies', () => {
  const minute = 60_000
  /** Somebody was told of a word of each home; then, or never, that there are two; the device was removed in the end. */
  const judged = (told: {
    readonly original: number
    readonly copy: number
    readonly named?: number
    readonly owner?: number
    readonly conversation?: string
  }) => {
    const found: string[] = []
    const phone = { name: 'a', home: 'a', deviceId: 'd', toldOlderMs: told.owner }
    const contact = { name: 'b', home: 'b', deviceId: 'e', toldOlderMs: undefined }
    const said = (marker: string, stolen: boolean, conversationId: string) =>
      [marker, { marker, stolen, conversationId, machine: 'a', atMs: 5 }] as const
    const stage = {
      clones: [{ name: 'a-copy', home: 'a', bornMs: 1 }],
      closedMs: 60 * minute,
      everything: () => [phone, contact],
      world: {
        hearing: {
          toldMs: (_: unknown, marker: string) => (marker === 'original' ? told.original : told.copy),
          rolledBackMs: (machine: unknown) => (machine === contact ? (told.named ?? Infinity) : Infinity),
        },
        ledger: {
          violate: (law: string) => found.push(law),
          rooms: new Map([
            ['x', {}],
            ['y', {}],
          ]),
          deviceRemovals: [{ gone: phone, acceptedAtMs: 30 * minute }],
          said: new Map([said('original', false, 'x'), said('copy', true, told.conversation ?? 'x')]),
        },
      },
    } as unknown as Stage
    judgeCopies(stage)
    return { found, isNamed: isNamed(stage, phone as never) }
  }

  it('is broken when both homes are heard and nobody is told within a round trip', () => {
    const both = { original: minute, copy: 2 * minute }
    expect(judged(both)).to.deep.equal({ found: ['clone-named'], isNamed: false })
    expect(judged({ ...both, named: 10 * minute }).found, 'too late').to.deep.equal(['clone-named'])
    expect(judged({ ...both, named: 3 * minute })).to.deep.equal({ found: [], isNamed: true })
    expect(judged({ ...both, owner: 3 * minute }).found, 'its owner was').to.deep.equal([])
    expect(judged({ original: minute, copy: Infinity }).found, 'one was heard').to.deep.equal([])
    expect(judged({ original: minute, copy: 29 * minute }).found, 'removed by then').to.deep.equal([])
    expect(judged({ ...both, conversation: 'y' }).found, 'in two conversations').to.deep.equal([])
  })
})
