import { expect } from 'chai'
import {
  growSegment,
  openSegment,
  sealSegment,
  SegmentDocument,
  tipsOf,
  type RecordHeader,
  type SegmentSet,
} from '../../../packages/core/src/history/index.ts'
import { toHex } from '../../../packages/core/src/wire/index.ts'
import { crdt } from '../../support/crdt.ts'
import {
  arrivalOf,
  countedIds,
  crypto,
  deliver,
  drawFrom,
  emptyFor,
  membersOnly,
  randomSegment,
  shuffled,
  write,
  writer,
  writers,
  type Draw,
  type Written,
} from './segment-world.ts'

const hexAll = (ids: readonly Uint8Array[]): string => ids.map(toHex).join()
const placeOf = (set: SegmentSet) => ({ conversation: set.conversation, segment: set.segment })
const seal = (set: SegmentSet): Uint8Array =>
  sealSegment(crdt, crypto, placeOf(set), [...set.counted.values()])!

/** One replica's life: records come in some order, and what counts is folded in batches of some size. */
function live(draw: Draw, records: readonly Written[]) {
  const document = new SegmentDocument(crdt, crypto, records[0]!.header.content.segment)
  let set = emptyFor(records[0]!)
  let pending: RecordHeader[] = []
  const arrivals = shuffled(draw, records).map(arrivalOf)
  const every = 1 + draw(30)
  for (const arrival of arrivals) {
    const growth = growSegment(crypto, set, 'a', [arrival], membersOnly())
    set = growth.set
    pending.push(...growth.counted)
    if (draw(every) === 0) {
      document.fold(shuffled(draw, pending))
      pending = []
    }
  }
  document.fold(pending)
  return { set, document }
}

