import { expect } from 'chai'
import fc from 'fast-check'
import {
  acknowledge,
  comparePositions,
  covers,
  holds,
  insertInto,
  missingCount,
  nothingReceived,
  receive,
  type Page,
  type Position,
} from '../../../packages/core/src/history/index.ts'

const position = fc
  .record({ segment: fc.nat(2), lamport: fc.nat(20), id: fc.uint8Array({ minLength: 2, maxLength: 2 }) })
  .map((one): Position => one)

describe('history: shown order and what is held', () => {
  it('inserts positions in any order into the same page', () => {
    fc.assert(
      fc.property(fc.array(position, { maxLength: 40 }), fc.nat(), (positions, turn) => {
        const build = (order: readonly Position[]): Page =>
          order.reduce<Page>((page, one) => insertInto(page, one), [])
        const rotated =
          positions.length === 0
            ? positions
            : [...positions.slice(turn % positions.length), ...positions.slice(0, turn % positions.length)]
        const page = build(positions)
        expect(build(rotated)).to.deep.equal(page)
        for (const [i, one] of page.entries()) {
          const before = page[i - 1]
          if (before !== undefined) expect(comparePositions(before, one)).to.be.below(0)
        }
      }),
    )
  })

  it('counts what is held as a set would', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(60), { maxLength: 80 }), fc.nat(12), (aseqs, max) => {
        const received = aseqs.reduce(receive, nothingReceived)
        const set = new Set(aseqs)
        for (let aseq = 0; aseq <= 61; aseq++) expect(holds(received, aseq)).to.equal(set.has(aseq))
        const highest = Math.max(-1, ...set)
        expect(missingCount(received)).to.equal(highest + 1 - set.size)
        const ack = acknowledge(received, max)
        expect(ack.holes.length).to.be.at.most(max)
        for (let aseq = 0; aseq <= 61; aseq++) if (covers(ack, aseq)) expect(set.has(aseq)).to.equal(true)
        if (missingCount(received) <= max) for (const aseq of set) expect(covers(ack, aseq)).to.equal(true)
      }),
    )
  })
})
