import { expect } from 'chai'
import {
  answerGaps,
  askGaps,
  decodeRuns,
  digestOf,
  encodeBodies,
  encodeRuns,
  linksHeld,
  matchBodies,
  recordsOfRuns,
  segmentId,
  syncBodiesFrame,
  type Gap,
} from '../../../packages/core/src/history/index.ts'
import { limits } from '../../../packages/core/src/limits.ts'
import { idKey, toHex } from '../../../packages/core/src/wire/index.ts'
import {
  arrivalOf,
  crypto,
  deliver,
  drawFrom,
  emptyFor,
  idFor,
  membersOnly,
  randomSegment,
  write,
  writer,
  writers,
  type Draw,
  type Written,
} from './segment-world.ts'
import { fill, noTraffic, Replica, round, sync } from './sync-world.ts'

/** A conversation of several segments; the n-th has depth n. */
function conversationOf(draw: Draw, counts: readonly number[], members = writers, forkOneIn = 0) {
  const conversation = idFor(`conversation ${draw(1e9)}`)
  const aseqs = new Map<string, { aseq: number; id: Uint8Array | null }>()
  const segments = counts.map((count, number) =>
    randomSegment(draw, { count, members, forkOneIn, conversation, number, aseqs }),
  )
  const replica = (some: (record: Written, depth: number, at: number) => boolean = () => true) => {
    const made = new Replica(conversation, membersOnly(members))
    for (const [depth, records] of segments.entries())
      made.hold(
        depth,
        records.filter((record, at) => some(record, depth, at)),
      )
    return made
  }
  return { conversation, segments, replica }
}

const idsOf = (segments: readonly (readonly Written[])[]): string[] =>
  segments.flatMap((records) => records.map(({ header }) => toHex(header.id))).sort()

