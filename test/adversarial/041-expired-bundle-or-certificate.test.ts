import { expect } from 'chai'
import {
  judgeBundle,
  noPrekeys,
  publishBundle,
  readBundle,
  rotatePrekeys,
} from '../../packages/core/src/identity/index.ts'
import { limits } from '../../packages/core/src/limits.ts'
import { concat } from '../../packages/core/src/wire/index.ts'
import { crypto, dayMs, Scene, seedOf, startMs } from '../core/identity/support.ts'

describe('adversarial', () => {
  it('041: an expired bundle or certificate is refused by name, so that a fresh one can be asked for', () => {
    const scene = new Scene('expired')
    const first = scene.add(null, 'F', [])
    scene.add('F', 'L', [first])
    const { identity, certificate, device } = scene.device('L')
    const published = (atMs: number) => {
      const seeds = { dh: seedOf('dh'), kem: concat(seedOf('d'), seedOf('z')) }
      const { prekeys } = rotatePrekeys(crypto, noPrekeys, seeds, atMs)
      return publishBundle(crypto, prekeys, identity, certificate, { addresses: [], relays: [], intro: null })
        .bundle
    }
    const bundle = published(startMs)
    const endMs = startMs + limits.prekeyKeepMs + limits.clockSkewMs
    expect(readBundle(crypto, bundle.bytes, endMs).verdict).to.equal('accepted')
    expect(readBundle(crypto, bundle.bytes, endMs + 1)).to.deep.equal({
      verdict: 'rejected',
      reason: 'expired',
    })
    // A fresh bundle under a certificate that ended: the log is asked, and a renewal there brings it back.
    const lateMs = certificate.notAfterMs + limits.clockSkewMs + 1
    const fresh = published(lateMs)
    expect(judgeBundle(scene.state(), fresh, lateMs - 1).verdict).to.equal('accepted')
    expect(judgeBundle(scene.state(), fresh, lateMs)).to.deep.equal({ verdict: 'rejected', reason: 'lapsed' })
    scene.renew('F', 'L', lateMs + dayMs, scene.ops, { tsMs: startMs + 20 * dayMs })
    expect(judgeBundle(scene.state(), fresh, lateMs).verdict).to.equal('accepted')
    scene.revoke('F', 'L', 9, scene.ops)
    expect(judgeBundle(scene.state(), fresh, lateMs)).to.deep.equal({
      verdict: 'rejected',
      reason: 'not-active',
    })
    expect(device).to.deep.equal(fresh.certificate.device)
  })
})
