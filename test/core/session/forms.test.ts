import { expect } from 'chai'
import { sizes } from '../../../packages/core/src/crypto/index.ts'
import { limits } from '../../../packages/core/src/limits.ts'
import { sealedHeaderBytes } from '../../../packages/core/src/session/header.ts'
import { decodePairwise, encodePairwise, requestPqStep } from '../../../packages/core/src/session/index.ts'
import {
  bodyAssociated,
  decodeRatchetFrame,
  encodeRatchetFrame,
} from '../../../packages/core/src/session/ratchet-frame.ts'
import { agreedSuite } from '../../../packages/core/src/session/suite.ts'
import { readVarint, varintLength, writeVarint } from '../../../packages/core/src/session/varint.ts'
import { concat, encodeCbor } from '../../../packages/core/src/wire/index.ts'
import { establishedPair, twoEndpoints, type Endpoint } from '../../support/session-world.ts'

const filled = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i % 251)

/** A frame with a header and a body of so many sealed bytes. */
const frameOf = (header: number, body: number) => ({
  nonce: filled(sizes.aeadNonce),
  sealedHeader: filled(header),
  sealedBody: filled(body),
})

const asCbor = ({ nonce, sealedHeader, sealedBody }: ReturnType<typeof frameOf>): Uint8Array =>
  encodeCbor([1, 1, concat(nonce, sealedHeader), sealedBody])

describe('session: the form of a frame', () => {
  const { min, max } = sealedHeaderBytes
  const heads = [min, 255 - sizes.aeadNonce, 256 - sizes.aeadNonce, max]
  const longest = limits.frameBytes - 3 - (2 + sizes.aeadNonce + min) - 3

  it('is that of CBOR at every length of its parts, and is read back', () => {
    for (const head of heads)
      for (const body of [sizes.aeadTag, 23, 24, 255, 256, 4_000]) {
        const frame = frameOf(head, body)
        const bytes = encodeRatchetFrame(frame)
        expect(bytes, `${head} ${body}`).to.deep.equal(asCbor(frame))
        expect(decodeRatchetFrame(bytes), `${head} ${body}`).to.deep.equal(frame)
      }
    for (const body of [65_535, 65_536])
      expect(encodeRatchetFrame(frameOf(min, body))).to.deep.equal(asCbor(frameOf(min, body)))
  })

  it('ends at its limits', () => {
    const whole = encodeRatchetFrame(frameOf(min, longest))
    expect(whole).to.have.length(limits.frameBytes)
    expect(decodeRatchetFrame(whole)?.sealedBody).to.have.length(longest)
    expect(decodeRatchetFrame(encodeRatchetFrame(frameOf(min, longest + 1)))).to.equal(undefined)
    for (const [head, body] of [
      [min - 1, 100],
      [max + 1, 100],
      [min, sizes.aeadTag - 1],
    ] as const)
      expect(decodeRatchetFrame(encodeRatchetFrame(frameOf(head, body))), `${head} ${body}`).to.equal(
        undefined,
      )
  })

  it('is one: another version, another kind, bytes behind it and longer forms of a length are none', () => {
    const bytes = encodeRatchetFrame(frameOf(min, 300))
    for (const at of [0, 1, 2]) {
      const other = bytes.slice()
      other[at] = 9
      expect(decodeRatchetFrame(other), `byte ${at}`).to.equal(undefined)
    }
    expect(decodeRatchetFrame(concat(bytes, Uint8Array.of(0)))).to.equal(undefined)
    expect(decodeRatchetFrame(bytes.slice(0, -1))).to.equal(undefined)
    const { nonce, sealedHeader, sealedBody } = frameOf(min, sizes.aeadTag)
    const head = concat(nonce, sealedHeader)
    const [start, body] = [Uint8Array.of(0x84, 1, 1), concat(Uint8Array.of(0x40 | sizes.aeadTag), sealedBody)]
    const short = concat(start, Uint8Array.of(0x58, head.length), head)
    expect(decodeRatchetFrame(concat(short, body))?.sealedBody).to.deep.equal(sealedBody)
    for (const [name, frame] of [
      ['a head in three bytes', concat(start, Uint8Array.of(0x59, 0, head.length), head, body)],
      ['a body in two bytes', concat(short, Uint8Array.of(0x58, sizes.aeadTag), sealedBody)],
      ['a body that is text', concat(short, Uint8Array.of(0x60 | sizes.aeadTag), sealedBody)],
      ['a body that is a number', concat(short, Uint8Array.of(sizes.aeadTag), sealedBody)],
      ['a head that is a number', concat(start, Uint8Array.of(0x18, head.length), head, body)],
      ['a body in five bytes', concat(short, Uint8Array.of(0x5a, 0, 0, 0, sizes.aeadTag), sealedBody)],
      ['no body', short],
    ] as const)
      expect(decodeRatchetFrame(frame), name).to.equal(undefined)
  })

  it('binds a body to its header as the list of six that it is', () => {
    const five = [1, ...[1, 2, 3, 4].map((n) => new Uint8Array(32).fill(n))]
    for (const length of [min, 255, 256, max]) {
      const header = filled(length)
      expect(bodyAssociated(encodeCbor(five), header)).to.deep.equal(encodeCbor([...five, header]))
    }
  })
})