describe('history: segment documents', () => {
  it('have equal heads and equal sealed files for equal sets, in 20 orders and batchings', function () {
    const count = Number(process.env['SOTTO_SEGMENT'] ?? 80)
    this.timeout(count * 1_000)
    let forks = 0
    for (let seed = 0; seed < 4; seed++) {
      const draw = drawFrom(seed)
      const records = randomSegment(draw, { count, forkOneIn: 20 })
      const heads = new Set<string>()
      const files = new Set<string>()
      for (let order = 0; order < 20; order++) {
        const { set, document } = live(draw, records)
        expect(document.size).to.equal(records.length)
        heads.add(hexAll(document.heads()))
        files.add(toHex(seal(set)))
        if (order === 0 && tipsOf(set).length > writers.length) forks++
        document.free()
      }
      expect([heads.size, files.size], `seed ${seed}`).to.deep.equal([1, 1])
    }
    expect(forks).to.be.greaterThan(1)
  })

  it('differ when the sets differ, and agree again when they do', () => {
    const records = randomSegment(drawFrom(9), { count: 40, forkOneIn: 0 })
    const [some, all] = [records.slice(0, 30), records].map((part) => {
      const document = new SegmentDocument(crdt, crypto, records[0]!.header.content.segment)
      document.fold(part.map(({ header }) => header))
      return document
    })
    expect(hexAll(some!.heads())).to.not.equal(hexAll(all!.heads()))
    some!.fold(records.map(({ header }) => header))
    expect(hexAll(some!.heads())).to.equal(hexAll(all!.heads()))
  })

  it('give every record back byte for byte, with the tips’ signatures, after sealing', () => {
    for (let seed = 0; seed < 10; seed++) {
      const draw = drawFrom(100 + seed)
      const records = randomSegment(draw, { count: 150 })
      const set = deliver(draw, emptyFor(records[0]!), records.map(arrivalOf))
      const opened = openSegment(crdt, crypto, placeOf(set), seal(set), membersOnly())!
      const wanted = records.map(({ header }) => toHex(header.bytes)).sort()
      expect(opened.map(({ header }) => toHex(header.bytes)).sort()).to.deep.equal(wanted)
      const signed = opened.filter(({ signature }) => signature !== null)
      expect(signed.map(({ header }) => toHex(header.id)).sort()).to.deep.equal(
        tipsOf(set).map(({ header }) => toHex(header.id)),
      )
      const again = growSegment(crypto, emptyFor(records[0]!), 'own file', opened, membersOnly())
      expect(countedIds(again.set)).to.deep.equal(countedIds(set))
      expect(toHex(seal(again.set))).to.equal(toHex(seal(set)))
    }
  })

  it('carry every field of a record, however unusual', () => {
    const [ann] = writers
    const place = {
      conversation: crypto.sha256(new Uint8Array(1)),
      segment: crypto.sha256(new Uint8Array(2)),
    }
    const ids = (n: number) => Array.from({ length: n }, (_, i) => crypto.sha256(Uint8Array.of(n, i)))
    const first = write(ann!, place, undefined, [], {
      aseq: 0,
      selfPrev: null,
      timestampMs: 0,
      xrefs: ids(8),
    })
    const second = write(ann!, place, first.header, [], {
      ...{ kind: 3, ttlMs: 5, target: ids(1)[0]!, history: 1, groupHeads: ids(8) },
      ...{ timestampMs: Number.MAX_SAFE_INTEGER, sizeClass: 9 },
    })
    const third = write(ann!, place, second.header, [], {
      ...{ kind: 1, ttlMs: 5, target: ids(2)[1]!, groupHeads: ids(8), timestampMs: 3, aseq: 2 },
    })
    const set = deliver(drawFrom(0), emptyFor(first), [first, second, third].map(arrivalOf))
    expect(set.counted.size).to.equal(3)
    const opened = openSegment(crdt, crypto, placeOf(set), seal(set), membersOnly())!
    expect(opened.map(({ header }) => header.bytes)).to.deep.equal(
      [first, second, third].map(({ header }) => header.bytes),
    )
  })

  it('are condemned as a whole when anything is amiss', () => {
    const draw = drawFrom(5)
    const records = randomSegment(draw, { count: 60 })
    const set = deliver(draw, emptyFor(records[0]!), records.map(arrivalOf))
    const file = seal(set)
    const open = (bytes: Uint8Array, place = placeOf(set), authorOf = membersOnly()) =>
      openSegment(crdt, crypto, place, bytes, authorOf)
    expect(open(file)).to.have.length(60)
    expect(open(file, { ...placeOf(set), segment: set.conversation })).to.equal(undefined)
    expect(open(file, { ...placeOf(set), conversation: set.segment })).to.equal(undefined)
    expect(open(file, placeOf(set), membersOnly([writer('eve')]))).to.equal(undefined)
    for (let i = 0; i < 150; i++) {
      const copy = file.slice()
      const at = draw(copy.length)
      copy[at] = (copy[at] ?? 0) ^ (1 << draw(8))
      expect(open(copy), `bit of byte ${at}`).to.equal(undefined)
    }
    for (let i = 0; i < 50; i++) expect(open(file.slice(0, draw(file.length)))).to.equal(undefined)
  })

  it('do not change by anything hostile that a segment set is given', () => {
    const draw = drawFrom(77)
    const records = randomSegment(draw, { count: 40, forkOneIn: 0 })
    const { set, document } = live(draw, records)
    const before = hexAll(document.heads())
    const eve = writer('eve')
    const place = placeOf(set)
    const [ann, ben] = writers
    const some = () => records[draw(records.length)]!.header
    const hostile = Array.from({ length: 400 }, (_, i): Written => {
      const part = { text: `hostile ${i}` }
      switch (draw(6)) {
        case 0:
          return write(eve, place, undefined, [some()], part)
        case 1:
          return write({ ...ann!, keys: eve.keys }, place, undefined, [some()], part)
        case 2:
          return write(ann!, place, undefined, [some()], { ...part, lamport: 2 ** (10 + draw(43)) })
        case 3:
          return write(ben!, place, some(), [], { ...part, sseq: 2 + draw(499), aseq: 3 })
        case 4:
          return write(ann!, place, undefined, [], { ...part, refs: [crypto.sha256(Uint8Array.of(i & 255))] })
        default:
          return write(ben!, place, undefined, [some(), some()], { ...part, lamport: draw(1_000) + 100 })
      }
    })
    const growth = growSegment(crypto, set, 'eve', shuffled(draw, hostile).map(arrivalOf), membersOnly())
    expect(growth.counted).to.deep.equal([])
    document.fold(growth.counted)
    expect(hexAll(document.heads())).to.equal(before)
    expect(toHex(seal(growth.set))).to.equal(toHex(seal(set)))
  })

  it('hold a member’s flood of branches, alike in every replica', () => {
    const draw = drawFrom(21)
    const records = [...randomSegment(draw, { count: 20, forkOneIn: 0 })]
    const [ann] = writers
    const { conversation, segment } = records[0]!.header.content
    const after = records.find(({ header }) => toHex(header.content.device) === toHex(ann!.device))!
    for (let i = 0; i < 150; i++) {
      const branch = write(ann!, { conversation, segment }, after.header, [], { text: `branch ${i}` })
      records.push(branch, write(ann!, { conversation, segment }, branch.header, [], { text: `more ${i}` }))
    }
    const [a, b] = [live(draw, records), live(draw, records)]
    expect(a.document.size).to.equal(320)
    expect(hexAll(a.document.heads())).to.equal(hexAll(b.document.heads()))
    expect(toHex(seal(a.set))).to.equal(toHex(seal(b.set)))
    expect(openSegment(crdt, crypto, placeOf(a.set), seal(a.set), membersOnly())).to.have.length(320)
  })
})
