import { expect } from 'chai'
import { limits } from '../../../packages/core/src/limits.ts'
import { readCertificate } from '../../../packages/core/src/identity/index.ts'
import {
  acceptHandshake,
  decodeFirstFlight,
  initiateEntropyBytes,
  newSession,
  noSessions,
  openHandshake,
  sealEntropyBytes,
  sealTo,
  type InitiateOptions,
} from '../../../packages/core/src/session/index.ts'
import { toHex } from '../../../packages/core/src/wire/index.ts'
import { makeDevice, nodeProvider as crypto, startMs, type TestDevice } from '../../support/session-world.ts'

const alice = makeDevice(crypto, 'handshake/alice')
const bob = makeDevice(crypto, 'handshake/bob')
const mallory = makeDevice(crypto, 'handshake/mallory')
const fill = (length: number, byte: number): Uint8Array => new Uint8Array(length).fill(byte)

function firstFlight(from: TestDevice, to: TestDevice, options: Partial<InitiateOptions> = {}): Uint8Array {
  const begun = newSession(
    crypto,
    noSessions,
    { own: from.own, bundle: to.bundle, options: { logHeads: [], ...options } },
    fill(initiateEntropyBytes, 7),
    startMs,
  )
  if (!begun.ok) throw new Error(begun.reason)
  const sealed = sealTo(crypto, begun.peer, fill(10, 1), fill(sealEntropyBytes, 9), startMs)
  if (!sealed.ok) throw new Error(sealed.reason)
  return sealed.frame
}

/** What the responder makes of a first flight, with the certificate it resolved. */
function respond(
  to: TestDevice,
  frame: Uint8Array,
  options: { claimed?: TestDevice; invites?: readonly Uint8Array[]; nowMs?: number } = {},
) {
  const nowMs = options.nowMs ?? startMs
  const flight = decodeFirstFlight(frame)
  if (flight === undefined) return { ok: false, reason: 'not-a-flight' } as const
  const opened = openHandshake(crypto, to.prekeys, flight, nowMs)
  if (!opened.ok) return opened
  const certificate = options.claimed?.own.certificate ?? readCertificate(crypto, opened.claims.certificate)
  if (certificate === undefined) return { ok: false, reason: 'no-certificate' } as const
  const accepted = acceptHandshake(
    crypto,
    to.own,
    to.prekeys,
    opened,
    certificate,
    options.invites ?? [],
    nowMs,
  )
  return accepted.ok ? { ...accepted, claims: opened.claims } : accepted
}

const outcome = (result: ReturnType<typeof respond>): string => (result.ok ? 'accepted' : result.reason)

describe('session: handshake', () => {
  it('names the initiator to the responder alone', () => {
    const frame = firstFlight(alice, bob)
    const result = respond(bob, frame)
    expect(result.ok && result.claims.account).to.deep.equal(alice.account.id)
    expect(toHex(frame).includes(toHex(alice.account.id))).to.equal(false)
    expect(toHex(frame).includes(toHex(bob.account.id))).to.equal(false)
  })

  it('carries genesis and log of a stranger, up to its limit', () => {
    const introduction = { genesis: alice.account.bytes, log: fill(limits.strangerLogBytes, 3) }
    const result = respond(bob, firstFlight(alice, bob, { introduction }))
    expect(result.ok && result.claims.introduction).to.deep.equal(introduction)
    const longer = { ...introduction, log: fill(limits.strangerLogBytes + 1, 3) }
    expect(() => firstFlight(alice, bob, { introduction: longer })).to.throw()
  })

  it('is tied to the invite it was made with, and tells which of several', () => {
    const invite = fill(32, 5)
    const frame = firstFlight(alice, bob, { invite })
    const result = respond(bob, frame, { invites: [fill(32, 4), invite] })
    expect(result.ok && result.invite).to.equal(1)
    expect(outcome(respond(bob, frame, { invites: [fill(32, 4)] }))).to.equal('first-message')
    expect(outcome(respond(bob, frame))).to.equal('first-message')
  })

  it('takes a one-time prekey into its own place', () => {
    const keyPair = crypto.dhKeyPair(fill(32, 6))
    const frame = firstFlight(alice, bob, { oneTimePrekey: { id: 3, publicKey: keyPair.publicKey } })
    expect(outcome(respond(bob, frame))).to.equal('unknown-prekey')
    const withKey = { ...bob, prekeys: { ...bob.prekeys, oneTime: { id: 3, keyPair } } }
    expect(outcome(respond(withKey, frame))).to.equal('accepted')
    const wrong = {
      ...bob,
      prekeys: { ...bob.prekeys, oneTime: { id: 3, keyPair: crypto.dhKeyPair(fill(32, 8)) } },
    }
    expect(outcome(respond(wrong, frame))).to.equal('first-message')
  })

  it('refuses a prekey past its keeping', () => {
    const frame = firstFlight(alice, bob)
    expect(outcome(respond(bob, frame, { nowMs: startMs + limits.prekeyKeepMs }))).to.equal('accepted')
    expect(outcome(respond(bob, frame, { nowMs: startMs + limits.prekeyKeepMs + 1 }))).to.equal(
      'prekey-expired',
    )
  })

  it('refuses a certificate that is not the one inside', () => {
    expect(outcome(respond(bob, firstFlight(alice, bob), { claimed: mallory }))).to.equal('identity-mismatch')
  })

  it('refuses whoever has the prekeys but not the initiator’s identity key', () => {
    const stolen = {
      ...alice,
      own: { ...alice.own, keys: { ...alice.own.keys, identity: mallory.own.keys.identity } },
    }
    expect(outcome(respond(bob, firstFlight(stolen, bob)))).to.equal('bad-signature')
    const noAgreement = {
      ...alice,
      own: { ...alice.own, keys: { ...alice.own.keys, agreement: mallory.own.keys.agreement } },
    }
    expect(outcome(respond(bob, firstFlight(noAgreement, bob)))).to.equal('first-message')
  })

  it('throws for a wrong number of random bytes or a short invite', () => {
    const begin = (length: number, invite?: Uint8Array): unknown =>
      newSession(
        crypto,
        noSessions,
        { own: alice.own, bundle: bob.bundle, options: { logHeads: [], invite } },
        fill(length, 1),
        startMs,
      )
    expect(() => begin(initiateEntropyBytes - 1))
      .to.throw()
      .with.property('code', 'E_ENTROPY_LENGTH')
    expect(() => begin(initiateEntropyBytes, fill(31, 1)))
      .to.throw()
      .with.property('code', 'E_INVITE_SECRET')
  })
})
