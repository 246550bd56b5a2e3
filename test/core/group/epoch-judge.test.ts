/** Which epoch records a device takes, and what they make of the devices at their heads. */
import { expect } from 'chai'
import { acceptEpoch, keepSeed, type EpochDevice } from '../../../packages/core/src/group/index.ts'
import type { EpochExclusion } from '../../../packages/core/src/group/epoch-record.ts'
import { limits } from '../../../packages/core/src/limits.ts'
import { toHex } from '../../../packages/core/src/wire/index.ts'
import { crypto, EpochScene, forkedDevice, personOf, seedOf, startMs, type Written } from './epoch-scene.ts'

const expired = (name: string): EpochExclusion => {
  const { account, device } = personOf(name)
  return { kind: 'expired', account, device }
}
const ending = (name: string, notAfterMs: number): EpochDevice => ({ ...personOf(name), notAfterMs })
const hourMs = 3_600_000

describe('conversation epochs: the devices of a record', () => {
  it('are those at its heads, by account and then device, whatever the order they resolve in', () => {
    const scene = new EpochScene('a', ['a', 'b', 'c'])
    const record = scene.write('b', { at: ['c', 'b2', 'a', 'b'] })
    scene.take(record)
    expect(scene.listed(record)).to.equal('a b b2 c')
    expect(scene.node(record).self).to.equal(0)
  })

  it('need not be this one', () => {
    const scene = new EpochScene()
    const record = scene.write('b', { at: ['b', 'c'] })
    scene.take(record)
    expect(scene.node(record).self).to.equal(-1)
    expect(() => scene.key(record)).to.throw('rejected')
  })

  it('leave out those whose certificates end by then, and nobody who has longer', () => {
    const scene = new EpochScene()
    const end = startMs + limits.clockSkewMs
    const leavingOut = (notAfterMs: number): Written =>
      scene.write('b', { at: ['a', 'b', ending('c', notAfterMs)], excluded: [expired('c')] })
    const just = leavingOut(end)
    expect(scene.outcome(just)).to.equal('accepted')
    scene.take(just)
    expect(scene.listed(just)).to.equal('a b')
    expect(scene.outcome(leavingOut(end + 1))).to.equal('bad-exclusion')
  })

  it('leave out who signed two operations with one number, by a proof against that device', () => {
    const scene = new EpochScene()
    const { device, proof } = forkedDevice('forked')
    const leavingOut = (excluded: readonly EpochExclusion[]): Written =>
      scene.write('b', { at: ['a', 'b', 'c', device], excluded })
    const { account, device: id } = device
    const just = leavingOut([{ kind: 'forked', account, device: id, proof }])
    expect(scene.outcome(just)).to.equal('accepted')
    scene.take(just)
    expect(scene.listed(just)).to.equal('a b c')
    const other = personOf('c')
    const borrowed = { kind: 'forked', account: other.account, device: other.device, proof } as const
    expect(scene.outcome(leavingOut([borrowed])), 'a proof against another').to.equal('bad-exclusion')
    const broken = { kind: 'forked', account, device: id, proof: proof.slice(1) } as const
    expect(scene.outcome(leavingOut([broken]))).to.equal('bad-exclusion')
  })

  it('are left out in order, each once, and each by a reason of its own', () => {
    const scene = new EpochScene('a', ['a', 'b', 'c', 'd'])
    const at = ['a', 'b', ending('c', startMs), ending('d', startMs)]
    const outcome = (...names: readonly string[]): string =>
      scene.outcome(scene.write('b', { at, excluded: names.map(expired) }))
    expect(outcome('c', 'd')).to.equal('accepted')
    expect(outcome('d', 'c')).to.equal('bad-exclusion')
    expect(outcome('c', 'c')).to.equal('bad-exclusion')
    expect(outcome('c', 'e'), 'not there').to.equal('bad-exclusion')
    expect(outcome('a', 'c'), 'one of them unjust').to.equal('bad-exclusion')
  })

  it('include its author, and are no more than an epoch has room for', () => {
    const scene = new EpochScene()
    const at = ['a', ending('b', startMs)]
    expect(scene.outcome(scene.write('b', { at, excluded: [expired('b')] }))).to.equal('bad-recipients')
    const crowd = (count: number): readonly EpochDevice[] =>
      Array.from({ length: count }, (_, i) => ({
        ...personOf('d'),
        device: seedOf(`crowd ${i}`) as EpochDevice['device'],
      }))
    const full = scene.write('b', { at: ['b', ...crowd(limits.epochDevices - 1)] })
    const over = scene.write('b', { at: ['b', ...crowd(limits.epochDevices)] })
    expect(scene.outcome(full)).to.equal('accepted')
    expect(scene.outcome(over)).to.equal('bad-recipients')
  })
})

