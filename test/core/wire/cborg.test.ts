/** Frames against another library's CBOR: the same bytes written, and the same bytes taken and refused. */
import { expect } from 'chai'
import { decode, encode } from 'cborg'
import fc from 'fast-check'
import {
  bool,
  bytesBetween,
  encodeCbor,
  fields,
  frame,
  list,
  literal,
  nullable,
  oneOf,
  openOneOf,
  text,
  uint,
  type Cbor,
  type Shape,
} from '../../../packages/core/src/wire/index.ts'

/** A shape, values of it with what they are as plain data, and a second reading of its declaration. */
interface Model {
  readonly shape: Shape<unknown>
  readonly values: fc.Arbitrary<{ readonly value: unknown; readonly plain: Cbor }>
  readonly fits: (raw: unknown) => boolean
}

const model = <T>(
  shape: Shape<T>,
  values: fc.Arbitrary<T>,
  fits: (raw: unknown) => boolean,
  plain: (value: T) => Cbor = (value) => value as Cbor,
): Model => ({
  shape: shape as Shape<unknown>,
  values: values.map((value) => ({ value, plain: plain(value) })),
  fits,
})

const numbers = (max: number): fc.Arbitrary<number> =>
  fc
    .oneof(
      fc.constantFrom(0, 23, 24, 255, 256, 65_535, 65_536, 0xffff_ffff, 0x1_0000_0000, max),
      fc.nat(max > 0x7fff_ffff ? 0x7fff_ffff : max),
    )
    .map((n) => Math.min(n, max))

const isNumber = (raw: unknown, max: number): boolean =>
  typeof raw === 'number' && Number.isSafeInteger(raw) && raw >= 0 && raw <= max
const utf8Bytes = (value: string): number => Buffer.byteLength(value, 'utf8')
const strings = fc.oneof(fc.string({ maxLength: 30 }), fc.string({ unit: 'binary', maxLength: 30 }))

const uints = fc
  .constantFrom(0, 23, 255, 70_000, Number.MAX_SAFE_INTEGER)
  .map((max) => model(uint(max), numbers(max), (raw) => isNumber(raw, max)))
const blobs = fc
  .tuple(fc.nat(3), fc.nat(300))
  .map(([min, more]) =>
    model(
      bytesBetween(min, min + more),
      fc.uint8Array({ minLength: min, maxLength: min + more }),
      (raw) => raw instanceof Uint8Array && raw.length >= min && raw.length <= min + more,
    ),
  )
const texts = fc.nat(100).map((max) =>
  model(
    text(max),
    strings.filter((value) => value.isWellFormed() && !value.startsWith('\ufeff') && utf8Bytes(value) <= max),
    (raw) => typeof raw === 'string' && utf8Bytes(raw) <= max,
  ),
)
const one = fc.constantFrom(
  model(bool, fc.boolean(), (raw) => typeof raw === 'boolean'),
  model(literal(7), fc.constant(7 as const), (raw) => raw === 7),
)
const leaf = fc.oneof(uints, blobs, texts, one)

const nullables = (inner: Model): Model => ({
  shape: nullable(inner.shape),
  values: fc.oneof(inner.values, fc.constant({ value: null, plain: null })),
  fits: (raw) => raw === null || inner.fits(raw),
})
const lists = (inner: Model): Model => ({
  shape: list(inner.shape, 3) as Shape<unknown>,
  values: fc
    .array(inner.values, { maxLength: 3 })
    .map((items) => ({ value: items.map(({ value }) => value), plain: items.map(({ plain }) => plain) })),
  fits: (raw) => Array.isArray(raw) && raw.length <= 3 && raw.every(inner.fits),
})

const named = (inner: readonly Model[]): Record<string, Shape<unknown>> =>
  Object.fromEntries(inner.map(({ shape }, i) => [`f${String(i)}`, shape]))
const fieldValues = (inner: readonly Model[]) =>
  fc.tuple(...inner.map(({ values }) => values)).map((items) => ({
    value: Object.fromEntries(items.map(({ value }, i) => [`f${String(i)}`, value])),
    plain: items.map(({ plain }) => plain),
  }))
const fit = (inner: readonly Model[], raw: readonly unknown[]): boolean =>
  raw.length === inner.length && inner.every(({ fits }, i) => fits(raw[i]))

const records = (inner: readonly Model[]): Model => ({
  shape: fields(named(inner)) as Shape<unknown>,
  values: fieldValues(inner),
  fits: (raw) => Array.isArray(raw) && fit(inner, raw),
})
const unions = (inner: readonly Model[], open: boolean): Model => ({
  shape: (open ? openOneOf : oneOf)({ a: [0, named(inner)], b: [300, {}] }) as Shape<unknown>,
  values: fc.oneof(
    fieldValues(inner).map(({ value, plain }) => ({ value: { kind: 'a', ...value }, plain: [0, ...plain] })),
    fc.constant({ value: { kind: 'b' }, plain: [300] }),
  ),
  fits: (raw) => {
    if (!Array.isArray(raw)) return false
    const [tag, ...rest] = raw as unknown[]
    if (tag === 0) return fit(inner, rest)
    if (tag === 300) return rest.length === 0
    return open && isNumber(tag, Number.MAX_SAFE_INTEGER) && rest.every((item) => isSubset(item, 8))
  },
})

