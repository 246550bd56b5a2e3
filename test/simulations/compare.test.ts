import { expect } from 'chai'
import { compare } from '../../simulations/cli/diff.ts'
import { runRecipe } from '../../simulations/cli/recipe.ts'
import { combinations, readVaried } from '../../simulations/cli/vary.ts'
import { meanOf, metrics, type Metric } from '../../simulations/report/metrics.ts'
import type { RunResult } from '../../simulations/scenarios/run.ts'

const metric = (name: string): Metric => metrics.find((one) => one.name === name)!

/** As much of a result as metrics look at. */
const result = (seed: number, latencyMs: number, violated: readonly string[] = []): RunResult =>
  ({
    seed: String(seed),
    latenciesMs: [latencyMs],
    convergedMs: 5_000,
    violated,
    crash: null,
  }) as unknown as RunResult

const seeds = (latencyOf: (seed: number) => number): readonly RunResult[] =>
  [1, 2, 3, 4, 5].map((seed) => result(seed, latencyOf(seed)))

describe('comparing runs', function () {
  this.timeout(60_000)

  it('pairs seeds, so that a small change shows among seeds that differ much', () => {
    const before = seeds((seed) => seed ** 4 * 100)
    const slower = before.map(({ latenciesMs: [ms = 0] }, i) => result(i + 1, ms + 20 + i))
    const latency = metric('latency-median')
    expect(compare(latency, before, slower)).to.deep.include({ verdict: 'worse' })
    expect(compare(latency, slower, before)).to.deep.include({ verdict: 'better' })
    expect(compare(latency, before, before)).to.deep.include({ verdict: 'no difference shown' })
    expect(compare(latency, before.slice(0, 1), slower)).to.deep.include({ verdict: 'too few seeds' })
  })

  it('calls a seed that fails now worse, however few there are', () => {
    const before = seeds(() => 100)
    const after = [...before.slice(1), result(1, 100, ['no-loss'])]
    expect(compare(metric('failed'), before, after).verdict).to.equal('worse')
    expect(compare(metric('failed'), after, before).verdict).to.not.equal('worse')
  })

  it('leaves out seeds that have no such number, and never tells of less than nothing', () => {
    const late = [{ ...result(1, 1), convergedMs: null }, result(2, 1), { ...result(3, 1), convergedMs: 1 }]
    const { n, low } = meanOf(metric('converged'), late)
    expect([n, low]).to.deep.equal([2, 0])
    expect(
      meanOf(
        metric('failed'),
        seeds(() => 1),
      ).high,
    ).to.be.above(0.3)
  })

  it('sweeps over lists and ranges, every combination once', () => {
    expect(readVaried('relays=1,2').values).to.deep.equal(['1', '2'])
    expect(readVaried('net.loss=0..30%:10%').values).to.deep.equal(['0%', '10%', '20%', '30%'])
    expect(readVaried('crashEvery=off,2h').values).to.deep.equal(['off', '2h'])
    const all = combinations([readVaried('relays=1,2'), readVaried('net.loss=0%,5%')])
    expect(all.map((set) => set.join(' '))).to.deep.equal([
      'relays=1 net.loss=0%',
      'relays=1 net.loss=5%',
      'relays=2 net.loss=0%',
      'relays=2 net.loss=5%',
    ])
    for (const bad of [
      'relays',
      'relays=',
      'net.loss=0..30%',
      'net.loss=0..30h:5%',
      'net.loss=30%..0:5%',
      'x=1',
    ])
      expect(() => readVaried(bad), bad).to.throw()
    expect(() => readVaried('relays=1..500:1')).to.throw(/at most 100/)
  })

  it('sees what it set: a slow network delays those who met on a quick one', async () => {
    const set = [
      'users=2',
      'devices=2',
      'groups=0',
      'relays=1',
      'messageEvery=2min',
      'net.median=900ms',
      'net.sigma=0',
      'net.loss=off',
    ]
    const { latenciesMs } = await runRecipe(
      { scenario: 'partition-heal', hours: 0.2, set, plantBug: null },
      3n,
    )
    expect(latenciesMs.length).to.be.above(3)
    expect(Math.min(...latenciesMs)).to.be.at.least(900)
  })
})
