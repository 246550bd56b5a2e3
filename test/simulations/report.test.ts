import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { keepFolder } from '../../simulations/cli/keep.ts'
import { readDuration, readShare } from '../../simulations/cli/quantity.ts'
import { runRecipe, watchSeed } from '../../simulations/cli/recipe.ts'
import { readSettings, settingNames } from '../../simulations/cli/settings.ts'
import { csvOf } from '../../simulations/report/csv.ts'
import { makeReport } from '../../simulations/report/report.ts'
import { differenceOf, intervalOf, quantile, shareOf } from '../../simulations/report/stats.ts'
import { audienceMatrix, epochMatrix } from '../../simulations/report/readability.ts'
import { readStory } from '../../simulations/report/story.ts'
import { summarise } from '../../simulations/report/summary.ts'
import { drawPlan } from '../../simulations/scenarios/plan.ts'
import { partitionHeal } from '../../simulations/scenarios/partition-heal.ts'
import { streamsOf } from '../../simulations/world/stream.ts'

describe('reports', function () {
  this.timeout(120_000)
  let folder: string
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'sotto-report-'))))
  afterEach(() => {
    rmSync(folder, { recursive: true })
  })

  it('are one file that loads nothing, with the numbers of every figure beside it', async () => {
    const set = ['users=2', 'devices=2', 'groups=0', 'relays=1', 'messageEvery=4min', 'net.loss=20%']
    const recipe = { scenario: 'partition-heal', hours: 0.5, set, plantBug: null }
    const results = [await runRecipe(recipe, 5n), await runRecipe(recipe, 6n)]
    const file = await keepFolder(folder, {
      recipe,
      summary: summarise(partitionHeal, results),
      results,
      wallMs: 1_000,
    })
    const html = readFileSync(file, 'utf8')
    expect(html).to.not.match(/<script|<link|<img|<iframe|@import|url\((?!#)|src=/i)
    expect(
      html.match(/https?:\/\/[^"'\s<]+/g)?.filter((url) => !url.startsWith('http://www.w3.org/')) ?? [],
    ).to.deep.equal([])
    expect(html.match(/<svg/g)?.length).to.be.at.least(8)
    expect(html).to.include(`--seed 5 --hours 0.5 --set users=2`)
    for (const name of ['space-time', 'latency', 'waiting', 'converged', 'traffic', 'sealed', 'growth'])
      expect(readdirSync(folder)).to.include(`${name}.csv`)
    expect(readFileSync(join(folder, 'space-time.csv'), 'utf8').split('\n').length).to.be.above(20)
    makeReport(folder)
    expect(readFileSync(file, 'utf8')).to.equal(html)
  })

  it('count the bytes of a frame once, whatever they are for', async () => {
    const recipe = {
      scenario: 'partition-heal',
      hours: 0.2,
      set: ['users=2', 'devices=2', 'groups=0'],
      plantBug: null,
    }
    const results = [await runRecipe(recipe, 5n)]
    const watched = await watchSeed(recipe, 5n)
    expect(watched.result.traceHash, 'who looks changes nothing').to.equal(results[0]?.traceHash)
    const summary = summarise(partitionHeal, results)
    await keepFolder(folder, { recipe, summary, results, wallMs: 1_000, watched })
    const { sealed } = JSON.parse(readFileSync(join(folder, 'results.json'), 'utf8')) as {
      sealed: Record<string, number>
    }
    expect(Object.keys(sealed)).to.include.members(['padding', 'signed records', 'acknowledgements'])
    // Without its padding, a padded length is no longer a multiple of its step; with it, it is.
    const inside = Object.entries(sealed).filter(([cause]) => cause !== 'headers, nonces, tags')
    expect(inside.reduce((sum, [, bytes]) => sum + bytes, 0) % 16).to.equal(0)
  })

  it('tell a trace: who was down, what was cut, what was lost, where a message was', () => {
    const lines = [
      { t: 0, kind: 'boot', host: 'ada' },
      { t: 0, kind: 'queue', host: 'relay', queue: '0a', of: 'inbox' },
      { t: 10, kind: 'workload' },
      { t: 20, kind: 'accepted', host: 'ada', to: 'bob', message: 'm' },
      { t: 21, kind: 'cut-begins', cut: 1, directions: 'ada>bob,bob>ada' },
      {
        t: 22,
        kind: 'carried',
        from: 'ada',
        to: 'bob',
        protocol: '/sotto/direct/1',
        sent: 21,
        lost: true,
        bytes: 9,
      },
      { t: 25, kind: 'stored', host: 'relay', queue: '0a', bytes: 300 },
      { t: 26, kind: 'state', host: 'ada', message: 'm', state: 'relayed' },
      { t: 30, kind: 'crash', host: 'ada' },
      { t: 40, kind: 'cut-ends', cut: 1 },
      { t: 50, kind: 'boot', host: 'ada' },
      { t: 60, kind: 'shown', host: 'bob', message: 'm' },
    ]
    const story = readStory(lines.map((line) => JSON.stringify(line)))
    expect(story.hosts).to.deep.equal(['ada', 'bob', 'relay'])
    expect(story.down).to.deep.equal([{ host: 'ada', fromMs: 30, toMs: 50 }])
    expect(story.cuts).to.deep.equal([{ fromMs: 21, toMs: 40, directions: ['ada>bob', 'bob>ada'] }])
    expect(story.carried.map(({ lost, sentMs }) => [lost, sentMs])).to.deep.equal([[true, 21]])
    expect(story.deliveries).to.deep.equal([
      { id: 'm', from: 'ada', acceptedMs: 20, relayedMs: 26, shownMs: 60 },
    ])
    expect(story.queues[0]?.deposits).to.deep.equal([{ atMs: 25, bytes: 300 }])
  })

  it('tell what befell a machine for a while, at the latest until the heal or its own end', () => {
    const lines = [
      { t: 1, kind: 'frozen', host: 'ada' },
      { t: 2, kind: 'trouble-begins', trouble: 1, host: 'bob', fault: 'disk-full' },
      { t: 3, kind: 'trouble-begins', trouble: 2, host: 'bob', fault: 'clock-jump' },
      { t: 4, kind: 'thawed', host: 'ada' },
      { t: 5, kind: 'frozen', host: 'ada' },
      { t: 6, kind: 'trouble-ends', trouble: 2 },
      { t: 7, kind: 'crash', host: 'ada' },
      { t: 8, kind: 'heal' },
      { t: 9, kind: 'trouble-ends', trouble: 1 },
    ]
    const { troubles } = readStory(lines.map((line) => JSON.stringify(line)))
    expect(troubles).to.deep.equal([
      { host: 'ada', fault: 'tab-suspended', fromMs: 1, toMs: 4 },
      { host: 'bob', fault: 'clock-jump', fromMs: 3, toMs: 6 },
      { host: 'ada', fault: 'tab-suspended', fromMs: 5, toMs: 7 },
      { host: 'bob', fault: 'disk-full', fromMs: 2, toMs: 8 },
    ])
  })

  it('show who reads what, and whoever reads what is nothing for them', () => {
    const boots = ['ada', 'bob', 'eve'].map((host) => ({ t: 0, kind: 'boot', host }))
    const epoch = { t: 9, kind: 'epoch', room: 'r', begun: 1, depth: 0, turn: false, author: 'ada' }
    const at = (name: string, host: string, keys: string) => ({
      ...{ t: 9, kind: 'epoch-at', epoch: name, host, keys },
    })
    const written = (message: string, readers: string, out: string) => ({
      ...{ t: 9, kind: 'written', room: 'r', group: true, message, host: 'ada', at: 2, readers, out },
    })
    const lines = [
      ...boots,
      { ...epoch, epoch: 'aa', listed: 'ada,bob,eve' },
      { ...epoch, epoch: 'bb', depth: 1, listed: 'ada,bob' },
      ...[at('aa', 'ada', 'held'), at('aa', 'bob', 'erased'), at('aa', 'eve', 'never')],
      ...[at('bb', 'ada', 'held'), at('bb', 'eve', 'held')],
      ...[written('m1', 'ada,bob', ''), written('m2', 'ada,bob', 'eve'), written('m3', 'ada', 'eve')],
      { t: 9, kind: 'shows', host: 'ada', messages: 'm1,m2,m3' },
      { t: 9, kind: 'shows', host: 'bob', messages: 'm2' },
      { t: 9, kind: 'shows', host: 'eve', messages: 'm1,m2' },
    ]
    const story = readStory(lines.map((line) => JSON.stringify(line)))
    const states = (rows: readonly Readonly<Record<string, unknown>>[] = []): readonly unknown[] =>
      rows.map(({ host, state }) => `${String(host)}: ${String(state)}`)
    const [keys, messages] = [epochMatrix(story), audienceMatrix(story)]
    expect(states(keys?.rows)).to.deep.equal([
      ...['ada: readable', 'bob: erased', 'eve: no key came'],
      ...['ada: readable', 'bob: not heard of', 'eve: readable, not listed'],
    ])
    expect(states(messages?.rows)).to.deep.equal([
      ...['ada: for it, shown', 'bob: for it, not all shown', 'eve: given later'],
      ...['ada: for it, shown', 'bob: for it, shown', 'eve: out, and shown'],
      ...['ada: for it, shown', 'bob: not for it', 'eve: out, nothing shown'],
    ])
    for (const figure of [keys, messages]) expect(figure?.caption).to.include('there is 1')
  })

  it('reckon quantiles and intervals', () => {
    expect(quantile([1, 2, 3, 4], 0.5)).to.equal(2.5)
    expect(quantile([], 0.5)).to.be.NaN
    const { mean, low, high } = intervalOf([1, 2, 3, 4, 5])
    // Student's t with four degrees of freedom: 2.776 standard errors of 0.7071 each way.
    expect([mean, low, high].map((value) => Number(value.toFixed(3)))).to.deep.equal([3, 1.037, 4.963])
    expect(intervalOf([7]).low).to.be.NaN
    const none = shareOf(0, 100)
    expect(none.low).to.equal(0)
    expect(none.high).to.be.closeTo(0.037, 0.001)
    expect(differenceOf([1, 1, 1], [1, 1, 1])).to.include({ mean: 0, low: 0, high: 0 })
    expect(differenceOf([1, 2, 3, 2], [11, 12, 13, 12]).low).to.be.above(5)
  })

  it('write numbers as CSV, quoted where they must be', () => {
    expect(
      csvOf([
        { a: 1, b: 'x,"y"' },
        { a: null, b: true },
      ]),
    ).to.equal('a,b\n1,"x,""y"""\n,true\n')
  })
})

describe('settings', () => {
  const drawn = drawPlan(streamsOf(7n)('plan'), 2)

  it('take the place of what a seed draws, and of nothing else', () => {
    const plan = readSettings(['users=3', 'net.loss=5%', 'crashEvery=off', 'relayCrashEvery=90min'])(drawn)
    expect(plan).to.deep.include({ users: 3, crashEveryMs: null, relayCrashEveryMs: 90 * 60_000 })
    expect(plan.net).to.deep.equal({ ...drawn.net, loss: 0.05 })
    expect({
      ...plan,
      users: drawn.users,
      crashEveryMs: drawn.crashEveryMs,
      relayCrashEveryMs: drawn.relayCrashEveryMs,
      net: drawn.net,
    }).to.deep.equal(drawn)
  })

  it('are refused without a unit, out of range, or under an unknown name', () => {
    expect(() => readSettings(['crashEvery=5'])).to.throw(/a time with its unit/)
    expect(() => readSettings(['net.loss=130%'])).to.throw(/a share/)
    expect(() => readSettings(['users=two'])).to.throw(/a whole number/)
    expect(() => readSettings(['net.los=1%'])).to.throw(/nothing is called net.los/)
    expect(() => readSettings(['users'])).to.throw(/name=value/)
    for (const name of settingNames()) expect(() => readSettings([`${name}=off`]), name).to.not.throw()
  })

  it('have units of time and shares', () => {
    expect(['250ms', '1.5h', '2d', '3 min'].map(readDuration)).to.deep.equal([
      250, 5_400_000, 172_800_000, 180_000,
    ])
    for (const bad of ['5', '5 weeks', 'h', '', '5%']) expect(readDuration(bad), bad).to.equal(undefined)
    expect(['5%', '0.05', '0', '100%'].map(readShare)).to.deep.equal([0.05, 0.05, 0, 1])
    for (const bad of ['101%', '2', '-1%', '', '5h']) expect(readShare(bad), bad).to.equal(undefined)
  })
})
