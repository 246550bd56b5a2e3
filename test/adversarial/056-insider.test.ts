import { expect } from 'chai'
import {
  createEpoch,
  preferredEpoch,
  seal,
  sealRandomBytes,
  seedFrame,
  type Seed,
} from '../../packages/core/src/group/index.ts'
import { encodeMessageBody } from '../../packages/core/src/history/index.ts'
import { limits } from '../../packages/core/src/limits.ts'
import { concat, toHex } from '../../packages/core/src/wire/index.ts'
import { forge, verdictOf } from '../support/epoch-insider.ts'
import { seedTag, SessionGroup, type SessionDevice } from '../support/epoch-sessions.ts'
import { contentFrame, type SimDevice } from '../support/group-world.ts'
import { nodeProvider } from '../support/session-world.ts'

type People = readonly [SessionDevice, SessionDevice, SessionDevice]

function talking(seed: string): { world: SessionGroup; people: People } {
  const world = new SessionGroup(nodeProvider, `insider ${seed}`)
  const first = world.add('a.0')
  for (const name of ['b.0', 'c.0']) world.add(name, first)
  world.drain()
  for (const device of world.devices) {
    world.send(device, `hello from ${device.name}`)
    world.drain()
  }
  return { world, people: ['a.0', 'b.0', 'c.0'].map((name) => world.device(name)) as unknown as People }
}

const contentOf = (device: SimDevice, id: string): Uint8Array =>
  device.outbox.find((row) => row.id === id)!.content

/** Begins an epoch by hand: its record for everybody, its seed still in the author's hand. */
function begun(world: SessionGroup, by: SimDevice): { seed: Seed; record: Uint8Array; epoch: string } {
  const draft = { reason: 'doubt', base: by.nextAseq } as const
  const made = createEpoch(
    world.crypto,
    by.state,
    by.keys,
    world.viewOf(by),
    draft,
    world.bytes(32),
    world.nowMs,
  )
  const seed = { ...made.seed, secret: made.seed.secret.slice() }
  by.commit(made.state, made.spent)
  return { seed, record: made.record, epoch: toHex(made.epoch) }
}

const handSeed = (world: SessionGroup, from: SimDevice, to: SimDevice, seed: Seed): void =>
  world.whisper(from, to, concat(Uint8Array.of(seedTag), seedFrame.encode(seed)))

