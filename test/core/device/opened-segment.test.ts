import { expect } from 'chai'
import fc from 'fast-check'
import { openedSegment } from '../../../packages/core/src/device/groups.ts'

describe('device: the segment that operations have opened', () => {
  it('is the newest that is named, also when its records are far behind', () => {
    expect(openedSegment([], 7)).to.equal(0)
    expect(openedSegment([1], 0)).to.equal(1)
    const steps = Array.from({ length: 1_000 }, (_, n) => n + 1)
    expect(openedSegment(steps.toReversed(), 0)).to.equal(1_000)
  })

  it('is moved once by a number just within reach, and not at all by one beyond', () => {
    expect(openedSegment([64], 0)).to.equal(64)
    expect(openedSegment([65], 0)).to.equal(0)
    expect(openedSegment([3, Number.MAX_SAFE_INTEGER], 2)).to.equal(3)
    // What is written goes into segment 64; the word that opened it opens no further one.
    expect(openedSegment([64], 64)).to.equal(64)
    expect(openedSegment([64], 200)).to.equal(64)
  })

  it('does not depend on the order of the words, and is moved by each at most so far', () => {
    const depths = fc.array(fc.oneof(fc.nat(500), fc.maxSafeNat()), { maxLength: 30 })
    fc.assert(
      fc.property(depths, fc.nat(500), fc.infiniteStream(fc.double()), (words, newest, keys) => {
        const shuffled = words
          .map((word) => ({ word, key: keys.next().value as number }))
          .sort((a, b) => a.key - b.key)
          .map(({ word }) => word)
        const opened = openedSegment(words, newest)
        expect(openedSegment(shuffled, newest)).to.equal(opened)
        expect(opened).to.be.at.most(newest + 64 * words.length)
      }),
    )
  })
})
