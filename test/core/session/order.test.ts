import { expect } from 'chai'
import fc from 'fast-check'
import { limits } from '../../../packages/core/src/limits.ts'
import { dayMs, establishedPair, refusalOf, textOf } from '../../support/session-world.ts'

const range = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i)

describe('session: order, loss, duplication', () => {
  it('opens a thousand messages in reverse order', () => {
    const [alice, bob] = establishedPair()
    const frames = range(1_000).map((i) => alice.send(`${i}`))
    for (const i of range(1_000).toReversed()) expect(textOf(bob.receive(frames[i]!))).to.equal(`${i}`)
    expect(textOf(alice.receive(bob.send('all here')))).to.equal('all here')
  })

  it('names a duplicate, in the current chain and in an older one, and stays as it was', () => {
    const [alice, bob] = establishedPair()
    const first = alice.send('first')
    bob.receive(first)
    const before = bob.snapshot()
    expect(refusalOf(bob.receive(first))).to.equal('duplicate')
    expect(bob.snapshot()).to.deep.equal(before)
    alice.receive(bob.send('turn'))
    bob.receive(alice.send('next chain'))
    expect(refusalOf(bob.receive(first))).to.equal('duplicate')
  })

  it('opens late messages of earlier chains, up to the limit of chains kept', () => {
    const [alice, bob] = establishedPair()
    const late = range(limits.receiveChains + 1).map((i) => {
      const frame = alice.send(`late ${i}`)
      bob.receive(alice.send(`on time ${i}`))
      alice.receive(bob.send(`answer ${i}`))
      return frame
    })
    expect(refusalOf(bob.receive(late[0]!))).to.equal('no-header-key')
    for (const [i, frame] of late.entries())
      if (i > 0) expect(textOf(bob.receive(frame))).to.equal(`late ${i}`)
  })

  it('forgets skipped keys after their time, and says so', () => {
    const [alice, bob] = establishedPair()
    const late = alice.send('late')
    bob.receive(alice.send('on time'))
    bob.nowMs += limits.skippedKeyMs
    const kept = bob.snapshot()
    expect(textOf(bob.receive(late))).to.equal('late')
    bob.restore(kept)
    bob.nowMs += 1
    expect(refusalOf(bob.receive(late))).to.equal('too-old')
  })

  it('delivers every frame exactly once, whatever order, loss and repetition', () => {
    const step = fc.record({
      from: fc.boolean(),
      pick: fc.nat(20),
      act: fc.constantFrom('send', 'send', 'send', 'deliver', 'deliver', 'repeat', 'lose', 'wait'),
    })
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 120 }), fc.integer(), (steps, seed) => {
        const ends = establishedPair(undefined, `random ${seed}`)
        const waiting: { to: 0 | 1; text: string; frame: Uint8Array; seen: boolean }[] = []
        let sent = 0
        for (const { from, pick, act } of steps) {
          const at = waiting.length === 0 ? -1 : pick % waiting.length
          const item = waiting[at]
          if (act === 'send') {
            const text = `message ${sent++}`
            waiting.push({ to: from ? 1 : 0, text, frame: ends[from ? 0 : 1].send(text), seen: false })
          } else if (act === 'wait') {
            for (const end of ends) end.nowMs += dayMs / 2
          } else if (item !== undefined) {
            if (act !== 'lose') {
              const received = ends[item.to].receive(item.frame)
              if (item.seen) expect(refusalOf(received)).to.not.equal('accepted')
              else if ('text' in received) expect(received.text).to.equal(item.text)
              else expect(received.refused).to.be.oneOf(['no-header-key', 'too-old'])
              item.seen = true
            }
            if (act === 'deliver' || act === 'lose') waiting.splice(at, 1)
          }
        }
        for (let i = 0; i < 2; i++) {
          expect(textOf(ends[1].receive(ends[0].send('after')))).to.equal('after')
          expect(textOf(ends[0].receive(ends[1].send('after too')))).to.equal('after too')
        }
      }),
      { numRuns: Number(process.env['SESSION_RUNS'] ?? 60) },
    )
  })
})
