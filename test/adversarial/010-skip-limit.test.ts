import { expect } from 'chai'
import { limits } from '../../packages/core/src/limits.ts'
import { recordingProvider } from '../support/recording-provider.ts'
import type { Endpoint } from '../support/session-world.ts'
import { establishedPair, nodeProvider, refusalOf, textOf } from '../support/session-world.ts'
import { flipped, joinFrame, splitFrame } from '../support/session-frames.ts'

/** Sends and loses so many messages. */
const lose = (end: Endpoint, count: number): readonly Uint8Array[] =>
  Array.from({ length: count }, (_, i) => end.send(`lost ${i}`))

describe('adversarial: skipped messages', () => {
  it('010 a jump of exactly the limit opens, one more does not', () => {
    const [alice, bob] = establishedPair()
    lose(alice, limits.skipPerChain)
    expect(textOf(bob.receive(alice.send('at the limit')))).to.equal('at the limit')
    lose(alice, limits.skipPerChain + 1)
    const before = bob.snapshot()
    expect(refusalOf(bob.receive(alice.send('past it')))).to.equal('too-far')
    expect(bob.snapshot()).to.deep.equal(before)
  })

  it('010 the limit holds at the end of a chain too', () => {
    const [alice, bob] = establishedPair()
    lose(alice, limits.skipPerChain + 1)
    alice.receive(bob.send('turn'))
    expect(refusalOf(bob.receive(alice.send('a new chain')))).to.equal('too-far')
  })

  it('011 a flood of far and corrupted frames costs little each and leaves nothing', () => {
    const { crypto, work, resetWork } = recordingProvider(nodeProvider)
    const [alice, bob] = establishedPair(crypto)
    lose(alice, limits.skipPerChain + 50)
    const far = Array.from({ length: 50 }, (_, i) => alice.send(`far ${i}`))
    const before = bob.snapshot()
    resetWork()
    for (let i = 0; i < 1_000; i++) {
      const frame = far[i % far.length]!
      const { head, body } = splitFrame(frame)
      const sent = i % 2 === 0 ? frame : joinFrame(flipped(head, i % head.length), body)
      expect(refusalOf(bob.receive(sent))).to.be.oneOf(['too-far', 'no-header-key'])
    }
    expect(work()).to.be.at.most(1_000 * 4)
    expect(bob.snapshot()).to.deep.equal(before)
  })

  it('012 more skipped than are kept: the oldest is too old, the newest open', () => {
    const [alice, bob] = establishedPair()
    const early = lose(alice, limits.skipPerChain)
    bob.receive(alice.send('one'))
    const late = lose(alice, limits.skipPerChain)
    bob.receive(alice.send('two'))
    alice.send('the one too many')
    bob.receive(alice.send('three'))
    expect(refusalOf(bob.receive(early[0]!))).to.equal('too-old')
    expect(textOf(bob.receive(early[1]!))).to.equal('lost 1')
    for (const [i, frame] of late.entries()) expect(textOf(bob.receive(frame))).to.equal(`lost ${i}`)
  })
})
