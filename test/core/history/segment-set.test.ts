import { expect } from 'chai'
import type { Signature } from '../../../packages/core/src/crypto/index.ts'
import { growSegment, segmentId, tipsOf, type Arrival } from '../../../packages/core/src/history/index.ts'
import { limits } from '../../../packages/core/src/limits.ts'
import { idKey, toHex } from '../../../packages/core/src/wire/index.ts'
import {
  arrivalOf,
  countedIds,
  crypto,
  deliver,
  drawFrom,
  emptyFor,
  idFor,
  membersOnly,
  randomSegment,
  shuffled,
  write,
  writer,
  writers,
  type Written,
} from './segment-world.ts'

const damaged = (signature: Signature): Signature => {
  const copy = signature.slice()
  copy[5] = (copy[5] ?? 0) ^ 1
  return copy as Signature
}

/** What should count, by the definition: read off the records and good signatures, with no state at all. */
function countedByDefinition(records: readonly Written[], good: ReadonlySet<string>): string[] {
  const authentic = new Set(good)
  for (const { header } of records.toSorted((a, b) => b.header.content.lamport - a.header.content.lamport))
    if (authentic.has(toHex(header.id)) && header.content.sseq > 1)
      authentic.add(toHex(header.content.selfPrev!))
  const counted = new Set<string>()
  for (const { header } of records.toSorted((a, b) => a.header.content.lamport - b.header.content.lamport)) {
    const { refs, sseq, selfPrev } = header.content
    const links = sseq > 1 ? [...refs, selfPrev!] : refs
    if (authentic.has(toHex(header.id)) && links.every((id) => counted.has(toHex(id))))
      counted.add(toHex(header.id))
  }
  return [...counted].sort()
}

