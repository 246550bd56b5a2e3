import { expect } from 'chai'
import { readSettings } from '../../simulations/cli/settings.ts'
import { drawPlan } from '../../simulations/scenarios/plan.ts'
import { calm } from '../../simulations/world/conditions.ts'
import { Dht, dhtTricks } from '../../simulations/world/dht.ts'
import { Links } from '../../simulations/world/links.ts'
import { itemsUnder } from '../../simulations/world/relay-tricks.ts'
import { streamOf, streamsOf } from '../../simulations/world/stream.ts'
import { Counts, Trace } from '../../simulations/world/trace.ts'

const struck = (faults: Counts, kind: string): number => faults.toJSON()[kind] ?? 0

describe('links', () => {
  const made = (): { links: Links; faults: Counts } => {
    const faults = new Counts(['frame-queued', 'frame-stalled'])
    const trace = new Trace(() => 0)
    return { links: new Links({ draw: streamOf('links'), faults, trace }), faults }
  }

  it('take as long as their width says, and let what comes later wait for what was before', () => {
    const { links, faults } = made()
    const alone = links.sendMs('a', 'b', 1_000, 0, 8_000)
    expect(alone).to.be.above(100).and.below(10_000)
    expect(struck(faults, 'frame-queued')).to.equal(0)
    expect(links.sendMs('a', 'b', 1_000, 0, 8_000), 'behind the first').to.be.closeTo(2 * alone, 1e-6)
    expect(struck(faults, 'frame-queued')).to.equal(1)
    expect(links.sendMs('a', 'b', 1_000, 10 * alone, 8_000), 'free again').to.be.closeTo(alone, 1e-6)
    expect(links.sendMs('b', 'a', 0, 0, 8_000), 'the other way').to.equal(0)
    expect(links.sendMs('a', 'b', 1_000_000, 0, 0), 'as wide as there is').to.equal(0)
    expect(made().links.sendMs('a', 'b', 1_000, 0, 16_000), 'twice as wide').to.be.closeTo(alone / 2, 1e-6)
  })

  it('that stall stay open, pass nothing, and pass it all in order afterwards', () => {
    const { links, faults } = made()
    const come: number[] = []
    const release = links.stall([['a', 'b']])
    for (const n of [1, 2]) links.pass('a', 'b', () => come.push(n))
    links.pass('b', 'a', () => come.push(3))
    expect(come).to.deep.equal([3])
    expect([links.isStalled('a', 'b'), links.isStalled('b', 'a')]).to.deep.equal([true, false])
    links.stall([['a', 'b']])()
    expect(come, 'a second stall that ends does not end the first').to.deep.equal([3])
    release()
    release()
    expect(come).to.deep.equal([3, 1, 2])
    links.pass('a', 'b', () => come.push(4))
    expect(come.at(-1)).to.equal(4)
    expect(struck(faults, 'frame-stalled')).to.equal(2)
  })

  it('are set by their rate, and as wide as there is unless somebody says so', () => {
    const drawn = drawPlan(streamsOf(3n)('plan'), 1)
    expect([drawn.net.bandwidth, drawn.stallEveryMs]).to.deep.equal([0, null])
    const plan = readSettings(['net.bandwidth=64kbit', 'stallEvery=90s'])(drawn)
    expect([plan.net.bandwidth, plan.stallEveryMs]).to.deep.equal([64_000, 90_000])
    expect(readSettings(['net.bandwidth=off'])(plan).net.bandwidth).to.equal(0)
    for (const wrong of ['64', '64kB', '5%', '-1kbit'])
      expect(() => readSettings([`net.bandwidth=${wrong}`]), wrong).to.throw(/a rate with its unit/)
  })
})

describe('a hostile DHT', () => {
  const value = (...bytes: readonly number[]): Uint8Array => Uint8Array.of(...bytes)
  const made = (): { dht: Dht; faults: Counts } => {
    const faults = new Counts(dhtTricks)
    const dht = new Dht(streamOf('dht'), faults)
    dht.put('x', value(1, 1), calm, 'honest')
    dht.put('x', value(1, 2), calm, 'honest')
    dht.put('y', value(2, 9), calm, 'honest')
    return { dht, faults }
  }

  it('answers those it surrounds with what is elsewhere or made up, what was once, or nothing; others as ever', () => {
    const { dht, faults } = made()
    const asked = (host: string): readonly Uint8Array[] => dht.get('x', calm, host)
    const answers = {
      'dht-substitutes': [value(2, 9), value(1, 3)],
      'dht-rolls-back': [value(1, 1)],
      'dht-eclipses': [],
    }
    for (const trick of dhtTricks) {
      const leave = dht.surround('victim', trick)
      expect(asked('victim'), trick).to.deep.equal(answers[trick])
      expect(struck(faults, trick), trick).to.equal(1)
      expect(asked('honest')).to.deep.equal([value(1, 2)])
      leave()
      expect(asked('victim')).to.deep.equal([value(1, 2)])
    }
  })

  it('takes what an eclipsed machine puts, and keeps it from everybody', () => {
    const { dht } = made()
    const leave = dht.surround('victim', 'dht-eclipses')
    expect(dht.put('x', value(1, 7), calm, 'victim')).to.be.above(0)
    leave()
    expect(dht.get('x', calm, 'honest')).to.deep.equal([value(1, 2)])
  })
})

describe('a relay with two faces', () => {
  const items = Array.from({ length: 40 }, (_, n) => ({
    cursor: n + 1,
    blob: Uint8Array.of(n),
    expiresAtMs: 9,
  }))
  const shown = (reader: number): readonly number[] =>
    itemsUnder('relay-splits', streamOf('tricks'), Uint8Array.of(reader), items).map(({ cursor }) => cursor)

  it('shows each reader another half, and the same again', () => {
    expect(shown(1)).to.have.length(20)
    expect(shown(1)).to.deep.equal(shown(1))
    expect([...shown(1), ...shown(2)].toSorted((a, b) => a - b)).to.deep.equal(
      items.map(({ cursor }) => cursor),
    )
  })
})