describe('conversation epochs: what a record is refused for', () => {
  it('a turn rides on a routing epoch with exactly its devices', () => {
    const scene = new EpochScene()
    const route = scene.write('b')
    const fewer = scene.write('b', { at: ['a', 'b'] })
    const others = scene.write('b', { at: ['a', 'b', 'd'] })
    const turn = scene.write('c', { on: route, after: [route] })
    scene.take(route, fewer, others, turn)
    const outcome = (on: Written): string => scene.outcome(scene.write('b', { on }))
    expect(outcome(route)).to.equal('accepted')
    expect(outcome(fewer)).to.equal('bad-route')
    expect(outcome(others)).to.equal('bad-route')
    expect(outcome(turn), 'not a routing epoch').to.equal('bad-route')
    expect(scene.node(turn).recipients, 'one list for both').to.equal(scene.node(route).recipients)
  })

  it('an author’s 31st in an hour waits; others’ and older ones do not count', () => {
    const scene = new EpochScene()
    const old = scene.write('b')
    scene.take(old)
    scene.nowMs += hourMs
    const [, ...most] = Array.from({ length: limits.epochsPerAuthorHour }, () => scene.write('b'))
    scene.take(...most, scene.write('c'))
    const last = scene.write('b')
    expect(scene.outcome(last)).to.equal('accepted')
    scene.take(last)
    const next = scene.write('b')
    expect(scene.outcome(next)).to.equal('held rate')
    expect(scene.outcome(scene.write('c'))).to.equal('accepted')
    scene.nowMs += hourMs - 1
    expect(scene.outcome(next)).to.equal('held rate')
    scene.nowMs += 1
    expect(scene.outcome(next)).to.equal('accepted')
  })

  it('one more than a conversation has room for waits', () => {
    const scene = new EpochScene()
    scene.take(scene.write('c'))
    const [known] = scene.state.nodes.values()
    const filled = (count: number): void => {
      const nodes = Array.from(
        { length: count },
        (_, i) => [String(i), { ...known!, key: String(i) }] as const,
      )
      scene.state = { ...scene.state, nodes: new Map(nodes) }
    }
    scene.nowMs += 2 * hourMs
    filled(limits.knownEpochs - 1)
    expect(scene.outcome(scene.write('b'))).to.equal('accepted')
    filled(limits.knownEpochs)
    expect(scene.outcome(scene.write('b'))).to.equal('held room')
  })

  it('no newer than what was forgotten: it is never taken again', () => {
    const scene = new EpochScene()
    scene.state = { ...scene.state, forgottenUpToMs: scene.nowMs }
    expect(scene.outcome(scene.write('b'))).to.equal('too-old')
    expect(scene.outcome(scene.write('b', { timestampMs: scene.nowMs + 1 }))).to.equal('accepted')
  })

  it('an author that is none of the devices at its heads, whatever other device it shares a name with', () => {
    const scene = new EpochScene()
    expect(scene.outcome(scene.write('b2', { signedBy: 'b2' }))).to.equal('not-a-member')
    expect(scene.outcome(scene.write('b2', { at: ['a', 'b2'] }))).to.equal('accepted')
    expect(scene.outcome(scene.write('b', { signedBy: 'b2' }))).to.equal('bad-signature')
  })
})

describe('conversation epochs: a record and the seeds that came before it', () => {
  const taken = (scene: EpochScene, written: Written) => {
    const verdict = acceptEpoch(crypto, scene.state, written.record.bytes, scene.view(), scene.nowMs)
    if (verdict.verdict !== 'accepted') throw new Error(verdict.verdict)
    return verdict.value
  }

  it('a record known already changes nothing', () => {
    const scene = new EpochScene()
    const written = scene.write('b')
    scene.take(written)
    const known = taken(scene, written)
    expect(known).to.deep.equal({ state: scene.state, epoch: written.record.id, keyed: false, spent: [] })
    expect(known.state).to.equal(scene.state)
  })

  it('is keyed by its author’s own, and every seed that waited for it goes', () => {
    const scene = new EpochScene()
    const [written, other] = [scene.write('b'), scene.write('b')]
    scene.state = keepSeed(scene.state, written.seed, personOf('c'), 1)
    scene.state = keepSeed(scene.state, written.seed, personOf('b'), 1)
    scene.state = keepSeed(scene.state, other.seed, personOf('b'), 1)
    const [lure, genuine, later] = scene.state.pending
    const { state, keyed, spent } = taken(scene, written)
    expect(keyed).to.equal(true)
    expect(state.keys.has(toHex(written.record.id))).to.equal(true)
    expect(state.pending).to.deep.equal([later])
    expect(spent).to.deep.equal([lure!.secret, genuine!.secret])
  })

  it('is not keyed by another’s, nor by one that does not fit; those go as well', () => {
    const scene = new EpochScene()
    const written = scene.write('b')
    const fresh = scene.state
    const twin = { ...written.seed, secret: seedOf('another') }
    for (const [seed, from] of [
      [written.seed, 'c'],
      [twin, 'b'],
    ] as const) {
      scene.state = keepSeed(fresh, seed, personOf(from), 1)
      const [waited] = scene.state.pending
      const { state, keyed, spent } = taken(scene, written)
      expect(keyed, from).to.equal(false)
      expect(state.keys.size).to.equal(0)
      expect(state.nodes.has(toHex(written.record.id))).to.equal(true)
      expect(state.pending).to.deep.equal([])
      expect(spent).to.deep.equal([waited!.secret])
    }
  })

  it('is taken without a key where no seed waits', () => {
    const scene = new EpochScene()
    const written = scene.write('b')
    const { keyed, epoch, state, spent } = taken(scene, written)
    expect({ keyed, epoch, spent }).to.deep.equal({ keyed: false, epoch: written.record.id, spent: [] })
    expect(state.pending).to.equal(scene.state.pending)
  })

  it('gives back the unused keys of a turn’s own topic with the seeds', () => {
    const scene = new EpochScene()
    const route = scene.keyed('b')
    const turn = scene.write('c', { on: route, after: [route] })
    scene.state = keepSeed(scene.state, turn.seed, personOf('c'), 1)
    const { state, spent } = taken(scene, turn)
    expect(spent).to.have.length(4)
    expect(state.keys.get(toHex(turn.record.id))!.route).to.equal(undefined)
  })
})
