import { expect } from 'chai'
import {
  bytesBetween,
  encodeCbor,
  fields,
  frame,
  lendCbor,
  text,
} from '../../../packages/core/src/wire/index.ts'

describe('wire memory', () => {
  const shape = fields({ label: text(2_000), blob: bytesBetween(0, 9_000) })
  const declared = frame('memory', shape)
  const sizes = [0, 1, 23, 100, 127, 128, 129, 200, 255, 256, 300, 1_000, 4_096, 9_000]

  it('encodes into plain bytes that share memory with nothing', () => {
    for (const size of sizes)
      for (const label of ['', 'relay.example.org', 'x'.repeat(300)]) {
        const out = declared.encode({ label, blob: new Uint8Array(size).fill(7) })
        expect(out.constructor, `${size}`).to.equal(Uint8Array)
        expect(out.buffer.byteLength, `${size}`).to.equal(out.length)
        const copy = out.slice()
        copy.fill(0)
        expect(declared.decode(out).ok, `${size}`).to.equal(true)
      }
    expect(encodeCbor([1, 'two', null]).constructor).to.equal(Uint8Array)
  })

  it('decodes into bytes that outlive the input, from a Buffer too', () => {
    for (const size of sizes) {
      const encoded = declared.encode({ label: '', blob: new Uint8Array(size).fill(7) })
      for (const input of [encoded.slice(), Buffer.from(encoded)]) {
        const decoded = declared.decode(input)
        if (!decoded.ok) throw new Error(decoded.reason)
        input.fill(0)
        expect(decoded.value.blob.constructor).to.equal(Uint8Array)
        expect(decoded.value.blob).to.deep.equal(new Uint8Array(size).fill(7))
      }
    }
  })

  it('lends an encoding for one call, and leaves nothing of it behind', () => {
    const value = [new Uint8Array(300_000).fill(7), 'label'] as const
    for (const size of [10, 5_000, 300_000]) {
      const [lent, copy] = lendCbor(
        [value[0].subarray(0, size)],
        (encoded) => [encoded, encoded.slice()] as const,
      )
      expect(copy).to.deep.equal(encodeCbor([value[0].subarray(0, size)]))
      expect(lent.some((byte) => byte !== 0)).to.equal(false)
    }
    // One within another, the outer one growing the area meanwhile.
    const inner = (): Uint8Array => lendCbor([1, 'inner'], (encoded) => encoded.slice())
    const outer = lendCbor(value, (encoded) => [inner(), encoded.slice()] as const)
    expect(outer).to.deep.equal([encodeCbor([1, 'inner']), encodeCbor(value)])
  })
})