describe('adversarial: an insider', () => {
  it('056 holds every chain and still speaks as nobody else, at no generation of any chain', () => {
    const { world, people } = talking('impersonation')
    const [a, b, c] = people
    const own = world.send(b, 'in my own name')
    const genuine = contentOf(b, own)
    const carried = contentFrame.decode(genuine)
    if (!carried.ok) throw new Error('a record decodes')
    const reworded = contentFrame.encode({ ...carried.value, body: encodeMessageBody('reworded') })
    const before = c.state
    for (const ahead of [0, 1, 7, limits.generationsAhead]) {
      for (const content of [genuine, reworded]) {
        const { envelope } = forge(world, b.state, a, ahead, content)
        expect(verdictOf(world, c.state, envelope)).to.deep.equal({ state: before, verdict: 'not-a-record' })
      }
    }
    // Nothing was spent: what `a` says next opens, and so does what `b` really said.
    const next = world.send(a, 'still my turn')
    world.drain()
    expect([c.delivered.get(own), c.delivered.get(next)]).to.deep.equal([1, 1])
  })

  it('056 cannot spend a generation with the victim’s own record, but in its own place', () => {
    const { world, people } = talking('spending')
    const [a, b, c] = people
    const id = world.send(a, 'the one genuine record')
    const content = contentOf(a, id)
    for (const ahead of [1, 2, 40])
      expect(verdictOf(world, c.state, forge(world, b.state, a, ahead, content).envelope)).to.deep.equal({
        state: c.state,
        verdict: 'not-a-record',
      })
    expect(verdictOf(world, c.state, forge(world, b.state, a, 0, content).envelope).verdict).to.equal(
      'record',
    )
  })

  it('056 cannot show two devices two secrets or two texts for one record', () => {
    const { world, people } = talking('two faces')
    const [a, b, c] = people
    const { seed, record, epoch } = begun(world, b)
    const twin = { ...seed, secret: world.bytes(32) }
    handSeed(world, b, a, seed)
    handSeed(world, b, c, twin)
    world.publish(b, { kind: 'record', record })
    world.drain()
    expect(a.state.keys.has(epoch)).to.equal(true)
    expect(c.state.nodes.has(epoch)).to.equal(true)
    expect(c.state.keys.has(epoch)).to.equal(false)

    // Once everybody holds the one secret: one record, one salt, another body.
    handSeed(world, b, c, seed)
    world.drain()
    expect(c.state.keys.has(epoch)).to.equal(true)
    const id = world.send(b, 'to a')
    const carried = contentFrame.decode(contentOf(b, id))
    if (!carried.ok) throw new Error('a record decodes')
    const other = contentFrame.encode({ ...carried.value, body: encodeMessageBody('to c') })
    // Sealed by `a`'s copy of the chains, where the generation is not yet spent.
    const { envelope } = forge(world, a.state, b, 0, other)
    expect(verdictOf(world, c.state, envelope)).to.deep.equal({ state: c.state, verdict: 'not-a-record' })
    const genuine = forge(world, a.state, b, 0, contentFrame.encode(carried.value))
    expect(verdictOf(world, c.state, genuine.envelope).verdict).to.equal('record')
  })

  it('056 cannot hand on another’s seed, right or wrong', () => {
    const { world, people } = talking('hand on')
    const [a, b, c] = people
    const { seed, record, epoch } = begun(world, a)
    world.publish(a, { kind: 'record', record })
    handSeed(world, a, b, seed)
    world.drain()
    for (const secret of [seed.secret, world.bytes(32)]) {
      handSeed(world, b, c, { ...seed, secret })
      world.drain()
      expect(c.state.nodes.get(epoch)!.seeded).to.equal(false)
    }
    handSeed(world, a, c, seed)
    world.drain()
    expect(c.state.nodes.get(epoch)!.seeded).to.equal(true)
  })

  it('056 cannot revive an epoch that the others retired', () => {
    const { world, people } = talking('revival')
    const [a, b, c] = people
    const { seed, record, epoch } = begun(world, b)
    world.publish(b, { kind: 'record', record })
    for (const other of [a, c]) handSeed(world, b, other, seed)
    world.drain()
    const id = world.send(b, 'under the epoch to be retired')
    world.drain()
    expect(c.delivered.get(id)).to.equal(1)
    // `b` itself goes on under the next epoch, so that everybody retires this one; it keeps a copy of its keys.
    const rows = b.snapshot()
    world.begin(a, 'doubt')
    world.drain()
    for (const device of people) {
      world.send(device, 'moved on')
      world.drain()
    }
    for (const device of people) world.tick(device)
    expect(c.state.nodes.get(epoch)!.retiredAtMs).not.to.equal(undefined)
    expect(c.state.keys.get(epoch)?.chains ?? []).to.deep.equal([])

    b.rows.clear()
    for (const [key, value] of rows) b.rows.set(key, value)
    world.restart(b)
    expect(preferredEpoch(b.state, world.viewOf(b), world.nowMs)!.key).to.equal(epoch)
    const draft = { aseq: b.nextAseq, base: b.nextAseq, content: world.bytes(80), announceBase: true }
    const random = world.bytes(sealRandomBytes)
    const sealed = seal(world.crypto, b.state, b.keys, world.viewOf(b), draft, random, world.nowMs)
    if (!sealed.ok) throw new Error('the insider can seal what it likes')
    const before = c.state
    expect(verdictOf(world, c.state, sealed.envelope)).to.deep.equal({ state: before, verdict: 'retired' })
    // Nor does its record or its seed, sent again, bring it back.
    world.publish(b, { kind: 'record', record })
    handSeed(world, b, c, seed)
    world.drain()
    expect(c.state.keys.get(epoch)?.chains ?? []).to.deep.equal([])
    expect(c.state.nodes.get(epoch)!.retiredAtMs).not.to.equal(undefined)
    world.send(c, 'and nobody seals there again')
    expect(world.sealed.at(-1)!.epoch).not.to.equal(epoch)
  })
})
