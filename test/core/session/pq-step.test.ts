import { expect } from 'chai'
import { limits } from '../../../packages/core/src/limits.ts'
import { needsHandshake, requestPqStep } from '../../../packages/core/src/session/index.ts'
import { establishedPair, textOf, type Endpoint } from '../../support/session-world.ts'

const offerBytes = 1_184
const carriesKem = (frame: Uint8Array): boolean => frame.length > offerBytes

const pass = (from: Endpoint, to: Endpoint, text: string): Uint8Array => {
  const frame = from.send(text)
  expect(textOf(to.receive(frame))).to.equal(text)
  return frame
}

const stepped = (end: Endpoint): number => end.peer.sessions[0]!.ratchet.pq.steppedAtMs

describe('session: the post-quantum step', () => {
  it('is offered after its number of own messages, answered at the next DH step, and then done', () => {
    const [alice, bob] = establishedPair()
    const before = 1
    for (let i = before; i < limits.pqStepMessages; i++)
      expect(carriesKem(pass(alice, bob, `${i}`))).to.equal(false)
    expect(carriesKem(pass(alice, bob, 'offer'))).to.equal(true)
    expect(carriesKem(pass(alice, bob, 'the offer rides once'))).to.equal(false)
    expect(carriesKem(pass(bob, alice, 'answer'))).to.equal(true)
    expect(alice.peer.sessions[0]!.ratchet.pq.offer).to.equal(undefined)
    expect(carriesKem(pass(alice, bob, 'done'))).to.equal(false)
  })

  it('repeats the answer on every message of its chain, so that any of them may come first', () => {
    const [alice, bob] = establishedPair()
    alice.peer = requestPqStep(alice.peer)
    pass(alice, bob, 'offer')
    const lost = bob.send('lost')
    expect(carriesKem(lost)).to.equal(true)
    expect(carriesKem(pass(bob, alice, 'second of the chain'))).to.equal(true)
    expect(textOf(alice.receive(lost))).to.equal('lost')
    pass(alice, bob, 'on')
  })

  it('repeats an offer unchanged on each new chain until it is used', () => {
    const [alice, bob] = establishedPair()
    alice.peer = requestPqStep(alice.peer)
    alice.send('the offer, lost')
    pass(alice, bob, 'without it')
    pass(bob, alice, 'turn')
    expect(carriesKem(pass(alice, bob, 'a new chain'))).to.equal(true)
    expect(carriesKem(pass(bob, alice, 'answer'))).to.equal(true)
  })

  it('works with offers of both ends outstanding', () => {
    const [alice, bob] = establishedPair()
    alice.peer = requestPqStep(alice.peer)
    bob.peer = requestPqStep(bob.peer)
    const [fromAlice, fromBob] = [alice.send('a'), bob.send('b')]
    expect(textOf(bob.receive(fromAlice))).to.equal('a')
    expect(textOf(alice.receive(fromBob))).to.equal('b')
    for (let i = 0; i < 4; i++) {
      pass(alice, bob, `a${i}`)
      pass(bob, alice, `b${i}`)
    }
    expect(alice.peer.sessions[0]!.ratchet.pq.offer).to.equal(undefined)
    expect(bob.peer.sessions[0]!.ratchet.pq.offer).to.equal(undefined)
  })

  it('is offered after its time, however little was said', () => {
    const [alice, bob] = establishedPair()
    for (const end of [alice, bob]) end.nowMs += limits.pqStepMs - 1
    expect(carriesKem(pass(alice, bob, 'not yet'))).to.equal(false)
    for (const end of [alice, bob]) end.nowMs += 1
    expect(carriesKem(pass(alice, bob, 'now'))).to.equal(true)
    pass(bob, alice, 'answer')
    expect(stepped(alice)).to.equal(alice.nowMs)
    expect(stepped(bob)).to.equal(bob.nowMs)
  })

  it('that nobody completes asks for a new handshake, and the key is gone', () => {
    const [alice] = establishedPair()
    alice.peer = requestPqStep(alice.peer)
    alice.send('offer')
    alice.nowMs += limits.pqOfferMs
    expect(needsHandshake(alice.peer, alice.nowMs)).to.equal(undefined)
    alice.send('too late')
    expect(alice.peer.sessions[0]!.ratchet.pq.offer).to.equal(undefined)
    expect(needsHandshake(alice.peer, alice.nowMs)).to.equal('pq-overdue')
  })
})
