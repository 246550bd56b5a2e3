import { expect } from 'chai'
import fc from 'fast-check'
import { readRecordBytes, writeRecordBytes } from '../../../packages/core/src/history/record-bytes.ts'
import { recordFrame, type RecordContent } from '../../../packages/core/src/history/record-frame.ts'

const id = fc.uint8Array({ minLength: 32, maxLength: 32 })
/** Now and then a length no id has. */
const oddId = fc.oneof(
  { weight: 40, arbitrary: id },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }) },
)
const ids = fc.array(oddId, { maxLength: 9 })
const edges = [0, 23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER]
const uint = fc.oneof(fc.constantFrom(...edges), fc.maxSafeNat())
const small = (max: number) =>
  fc.oneof({ weight: 30, arbitrary: fc.nat(max) }, { weight: 1, arbitrary: uint })

const content: fc.Arbitrary<RecordContent> = fc.record({
  conversation: oddId,
  segment: id,
  kind: small(4),
  account: id,
  device: oddId,
  aseq: uint,
  sseq: small(500),
  selfPrev: fc.option(oddId),
  refs: ids,
  xrefs: ids,
  groupHeads: ids,
  lamport: uint,
  timestampMs: uint,
  ttlMs: fc.option(uint),
  target: fc.option(oddId),
  history: small(1),
  bodyCommit: oddId,
  sizeClass: uint,
})

function framed(value: RecordContent): Uint8Array | undefined {
  try {
    return recordFrame.encode(value)
  } catch {
    return undefined
  }
}

const read = (bytes: Uint8Array): RecordContent | undefined => {
  const decoded = recordFrame.decode(bytes)
  return decoded.ok ? decoded.value : undefined
}

describe('history: bytes of a record', () => {
  it('are written as the declared frame writes them, or not at all', () => {
    let refused = 0
    fc.assert(
      fc.property(content, (value) => {
        const wanted = framed(value)
        if (wanted === undefined) refused += 1
        expect(writeRecordBytes(value)).to.deep.equal(wanted)
      }),
      { numRuns: 1_000 },
    )
    expect(refused).to.be.within(50, 950)
  })

  it('are read as the declared frame reads them, or not at all', () => {
    let good = 0
    fc.assert(
      fc.property(
        content,
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 2 }),
        fc.nat(3),
        (value, changes, cut) => {
          const bytes = framed(value)
          if (bytes === undefined) return
          for (const [at, byte] of changes) bytes[at % bytes.length] = byte
          const input = cut === 0 ? bytes.slice(0, -1) : bytes
          const wanted = read(input)
          if (wanted !== undefined) good += 1
          expect(readRecordBytes(input)).to.deep.equal(wanted)
        },
      ),
      { numRuns: 2_000 },
    )
    expect(good).to.be.above(100)
  })

  it('are none when a number is longer than need be, or anything follows', () => {
    const [first] = fc.sample(
      content.filter((value) => framed(value) !== undefined && value.sizeClass < 24),
      1,
    )
    const bytes = framed(first!)!
    expect(readRecordBytes(bytes)).to.deep.equal(first)
    const longer = Uint8Array.of(...bytes.slice(0, -1), 24, bytes.at(-1)!)
    for (const input of [longer, Uint8Array.of(...bytes, 0), bytes.slice(0, 40), new Uint8Array(0)])
      expect([readRecordBytes(input), read(input)]).to.deep.equal([undefined, undefined])
  })
})