describe('session: counters', () => {
  const bounds = [
    0, 1, 0x7f, 0x80, 0x3fff, 0x4000, 0x1f_ffff, 0x20_0000, 0xfff_ffff, 0x1000_0000, 0xffff_ffff,
  ]
  const lengths = [1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]

  it('are written in their shortest form and read back', () => {
    for (const [i, value] of bounds.entries()) {
      const out = new Uint8Array(8)
      expect(varintLength(value), `${value}`).to.equal(lengths[i])
      expect(writeVarint(out, 1, value)).to.equal(1 + lengths[i]!)
      expect(readVarint(out, 1), `${value}`).to.equal(value)
    }
  })

  it('are none in a longer form, cut off, or past 32 bits', () => {
    for (const bytes of [
      [0x80, 0x00],
      [0xff, 0x00],
      [0x80, 0x80, 0x00],
      [0x80],
      [],
      [0x80, 0x80, 0x80, 0x80, 0x10],
      [0xff, 0xff, 0xff, 0xff, 0x7f],
      [0x80, 0x80, 0x80, 0x80, 0x80, 0x00],
      [0x80, 0x80, 0x80, 0x80, 0x80, 0x01],
    ])
      expect(readVarint(Uint8Array.from(bytes), 0), bytes.join()).to.equal(undefined)
  })
})

describe('session: suites', () => {
  it('agree on the highest that both allow and this build speaks', () => {
    const range = (suite: number, minSuite: number) => ({ suite, minSuite })
    expect(agreedSuite(range(1, 1), range(1, 1))).to.equal(1)
    expect(agreedSuite(range(3, 1), range(1, 1))).to.equal(1)
    expect(agreedSuite(range(1, 1), range(3, 1))).to.equal(1)
    expect(agreedSuite(range(3, 2), range(1, 1))).to.equal(undefined)
    expect(agreedSuite(range(1, 1), range(2, 2))).to.equal(undefined)
    expect(agreedSuite(range(0, 0), range(1, 0))).to.equal(undefined)
  })
})

/** A state with all there can be in it: chains, skipped keys, offers, an archived session and a rival. */
function fullState(): Endpoint {
  const [alice, bob] = twoEndpoints()
  alice.begin(bob.device)
  bob.begin(alice.device)
  const [fromAlice, fromBob] = [alice.send('a'), bob.send('b')]
  bob.receive(fromAlice)
  alice.receive(fromBob)
  for (let n = 0; n < 3; n++) {
    bob.send('lost')
    alice.receive(bob.send('on time'))
    bob.receive(alice.send('turn'))
  }
  alice.peer = requestPqStep(alice.peer)
  alice.send('with an offer')
  bob.peer = requestPqStep(bob.peer)
  alice.receive(bob.send('with another'))
  alice.begin(bob.device)
  return alice
}

describe('session: the stored form', () => {
  it('is read back to the same bytes, with the times in it', () => {
    const { peer } = fullState()
    const bytes = encodePairwise(peer)
    const read = decodePairwise(bytes)
    expect(encodePairwise(read!)).to.deep.equal(bytes)
    expect(read!.handshakeAtMs).to.equal(peer.handshakeAtMs)
    expect(read!.sessions.map(({ createdAtMs }) => createdAtMs)).to.deep.equal(
      peer.sessions.map(({ createdAtMs }) => createdAtMs),
    )
  })

  it('is none when it is cut off anywhere, has anything behind it, or another version', () => {
    const bytes = fullState().snapshot()
    for (let length = 0; length < bytes.length; length += 1 + (length % 7))
      expect(decodePairwise(bytes.slice(0, length)), `${length} bytes`).to.equal(undefined)
    expect(decodePairwise(concat(bytes, Uint8Array.of(0)))).to.equal(undefined)
    expect(decodePairwise(concat(Uint8Array.of(2), bytes.slice(1)))).to.equal(undefined)
    expect(decodePairwise(bytes)).to.not.equal(undefined)
  })

  it('is none with more sessions or chains than are kept, with unknown flags, or with a time beyond all times', () => {
    const [alice] = establishedPair()
    const { peer } = alice
    const [session] = peer.sessions
    const many = Array.from({ length: 2 + limits.archivedSessions }, () => session!)
    expect(decodePairwise(encodePairwise({ ...peer, sessions: many.slice(1) }))?.sessions).to.have.length(
      1 + limits.archivedSessions,
    )
    expect(decodePairwise(encodePairwise({ ...peer, sessions: many }))).to.equal(undefined)
    const [chain] = session!.ratchet.receiving
    const withChains = (count: number): Uint8Array => {
      const receiving = Array.from({ length: count }, () => chain!)
      return encodePairwise({
        ...peer,
        sessions: [{ ...session!, ratchet: { ...session!.ratchet, receiving } }],
      })
    }
    expect(decodePairwise(withChains(limits.receiveChains))).to.not.equal(undefined)
    expect(decodePairwise(withChains(limits.receiveChains + 1))).to.equal(undefined)
    const flags = alice.snapshot()
    flags[10] = 16
    expect(decodePairwise(flags)).to.equal(undefined)
    const time = alice.snapshot()
    time[1] = 0xff
    expect(decodePairwise(time)).to.equal(undefined)
  })
})
