import { expect } from 'chai'
import { limits } from '../../packages/core/src/limits.ts'
import { concat } from '../../packages/core/src/wire/index.ts'
import { establishedPair, refusalOf, textOf, twoEndpoints, type Endpoint } from '../support/session-world.ts'
import { flipped, joinFrame, splitFrame } from '../support/session-frames.ts'

/** Everything short of the frame, and the frame with something behind it. */
function* mangled(frame: Uint8Array): Generator<Uint8Array> {
  for (let length = 0; length < frame.length; length++) yield frame.slice(0, length)
  for (const extra of [1, 2, 64, 1_024, limits.frameBytes]) yield concat(frame, new Uint8Array(extra))
}

function refusesAll(end: Endpoint, frames: Iterable<Uint8Array>): void {
  const before = end.snapshot()
  for (const frame of frames) expect(refusalOf(end.receive(frame))).to.not.equal('accepted')
  expect(end.snapshot()).to.deep.equal(before)
}

describe('adversarial: mangled frames', () => {
  it('016 every prefix and every extension of a message is refused, and the session goes on', () => {
    const [alice, bob] = establishedPair()
    const frame = alice.send('whole')
    refusesAll(bob, mangled(frame))
    expect(textOf(bob.receive(frame))).to.equal('whole')
  })

  it('016, 019 every prefix of a first flight and every changed byte leaves no trace; the genuine one works', () => {
    const [alice, bob] = twoEndpoints()
    alice.begin(bob.device)
    const frame = alice.send('genuine')
    refusesAll(bob, mangled(frame))
    refusesAll(
      bob,
      Array.from({ length: Math.ceil(frame.length / 5) }, (_, i) => flipped(frame, i * 5)),
    )
    expect(textOf(bob.receive(frame))).to.equal('genuine')
  })

  it('016 every changed byte of a message is refused, and only a changed body says so', () => {
    const [alice, bob] = establishedPair()
    const frame = alice.send('whole')
    const { head, body } = splitFrame(frame)
    for (let i = 0; i < head.length; i++) {
      expect(refusalOf(bob.receive(joinFrame(flipped(head, i), body)))).to.equal('no-header-key')
    }
    for (let i = 0; i < body.length; i++) {
      expect(refusalOf(bob.receive(joinFrame(head, flipped(body, i))))).to.equal('body-failed')
    }
    expect(textOf(bob.receive(frame))).to.equal('whole')
  })

  it('016 the body of another message under this header is refused', () => {
    const [alice, bob] = establishedPair()
    const [one, two] = [alice.send('one'), alice.send('two')]
    expect(refusalOf(bob.receive(joinFrame(splitFrame(one).head, splitFrame(two).body)))).to.equal(
      'body-failed',
    )
    expect(textOf(bob.receive(two))).to.equal('two')
    expect(textOf(bob.receive(one))).to.equal('one')
  })

  it('two messages of one session share no run of bytes but the frame’s own', () => {
    const [alice] = establishedPair()
    const windows = (frame: Uint8Array): Set<string> => {
      const { head, body } = splitFrame(frame)
      const hex = Buffer.from(concat(head, body)).toString('hex')
      return new Set(Array.from({ length: hex.length / 2 - 3 }, (_, i) => hex.slice(2 * i, 2 * i + 8)))
    }
    const [one, two] = [windows(alice.send('the same text')), windows(alice.send('the same text'))]
    expect([...one].filter((window) => two.has(window))).to.deep.equal([])
  })
})
