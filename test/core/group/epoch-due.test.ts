/** Which epoch a device seals under, and when it begins one though it has nothing to say. */
import { expect } from 'chai'
import {
  closeAll,
  epochDue,
  preferredEpoch,
  usableForSending,
  type EpochDevice,
  type EpochDue,
  type EpochReason,
  type EpochSituation,
  type MembershipView,
} from '../../../packages/core/src/group/index.ts'
import { idleWaitMs } from '../../../packages/core/src/group/epoch-rules.ts'
import { limits } from '../../../packages/core/src/limits.ts'
import { concat, toHex } from '../../../packages/core/src/wire/index.ts'
import { crypto, EpochScene, personOf, startMs, type Written } from './epoch-scene.ts'

const hourMs = 3_600_000

const usable = (scene: EpochScene, written: Written, change: Partial<MembershipView> = {}): boolean =>
  usableForSending(scene.state, scene.node(written), scene.view(change), scene.nowMs)

const until = (name: string, notAfterMs: number): EpochDevice => ({ ...personOf(name), notAfterMs })

describe('conversation epochs: what a device seals under', () => {
  it('is an epoch whose seed came, whose keys are not erased, which lists it, and in whose followers it has not sealed', () => {
    const scene = new EpochScene()
    const unkeyed = scene.write('b')
    const elsewhere = scene.write('b', { at: ['b', 'c'] })
    scene.take(unkeyed, elsewhere)
    const keyed = scene.keyed('b')
    expect([unkeyed, elsewhere, keyed].map((one) => usable(scene, one))).to.deep.equal([false, false, true])
    const open = scene.state
    scene.state = closeAll(open)
    expect(usable(scene, keyed)).to.equal(false)
    scene.state = open
    scene.sweep(limits.epochKeyMs)
    expect(scene.listens(keyed)).to.equal(true)
    expect(usable(scene, keyed)).to.equal(false)
  })

  it('has its topic’s key here: a turn alone is not enough', () => {
    const scene = new EpochScene()
    const route = scene.write('b')
    scene.take(route)
    const turn = scene.keyed('c', { on: route, after: [route] })
    expect(usable(scene, turn)).to.equal(false)
    scene.key(route)
    expect(usable(scene, turn)).to.equal(true)
  })

  it('was written by somebody who is in, under today’s policy', () => {
    const scene = new EpochScene()
    const old = scene.keyed('b', { history: 1 })
    expect([usable(scene, old), usable(scene, old, { history: 1 })]).to.deep.equal([false, true])
    const ended = until('b', startMs)
    const left = scene.keyed('b', { at: ['a', 'b', 'c'] })
    const without = ['a', 'c'].map(personOf)
    expect(usable(scene, left, { devices: without })).to.equal(false)
    expect(usable(scene, left, { devices: [...without, ended] }), 'in any order').to.equal(true)
  })

  it('lists nobody who is out or whose time is over', () => {
    const scene = new EpochScene('b', ['a', 'b', 'c', 'd'])
    const written = scene.keyed('b')
    const names = ['a', 'b', 'c', 'd']
    expect(usable(scene, written)).to.equal(true)
    for (const name of ['a', 'c', 'd']) {
      const out = names.filter((other) => other !== name).map(personOf)
      expect(usable(scene, written, { devices: out }), `${name} is out`).to.equal(false)
      const end = scene.nowMs - limits.clockSkewMs
      const ending = (at: number) =>
        names.map((other) => (other === name ? until(name, at) : personOf(other)))
      expect(usable(scene, written, { devices: ending(end) }), name).to.equal(true)
      expect(usable(scene, written, { devices: ending(end - 1) }), `${name} has run out`).to.equal(false)
    }
  })

  it('lacks nobody who has time left, wherever in the list', () => {
    const scene = new EpochScene('c', ['b', 'c', 'e'])
    const written = scene.keyed('b')
    const members = ['b', 'c', 'e'].map(personOf)
    const end = scene.nowMs + limits.clockSkewMs
    for (const name of ['a', 'd', 'f']) {
      const nearly = [...members, until(name, end)]
      const longer = [...members, until(name, end + 1)]
      expect(usable(scene, written, { devices: nearly }), name).to.equal(true)
      expect(usable(scene, written, { devices: longer }), name).to.equal(false)
    }
    const several = [...['a', 'd', 'f'].map((name) => until(name, end)), ...members]
    expect(usable(scene, written, { devices: several })).to.equal(true)
  })

  it('is of those the deepest, and of equals the one with the smallest id', () => {
    const scene = new EpochScene()
    const root = scene.keyed('b')
    const arms = ['b', 'c', 'b', 'c'].map((by) => scene.keyed(by, { after: [root] }))
    const [least] = arms.map(({ record }) => toHex(record.id)).sort()
    scene.take(scene.write('b', { after: arms }))
    expect(preferredEpoch(scene.state, scene.view(), scene.nowMs)!.key).to.equal(least)
    const lone = new EpochScene()
    expect(preferredEpoch(lone.state, lone.view(), lone.nowMs)).to.equal(undefined)
  })
})

