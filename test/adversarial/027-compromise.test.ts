import { expect } from 'chai'
import { seededRandom } from '../../packages/core/src/memory/index.ts'
import { openFrom, requestPqStep } from '../../packages/core/src/session/index.ts'
import { recordingProvider } from '../support/recording-provider.ts'
import {
  Endpoint,
  establishedPair,
  nodeProvider,
  startMs,
  textOf,
  twoEndpoints,
} from '../support/session-world.ts'

const pass = (from: Endpoint, to: Endpoint, text: string): Uint8Array => {
  const frame = from.send(text)
  expect(textOf(to.receive(frame))).to.equal(text)
  return frame
}

describe('adversarial: copied state', () => {
  it('027 after a copy of either end and one round trip, the thief opens none of the next hundred', () => {
    for (const victim of [0, 1] as const) {
      const ends = establishedPair(nodeProvider, `thief ${victim}`)
      const thief = new Endpoint(nodeProvider, ends[victim].device, 'thief')
      thief.restore(ends[victim].snapshot())
      for (let i = 0; i < 2; i++) {
        pass(ends[0], ends[1], 'round')
        pass(ends[1], ends[0], 'trip')
      }
      for (let i = 0; i < 100; i++) {
        const [from, to] = i % 3 === 0 ? [ends[0], ends[1]] : [ends[1], ends[0]]
        const frame = pass(from, to, `secret ${i}`)
        expect(openFrom(nodeProvider, thief.peer, frame, startMs).ok).to.equal(false)
      }
    }
  })

  it('027 what was opened before the copy stays closed to it', () => {
    const [alice, bob] = establishedPair()
    const earlier = Array.from({ length: 20 }, (_, i) => pass(alice, bob, `earlier ${i}`))
    const copy = bob.peer
    for (const frame of earlier) expect(openFrom(nodeProvider, copy, frame, startMs).ok).to.equal(false)
  })

  it('a post-quantum step asked for after suspicion is carried by the next round trip', () => {
    const [alice, bob] = establishedPair()
    alice.peer = requestPqStep(alice.peer)
    expect(pass(alice, bob, 'offer').length).to.be.greaterThan(1_184)
    expect(pass(bob, alice, 'answer').length).to.be.greaterThan(1_088)
  })

  it('051 an end set back to an earlier state uses no (key, nonce) pair twice and is in agreement within ten exchanges', () => {
    for (let seed = 0; seed < 25; seed++) {
      const recorder = recordingProvider(nodeProvider)
      const random = seededRandom(nodeProvider, `rollback ${seed}`)
      const ends = twoEndpoints(recorder.crypto, `rollback ${seed}`)
      ends[0].begin(ends[1].device)
      const some = (of: number): number => random.bytes(1)[0]! % of
      const exchange = (): boolean => {
        const there = ends[1].receive(ends[0].send('there'))
        const back = ends[0].receive(ends[1].send('back'))
        return 'text' in there && 'text' in back
      }
      for (let i = some(6); i >= 0; i--) exchange()
      const victim = ends[some(2)]!
      const other = victim === ends[0] ? ends[1] : ends[0]
      const snapshot = victim.snapshot()
      for (let i = 1 + some(8); i > 0; i--) {
        if (some(2) === 0) victim.send('lost')
        exchange()
      }
      victim.restore(snapshot)
      victim.begin(other.device)
      expect(textOf(other.receive(victim.send('I was set back')))).to.equal('I was set back')
      let tries = 0
      while (!exchange() && tries < 10) tries += 1
      expect(tries).to.be.lessThan(10)
      expect(recorder.reused()).to.equal(0)
      expect(recorder.sealed()).to.be.greaterThan(4)
    }
  })
})
