import { expect } from 'chai'
import { speaksUnder } from '../../packages/core/src/identity/index.ts'
import { crypto, Scene, seedOf } from '../core/identity/support.ts'

describe('adversarial', () => {
  it("039: a peer that presents another device's certificate does not speak for it", () => {
    const scene = new Scene('transport')
    const first = scene.add(null, 'F', [])
    const second = scene.add('F', 'L', [first])
    const [phone, laptop] = [scene.device('F'), scene.device('L')]
    const state = scene.state()
    expect(speaksUnder(state, phone.device, phone.certificate.transportKey)).to.be.true
    expect(speaksUnder(state, phone.device, laptop.certificate.transportKey)).to.be.false
    // A rotated transport key takes over, and the old one speaks for nobody.
    const { publicKey } = crypto.signKeyPair(seedOf('new transport'))
    scene.write('F', { kind: 'rotate', transportKey: publicKey, suite: 1, minSuite: 1 }, [second])
    expect(speaksUnder(scene.state(), phone.device, publicKey)).to.be.true
    expect(speaksUnder(scene.state(), phone.device, phone.certificate.transportKey)).to.be.false
    scene.revoke('L', 'F', 9, scene.ops)
    expect(speaksUnder(scene.state(), phone.device, publicKey)).to.be.false
  })
})