const due = (
  scene: EpochScene,
  situation: Partial<EpochSituation> = {},
  change: Partial<MembershipView> = {},
): EpochDue | undefined =>
  epochDue(
    crypto,
    scene.state,
    scene.view(change),
    { sending: false, onlineSinceMs: startMs, ...situation },
    scene.nowMs,
  )
const sending = { sending: true }
/** The device's place in the order of the idle. */
const wait = (scene: EpochScene): number => idleWaitMs(crypto, scene.state, scene.view())

describe('conversation epochs: a sender', () => {
  it('begins the first, and one for other devices, at once; who is out none', () => {
    const scene = new EpochScene()
    expect(due(scene, { sending: true, onlineSinceMs: undefined })).to.deep.equal({
      reason: 'first',
      atMs: scene.nowMs,
    })
    scene.keyed('b')
    expect(due(scene, sending)).to.equal(undefined)
    const more = { devices: ['a', 'b', 'c', 'd'].map(personOf) }
    expect(due(scene, sending, more)).to.deep.equal({ reason: 'devices', atMs: scene.nowMs })
    expect(due(scene, sending, { devices: ['b', 'c', 'd'].map(personOf) })).to.equal(undefined)
  })

  it('goes by the age of the topic, not of a turn on it', () => {
    const scene = new EpochScene()
    const route = scene.keyed('b')
    scene.nowMs += limits.epochRenewMs - 1
    scene.keyed('c', { after: [route], on: route })
    expect(due(scene, sending)).to.equal(undefined)
    scene.nowMs += 1
    expect(due(scene, sending)).to.deep.equal({ reason: 'age', atMs: scene.nowMs })
  })

  it('counts the messages of all devices under the epoch in use', () => {
    const scene = new EpochScene()
    const written = scene.keyed('b')
    const sealed = (...counts: readonly number[]): void => {
      const held = scene.state.keys.get(scene.node(written).key)!
      const chains = held.chains.map((chain, i) => ({ ...chain, count: counts[i]! }))
      const keys = new Map([...scene.state.keys, [scene.node(written).key, { ...held, chains }]])
      scene.state = { ...scene.state, keys }
    }
    sealed(1, limits.epochMessages - 2, 0)
    expect(due(scene, sending)).to.equal(undefined)
    sealed(1, limits.epochMessages - 2, 1)
    expect(due(scene, sending)).to.deep.equal({ reason: 'count', atMs: scene.nowMs })
  })

  it('takes its turn when another device spoke last, in a conversation of few and more than one', () => {
    const scene = new EpochScene()
    scene.keyed('b')
    scene.nowMs += limits.turnMs
    expect(due(scene, sending), 'nobody spoke').to.equal(undefined)
    const { account, device } = personOf('c')
    const spoken = { ...scene.state, lastSpeaker: { account, device } }
    scene.state = scene.seal()
    expect(due(scene, sending), 'it spoke itself').to.equal(undefined)
    scene.state = spoken
    expect(due(scene, sending)).to.deep.equal({ reason: 'turn', atMs: scene.nowMs })
    scene.nowMs -= 1
    expect(due(scene, sending), 'too soon').to.equal(undefined)
    const alone = new EpochScene('a', ['a'])
    alone.keyed('a')
    alone.state = { ...alone.state, lastSpeaker: { account, device } }
    alone.nowMs += limits.turnMs
    expect(due(alone, sending)).to.equal(undefined)
  })
})

