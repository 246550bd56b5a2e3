import { expect } from 'chai'
import { readCertificate } from '../../packages/core/src/identity/index.ts'
import {
  acceptHandshake,
  decodeFirstFlight,
  noSessions,
  openFrom,
  openHandshake,
} from '../../packages/core/src/session/index.ts'
import {
  Endpoint,
  establishedPair,
  makeDevice,
  nodeProvider,
  refusalOf,
  startMs,
  textOf,
  twoEndpoints,
} from '../support/session-world.ts'

describe('adversarial: frames in the wrong hands', () => {
  it('013 one’s own frame sent back is refused', () => {
    const [alice, bob] = establishedPair()
    const frame = alice.send('for bob')
    expect(refusalOf(alice.receive(frame))).to.equal('no-header-key')
    expect(textOf(bob.receive(frame))).to.equal('for bob')
  })

  it('013 one’s own first flight sent back is refused', () => {
    const [alice, bob] = twoEndpoints()
    alice.begin(bob.device)
    expect(refusalOf(alice.receive(alice.send('for bob')))).to.equal('unknown-bundle')
  })

  it('013, 024 a frame for one device is refused by every other', () => {
    const [alice, bob] = establishedPair()
    const carol = new Endpoint(nodeProvider, makeDevice(nodeProvider, 'carol'), 'carol')
    const laptop = new Endpoint(nodeProvider, makeDevice(nodeProvider, 'bob/laptop'), 'laptop')
    alice.begin(bob.device)
    const flight = alice.send('for bob’s phone')
    for (const other of [carol, laptop]) expect(refusalOf(other.receive(flight))).to.equal('unknown-bundle')
    carol.begin(bob.device)
    bob.receive(carol.send('hello'))
    const frame = carol.send('from carol')
    expect(openFrom(nodeProvider, alice.peer, frame, startMs)).to.deep.equal({
      ok: false,
      reason: 'handshake',
    })
    expect(textOf(bob.receive(flight))).to.equal('for bob’s phone')
  })

  it('022, 023 who speaks is decided by keys: another’s certificate inside a handshake is refused', () => {
    const [mallory, bob] = twoEndpoints()
    const alice = makeDevice(nodeProvider, 'alice in earnest')
    const device = { ...mallory.device, own: { ...mallory.device.own, certificate: alice.own.certificate } }
    const liar = new Endpoint(nodeProvider, device, 'liar')
    liar.begin(bob.device)
    expect(refusalOf(bob.receive(liar.send('I am Alice')))).to.equal('bad-signature')
    expect(bob.peer).to.deep.equal(noSessions)
  })

  it('023 the caller’s verified certificate must be the one inside, byte for byte', () => {
    const [alice, bob] = twoEndpoints()
    alice.begin(bob.device)
    const flight = decodeFirstFlight(alice.send('hello'))!
    const opened = openHandshake(nodeProvider, bob.device.prekeys, flight, startMs)
    if (!opened.ok) throw new Error(opened.reason)
    const other = makeDevice(nodeProvider, 'someone else').own.certificate
    const renamed = { ...readCertificate(nodeProvider, opened.claims.certificate)!, account: other.account }
    for (const claimed of [other, renamed]) {
      const accepted = acceptHandshake(
        nodeProvider,
        bob.device.own,
        bob.device.prekeys,
        opened,
        claimed,
        [],
        startMs,
      )
      expect(accepted).to.deep.equal({ ok: false, reason: 'identity-mismatch' })
    }
  })
})
