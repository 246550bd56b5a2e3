import { expect } from 'chai'
import fc from 'fast-check'
import { pad, paddedLength, unpad } from '../../../packages/core/src/crypto/index.ts'
import { UsageError } from '../../../packages/core/src/errors.ts'
import { limits } from '../../../packages/core/src/limits.ts'
import { hex } from '../../support/vectors.ts'

const most = limits.paddedMaxBytes - 1
const sizes = fc.oneof(fc.integer({ min: 0, max: most }), fc.integer({ min: 0, max: 2_000 }))
const filled = (length: number, byte: number): Uint8Array => new Uint8Array(length).fill(byte)

describe('padding', () => {
  it('is taken off again, whatever the text ends with', () => {
    fc.assert(
      fc.property(sizes, fc.constantFrom(0, 1, 0x80), (length, byte) => {
        const padded = pad(filled(length, byte))
        expect(padded.length).to.equal(paddedLength(length))
        expect(hex(unpad(padded)!)).to.equal(hex(filled(length, byte)))
      }),
    )
  })

  it('makes everything short the same size, and costs at most 12 % above it', () => {
    expect(paddedLength(0)).to.equal(limits.paddedMinBytes)
    expect(paddedLength(limits.paddedMinBytes - 1)).to.equal(limits.paddedMinBytes)
    const classes = new Set<number>()
    for (let length = limits.paddedMinBytes; length <= most; length++) {
      const size = paddedLength(length)
      classes.add(size)
      expect(size).to.be.at.least(length + 1)
      expect(size / (length + 1)).to.be.below(1.12)
    }
    expect(classes.size).to.be.at.most(112)
  })

  it('is Padmé as published between the bounds', () => {
    // Padmé keeps floor(log2(log2 L)) + 1 leading bits of the length L: 9 -> 10, 1,025 -> 1,088.
    expect([1024, 1087, 1088, 5000, 40_000].map((needed) => paddedLength(needed - 1))).to.deep.equal([
      1024, 1088, 1088, 5120, 40_960,
    ])
    expect(paddedLength(paddedLength(700) - 1)).to.equal(paddedLength(700))
  })

  it('takes the largest payload and refuses one byte more', () => {
    expect(pad(filled(most, 7)).length).to.equal(limits.paddedMaxBytes)
    expect(hex(unpad(pad(filled(most, 7)))!)).to.equal(hex(filled(most, 7)))
    expect(() => pad(filled(most + 1, 7))).to.throw(UsageError)
  })

  it('has one form: any other filler or size is refused', () => {
    const padded = pad(filled(100, 7))
    const wrong = [
      padded.with(padded.length - 1, 1),
      padded.with(100, 0x81),
      padded.with(100, 0),
      padded.with(300, 0x80),
      padded.slice(0, -1),
      new Uint8Array([...padded, 0]),
      new Uint8Array(limits.paddedMinBytes),
      new Uint8Array(0),
      Uint8Array.of(0x80),
      filled(limits.paddedMinBytes, 7),
    ]
    for (const [i, bytes] of wrong.entries()) if (i !== 3) expect(unpad(bytes), String(i)).to.equal(undefined)
    // A later marker is the marker: the text is then another one, and that one alone.
    expect(hex(pad(unpad(wrong[3]!)!))).to.equal(hex(wrong[3]!))
  })

  it('is canonical: what opens is what pad makes of it', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 500, maxLength: 1100 }), fc.nat(600), (bytes, zeros) => {
        const shaped = bytes.slice()
        shaped.fill(0, Math.max(0, shaped.length - zeros))
        const text = unpad(shaped)
        if (text !== undefined) expect(hex(pad(text))).to.equal(hex(shaped))
      }),
    )
  })
})
