/** What a device's own epoch says and gives, and the seeds of epochs on their way. */
import { expect } from 'chai'
import {
  closeAll,
  keepSeed,
  maySendSeed,
  onSeed,
  onSeedAck,
  pendingRoutes,
  preferredEpoch,
  type EpochCreated,
  type MembershipView,
} from '../../../packages/core/src/group/index.ts'
import { deriveEpoch, epochSecret } from '../../../packages/core/src/group/epoch-keys.ts'
import { epochReasons, readEpoch, type EpochTerms } from '../../../packages/core/src/group/epoch-record.ts'
import { limits } from '../../../packages/core/src/limits.ts'
import { toHex } from '../../../packages/core/src/wire/index.ts'
import { crypto, EpochScene, forkedDevice, personOf, seedOf, startMs } from './epoch-scene.ts'

const termsOf = (created: EpochCreated): EpochTerms => readEpoch(crypto, created.record)!.terms

/** What others make of it who see the same members. */
const outcomeOf = (created: EpochCreated, view: MembershipView): string =>
  new EpochScene('b').outcome({ record: readEpoch(crypto, created.record)!, seed: created.seed }, view)

describe('conversation epochs: an own one', () => {
  it('says what the author decided, and is the first of the conversation where there is none', () => {
    const scene = new EpochScene()
    const view = scene.view({ history: 1 })
    const created = scene.create({ reason: 'first', base: 7 }, view)
    const { account, device } = personOf('a')
    expect(termsOf(created)).to.deep.equal({
      conversation: scene.conversation,
      parents: [],
      groupHeads: view.heads,
      excluded: [],
      depth: 0,
      route: null,
      history: 1,
      reason: epochReasons.first,
      ...{ account, device },
      base: 7,
      timestampMs: scene.nowMs,
    })
    expect(created.route).to.deep.equal(created.epoch)
    expect(outcomeOf(created, view)).to.equal('accepted')
  })

  it('is keyed at once, with the base told in the record, and its seed goes to all but its author', () => {
    const scene = new EpochScene('b')
    const before = scene.keyed('c')
    const created = scene.create({ base: 7 })
    expect(created.recipients.map(({ device }) => scene.nameOf(device))).to.deep.equal(['a', 'c'])
    const key = toHex(created.epoch)
    const node = created.state.nodes.get(key)!
    expect(node.seeded).to.equal(true)
    expect(node.depth).to.equal(1)
    expect(created.state.keys.get(key)!.chains.map(({ base }) => base)).to.deep.equal([
      undefined,
      7,
      undefined,
    ])
    expect(created.state.nodes.get(toHex(before.record.id))!.supersededAtMs).to.equal(scene.nowMs)
    const other = new EpochScene('a')
    other.take({ record: readEpoch(crypto, created.record)!, seed: created.seed })
    other.key({ record: readEpoch(crypto, created.record)!, seed: created.seed })
    const theirs = other.state.keys.get(key)!
    expect(theirs.exporter.expose()).to.deep.equal(created.state.keys.get(key)!.exporter.expose())
  })

  it('has a secret hedged with what is still held of all its parents, and of nothing else', () => {
    const scene = new EpochScene()
    const random = seedOf('fresh')
    const secretWith = (...parents: readonly ReturnType<EpochScene['keyed']>[]): string => {
      const exporters = parents.map(({ record }) => scene.state.keys.get(toHex(record.id))!.exporter)
      return toHex(epochSecret(crypto, random, exporters, scene.conversation).expose())
    }
    const secret = (): string => toHex(scene.create({}, scene.view(), random).seed.secret)
    expect(secret()).to.equal(secretWith())
    const root = scene.keyed('b')
    const arms = [scene.keyed('b', { after: [root] }), scene.keyed('c', { after: [root] })]
    scene.take(scene.write('c', { after: [root] }))
    expect(secret()).to.equal(secretWith(...arms))
    expect(secret()).to.equal(secretWith(...arms.toReversed()))
    scene.nowMs += limits.epochKeyMs
    const last = scene.keyed('b')
    scene.sweep()
    expect(arms.map((one) => scene.opens(one))).to.deep.equal([false, false])
    expect(secret()).to.equal(secretWith(last))
  })

  it('follows as many tips as a record has room for, the preferred ones', () => {
    const scene = new EpochScene('a', ['a', 'b', 'c'])
    const root = scene.write('c')
    scene.take(root)
    const shallow = scene.write('c')
    scene.take(shallow)
    for (let i = 0; i < limits.epochParents; i++)
      scene.take(scene.write(i % 2 === 0 ? 'b' : 'c', { after: [root] }))
    const { parents } = termsOf(scene.create())
    expect(parents).to.have.length(limits.epochParents)
    expect(parents.map(toHex)).to.not.include(toHex(shallow.record.id))
  })

  it('takes 32 random bytes', () => {
    const scene = new EpochScene()
    const short = () => scene.create({}, scene.view(), new Uint8Array(31))
    expect(short).to.throw().with.property('code', 'E_LENGTH')
    expect(short).to.throw().with.deep.property('detail', { actual: 31 })
  })

  it('waits until the heads show every device of now and no more than can be left out', () => {
    const scene = new EpochScene()
    const code = (change: Parameters<EpochScene['view']>[0]) => {
      try {
        scene.create({}, scene.view(change))
        return 'made'
      } catch (error) {
        return (error as { code: string }).code
      }
    }
    const of = (...names: readonly string[]) => names.map(personOf)
    expect(code({})).to.equal('made')
    expect(code({ heads: [seedOf('unknown')] }), 'not known').to.equal('E_EPOCH_HEADS')
    expect(code({ heads: [scene.head(['a', 'b'])] }), 'one missing').to.equal('E_EPOCH_HEADS')
    expect(code({ devices: of('a', 'b') }), 'one too many, without reason').to.equal('E_EPOCH_HEADS')
    expect(code({ devices: of('b', 'c') })).to.equal('E_EPOCH_NOT_A_MEMBER')
    const crowd = Array.from({ length: limits.epochDevices }, (_, i) => ({
      ...personOf('d'),
      device: seedOf(`crowd ${i}`) as never,
    }))
    const full = [personOf('a'), ...crowd.slice(1)]
    expect(code({ devices: full, heads: [scene.head(full)] })).to.equal('made')
    const over = [personOf('a'), ...crowd]
    expect(code({ devices: over, heads: [scene.head(over)] })).to.equal('E_EPOCH_RECIPIENTS')
  })

  it('leaves out who ran out or forked, in order and by reasons that everybody takes', () => {
    const scene = new EpochScene()
    const { device: forked, proof } = forkedDevice('forked')
    const ended = { ...personOf('d'), notAfterMs: scene.nowMs + limits.clockSkewMs }
    const both = { ...forked, notAfterMs: startMs }
    const leavingOut = (...at: Parameters<EpochScene['head']>[0] & object) => {
      const view = scene.view({
        heads: [scene.head(at)],
        forkProof: ({ device }) => (toHex(device) === toHex(forked.device) ? proof : undefined),
      })
      return { view, created: scene.create({}, view) }
    }
    const { view, created } = leavingOut(ended, 'c', 'b', both, 'a')
    const { excluded } = termsOf(created)
    const byDevice = new Map(excluded.map((item) => [toHex(item.device), item]))
    expect(byDevice.get(toHex(ended.device))).to.deep.equal({
      kind: 'expired',
      ...{ account: ended.account, device: ended.device },
    })
    expect(byDevice.get(toHex(forked.device))).to.deep.equal({
      kind: 'forked',
      ...{ account: forked.account, device: forked.device, proof },
    })
    expect(excluded.map(({ account }) => toHex(account))).to.deep.equal(
      excluded.map(({ account }) => toHex(account)).toSorted(),
    )
    expect(created.recipients.map(({ device }) => scene.nameOf(device))).to.deep.equal(['b', 'c'])
    expect(outcomeOf(created, view)).to.equal('accepted')
    const longer = { ...ended, notAfterMs: ended.notAfterMs + 1 }
    expect(() => leavingOut('a', 'b', 'c', longer))
      .to.throw()
      .with.property('code', 'E_EPOCH_HEADS')
    const unproven = scene.view({
      heads: [scene.head(['a', 'b', 'c', both])],
      forkProof: () => seedOf('none'),
    })
    expect(() => scene.create({}, unproven))
      .to.throw()
      .with.property('code', 'E_EPOCH_RECIPIENTS')
  })

  it('a turn rides on the topic in use, and has none of its own', () => {
    const scene = new EpochScene()
    const route = scene.keyed('b')
    const turn = scene.create({ reason: 'turn' })
    expect(termsOf(turn).route).to.deep.equal(route.record.id)
    expect(turn.route).to.deep.equal(route.record.id)
    expect(turn.state.keys.get(toHex(turn.epoch))!.route).to.equal(undefined)
    expect(turn.spent, 'the secret, and the keys of a topic it has not').to.have.length(4)
    scene.state = turn.state
    scene.nowMs += 1
    const next = scene.create({ reason: 'turn' })
    expect(termsOf(next).route, 'on what the turn in use rides on').to.deep.equal(route.record.id)
    const plain = scene.create({ reason: 'age' })
    expect(termsOf(plain).route).to.equal(null)
    expect(plain.route).to.deep.equal(plain.epoch)
    expect(plain.state.keys.get(toHex(plain.epoch))!.route).to.not.equal(undefined)
    expect(plain.spent).to.have.length(1)
  })

  it('a turn for which no topic in use has exactly the devices of now gets one of its own', () => {
    const scene = new EpochScene()
    expect(termsOf(scene.create({ reason: 'turn' })).route, 'none').to.equal(null)
    scene.keyed('b')
    // Near their ends devices may be missing from an epoch that is still used.
    const ending = { ...personOf('d'), notAfterMs: scene.nowMs + limits.clockSkewMs }
    const more = [...['a', 'b', 'c'].map(personOf), ending]
    const wider = scene.view({ devices: more, heads: [scene.head(more)] })
    expect(preferredEpoch(scene.state, wider, scene.nowMs), 'still used').to.not.equal(undefined)
    expect(termsOf(scene.create({ reason: 'turn' }, wider)).route).to.equal(null)
    scene.state = closeAll(scene.state)
    expect(termsOf(scene.create({ reason: 'turn' })).route, 'closed').to.equal(null)
  })

  it('after a doubt every epoch is closed to its device, and only to it', () => {
    const scene = new EpochScene()
    const first = scene.keyed('b')
    const second = scene.keyed('c', { after: [first] })
    const closed = closeAll(scene.state)
    expect([...closed.nodes.values()].map((node) => node.closed)).to.deep.equal([true, true])
    expect([...closed.nodes.keys()]).to.deep.equal([...scene.state.nodes.keys()])
    expect(preferredEpoch(scene.state, scene.view(), scene.nowMs)!.key).to.equal(scene.node(second).key)
    expect(preferredEpoch(closed, scene.view(), scene.nowMs)).to.equal(undefined)
    expect(closed.keys, 'still read').to.equal(scene.state.keys)
  })
})