describe('conversation epochs: an idle device', () => {
  it('begins no first one, and none while the network is away or an epoch is in use', () => {
    const scene = new EpochScene()
    expect(due(scene)).to.equal(undefined)
    scene.keyed('b')
    expect(due(scene)).to.equal(undefined)
    scene.state = closeAll(scene.state)
    expect(due(scene, { onlineSinceMs: undefined })).to.equal(undefined)
    expect(due(scene)?.reason).to.equal('devices')
  })

  it('waits its turn from when the devices changed, or the network came where that was later', () => {
    const scene = new EpochScene()
    scene.keyed('b')
    scene.state = closeAll(scene.state)
    const sinceMs = startMs + 10_000
    const before = due(scene, { onlineSinceMs: sinceMs - 1 }, { sinceMs })
    const after = due(scene, { onlineSinceMs: sinceMs + 5 }, { sinceMs })
    expect(before).to.deep.equal({ reason: 'devices', atMs: sinceMs + wait(scene) })
    expect(after).to.deep.equal({ reason: 'devices', atMs: sinceMs + 5 + wait(scene) })
  })

  it('has a place among the devices of now that the tips draw anew', () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f']
    const scene = new EpochScene('a', names)
    scene.take(scene.write('b'))
    const order = (): readonly string[] => {
      const tips = concat(...[...scene.state.nodes.values()].slice(-1).map(({ record }) => record.id))
      const draw = (name: string): string => {
        const { account, device } = personOf(name)
        return toHex(crypto.hmacSha256(concat(account, device), tips))
      }
      return names.toSorted((a, b) => (draw(a) < draw(b) ? -1 : 1))
    }
    const places = new Set<number>()
    for (let i = 0; i < 8; i++) {
      const place = order().indexOf('a')
      expect(wait(scene)).to.equal(place * limits.epochSpacingMs)
      places.add(place)
      const [last] = [...scene.state.nodes.values()].slice(-1)
      scene.take(scene.write('b', { after: [{ record: last!.record, seed: {} as never }] }))
    }
    expect(places.size).to.be.greaterThan(1)
  })

  it('waits a minute for a seed that may be on its way, from when the record or the network came', () => {
    const scene = new EpochScene()
    const written = scene.write('b')
    scene.nowMs += 500
    scene.take(written)
    const from = (sinceMs: number): EpochDue => ({
      reason: 'unseeded',
      atMs: sinceMs + limits.unseededMs + wait(scene),
    })
    expect(due(scene)).to.deep.equal(from(scene.nowMs))
    expect(due(scene, { onlineSinceMs: scene.nowMs + 7 })).to.deep.equal(from(scene.nowMs + 7))
    scene.nowMs += 1_000
    scene.take(scene.write('c'))
    expect(due(scene), 'the one missing longest').to.deep.equal(from(scene.nowMs - 1_000))
  })

  it('waits for none from a device that is out, nor of an epoch that does not list it', () => {
    const scene = new EpochScene()
    scene.take(scene.write('b'))
    const without = { devices: ['a', 'c'].map(personOf) }
    expect(due(scene, {}, without)?.reason).to.equal('devices')
    const other = new EpochScene()
    other.take(other.write('b', { at: ['b', 'c'] }))
    expect(due(other)?.reason).to.equal('devices')
  })

  it('misses the seed of an epoch though another is in use, until a keyed one follows it', () => {
    const scene = new EpochScene()
    scene.keyed('c')
    const lost = scene.write('b')
    scene.take(lost)
    const without = { devices: ['a', 'c'].map(personOf) }
    expect(due(scene)?.reason).to.equal('unseeded')
    expect(due(scene, {}, without)?.reason, 'its author is out').to.equal('devices')
    scene.keyed('c', { after: [lost] })
    expect(due(scene)).to.equal(undefined)
  })

  it('misses none whose author is out while another epoch is in use, wherever the author stands in the list', () => {
    const scene = new EpochScene('b', ['a', 'b', 'c'])
    scene.keyed('c')
    scene.take(scene.write('a'))
    expect(due(scene)?.reason, 'the first of the list').to.equal('unseeded')
    const left = new EpochScene('a', ['a', 'c'])
    left.keyed('c')
    left.take(left.write('b', { at: ['a', 'b', 'c'] }))
    expect(due(left)).to.equal(undefined)
    left.take(left.write('c'))
    left.nowMs += 5
    expect(due(left)?.atMs).to.equal(startMs + limits.unseededMs + wait(left))
  })

  it('expects a seed from the first device of the list as from any', () => {
    const scene = new EpochScene('b', ['a', 'b', 'c'])
    scene.take(scene.write('a'))
    expect(due(scene)?.reason).to.equal('unseeded')
  })

  it('misses that of a topic as long as a turn on it cannot be read, though that is keyed', () => {
    const scene = new EpochScene()
    const route = scene.write('b')
    scene.take(route)
    const turn = scene.keyed('c', { after: [route], on: route })
    expect(scene.node(route).supersededAtMs).to.not.equal(undefined)
    expect(due(scene)?.reason).to.equal('unseeded')
    const next = scene.keyed('c', { after: [turn] })
    expect(due(scene)?.reason).to.equal('unseeded')
    scene.hears(next, 'a', 'b', 'c')
    scene.sweep()
    expect(scene.opens(turn)).to.equal(false)
    expect(due(scene)).to.equal(undefined)
  })
})

