import { expect } from 'chai'
import fc from 'fast-check'
import { decodeWords, encodeWords } from '../../../packages/core/src/crypto/index.ts'
import { UsageError } from '../../../packages/core/src/errors.ts'
import { hex } from '../../support/vectors.ts'

const entropy = fc.uint8Array({ minLength: 32, maxLength: 32 })
const read = (typed: string): Uint8Array | undefined => {
  const decoded = decodeWords(typed)
  return decoded.ok ? decoded.value : undefined
}

describe('recovery words', () => {
  it('say 32 bytes and are read back, however they are typed', () => {
    fc.assert(
      fc.property(entropy, (bytes) => {
        const words = encodeWords(bytes)
        expect(words.length).to.equal(24)
        expect(hex(read(words.join(' '))!)).to.equal(hex(bytes))
        expect(hex(read(`\n ${words.join('\t \n').toUpperCase()} `)!)).to.equal(hex(bytes))
      }),
    )
  })

  it('name the mistake: the number of words, the unknown one, the checksum', () => {
    const words = [...encodeWords(new Uint8Array(32))]
    expect(decodeWords(words.slice(1).join(' '))).to.deep.equal({ ok: false, reason: 'count', words: 23 })
    expect(decodeWords('')).to.deep.equal({ ok: false, reason: 'count', words: 0 })
    expect(decodeWords(words.with(4, 'abandonn').join(' '))).to.deep.equal({
      ok: false,
      reason: 'unknown-word',
      at: 4,
    })
    expect(decodeWords(words.with(23, 'abandon').join(' '))).to.deep.equal({ ok: false, reason: 'checksum' })
  })

  it('stand for 32 bytes and nothing else', () => {
    for (const length of [0, 16, 31, 33])
      expect(() => encodeWords(new Uint8Array(length))).to.throw(UsageError)
  })
})
