import { expect } from 'chai'
import type { KemPublicKey } from '../../packages/core/src/crypto/index.ts'
import { newSession, noSessions, initiateEntropyBytes } from '../../packages/core/src/session/index.ts'
import { clearFrame, encodeFirstFlight } from '../../packages/core/src/session/handshake-frame.ts'
import { decodeFirstFlight } from '../../packages/core/src/session/index.ts'
import { agreedSuite } from '../../packages/core/src/session/suite.ts'
import {
  makeDevice,
  nodeProvider,
  refusalOf,
  startMs,
  textOf,
  twoEndpoints,
} from '../support/session-world.ts'

describe('adversarial: downgrade', () => {
  it('017 the highest suite both certificates allow, or none', () => {
    const range = (minSuite: number, suite: number) => ({ minSuite, suite })
    expect(agreedSuite(range(1, 1), range(1, 1))).to.equal(1)
    expect(agreedSuite(range(1, 9), range(1, 1))).to.equal(1)
    expect(agreedSuite(range(2, 9), range(1, 1))).to.equal(undefined)
    expect(agreedSuite(range(2, 3), range(2, 3))).to.equal(undefined)
  })

  it('017 no session with a device that answers only suites this build does not speak', () => {
    const [alice] = twoEndpoints()
    const future = makeDevice(nodeProvider, 'future', 2, 2)
    const entropy = new Uint8Array(initiateEntropyBytes)
    const begun = newSession(
      nodeProvider,
      noSessions,
      { own: alice.device.own, bundle: future.bundle, options: { logHeads: [] } },
      entropy,
      startMs,
    )
    expect(begun).to.deep.equal({ ok: false, reason: 'no-common-suite' })
  })

  it('017 a first flight with another suite, mode or ciphertext in clear is refused', () => {
    const [alice, bob] = twoEndpoints()
    alice.begin(bob.device)
    const frame = alice.send('hybrid')
    const flight = decodeFirstFlight(frame)!
    const changes = [
      { suite: 0 },
      { suite: 2 },
      { mode: 2 },
      { mode: 4 },
      { mode: 1, oneTimeId: 1 },
      { kemCiphertext: new Uint8Array(1_088) as typeof flight.fields.kemCiphertext },
    ]
    for (const change of changes) {
      const clear = clearFrame.encode({ ...flight.fields, ...change })
      const changed = encodeFirstFlight({ ...flight, clear }, flight.first)
      expect(refusalOf(bob.receive(changed))).to.be.oneOf(['sealed', 'unknown-prekey'])
    }
    expect(textOf(bob.receive(frame))).to.equal('hybrid')
  })

  it('017 a bundle without a usable KEM key gives no session, never a classical one', () => {
    const [alice, bob] = twoEndpoints()
    const entropy = new Uint8Array(initiateEntropyBytes)
    for (const key of [new Uint8Array(0), new Uint8Array(1_184).fill(255)]) {
      const kemPrekey = { ...bob.device.bundle.kemPrekey, publicKey: key as KemPublicKey }
      const bundle = { ...bob.device.bundle, kemPrekey }
      const begun = newSession(
        nodeProvider,
        noSessions,
        { own: alice.device.own, bundle, options: { logHeads: [] } },
        entropy,
        startMs,
      )
      expect(begun).to.deep.equal({ ok: false, reason: 'bad-key' })
    }
  })
})
