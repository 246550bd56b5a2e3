import { expect } from 'chai'
import fc from 'fast-check'
import { createValidator } from '../../../packages/core/src/discovery/index.ts'
import { compareMarks } from '../../../packages/core/src/discovery/value.ts'
import { limits } from '../../../packages/core/src/index.ts'
import { compareBytes, utf8 } from '../../../packages/core/src/wire/index.ts'
import { crypto, dayMs, hourMs, keyPair, noonMs, valueOf } from './support.ts'

const owner = keyPair('owner')
const genuine = (who: string) => valueOf(keyPair(who), 1, noonMs + dayMs)
const validator = (maxMarks?: number) =>
  createValidator(crypto, () => noonMs, maxMarks === undefined ? {} : { maxMarks })

describe('discovery/validator', () => {
  it('accepts a genuine value under its key, as text and as bytes', () => {
    const { key, value } = genuine('ada')
    expect(validator().validate(key, value)).to.equal(undefined)
    expect(validator().validate(utf8(key), value)).to.equal(undefined)
  })

  it('refuses a value under any other key', () => {
    const { key, value } = genuine('ada')
    const other = genuine('bob').key
    for (const wrong of [
      other,
      key.toUpperCase(),
      `${key}a`,
      key.slice(0, -1),
      key.replace('sotto', 'other'),
      '',
    ])
      expect(validator().validate(wrong, value), wrong).to.equal('wrong-key')
    expect(validator().validate(Uint8Array.of(0xff, 0xfe), value)).to.equal('wrong-key')
    const high = utf8(key).fill(0xe9)
    expect(validator().validate(high, value)).to.equal('wrong-key')
  })

  it('refuses every single-bit change', () => {
    const { key, value } = genuine('ada')
    for (let at = 0; at < value.length; at += 7) {
      const changed = value.slice()
      changed[at]! ^= 1 << (at % 8)
      expect(validator().validate(key, changed), `byte ${at}`).to.be.a('string')
    }
  })

  it('takes the longest life and refuses a millisecond more', () => {
    const at = (notAfterMs: number) => {
      const { key, value } = valueOf(owner, 1, notAfterMs)
      return validator().validate(key, value)
    }
    expect(at(noonMs + limits.dhtValueMs)).to.equal(undefined)
    expect(at(noonMs + limits.dhtValueMs + 1)).to.equal('far-future')
    expect(at(Number.MAX_SAFE_INTEGER)).to.equal('far-future')
    expect(at(noonMs)).to.equal(undefined)
    expect(at(noonMs - 1)).to.equal('expired')
  })

  it('takes 12 KiB and refuses a byte more', () => {
    const { key, value } = valueOf(owner, 1, noonMs + dayMs)
    const room = limits.recordBytes - value.length - 1 + 100
    const full = valueOf(owner, 1, noonMs + dayMs, new Uint8Array(room))
    expect(full.value.length).to.equal(limits.recordBytes)
    expect(validator().validate(full.key, full.value)).to.equal(undefined)
    expect(validator().validate(key, new Uint8Array(limits.recordBytes + 1))).to.equal('too-long')
    expect(() => valueOf(owner, 1, noonMs + dayMs, new Uint8Array(room + 1))).to.throw('too long')
  })

  it('is total on random bytes', () => {
    const { key } = genuine('ada')
    const checked = validator()
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        expect(checked.validate(key, bytes)).to.be.a('string')
        expect(checked.select(key, [bytes])).to.equal(0)
      }),
      { numRuns: 2_000 },
    )
    expect(checked.marks).to.equal(0)
  })

  it('remembers the newest value and refuses an older one', () => {
    const checked = validator()
    const [old, newer] = [valueOf(owner, 4, noonMs + dayMs), valueOf(owner, 5, noonMs + dayMs)]
    expect(checked.validate(newer.key, newer.value)).to.equal(undefined)
    expect(checked.validate(old.key, old.value)).to.equal('rollback')
    expect(checked.validate(newer.key, newer.value), 'again').to.equal(undefined)
  })

  it('prefers the lower hash among equals, in either order of arrival', () => {
    const [a, b] = [valueOf(owner, 4, noonMs + dayMs), valueOf(owner, 4, noonMs + dayMs - 1)].sort((x, y) =>
      compareBytes(crypto.sha256(x.value), crypto.sha256(y.value)),
    ) as [ReturnType<typeof valueOf>, ReturnType<typeof valueOf>]
    const first = validator()
    expect(first.validate(a.key, a.value)).to.equal(undefined)
    expect(first.validate(b.key, b.value)).to.equal('rollback')
    const second = validator()
    expect(second.validate(b.key, b.value)).to.equal(undefined)
    expect(second.validate(a.key, a.value)).to.equal(undefined)
    expect(second.validate(b.key, b.value)).to.equal('rollback')
  })

  it('selects the highest seq among good values, whatever the order', () => {
    const values = [3, 9, 7].map((seq) => valueOf(owner, seq, noonMs + dayMs).value)
    const key = valueOf(owner, 1, noonMs + dayMs).key
    const forged = valueOf(keyPair('liar'), 99, noonMs + dayMs).value
    const far = valueOf(owner, 100, noonMs + 3 * dayMs).value
    const all = [forged, ...values, far, new Uint8Array(5)]
    const checked = validator()
    expect(checked.select(key, all)).to.equal(2)
    expect(checked.select(key, [...all].reverse())).to.equal(3)
    expect(checked.select(key, [])).to.equal(0)
    expect(checked.marks, 'selecting remembers nothing').to.equal(0)
  })

  it('orders marks totally', () => {
    const mark = fc.record({ seq: fc.nat(3), hash: fc.uint8Array({ minLength: 2, maxLength: 2 }) })
    fc.assert(
      fc.property(mark, mark, (a, b) => {
        expect(Math.sign(compareMarks(a, b))).to.equal(-Math.sign(compareMarks(b, a)) || 0)
      }),
    )
  })

  it('bounds its memory and forgets the key used longest ago', () => {
    const checked = validator(3)
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => keyPair(name))
    for (const pair of [a, b, c]) {
      const { key, value } = valueOf(pair!, 5, noonMs + dayMs)
      checked.validate(key, value)
    }
    const rollback = (pair: typeof a) => {
      const { key, value } = valueOf(pair!, 4, noonMs + dayMs)
      return checked.validate(key, value)
    }
    expect(rollback(a), 'and a is used again').to.equal('rollback')
    const next = valueOf(d!, 5, noonMs + dayMs)
    checked.validate(next.key, next.value)
    expect(checked.marks).to.equal(3)
    expect(rollback(a)).to.equal('rollback')
    expect(rollback(b), 'b was forgotten').to.equal(undefined)
  })

  it('refuses to be built without memory', () => {
    expect(() => validator(0))
      .to.throw()
      .with.property('code', 'E_RANGE')
    expect(() => validator(1.5))
      .to.throw()
      .with.property('code', 'E_RANGE')
  })

  it('judges by the clock of the moment', () => {
    let nowMs = noonMs
    const checked = createValidator(crypto, () => nowMs)
    const { key, value } = valueOf(owner, 1, noonMs + hourMs)
    expect(checked.validate(key, value)).to.equal(undefined)
    nowMs += hourMs + 1
    expect(checked.validate(key, value)).to.equal('expired')
  })
})
