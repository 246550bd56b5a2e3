import { expect } from 'chai'
import fc from 'fast-check'
import {
  acknowledge,
  compareEntries,
  covers,
  holds,
  insertInto,
  missingCount,
  nothingReceived,
  receive,
  type Page,
  type PageEntry,
} from '../../../packages/core/src/history/index.ts'

const entry = fc
  .record({ kind: fc.constant(0), lamport: fc.nat(20), id: fc.uint8Array({ minLength: 1, maxLength: 2 }) })
  .map((one): PageEntry => one)

describe('history: shown order and what is held', () => {
  it('inserts records in any order into the same page', () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 40 }), fc.nat(), (entries, turn) => {
        const build = (order: readonly PageEntry[]): Page =>
          order.reduce<Page>((page, one) => insertInto(page, one), [])
        const rotated =
          entries.length === 0
            ? entries
            : [...entries.slice(turn % entries.length), ...entries.slice(0, turn % entries.length)]
        const page = build(entries)
        expect(build(rotated)).to.deep.equal(page)
        for (const [i, one] of page.entries()) {
          const before = page[i - 1]
          if (before !== undefined) expect(compareEntries(before, one)).to.be.below(0)
        }
      }),
    )
  })

  it('counts what is held as a set would', () => {
    const numbers = fc.array(fc.nat(60), { maxLength: 80 })
    fc.assert(
      fc.property(numbers, fc.nat(12), numbers, (aseqs, max, without) => {
        const received = aseqs.reduce(receive, nothingReceived)
        const set = new Set(aseqs)
        for (let aseq = 0; aseq <= 61; aseq++) expect(holds(received, aseq)).to.equal(set.has(aseq))
        const highest = Math.max(-1, ...set)
        expect(missingCount(received)).to.equal(highest + 1 - set.size)
        const ack = acknowledge(received, max)
        expect(ack.holes.length).to.be.at.most(max)
        for (let aseq = 0; aseq <= 61; aseq++) if (covers(ack, aseq)) expect(set.has(aseq)).to.equal(true)
        if (missingCount(received) <= max) for (const aseq of set) expect(covers(ack, aseq)).to.equal(true)
        const less = acknowledge(received, max, without)
        expect(less.holes.length).to.be.at.most(max)
        const told = [...set].filter((aseq) => covers(less, aseq))
        expect(told.filter((aseq) => without.includes(aseq))).to.deep.equal([])
        for (let aseq = 0; aseq <= 61; aseq++) if (covers(less, aseq)) expect(set.has(aseq)).to.equal(true)
        if (missingCount(received) + new Set(without).size <= max)
          expect(told).to.have.members([...set].filter((aseq) => !without.includes(aseq)))
      }),
    )
  })
})