/** What frames may consist of, arrays nested so deep at most. */
const isSubset = (raw: unknown, depth: number): boolean =>
  raw === null ||
  typeof raw === 'boolean' ||
  typeof raw === 'string' ||
  raw instanceof Uint8Array ||
  isNumber(raw, Number.MAX_SAFE_INTEGER) ||
  (Array.isArray(raw) && depth > 0 && raw.every((item) => isSubset(item, depth - 1)))

const several = (inner: fc.Arbitrary<Model>): fc.Arbitrary<Model[]> => fc.array(inner, { maxLength: 4 })
const models: fc.Arbitrary<Model> = fc.letrec<{ model: Model }>((tie) => ({
  model: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    tie('model').map(nullables),
    tie('model').map(lists),
    several(tie('model')).map(records),
    fc.tuple(several(tie('model')), fc.boolean()).map(([inner, open]) => unions(inner, open)),
  ),
})).model

/** Whether the other library reads exactly these bytes as something that fits. */
function taken({ fits }: Model, input: Uint8Array): boolean {
  try {
    const raw: unknown = decode(input, {
      strict: true,
      allowIndefinite: false,
      allowBigInt: false,
      useMaps: true,
    })
    return fits(raw) && Buffer.compare(encode(raw), input) === 0
  } catch {
    return false
  }
}

/** Like the shapes, but far from all of them. */
const rubbish = fc.anything({ maxDepth: 4, withMap: false, key: fc.constantFrom('a') }).map((value) => {
  try {
    return encode(value)
  } catch {
    return new Uint8Array(0)
  }
})

const encodings = models.chain((of) =>
  fc.tuple(
    fc.constant(of),
    fc.oneof(
      { weight: 4, arbitrary: of.values.map(({ plain }) => encode(plain)) },
      { weight: 1, arbitrary: rubbish },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 12 }) },
    ),
    fc.array(fc.tuple(fc.nat(), fc.oneof(fc.nat(255), fc.constantFrom(0x18, 0x80, 0xf6, 0xf7, 0xfb, 0xff))), {
      maxLength: 1,
    }),
    fc.constantFrom(0, 0, 0, 1, -1),
  ),
)

/** SOTTO_DIFFERENTIAL=20 runs twenty times as many. */
const scale = Number(process.env['SOTTO_DIFFERENTIAL'] ?? '1')

describe('wire: CBOR, differential', function () {
  this.timeout(60_000 * Math.max(1, scale))

  it('writes what another library writes: 1,000 values of any shape', () => {
    fc.assert(
      fc.property(
        models.chain((of) => fc.tuple(fc.constant(of), of.values)),
        ([of, { value, plain }]) => {
          const declared = frame('any', of.shape)
          const encoded = declared.encode(value)
          expect(Buffer.compare(encoded, encode(plain))).to.equal(0)
          expect(Buffer.compare(encodeCbor(plain), encoded)).to.equal(0)
          expect(declared.decode(encoded)).to.deep.equal({ ok: true, value })
        },
      ),
      { numRuns: 1_000 * scale },
    )
  })

  it('takes and refuses what another library and a second reading take and refuse: 3,000 inputs', () => {
    let [kept, refused] = [0, 0]
    fc.assert(
      fc.property(encodings, ([of, good, changes, length]) => {
        const input =
          length < 0 ? good.slice(0, length) : Uint8Array.from([...good, ...Array<number>(length).fill(0)])
        for (const [at, byte] of changes) if (input.length > 0) input[at % input.length] = byte
        // The other library drops a byte order mark.
        fc.pre(Buffer.from(input).indexOf('\ufeff') < 0)
        const { ok } = frame('any', of.shape).decode(input)
        expect(ok).to.equal(taken(of, input))
        if (ok) kept += 1
        else refused += 1
      }),
      { numRuns: 3_000 * scale },
    )
    expect(Math.min(kept, refused)).to.be.greaterThan(300)
  })

  it('reads UTF-8 as the platform does, to every lead byte and the edges of every length', () => {
    const name = frame('name', text(8))
    const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
    const second = [0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff]
    const later = [0x7f, 0x80, 0xbf, 0xc0]
    const read = (input: Uint8Array): string | undefined => {
      try {
        return strict.decode(input)
      } catch {
        return undefined
      }
    }
    const check = (...input: number[]): void => {
      const bytes = Uint8Array.from(input)
      const decoded = name.decode(Uint8Array.of(0x60 | input.length, ...input))
      if ((decoded.ok ? decoded.value : undefined) !== read(bytes))
        expect.fail(Buffer.from(bytes).toString('hex'))
    }
    for (let lead = 0; lead < 256; lead++) {
      check(lead)
      for (const a of second) {
        check(lead, a)
        for (const b of later) {
          check(lead, a, b)
          for (const c of later) check(lead, a, b, c)
        }
      }
    }
  })

  it('keeps a text that begins with a byte order mark', () => {
    const name = frame('name', text(8))
    expect(name.decode(name.encode('\ufeffhi'))).to.deep.equal({ ok: true, value: '\ufeffhi' })
  })
})