describe('history: which records of a segment count', () => {
  it('is the same in every order and batching, with 30 % bad signatures (40 sets, 4 replicas)', () => {
    let [partial, forks] = [0, 0]
    for (let seed = 0; seed < 40; seed++) {
      const draw = drawFrom(seed)
      const records = randomSegment(draw, { count: 60 })
      const good = new Set<string>()
      const arrivals: Arrival[] = records.map((record) => {
        const bad = draw(10) < 3
        if (!bad) good.add(toHex(record.header.id))
        return {
          header: record.header,
          signature: bad ? (draw(2) === 0 ? null : damaged(record.signature)) : record.signature,
        }
      })
      const replicas = Array.from({ length: 4 }, () => {
        const again = arrivals.filter(() => draw(5) === 0)
        return deliver(draw, emptyFor(records[0]!), shuffled(draw, [...arrivals, ...again]))
      })
      const expected = countedByDefinition(records, good)
      for (const replica of replicas) expect(countedIds(replica), `seed ${seed}`).to.deep.equal(expected)
      if (expected.length < records.length) partial++
      if (tipsOf(replicas[0]!).length > writers.length) forks++
    }
    expect(partial, 'sets in which bad signatures mattered').to.be.greaterThan(20)
    expect(forks, 'sets with forks').to.be.greaterThan(20)
  })

  it('is the same for who checks every record and who has one signature a device and branch', () => {
    for (let seed = 0; seed < 10; seed++) {
      const draw = drawFrom(seed)
      const records = randomSegment(draw, { count: 80 })
      const live = deliver(draw, emptyFor(records[0]!), records.map(arrivalOf))
      const tips = new Set(tipsOf(live).map(({ header }) => toHex(header.id)))
      const lean = records.map(({ header, signature }) => ({
        header,
        signature: tips.has(toHex(header.id)) ? signature : null,
      }))
      let checks = 0
      const counting = {
        ...crypto,
        verify: (...args: Parameters<typeof crypto.verify>) => (checks++, crypto.verify(...args)),
      }
      const caughtUp = growSegment(counting, emptyFor(records[0]!), 'a', lean, membersOnly())
      expect(countedIds(caughtUp.set)).to.deep.equal(countedIds(live))
      expect(countedIds(live)).to.have.length(80)
      expect(checks).to.equal(tips.size)
    }
  })

  it('takes a record that was lost again on the word of the one that follows it', () => {
    const draw = drawFrom(71)
    const records = randomSegment(draw, { count: 30 })
    const whole = deliver(draw, emptyFor(records[0]!), records.map(arrivalOf))
    const tips = new Set(tipsOf(whole).map(({ header }) => toHex(header.id)))
    for (const { header } of records) {
      const counted = new Map(whole.counted)
      expect(counted.delete(idKey(header.id))).to.equal(true)
      const again = { header, signature: null }
      const { set } = growSegment(crypto, { ...whole, counted }, 'peer', [again], membersOnly())
      // Nothing that is held answers for a tip but its own signature.
      expect(set.counted.size).to.equal(
        tips.has(toHex(header.id)) ? whole.counted.size - 1 : whole.counted.size,
      )
    }
  })

  it('takes a good signature whatever bad ones came before or after', () => {
    const [only] = randomSegment(drawFrom(1), { count: 1 })
    const good = arrivalOf(only!)
    const bad = { header: good.header, signature: damaged(only!.signature) }
    const none = { header: good.header, signature: null }
    for (const order of [
      [good, bad, none],
      [bad, none, good],
      [none, bad, good],
    ]) {
      const { set } = order.reduce(
        (growth, one) => growSegment(crypto, growth.set, 'a', [one], membersOnly()),
        { set: emptyFor(only!) },
      )
      expect(countedIds(set)).to.deep.equal([toHex(only!.header.id)])
    }
  })

  it('waits for a member to be known, and for the first record of all', () => {
    const records = randomSegment(drawFrom(2), { count: 30, forkOneIn: 0 })
    const unknown = growSegment(crypto, emptyFor(records[0]!), 'a', records.map(arrivalOf), () => ({
      standing: 'unknown',
    }))
    expect(unknown.counted).to.deep.equal([])
    const known = growSegment(crypto, unknown.set, 'a', [], membersOnly())
    expect(known.counted).to.have.length(30)
    const orphans = growSegment(
      crypto,
      emptyFor(records[0]!),
      'a',
      records.slice(1).map(arrivalOf),
      membersOnly(),
    )
    const rest = growSegment(crypto, orphans.set, 'b', [arrivalOf(records[0]!)], membersOnly())
    expect(countedIds(rest.set)).to.have.length(30)
    expect(rest.set.waiting.size).to.equal(0)
  })

  it('gives what became countable in an order in which each follows what it requires', () => {
    const draw = drawFrom(3)
    const records = randomSegment(draw, { count: 60 })
    const { counted } = growSegment(
      crypto,
      emptyFor(records[0]!),
      'a',
      shuffled(draw, records).map(arrivalOf),
      membersOnly(),
    )
    const seen = new Set<string>()
    for (const { id, content } of counted) {
      for (const link of [...content.refs, ...(content.sseq > 1 ? [content.selfPrev!] : [])])
        expect(seen.has(toHex(link))).to.equal(true)
      seen.add(toHex(id))
    }
    expect(counted).to.have.length(60)
  })

  describe('counts nothing of', () => {
    const [ann, ben] = writers as [(typeof writers)[0], (typeof writers)[0]]
    const conversation = idFor('conversation')
    const place = { conversation, segment: segmentId(crypto, conversation, 0) }
    const first = write(ann, place, undefined, [])
    const second = write(ben, place, undefined, [first.header])
    const honest = deliver(drawFrom(0), emptyFor(first), [first, second].map(arrivalOf))
    const refusedFor = (record: Written): unknown => {
      const growth = growSegment(crypto, honest, 'x', [arrivalOf(record)], membersOnly())
      expect(countedIds(growth.set)).to.deep.equal(countedIds(honest))
      return growth.refused[0] ?? 'waits'
    }

    it('lying clocks, counters and links', () => {
      for (const lamport of [0, 1, 3, 2 ** 32, Number.MAX_SAFE_INTEGER])
        expect(refusedFor(write(ann, place, first.header, [], { lamport }))).to.equal('bad-lamport')
      expect(refusedFor(write(ann, place, first.header, [], { aseq: 9 }))).to.equal('bad-counter')
      expect(refusedFor(write(ann, place, first.header, [], { sseq: 3 }))).to.equal('bad-counter')
      expect(refusedFor(write(ann, place, second.header, []))).to.equal('bad-links')
      expect(refusedFor(write(ann, place, first.header, [first.header]))).to.equal('bad-links')
      expect(refusedFor(write(ann, place, undefined, [], { selfPrev: null }))).to.equal('bad-links')
      expect(refusedFor(write(ann, place, first.header, [], { refs: [idFor('nobody')] }))).to.equal('waits')
    })

    it('other segments, strangers and other people’s devices', () => {
      const elsewhere = { conversation, segment: segmentId(crypto, conversation, 1) }
      expect(refusedFor(write(ann, elsewhere, undefined, []))).to.equal('wrong-segment')
      expect(refusedFor(write(writer('eve'), place, undefined, []))).to.equal('no-member')
      expect(refusedFor(write({ ...ann, keys: ben.keys }, place, first.header, []))).to.equal('waits')
      const stolen = { ...ann, account: ben.account }
      expect(refusedFor(write(stolen, place, undefined, []))).to.equal('no-member')
    })

    it('records only a broken record vouches for, in either order', () => {
      const unsigned = write({ ...ann, keys: ben.keys }, place, first.header, [])
      const broken = write(ann, place, unsigned.header, [], { lamport: 40 })
      for (const order of [
        [unsigned, broken],
        [broken, unsigned],
      ])
        expect(countedIds(deliver(drawFrom(0), honest, order.map(arrivalOf)))).to.deep.equal(
          countedIds(honest),
        )
    })
  })

  it('holds a bounded number of copies, and a flood pushes out its own carrier’s', () => {
    const [ann] = writers
    const conversation = idFor('flooded')
    const place = { conversation, segment: segmentId(crypto, conversation, 0) }
    const root = write(ann!, place, undefined, [])
    const child = write(ann!, place, root.header, [])
    const orphan = (i: number): Arrival => ({
      header: write(ann!, place, root.header, [], { text: `${i}` }).header,
      signature: null,
    })
    const waits = growSegment(crypto, emptyFor(root), 'honest', [arrivalOf(child)], membersOnly())
    const flood = Array.from({ length: limits.heldRecords }, (_, i) => orphan(i))
    const full = growSegment(crypto, waits.set, 'flooder', flood.slice(1), membersOnly())
    expect([full.set.waiting.size, full.dropped]).to.deep.equal([limits.heldRecords, 0])
    const over = growSegment(crypto, full.set, 'flooder', flood.slice(0, 1), membersOnly())
    expect([over.set.waiting.size, over.dropped]).to.deep.equal([limits.heldRecords, 1])
    const settled = growSegment(crypto, over.set, 'honest', [arrivalOf(root)], membersOnly())
    expect(countedIds(settled.set)).to.deep.equal([toHex(root.header.id), toHex(child.header.id)].sort())
  })
})
