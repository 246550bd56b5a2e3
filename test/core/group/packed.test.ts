/** What is written and read by hand is what the declarations say. */
import { expect } from 'chai'
import fc from 'fast-check'
import { encodeCbor, type Frame } from '../../../packages/core/src/wire/index.ts'
import { limits } from '../../../packages/core/src/limits.ts'
import {
  contentFrame,
  decodeSealed,
  encodeSealed,
  envelopeFrame,
  sealedFrame,
} from '../../../packages/core/src/group/envelope.ts'
import {
  packBare,
  packEnvelope,
  packMessage,
  packPlace,
  unpackEnvelope,
  unpackMessage,
} from '../../../packages/core/src/group/packed.ts'

const bytes = (min: number, max: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: min, maxLength: max })
const numbers = fc.oneof(fc.nat(300), fc.nat(70_000), fc.nat(0xffff_ffff))

/** A value as text, which is compared much faster. */
const said = (value: unknown): string =>
  JSON.stringify(value ?? null, (_, one: unknown) =>
    one instanceof Uint8Array ? Buffer.from(one).toString('latin1') : one,
  )

/** The same bytes or the same refusal, for what is given and for every byte of it changed. */
function sameReading<T>(
  input: Uint8Array,
  read: (input: Uint8Array) => T | undefined,
  declared: Pick<Frame<unknown>, 'decode'>,
  plain: (value: T) => unknown,
): void {
  const places = [...Array(Math.min(input.length, 60)).keys(), input.length - 1]
  const variants = [
    input,
    input.slice(0, -1),
    Uint8Array.of(...input.subarray(0, 400), 0),
    ...places.flatMap((at) => [1, 0x20, 0x80].map((bit) => input.with(at, input[at]! ^ bit))),
  ]
  for (const variant of variants) {
    const value = read(variant)
    const decoded = declared.decode(variant)
    expect(said(value === undefined ? undefined : plain(value))).to.equal(
      said(decoded.ok ? decoded.value : undefined),
    )
  }
}

describe('conversation epochs: packed frames', () => {
  it('envelopes', () => {
    fc.assert(
      fc.property(
        bytes(24, 24),
        fc.oneof(bytes(16, 300), fc.constant(new Uint8Array(60_000))),
        (nonce, sealed) => {
          const packed = packEnvelope(nonce, sealed)
          expect(packed).to.deep.equal(envelopeFrame.encode({ version: 1, nonce, sealed }))
          sameReading(packed, unpackEnvelope, envelopeFrame, (parts) => ({ version: 1, ...parts }))
        },
      ),
      { numRuns: 15 },
    )
  })

  it('messages', () => {
    fc.assert(
      fc.property(bytes(8, 8), fc.nat(255), numbers, bytes(40, 700), (tag, index, generation, inner) => {
        const message = { tag, index, generation, inner }
        const packed = packMessage(message)
        expect(packed).to.deep.equal(contentFrame.encode({ kind: 'message', ...message }))
        // A content whose second byte is not 1 is read by the declaration alone.
        sameReading(
          packed,
          (input) => (input[1] === 1 ? unpackMessage(input) : undefined),
          {
            decode: (input) =>
              input[1] === 1 ? contentFrame.decode(input) : { ok: false, reason: 'malformed' },
          },
          (value) => ({ kind: 'message', ...value }),
        )
      }),
      { numRuns: 15 },
    )
  })

  it('sealed records, with a base and without', () => {
    fc.assert(
      fc.property(bytes(1, 600), bytes(32, 32), numbers, fc.boolean(), (content, epoch, base, told) => {
        const slot = told ? { epoch, base, signature: new Uint8Array(64) as never } : null
        const packed = encodeSealed(content, slot)
        expect(packed).to.deep.equal(sealedFrame.encode({ content, slot }))
        sameReading(packed, decodeSealed, sealedFrame, (value) => value)
      }),
      { numRuns: 15 },
    )
    expect(packBare(new Uint8Array(70_000)).length).to.equal(70_007)
  })

  it('of lengths beside those that are allowed, and up to the last byte that is', () => {
    const of = (length: number): Uint8Array => new Uint8Array(length)
    const reads = <T>(
      input: Uint8Array,
      read: (input: Uint8Array) => T,
      declared: Pick<Frame<unknown>, 'decode'>,
    ): boolean => {
      const { ok } = declared.decode(input)
      expect(read(input) !== undefined).to.equal(ok)
      return ok
    }
    const envelope = (nonce: number, sealed: number): boolean =>
      reads(encodeCbor([1, of(nonce), of(sealed)]), unpackEnvelope, envelopeFrame)
    const most = limits.frameBytes - packEnvelope(of(24), of(60_000)).length + 60_000
    const found = [23, 24, 25].map((nonce) => envelope(nonce, 16))
    expect(found).to.deep.equal([false, true, false])
    expect([0, 15, 16, most, most + 1].map((sealed) => envelope(24, sealed))).to.deep.equal([
      ...[false, false, true],
      ...[true, false],
    ])
    const message = (tag: number, index: number, inner: number): boolean =>
      reads(encodeCbor([1, of(tag), index, 7, of(inner)]), unpackMessage, contentFrame)
    expect([7, 8, 9].map((tag) => message(tag, 0, 40))).to.deep.equal([false, true, false])
    expect([255, 256].map((index) => message(8, index, 40))).to.deep.equal([true, false])
    const longest = limits.paddedMaxBytes - 1 - 16
    expect([39, 40, longest, longest + 1].map((inner) => message(8, 0, inner))).to.deep.equal([
      ...[false, true],
      ...[true, false],
    ])
    const bare = (content: number): boolean =>
      reads(encodeCbor([of(content), null]), decodeSealed, sealedFrame)
    const whole = limits.paddedMaxBytes - 5
    expect([0, 1, whole, whole + 1].map(bare)).to.deep.equal([false, true, true, false])
  })

  it('associated data', () => {
    fc.assert(
      fc.property(fc.array(bytes(32, 32), { minLength: 4, maxLength: 4 }), numbers, (ids, generation) => {
        expect(packPlace(ids, generation)).to.deep.equal(encodeCbor([...ids, generation]))
      }),
    )
  })
})