describe('history: sync', () => {
  it('costs less than 100 bytes where both are equal, answer and all', () => {
    const { replica } = conversationOf(drawFrom(1), [50, 50])
    const traffic = sync(replica(), replica(), { kind: 'digest' })
    expect(traffic.rounds).to.equal(1)
    expect(traffic.asked + traffic.answered).to.be.lessThan(100)
  })

  it('brings the last 1,000 records in one round trip at 60 bytes a record', function () {
    const total = Number(process.env['SOTTO_SYNC_RECORDS'] ?? 3_000)
    this.timeout(60_000 + total * 10)
    const members = Array.from({ length: 20 }, (_, i) => writer(`member ${i}`))
    const full = Math.floor((total - 700) / 500)
    const counts = [...Array.from({ length: full }, () => 500), total - full * 500]
    const { segments, replica } = conversationOf(drawFrom(2), counts, members)
    let behind = total - 1_000
    const cut = new Map<number, number>()
    for (const [depth, records] of segments.entries()) {
      cut.set(depth, Math.min(records.length, Math.max(0, behind)))
      behind -= records.length
    }
    const away = replica((_, depth, at) => at < cut.get(depth)!)
    const present = replica()
    expect(away.ids()).to.have.length(total - 1_000)
    const newest = Math.max(...[...away.sets.values()].map(({ depth }) => depth))
    const traffic = sync(away, present, { kind: 'from', depth: newest - 1 })
    expect(away.ids()).to.deep.equal(present.ids())
    expect([traffic.rounds, traffic.arrived, traffic.lost]).to.deep.equal([1, 1_000, 0])
    const each = (traffic.asked + traffic.answered) / 1_000
    if (process.env['SOTTO_SYNC_RECORDS'] !== undefined)
      console.log(`      ${total} records: ${each} B a record, ${traffic.asked} B asked`)
    expect(each).to.be.lessThan(60)
  })

  it('asks for 1,000 scattered gaps in less than 4 kB, and closes them', function () {
    const total = Number(process.env['SOTTO_SYNC_RECORDS'] ?? 4_000)
    const gapCount = Math.min(1_000, total / 4)
    this.timeout(60_000 + total * 10)
    const members = Array.from({ length: 20 }, (_, i) => writer(`member ${i}`))
    const draw = drawFrom(3)
    const { segments, replica } = conversationOf(
      draw,
      Array.from({ length: Math.floor(total / 500) }, () => 500),
      members,
    )
    const [damaged, whole] = [replica(), replica()]
    const all = segments.flat()
    const lost = new Set<Written>()
    while (lost.size < gapCount) {
      const one = all[draw(all.length)]!
      // The last of a device has nobody after it who would vouch for it without its signature; it is asked for too.
      lost.add(one)
    }
    const ids = new Set([...lost].map(({ header }) => toHex(header.id)))
    for (const records of segments)
      damaged.damage(records[0]!.header.content.segment, ({ header }) => ids.has(toHex(header.id)))
    expect(damaged.ids().length).to.be.at.most(total - gapCount)
    const gaps = [...lost].map(({ header: { content } }): Gap => content)
    const traffic = noTraffic()
    const bytes = fill(damaged, whole, segments.length, gaps, traffic)
    expect(damaged.ids()).to.deep.equal(whole.ids())
    expect([traffic.arrived, traffic.lost]).to.deep.equal([gapCount, 0])
    if (process.env['SOTTO_SYNC_RECORDS'] !== undefined)
      console.log(`      ${gapCount} gaps of ${total}: ${bytes} B asked`)
    expect(bytes).to.be.lessThan(4_000)
  })

  it('makes any two replicas equal, whatever each holds, and then says so', () => {
    let [twoRounds, forked] = [0, 0]
    for (let seed = 0; seed < 40; seed++) {
      const draw = drawFrom(seed)
      const { segments, replica } = conversationOf(draw, [30, 40, 20], writers, seed % 2 === 0 ? 12 : 0)
      const chance = 1 + draw(6)
      const [a, b] = [replica(() => draw(chance) > 0), replica(() => draw(chance) > 0)]
      // Both count what is closed under links; the rest of what they were given waits.
      const union = new Set([...a.ids(), ...b.ids()])
      let rounds = 0
      for (
        ;
        rounds < 20 &&
        toHex(digestOf(crypto, a.side.summaries)) !== toHex(digestOf(crypto, b.side.summaries));
        rounds++
      ) {
        const traffic = sync(a, b, draw(2) === 0 ? { kind: 'digest' } : { kind: 'from', depth: 1 + draw(2) })
        if (traffic.rounds > 1) twoRounds++
      }
      expect(rounds, `seed ${seed}`).to.be.lessThan(20)
      expect(a.ids(), `seed ${seed}`).to.deep.equal(b.ids())
      for (const id of union) expect(a.ids()).to.include(id)
      if (a.side.summaries.some(({ devices }) => devices.some(({ tips }) => tips.length > 1))) forked++
      const calm = sync(a, b, { kind: 'digest' })
      expect([calm.arrived, calm.rounds]).to.deep.equal([0, 1])
      expect(idsOf(segments)).to.include.members(a.ids())
    }
    expect(twoRounds).to.be.greaterThan(5)
    expect(forked).to.be.greaterThan(5)
  })

  it('shows nothing of a segment the other side may not see', () => {
    const { conversation, segments, replica } = conversationOf(drawFrom(4), [40, 40, 40])
    const whole = replica()
    const joined = new Replica(conversation)
    const hidden = toHex(segmentId(crypto, conversation, 0))
    whole.visible = joined.visible = (segment) => toHex(segment) !== hidden
    for (const detail of [{ kind: 'digest' }, { kind: 'from', depth: 0 }] as const) {
      const traffic = sync(joined, whole, detail)
      expect(joined.ids()).to.deep.equal(idsOf(segments.slice(1)))
      expect(traffic.lost).to.equal(0)
    }
    // Not even to who names it.
    joined.visible = () => true
    const all = segments.map((records) => records[0]!.header.content.segment)
    round(joined, whole, { kind: 'segments', segments: all }, noTraffic())
    expect(joined.ids()).to.deep.equal(idsOf(segments.slice(1)))
  })

  it('spends one signature on a device', () => {
    const { segments, replica } = conversationOf(drawFrom(5), [300])
    const sending = { segment: segments[0]![0]!.header.content.segment }
    const [set] = [...replica().sets.values()]
    const counted = [...set!.set.counted.values()]
    const places = new Map(
      counted.map(({ header: { id, content } }) => [
        idKey(id),
        { device: idKey(content.account) + idKey(content.device), content },
      ]),
    )
    const records = counted.toSorted((a, b) => a.header.content.lamport - b.header.content.lamport)
    const frames = encodeRuns(set!.set.conversation, { ...sending, places, records })
    expect(frames).to.have.length(1)
    const { arrivals } = recordsOfRuns(
      crypto,
      decodeRuns(frames[0]!)!,
      linksHeld(emptyFor(segments[0]![0]!), 'peer'),
    )
    expect(arrivals.map(({ header }) => header.bytes)).to.deep.equal(
      records.map(({ header }) => header.bytes),
    )
    expect(arrivals.filter(({ signature }) => signature !== null)).to.have.length(writers.length)
  })

  it('counts nothing of a run whose end is not signed', () => {
    const records = randomSegment(drawFrom(6), { count: 50, forkOneIn: 0 })
    const set = deliver(drawFrom(6), emptyFor(records[0]!), records.map(arrivalOf))
    const counted = [...set.counted.values()].map(({ header }) => ({ header, signature: null }))
    const places = new Map(
      counted.map(({ header: { id, content } }) => [
        idKey(id),
        { device: idKey(content.account) + idKey(content.device), content },
      ]),
    )
    const frames = encodeRuns(set.conversation, { segment: set.segment, places, records: counted })
    const { arrivals } = recordsOfRuns(
      crypto,
      decodeRuns(frames[0]!)!,
      linksHeld(emptyFor(records[0]!), 'peer'),
    )
    expect(arrivals).to.have.length(50)
    expect(deliver(drawFrom(7), emptyFor(records[0]!), arrivals).counted.size).to.equal(0)
  })

  it('splits what does not fit one frame, and frames keep their bound', () => {
    const [ann] = writers
    const place = { conversation: idFor('wide'), segment: idFor('wide segment') }
    const heads = Array.from({ length: limits.recordLinks }, (_, i) => idFor(`head ${i}`))
    const records: Written[] = []
    for (let i = 0; i < 400; i++)
      records.push(
        write(ann!, place, records.at(-1)?.header, [], {
          ...{ text: `${i}`, xrefs: heads.map((head) => crypto.sha256(Uint8Array.of(...head, i & 255))) },
          groupHeads: heads.map((head) => crypto.sha256(Uint8Array.of(...head, i & 255, 1))),
        }),
      )
    const [there, here] = [new Replica(place.conversation), new Replica(place.conversation)]
    there.hold(0, records)
    const traffic = sync(here, there, { kind: 'from', depth: 0 })
    expect(here.ids()).to.deep.equal(there.ids())
    expect(traffic.answered).to.be.greaterThan(3 * limits.frameBytes)
  })

  it('does not count gaps of sides that are not equal, nor numbers beyond', () => {
    const { segments, replica } = conversationOf(drawFrom(8), [30, 30])
    const [a, b] = [replica(), replica((_, depth) => depth === 0)]
    const { content } = segments[1]![3]!.header
    const nonce = idFor('gaps').slice(0, 8)
    const ask = askGaps(crypto, a.side, nonce, 2, [content])!
    expect(answerGaps(crypto, a.side, ask)).to.have.length(1)
    expect(answerGaps(crypto, b.side, ask)).to.equal(undefined)
    expect(answerGaps(crypto, a.side, { ...ask, numbers: Uint8Array.of(0xff, 0x7f) })).to.equal(undefined)
    expect(answerGaps(crypto, a.side, { ...ask, numbers: Uint8Array.of(0x85) })).to.equal(undefined)
    expect(answerGaps(crypto, a.side, { ...ask, numbers: Uint8Array.of(0x85, 0) })).to.equal(undefined)
    expect(askGaps(crypto, a.side, nonce, 1, [content])).to.equal(undefined)
  })

  it('finds the record of a body by its commitment alone', () => {
    const records = randomSegment(drawFrom(9), { count: 20 })
    const bodies = records.map(({ salt, body }) => ({ salt, body }))
    const wanted = records.slice(5).map(({ header }) => header)
    const frames = encodeBodies([...bodies, { salt: idFor('none'), body: bodies[6]!.body }])
    const read = frames.flatMap((bytes) => {
      const result = syncBodiesFrame.decode(bytes)
      return result.ok ? result.value.bodies : []
    })
    const matched = matchBodies(crypto, wanted, read)
    expect(matched.map(({ header }) => toHex(header.id))).to.deep.equal(wanted.map(({ id }) => toHex(id)))
    const large = Array.from({ length: 5 }, (_, i) => ({
      salt: idFor(`${i}`),
      body: new Uint8Array(limits.textBytes),
    }))
    expect(encodeBodies(large)).to.have.length(5)
  })
})