describe('conversation epochs: seeds that wait, are acknowledged, or asked for', () => {
  const seedFrom = (label: string) => ({
    epoch: seedOf(label),
    context: seedOf(`${label} context`),
    secret: seedOf(`${label} secret`),
  })

  it('wait as a copy of their own, the first of each sender for each epoch', () => {
    const scene = new EpochScene()
    const seed = seedFrom('one')
    const { account, device } = personOf('b')
    const kept = keepSeed(scene.state, seed, personOf('b'), 5)
    const secret = seed.secret.slice()
    seed.secret.fill(0)
    const [waiting] = kept.pending
    expect(waiting!.secret.expose()).to.deep.equal(secret)
    expect({ ...waiting, secret: null }).to.deep.equal({
      ...{ epoch: seed.epoch, context: seed.context, secret: null },
      from: { account, device },
      receivedAtMs: 5,
    })
    expect(keepSeed(kept, { ...seed, secret: seedOf('twin') }, personOf('b'), 6)).to.equal(kept)
    expect(keepSeed(kept, seed, personOf('b2'), 6).pending, 'by another device').to.have.length(2)
    expect(keepSeed(kept, seedFrom('two'), personOf('b'), 6).pending, 'of another epoch').to.have.length(2)
  })

  it('are no more than the room for them', () => {
    const scene = new EpochScene()
    let { state } = scene
    for (let i = 0; state.pending.length < limits.pendingSeeds; i++)
      state = keepSeed(state, seedFrom(String(i)), personOf(`b${i % 9}`), 1)
    expect(keepSeed(state, seedFrom('more'), personOf('c'), 1)).to.equal(state)
    const room = { ...state, pending: state.pending.slice(1) }
    expect(keepSeed(room, seedFrom('more'), personOf('c'), 1).pending).to.have.length(limits.pendingSeeds)
  })

  it('are held for their records', () => {
    const scene = new EpochScene()
    const { seed } = scene.write('b')
    expect(onSeed(crypto, scene.state, seed, personOf('b'), scene.nowMs)).to.deep.equal({
      verdict: 'held',
      awaiting: 'epoch-record',
    })
  })

  it('give the topic where their records are', () => {
    const scene = new EpochScene()
    const written = scene.write('b')
    scene.state = keepSeed(scene.state, written.seed, personOf('b'), 1)
    const [waiting] = pendingRoutes(crypto, scene.state)
    const { context, secret } = written.seed
    const { route } = deriveEpoch(crypto, secret, context, [])
    expect(waiting!.epoch).to.deep.equal(written.record.id)
    expect(waiting!.from).to.deep.equal(scene.state.pending[0]!.from)
    for (const part of ['envelope', 'topic', 'queue'] as const)
      expect(waiting!.route[part].expose(), part).to.deep.equal(route[part].expose())
  })

  it('are acknowledged by the devices of an own epoch, each once; of others’ nothing is noted', () => {
    const scene = new EpochScene()
    const theirs = scene.keyed('b')
    const created = scene.create()
    scene.state = created.state
    const key = toHex(created.epoch)
    const acked = onSeedAck(scene.state, created.epoch, personOf('c'))
    expect(acked.nodes.get(key)!.acked).to.deep.equal([false, false, true])
    expect(onSeedAck(acked, created.epoch, personOf('c')), 'again').to.equal(acked)
    expect(onSeedAck(acked, created.epoch, personOf('d')), 'not listed').to.equal(acked)
    expect(onSeedAck(acked, seedOf('unknown'), personOf('c'))).to.equal(acked)
    expect(onSeedAck(acked, theirs.record.id, personOf('c')), 'another’s').to.equal(acked)
    const second = new EpochScene('b')
    const own = second.create()
    expect(onSeedAck(own.state, own.epoch, personOf('a')).nodes.get(toHex(own.epoch))!.acked).to.deep.equal([
      ...[true, false, false],
    ])
    expect(onSeedAck(acked, created.epoch, personOf('b')).nodes.get(key)!.acked).to.deep.equal([
      false,
      true,
      true,
    ])
  })

  it('are sent again by their author alone, to a listed device that is still in', () => {
    const scene = new EpochScene()
    const theirs = scene.keyed('b')
    scene.state = scene.create().state
    const own = [...scene.state.nodes.values()].at(-1)!.record.id
    const may = (epoch: Uint8Array, to: string, names = ['a', 'b', 'c', 'd']): boolean =>
      maySendSeed(scene.state, { devices: names.map(personOf) }, epoch, personOf(to))
    expect(may(own, 'c')).to.equal(true)
    expect(may(own, 'c', ['a', 'b']), 'out').to.equal(false)
    expect(may(own, 'd'), 'not listed').to.equal(false)
    expect(may(theirs.record.id, 'c'), 'another’s').to.equal(false)
    expect(may(seedOf('unknown'), 'c')).to.equal(false)
    const second = new EpochScene('b')
    const { state, epoch } = second.create()
    expect(maySendSeed(state, second.view(), epoch, personOf('a')), 'the first of the list').to.equal(true)
  })
})
