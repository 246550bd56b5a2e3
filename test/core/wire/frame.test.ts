import { expect } from 'chai'
import { encode } from 'cborg'
import fc from 'fast-check'
import {
  bool,
  bytes,
  bytesBetween,
  fields,
  frame,
  list,
  literal,
  nullable,
  oneOf,
  openOneOf,
  text,
  uint,
} from '@sotto/core/wire'
import { limits } from '../../../packages/core/src/limits.ts'

const everything = frame(
  'everything',
  fields({
    version: literal(1),
    id: bytes(4),
    blob: bytesBetween(0, 40),
    count: uint(),
    name: text(16),
    flag: bool,
    maybe: nullable(uint(9)),
    many: list(fields({ a: uint(3), b: text(2) }), 3),
    either: oneOf({ left: [0, { x: uint() }], right: [7, { y: bytes(1), z: bool }] }),
  }),
  256,
)

const value = fc.record({
  version: fc.constant(1 as const),
  id: fc.uint8Array({ minLength: 4, maxLength: 4 }),
  blob: fc.uint8Array({ maxLength: 40 }),
  count: fc.maxSafeNat(),
  name: fc.string({ maxLength: 16 }).filter((one) => Buffer.from(one, 'utf8').length <= 16),
  flag: fc.boolean(),
  maybe: fc.option(fc.nat(9)),
  many: fc.array(fc.record({ a: fc.nat(3), b: fc.constantFrom('', 'a', 'é') }), { maxLength: 3 }),
  either: fc.oneof(
    fc.record({ kind: fc.constant('left' as const), x: fc.nat() }),
    fc.record({
      kind: fc.constant('right' as const),
      y: fc.uint8Array({ minLength: 1, maxLength: 1 }),
      z: fc.boolean(),
    }),
  ),
})

describe('wire: frames', () => {
  it('read back what they wrote, and every value has one encoding', () => {
    fc.assert(
      fc.property(value, (one) => {
        const encoded = everything.encode(one)
        const decoded = everything.decode(encoded)
        expect(decoded).to.deep.equal({ ok: true, value: one })
        expect(decoded.ok && everything.encode(decoded.value)).to.deep.equal(encoded)
      }),
    )
  })

  it('are total: any bytes give a value whose encoding they are, or a reason', () => {
    const mutated = fc.tuple(value, fc.nat(), fc.nat(255)).map(([one, at, byte]) => {
      const encoded = everything.encode(one)
      encoded[at % encoded.length] = byte
      return encoded
    })
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), mutated), (input) => {
        const decoded = everything.decode(input)
        if (decoded.ok) expect(everything.encode(decoded.value)).to.deep.equal(input)
        else expect(decoded.reason).to.be.oneOf(['too-long', 'not-cbor', 'malformed', 'not-canonical'])
      }),
    )
  })

  const number = frame('number', fields({ n: uint() }), 64)
  const refused: readonly (readonly [string, string])[] = [
    ['a long head where a short one does', '811805'],
    ['two bytes for a small number', '81190005'],
    ['a float', '81f93c00'],
    ['a negative number', '8120'],
    ['an indefinite array', '9f05ff'],
    ['trailing bytes', '810500'],
    ['a map', 'a10005'],
    ['a tag', '81c005'],
    ['undefined', '81f7'],
    ['a number beyond 2^53', '811b0020000000000000'],
    ['too few fields', '80'],
    ['too many fields', '820505'],
    ['nothing', ''],
  ]
  for (const [what, hex] of refused)
    it(`refuse ${what}`, () => {
      expect(number.decode(Uint8Array.from(Buffer.from(hex, 'hex')))).to.have.property('ok', false)
    })

  it('refuse what is longer than they may be before they look at it', () => {
    expect(number.decode(new Uint8Array(65))).to.deep.equal({ ok: false, reason: 'too-long' })
    expect(() => frame('small', fields({ b: bytes(8) }), 8).encode({ b: new Uint8Array(8) })).to.throw()
  })

  it('refuse what an unknown alternative nests deeper than eight, however deep, and nothing less', () => {
    const open = frame('open', openOneOf({ known: [0, {}] }), 70_000)
    const nested = (depth: number): Uint8Array =>
      Uint8Array.from([0x82, 9, ...Array<number>(depth).fill(0x81), 0x05])
    expect(open.decode(nested(limits.cborDepth))).to.have.property('ok', true)
    for (const depth of [limits.cborDepth + 1, 60_000])
      expect(open.decode(nested(depth))).to.deep.equal({ ok: false, reason: 'not-cbor' })
  })

  it('say the first thing that is wrong', () => {
    const reasonOf = (hex: string): unknown => number.decode(Uint8Array.from(Buffer.from(hex, 'hex')))
    for (const [hex, reason] of [
      ['811805', 'not-canonical'],
      ['81', 'not-cbor'],
      ['8118', 'not-cbor'],
      ['811f', 'not-cbor'],
      ['810500', 'not-cbor'],
      ['8120', 'malformed'],
      ['80', 'malformed'],
      ['811b0020000000000000', 'malformed'],
    ])
      expect(reasonOf(hex ?? ''), hex).to.deep.equal({ ok: false, reason })
  })

  it('believe no length before the bytes are there', () => {
    const many = frame('many', list(uint(), 1_000_000), 70_000)
    expect(many.decode(Uint8Array.of(0x9a, 0, 0x0f, 0x42, 0x40, 1))).to.deep.equal({
      ok: false,
      reason: 'not-cbor',
    })
  })

  it('refuse text that UTF-8 cannot say or that is too long in bytes', () => {
    const name = frame('name', text(4), 64)
    expect(name.decode(name.encode('aé€'.slice(0, 2)))).to.have.property('ok', true)
    expect(() => name.encode('\ud800')).to.throw()
    expect(() => name.encode('€€')).to.throw()
    expect(name.decode(encode('€€'))).to.have.property('ok', false)
  })

  it('hold bounds at the limit and not one past it', () => {
    const bounded = frame('bounded', fields({ n: uint(5), l: list(uint(), 2), b: bytesBetween(1, 3) }), 64)
    const good = { n: 5, l: [1, 2], b: new Uint8Array(3) }
    expect(bounded.decode(bounded.encode(good))).to.deep.equal({ ok: true, value: good })
    for (const bad of [
      { ...good, n: 6 },
      { ...good, l: [1, 2, 3] },
      { ...good, b: new Uint8Array(4) },
      { ...good, b: new Uint8Array(0) },
    ]) {
      expect(() => bounded.encode(bad)).to.throw()
      expect(bounded.decode(encode([bad.n, bad.l, bad.b]))).to.have.property('ok', false)
    }
  })

  it('keep what a newer version says apart from what is malformed', () => {
    const items = frame('items', list(openOneOf({ known: [0, { n: uint() }] }), 4), 64)
    expect(
      items.decode(
        encode([
          [0, 1],
          [9, 'new', new Uint8Array(2)],
        ]),
      ),
    ).to.deep.equal({
      ok: true,
      value: [
        { kind: 'known', n: 1 },
        { kind: 'unknown', tag: 9 },
      ],
    })
    expect(items.decode(encode([[0, 'not a number']]))).to.have.property('ok', false)
    expect(items.decode(encode([['x']]))).to.have.property('ok', false)
  })

  it('give values without the prototype of a hostile name', () => {
    const odd = frame('odd', fields({ constructor: uint(), toString: uint() }), 64)
    const decoded = odd.decode(odd.encode({ constructor: 1, toString: 2 }))
    expect(decoded.ok && Object.keys(decoded.value)).to.deep.equal(['constructor', 'toString'])
  })
})
