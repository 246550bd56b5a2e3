import { expect } from 'chai'
import {
  bundlesConflict,
  noPrekeys,
  publishBundle,
  readBundle,
  rotatePrekeys,
  type KeyBundle,
} from '../../packages/core/src/identity/index.ts'
import { concat } from '../../packages/core/src/wire/index.ts'
import { crypto, Scene, seedOf, startMs } from '../core/identity/support.ts'

describe('adversarial', () => {
  it('037: two bundles of one number, shown to two friends, convict their device once the friends compare', () => {
    const scene = new Scene('two faces')
    scene.add(null, 'F', [])
    const { identity, certificate } = scene.device('F')
    const face = (label: string): KeyBundle => {
      const seeds = { dh: seedOf(label), kem: concat(seedOf(`${label} d`), seedOf(`${label} z`)) }
      const { prekeys } = rotatePrekeys(crypto, noPrekeys, seeds, startMs)
      return publishBundle(crypto, prekeys, identity, certificate, { addresses: [], relays: [], intro: null })
        .bundle
    }
    const shown = [face('to one friend'), face('to the other')].map((bundle) => {
      const read = readBundle(crypto, bundle.bytes, startMs, certificate)
      if (read.verdict !== 'accepted') throw new Error('a friend refused its bundle')
      return read.value
    })
    // Each alone is a good bundle. Either friend can judge the pair: both signatures hold.
    expect(shown.map((bundle) => bundle.seq)).to.deep.equal([1, 1])
    expect(bundlesConflict(shown[0]!, shown[1]!)).to.be.true
    expect(bundlesConflict(shown[1]!, shown[0]!)).to.be.true
    expect(bundlesConflict(shown[0]!, shown[0]!)).to.be.false
  })
})
