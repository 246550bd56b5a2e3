import { expect } from 'chai'
import {
  deviceState,
  effectiveNotAfter,
  lapseOf,
  logHeads,
  mayReceiveSeeds,
  mayRenew,
  ownRenewDue,
  safetyNumber,
  type LogState,
} from '../../../packages/core/src/identity/index.ts'
import { limits } from '../../../packages/core/src/limits.ts'
import { crypto, dayMs, makeAccount, Scene, startMs } from './support.ts'

const endMs = startMs + 45 * dayMs
const notAfter = (scene: Scene, name: string, state: LogState = scene.state()): number | undefined =>
  effectiveNotAfter(state, scene.device(name).device)

function pair(label: string) {
  const scene = new Scene(label)
  const first = scene.add(null, 'F', [])
  return { scene, first, base: scene.add('F', 'L', [first]) }
}

describe('device log: expiry', () => {
  it('a device alone renews itself; with a sibling only the sibling renews it', () => {
    const { scene, first } = pair('alone')
    const alone = new Scene('alone too')
    const own = alone.add(null, 'F', [])
    alone.renew('F', 'F', endMs + dayMs, [own], { tsMs: startMs + 2 * dayMs })
    expect(notAfter(alone, 'F')).to.equal(endMs + dayMs)
    scene.renew('F', 'F', endMs + dayMs, [first], { tsMs: startMs + 2 * dayMs })
    expect(notAfter(scene, 'F')).to.equal(endMs)
    scene.renew('L', 'F', endMs + dayMs, scene.ops, { tsMs: startMs + 2 * dayMs })
    expect(notAfter(scene, 'F')).to.equal(endMs + dayMs)
  })

  it('a sibling added beside a self-renewal takes its force; one added after it does not', () => {
    const scene = new Scene('beside')
    const first = scene.add(null, 'F', [])
    const renewal = scene.renew('F', 'F', endMs + dayMs, [first], { tsMs: startMs + 2 * dayMs })
    const beside = scene.add(null, 'N', [first])
    expect(notAfter(scene, 'F')).to.equal(endMs)
    const later = new Scene('after')
    const root = later.add(null, 'F', [])
    const own = later.renew('F', 'F', endMs + dayMs, [root], { tsMs: startMs + 2 * dayMs })
    later.add('F', 'N', [own])
    expect(notAfter(later, 'F')).to.equal(endMs + dayMs)
    expect([renewal.by, beside.by]).to.deep.equal([scene.device('F').key, null])
  })

  it('a renewal that its author had no standing for falls with it', () => {
    const { scene, base } = pair('void renewal')
    scene.renew('L', 'F', endMs + dayMs, [base], { tsMs: startMs + 2 * dayMs })
    scene.revoke('F', 'L', 0, [base])
    expect(notAfter(scene, 'F')).to.equal(endMs)
  })

  it('an old certificate, added again by a thief, shortens nothing', () => {
    const { scene, base } = pair('old certificate')
    const renewal = scene.renew('L', 'F', endMs + 3 * dayMs, [base], { tsMs: startMs + 4 * dayMs })
    scene.add('L', 'F', [renewal])
    expect(notAfter(scene, 'F')).to.equal(endMs + 3 * dayMs)
  })

  it('a sibling is renewed unasked up to 45 days after it was heard, and then its user is asked', () => {
    const { scene } = pair('advice')
    const other = scene.state().active.get(scene.device('F').key)!
    const heardMs = startMs + 8 * dayMs
    expect(mayRenew(other, startMs + dayMs, startMs + dayMs)).to.deep.equal({ kind: 'not-due' })
    expect(mayRenew(other, heardMs, heardMs)).to.deep.equal({
      kind: 'renew',
      notAfterMs: heardMs + limits.certificateMs,
    })
    expect(mayRenew(other, startMs + dayMs, startMs + 30 * dayMs)).to.deep.equal({ kind: 'not-due' })
    expect(mayRenew(other, startMs, startMs + 46 * dayMs).kind).to.equal('ask-user')
    expect(mayRenew(other, undefined, startMs + 20 * dayMs).kind).to.equal('ask-user')
  })

  it('a drawer device cannot lock out the one in use, which takes over near its end', () => {
    const { scene } = pair('drawer')
    const state = scene.state()
    const { device } = scene.device('L')
    const presence = { onlineDays: 20, justSynced: true, siblingHeardAtMs: startMs }
    const nearMs = endMs - 6 * dayMs
    expect(ownRenewDue(state, device, presence, nearMs)).to.deep.equal({
      kind: 'take-over',
      revoke: [scene.device('F').device],
      notAfterMs: nearMs + limits.certificateMs,
    })
    for (const change of [
      { onlineDays: 19 },
      { justSynced: false },
      { siblingHeardAtMs: nearMs - 29 * dayMs },
    ])
      expect(ownRenewDue(state, device, { ...presence, ...change }, nearMs).kind).to.equal('await-sibling')
    expect(ownRenewDue(state, device, presence, endMs - 8 * dayMs).kind).to.equal('not-due')
    expect(ownRenewDue(state, device, presence, endMs + 3 * dayMs).kind).to.equal('await-sibling')
  })

  it('a device that lapsed comes back by another, not by itself', () => {
    const { scene, base } = pair('lapse')
    const { device } = scene.device('F')
    const state = scene.state()
    const lateMs = endMs + limits.clockSkewMs
    expect(mayReceiveSeeds(state, device, lateMs)).to.be.true
    expect(mayReceiveSeeds(state, device, lateMs + 1)).to.be.false
    const lapse = lapseOf(state, device, lateMs + 1)!
    expect(lapse).to.deep.equal({ notAfterMs: endMs, knewSibling: true })
    expect(lapseOf(state, device, lateMs)).to.be.undefined
    const untilMs = lateMs + 20 * dayMs
    const gone = scene.revoke('F', 'L', 0, [base])
    scene.renew('F', 'F', untilMs, [gone], { tsMs: lateMs })
    expect(mayReceiveSeeds(scene.state(), device, lateMs + dayMs, lapse)).to.be.false
    expect(mayReceiveSeeds(scene.state(), device, lateMs + dayMs, { ...lapse, knewSibling: false })).to.be
      .true
    scene.renew(null, 'F', untilMs, scene.ops, { tsMs: lateMs })
    expect(mayReceiveSeeds(scene.state(), device, lateMs + dayMs, lapse)).to.be.true
  })
})

describe('safety number', () => {
  const [a, b, c] = ['one', 'two', 'three'].map((label) => makeAccount(label).account.id)

  it('is the same 60 digits from both sides, and another for another pair', () => {
    expect(safetyNumber(crypto, a!, b!))
      .to.match(/^\d{60}$/)
      .and.to.equal(safetyNumber(crypto, b!, a!))
    expect(safetyNumber(crypto, a!, c!)).not.to.equal(safetyNumber(crypto, a!, b!))
  })

  it('stays through a change of devices, which the device state shows', () => {
    const { scene, base } = pair('numbers')
    const before = { account: scene.account.id, heads: logHeads(scene.log()) }
    scene.revoke('F', 'L', 0, [base])
    const after = { account: scene.account.id, heads: logHeads(scene.log()) }
    const peer = { account: b!, heads: [] }
    expect(deviceState(crypto, before, peer))
      .to.match(/^\d{30}$/)
      .and.to.equal(deviceState(crypto, peer, before))
    expect(deviceState(crypto, after, peer)).not.to.equal(deviceState(crypto, before, peer))
  })
})
