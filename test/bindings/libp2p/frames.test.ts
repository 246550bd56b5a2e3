import { expect } from 'chai'
import fc from 'fast-check'
import { encodeFrame, FrameReader } from '../../../packages/core/bindings/libp2p/frames.ts'

const join = (parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts))

/** Cuts bytes at the given places. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const sorted = [...places.map((place) => place % (bytes.length + 1)), 0, bytes.length].sort((x, y) => x - y)
  return sorted.slice(1).map((end, at) => bytes.subarray(sorted[at], end))
}

describe('length-prefixed frames', () => {
  it('come back whole however the stream is cut', () => {
    const frames = fc.array(fc.uint8Array({ minLength: 1, maxLength: 700 }), { maxLength: 12 })
    fc.assert(
      fc.property(frames, fc.array(fc.nat(10_000), { maxLength: 30 }), (sent, places) => {
        const reader = new FrameReader(700)
        const read = cut(join(sent.map(encodeFrame)), places).flatMap((chunk) => reader.push(chunk).frames)
        expect(read.map((frame) => [...frame])).to.deep.equal(sent.map((frame) => [...frame]))
        expect(reader.partial).to.equal(false)
        // Each has its buffer to itself, so that it can be moved to another thread.
        for (const frame of read) expect(frame.buffer.byteLength).to.equal(frame.length)
      }),
    )
  })

  it('are taken at the limit and refused one past it, before the body', () => {
    const [whole, past] = [new Uint8Array(300).fill(1), new Uint8Array(301).fill(1)]
    expect(new FrameReader(300).push(encodeFrame(whole)).frames).to.have.length(1)
    expect(new FrameReader(300).push(encodeFrame(past).subarray(0, 2))).to.deep.equal({
      frames: [],
      fault: 'oversized',
    })
  })

  it('are refused when the length is 2^53, endless, written too long, or zero', () => {
    const faultOf = (...bytes: number[]): unknown =>
      new FrameReader(70_000).push(Uint8Array.from(bytes)).fault
    expect(faultOf(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10)).to.equal('oversized')
    expect(faultOf(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)).to.equal('oversized')
    expect(faultOf(0x81, 0x80, 0x80, 0x80, 0x00)).to.equal('oversized')
    expect(faultOf(0x81, 0x00)).to.equal('malformed')
    expect(faultOf(0x00)).to.equal('malformed')
  })

  it('never throw and never give more than came, whatever comes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 10 }), (chunks) => {
        const reader = new FrameReader(200)
        let [given, came] = [0, 0]
        for (const chunk of chunks) {
          came += chunk.length
          for (const frame of reader.push(chunk).frames) {
            given += frame.length + 1
            expect(frame.length).to.be.within(1, 200)
          }
        }
        expect(given).to.be.at.most(came)
      }),
    )
  })
})