describe('conversation epochs: the pace of a device’s own timers', () => {
  /** Own epochs at these times, for a reason; all closed. */
  function begun(times: readonly number[], reason: EpochReason = 'doubt'): EpochScene {
    const scene = new EpochScene('a', ['a', 'b'])
    for (const at of times) {
      scene.nowMs = at
      scene.state = scene.create({ reason }).state
    }
    scene.state = closeAll(scene.state)
    return scene
  }
  /** When the next is due, if it were due this early. */
  function next(scene: EpochScene): number {
    const { atMs } = due(scene, {}, { sinceMs: startMs - hourMs })!
    const nodes = new Map([...scene.state.nodes].toReversed())
    const other = new EpochScene('a', ['a', 'b'])
    other.state = { ...scene.state, nodes }
    other.nowMs = scene.nowMs
    expect(due(other, {}, { sinceMs: startMs - hourMs })!.atMs, 'in whatever order they are held').to.equal(
      atMs,
    )
    return atMs
  }

  it('keeps 2 s between them, others’ not counted', () => {
    const scene = begun([startMs, startMs + 50_000])
    expect(next(scene)).to.equal(startMs + 50_000 + limits.epochSpacingMs)
    scene.nowMs += 9_000
    scene.keyed('b')
    scene.state = closeAll(scene.state)
    expect(next(scene)).to.equal(startMs + 50_000 + limits.epochSpacingMs)
  })

  it('begins at most 24 in an hour', () => {
    const times = Array.from({ length: limits.ownEpochsPerHour }, (_, i) => startMs + i * 10_000)
    const last = times.at(-1)!
    expect(next(begun(times.slice(1)))).to.equal(last + limits.epochSpacingMs)
    const full = begun(times)
    expect(next(full)).to.equal(startMs + hourMs)
    full.nowMs = startMs + hourMs - 1
    expect(next(full)).to.equal(startMs + hourMs)
    full.nowMs += 1
    expect(next(full)).to.equal(last + limits.epochSpacingMs)
  })

  it('of these 6 for want of a seed', () => {
    const times = Array.from({ length: limits.unseededEpochsPerHour }, (_, i) => startMs + i * 200_000)
    const missing = (scene: EpochScene): number => {
      scene.take(scene.write('b'))
      const found = due(scene)!
      expect(found.reason).to.equal('unseeded')
      return found.atMs
    }
    const expected = (scene: EpochScene): number => scene.nowMs + limits.unseededMs + wait(scene)
    const few = begun(times.slice(1), 'unseeded')
    expect(missing(few)).to.equal(expected(few))
    const others = begun(times)
    expect(missing(others), 'for other reasons').to.equal(expected(others))
    const full = begun(times, 'unseeded')
    expect(missing(full)).to.equal(startMs + hourMs)
    const devices = begun(times, 'unseeded')
    expect(next(devices), 'a device is missing').to.equal(times.at(-1)! + limits.epochSpacingMs)
  })
})
