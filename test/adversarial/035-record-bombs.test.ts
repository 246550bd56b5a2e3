import { expect } from 'chai'
import { createValidator } from '../../packages/core/src/discovery/index.ts'
import { Marks } from '../../packages/core/src/discovery/marks.ts'
import { limits } from '../../packages/core/src/index.ts'
import { crypto, dayMs, keyPair, noonMs, valueOf } from '../core/discovery/support.ts'

describe('adversarial', () => {
  it('035: a value of 10 MB is refused by its length alone', () => {
    const node = createValidator(crypto, () => noonMs)
    const { key } = valueOf(keyPair('owner'), 1, noonMs + dayMs)
    expect(node.validate(key, new Uint8Array(10 * 1024 * 1024))).to.equal('too-long')
    expect(node.select(key, [new Uint8Array(10 * 1024 * 1024)])).to.equal(0)
  })

  it('035: a million identities take the memory of a thousand', () => {
    const marks = new Marks(1_000)
    const hash = new Uint8Array(32)
    for (let i = 0; i < 1_000_000; i++) marks.raise(`/sotto/${i}`, { seq: 1, hash })
    expect(marks.size).to.equal(1_000)
    expect(marks.raise('/sotto/999999', { seq: 0, hash }), 'the newest is remembered').to.equal(false)
  })

  it('035: genuine values of many keys stop at the configured memory', () => {
    const node = createValidator(crypto, () => noonMs, { maxMarks: 8 })
    for (let i = 0; i < 40; i++) {
      const { key, value } = valueOf(keyPair(`sybil ${i}`), 1, noonMs + dayMs)
      expect(node.validate(key, value)).to.equal(undefined)
    }
    expect(node.marks).to.equal(8)
  })

  it('035: no value asks to be kept for longer than two days', () => {
    const node = createValidator(crypto, () => noonMs)
    for (const extra of [1, dayMs, Number.MAX_SAFE_INTEGER - noonMs - limits.dhtValueMs]) {
      const { key, value } = valueOf(keyPair('owner'), 1, noonMs + limits.dhtValueMs + extra)
      expect(node.validate(key, value)).to.equal('far-future')
    }
    expect(node.marks).to.equal(0)
  })
})
