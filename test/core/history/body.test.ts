import { expect } from 'chai'
import fc from 'fast-check'
import {
  decodeBody,
  encodeBody,
  encodeMessageBody,
  fitsMessage,
  fitsReaction,
  fitsTimer,
  recordKinds,
  type Body,
} from '../../../packages/core/src/history/index.ts'
import { limits } from '../../../packages/core/src/limits.ts'
import { encodeCbor } from '../../../packages/core/src/wire/index.ts'

const bodies: fc.Arbitrary<Body> = fc.oneof(
  fc.record({ kind: fc.constant('msg' as const), text: fc.string({ unit: 'binary' }) }),
  fc.record({ kind: fc.constant('edit' as const), text: fc.string({ unit: 'binary' }) }),
  fc.constant({ kind: 'redact' as const }),
  fc.record({ kind: fc.constant('react' as const), emoji: fc.string({ maxLength: 12 }) }),
  fc.record({ kind: fc.constant('timer' as const), ms: fc.option(fc.nat(limits.timerMs)) }),
)

/** Emoji recommended for interchange, of every form: with selector, tone, keycap, flag, tags, joined. */
const recommended = '👍 👍🏽 ❤️ © ☺️ 1️⃣ #️⃣ 🇨🇭 🏴󠁧󠁢󠁳󠁣󠁴󠁿 🏳️‍🌈 🏴‍☠️ 👨‍👩‍👧‍👦 👩🏽‍🚀 🕵🏻‍♂️ 🙂‍↔️ ⛓️‍💥 🐦‍⬛ 🧑🏻‍❤️‍💋‍🧑🏼 ⬛ ㊗️ 🀄 🫠 🚶🏿‍♀️‍➡️'.split(' ')

describe('history: bodies', () => {
  it('are read as what was written, and as nothing of another form', () => {
    fc.assert(
      fc.property(bodies, (body) => {
        expect(decodeBody(recordKinds[body.kind], encodeBody(body))).to.deep.equal(body)
      }),
    )
    for (const wrong of [[], ['a', 'b'], [1], 'a', null, [null]])
      for (const kind of [recordKinds.msg, recordKinds.edit, recordKinds.react])
        expect(decodeBody(kind, encodeCbor(wrong))).to.equal(undefined)
    expect(decodeBody(recordKinds.redact, encodeCbor([0]))).to.equal(undefined)
    expect(decodeBody(recordKinds.redact, new Uint8Array(0))).to.equal(undefined)
    expect(decodeBody(recordKinds.timer, encodeCbor([]))).to.equal(undefined)
    expect(decodeBody(5, encodeCbor([]))).to.equal(undefined)
  })

  it('end at their limits', () => {
    const full = 'a'.repeat(limits.textBytes)
    expect(fitsMessage(full) && !fitsMessage(`${full}a`) && !fitsMessage('')).to.equal(true)
    expect(() => encodeBody({ kind: 'edit', text: `${full}a` })).to.throw()
    expect(() => encodeBody({ kind: 'react', emoji: 'a'.repeat(limits.emojiBytes + 1) })).to.throw()
    expect(decodeBody(recordKinds.react, encodeCbor(['a'.repeat(limits.emojiBytes)]))).to.not.equal(undefined)
    expect(decodeBody(recordKinds.react, encodeCbor(['a'.repeat(limits.emojiBytes + 1)]))).to.equal(undefined)
    expect(fitsTimer(limits.timerMs) && !fitsTimer(limits.timerMs + 1) && !fitsTimer(0)).to.equal(true)
    expect(decodeBody(recordKinds.timer, encodeCbor([limits.timerMs + 1]))).to.equal(undefined)
  })

  it('keep the bytes a plain text always had', () => {
    expect(encodeMessageBody('hello')).to.deep.equal(encodeCbor(['hello']))
  })

  it('take every emoji for a reaction that this engine knows', () => {
    const known = new RegExp('^\\p{RGI_Emoji}$', 'v')
    let seen = 0
    for (let point = 0x20; point < 0x20000; point++) {
      if (point >= 0xd800 && point < 0xe000) continue
      const [bare, selected] = [String.fromCodePoint(point), `${String.fromCodePoint(point)}\uFE0F`]
      for (const emoji of [bare, selected]) {
        if (!known.test(emoji)) continue
        seen += 1
        expect(fitsReaction(emoji), emoji).to.equal(true)
      }
    }
    expect(seen).to.be.greaterThan(1_200)
    for (const emoji of recommended) expect(fitsReaction(emoji), emoji).to.equal(true)
    expect(fitsReaction('')).to.equal(true)
  })

  it('take nothing else for a reaction', () => {
    const none = [
      'a',
      '1',
      '👍👍',
      '👍 ',
      ' ',
      '\u200D',
      '👍\u200D',
      '\u202E',
      '🇨',
      '🇨🇭🇨🇭',
      '\uFE0F',
      'é',
      '👍🏽🏽',
    ]
    for (const value of none) expect(fitsReaction(value), JSON.stringify(value)).to.equal(false)
    expect(fitsReaction(Array.from({ length: 8 }, () => '👩').join('\u200D'))).to.equal(false)
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-ascii', minLength: 1 }), (value) => !fitsReaction(value)),
    )
  })
})
