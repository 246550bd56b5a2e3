import { expect } from 'chai'
import { limits } from '../../packages/core/src/limits.ts'
import {
  established,
  needsHandshake,
  noSessions,
  sealEntropyBytes,
  sealTo,
} from '../../packages/core/src/session/index.ts'
import {
  establishedPair,
  nodeProvider,
  refusalOf,
  startMs,
  textOf,
  twoEndpoints,
} from '../support/session-world.ts'

describe('adversarial: replay, stale sessions, repair', () => {
  it('020 a first flight replayed is a duplicate, and after its session is gone it is refused as replayed', () => {
    const [alice, bob] = twoEndpoints()
    alice.begin(bob.device)
    const flight = alice.send('once')
    bob.receive(flight)
    const before = bob.snapshot()
    expect(refusalOf(bob.receive(flight))).to.equal('duplicate')
    expect(bob.snapshot()).to.deep.equal(before)
    bob.peer = noSessions
    expect(refusalOf(bob.receive(flight))).to.equal('replayed')
    expect(bob.peer).to.deep.equal(noSessions)
  })

  it('021 a session nobody answered for 14 days never sends again, and asks for a fresh bundle', () => {
    const [alice, bob] = twoEndpoints()
    alice.begin(bob.device)
    const entropy = new Uint8Array(sealEntropyBytes)
    const sealAt = (nowMs: number) => sealTo(nodeProvider, alice.peer, new Uint8Array(1), entropy, nowMs)
    expect(sealAt(startMs + limits.unansweredSessionMs).ok).to.equal(true)
    expect(established(alice.peer)).to.equal(false)
    expect(needsHandshake(alice.peer, startMs + limits.unansweredSessionMs)).to.equal(undefined)
    const late = startMs + limits.unansweredSessionMs + 1
    expect(sealAt(late)).to.deep.equal({ ok: false, reason: 'no-session' })
    expect(needsHandshake(alice.peer, late)).to.equal('no-session')
  })

  it('a repair is begun for its three reasons alone, soon at first and then with growing pauses', () => {
    const [alice, bob] = establishedPair()
    expect(needsHandshake(alice.peer, startMs)).to.equal(undefined)
    expect(needsHandshake(bob.peer, startMs, 'body-failed')).to.equal('body-failed')
    expect(needsHandshake(alice.peer, startMs + limits.repairMs - 1, 'notice')).to.equal(undefined)
    expect(needsHandshake(alice.peer, startMs + limits.repairMs, 'notice')).to.equal('notice')
    expect(needsHandshake(alice.peer, startMs + limits.repairMs, 'state-lost')).to.equal('state-lost')
    expect(needsHandshake(noSessions, startMs)).to.equal('no-session')
  })

  it('whoever makes every session useless has at most four handshakes an hour from it', () => {
    const [alice, bob] = establishedPair()
    const begunMs = [startMs]
    const end = startMs + 24 * limits.rehandshakeMs
    for (; alice.nowMs < end; alice.nowMs += limits.repairMs / 4) {
      if (needsHandshake(alice.peer, alice.nowMs, 'notice') === undefined) continue
      alice.begin(bob.device)
      begunMs.push(alice.nowMs)
    }
    const minutes = begunMs.slice(0, 6).map((ms) => (ms - startMs) / limits.repairMs)
    expect(minutes).to.deep.equal([0, 1, 5, 21, 60, 65])
    for (const from of begunMs)
      expect(begunMs.filter((ms) => ms >= from && ms < from + limits.rehandshakeMs).length).to.be.at.most(4)
  })

  it('a repair keeps the earlier sessions open for what is on its way, at most five in all', () => {
    const [alice, bob] = establishedPair()
    const onItsWay = alice.send('on its way')
    for (let i = 0; i < limits.archivedSessions; i++) {
      bob.begin(alice.device)
      alice.receive(bob.send(`repair ${i}`))
      expect(textOf(bob.receive(alice.send(`answer ${i}`)))).to.equal(`answer ${i}`)
    }
    expect(textOf(bob.receive(onItsWay))).to.equal('on its way')
    bob.begin(alice.device)
    expect(bob.peer.sessions.length).to.equal(1 + limits.archivedSessions)
  })
})
