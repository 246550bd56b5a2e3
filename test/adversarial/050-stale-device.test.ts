import { expect } from 'chai'
import {
  lapsed,
  lapseOf,
  mayReceiveSeeds,
  mayRenew,
  resolveLog,
} from '../../packages/core/src/identity/index.ts'
import { limits } from '../../packages/core/src/limits.ts'
import { dayMs, makeDevice, Scene, startMs } from '../core/identity/support.ts'

describe('adversarial', () => {
  it('050: a device silent for 45 days is shown stale, gets no keys, and comes back only by another', () => {
    const scene = new Scene('stale')
    const first = scene.add(null, 'F', [])
    scene.add('F', 'silent', [first])
    const { device, key } = scene.device('silent')
    const state = scene.state()
    const found = state.active.get(key)!
    const lateMs = found.notAfterMs + limits.clockSkewMs + 1
    expect([lapsed(found, lateMs - 1), lapsed(found, lateMs)]).to.deep.equal([false, true])
    expect(mayReceiveSeeds(state, device, lateMs)).to.be.false
    // Nobody renews it unasked; its user may, and so may a fresh link under a new key.
    expect(mayRenew(found, startMs, lateMs).kind).to.equal('ask-user')
    const lapse = lapseOf(state, device, lateMs)
    scene.renew('silent', 'silent', lateMs + dayMs, scene.ops, { tsMs: lateMs })
    expect(mayReceiveSeeds(scene.state(), device, lateMs, lapse)).to.be.false
    scene.renew('F', 'silent', lateMs + dayMs, scene.ops, { tsMs: lateMs })
    expect(mayReceiveSeeds(scene.state(), device, lateMs, lapse)).to.be.true
    const fresh = makeDevice(scene.account, 'linked anew', {
      notBeforeMs: lateMs,
      notAfterMs: lateMs + dayMs,
    })
    scene.devices.set(fresh.name, fresh)
    scene.add('F', fresh.name, scene.ops.slice(-1), { tsMs: lateMs })
    expect(mayReceiveSeeds(resolveLog(scene.log()), fresh.device, lateMs)).to.be.true
  })
})
