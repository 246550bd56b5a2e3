import { expect } from 'chai'
import { runRecipe } from '../../simulations/cli/recipe.ts'
import { scaffold } from '../../simulations/cli/scaffold.ts'
import { parseScenario } from '../../simulations/cli/scenario-file.ts'
import { catalogue } from '../../simulations/scenarios/catalogue.ts'
import { readStory } from '../../simulations/report/story.ts'

const head = ['name: split', 'claim: Everybody has everything.', 'duration: 30min']
const file = (...lines: readonly string[]): string => [...head, ...lines, ''].join('\n')

describe('scenarios in YAML', function () {
  this.timeout(120_000)

  it('say all that a scenario of the catalogue draws: the same seed gives the same trace', async () => {
    const plain = { scenario: 'partition-heal', hours: 0.05, set: [], plantBug: null }
    const { recipe, seed } = parseScenario(
      scaffold({ from: 'partition-heal', seed: '3', hours: '0.05' }),
      'my.yaml',
    )
    expect(seed).to.equal('3')
    const [ours, theirs] = [await runRecipe(recipe, 3n), await runRecipe(plain, 3n)]
    expect(ours.traceHash).to.equal(theirs.traceHash)
    expect(ours.plan).to.deep.equal(theirs.plan)
  })

  it('can be written for every scenario there is', () => {
    for (const { name } of catalogue) {
      const { recipe } = parseScenario(scaffold({ from: name, seed: '7', hours: '6' }), 'my.yaml')
      expect(recipe.scenario).to.equal(name)
      expect(recipe.set).to.include.members([recipe.set.find((one) => one.startsWith('net.median='))!])
    }
  })

  it('let nothing befall a run but what they plan', async () => {
    const text = file(
      'set: { users: 2, devices: 2, groups: 0, relays: 1, messageEvery: 1min, deviceChangeEvery: off, groupChangeEvery: off }',
      'faults:',
      '  - { at: 5min, for: 10min, cut: [[user0-1]] }',
      '  - { at: 20min, for: 2min, down: user1-1 }',
    )
    const lines: string[] = []
    const result = await runRecipe(parseScenario(text, 'my.yaml').recipe, 1n, {
      line: (line) => lines.push(line),
    })
    const struck = Object.entries(result.faults).filter(([, times]) => times > 0)
    expect(struck.map(([kind]) => kind).filter((kind) => !kind.startsWith('disk-'))).to.deep.equal([
      'crash',
      'partition',
    ])
    const story = readStory(lines)
    const [cut] = story.cuts
    expect(cut!.fromMs - story.workloadMs).to.be.closeTo(5 * 60_000, 1)
    expect(cut!.toMs - cut!.fromMs).to.be.closeTo(10 * 60_000, 1)
    expect(cut!.directions)
      .to.include('user0-1>relay0')
      .and.include('relay0>user0-1')
      .and.not.include('user1-1>relay0')
    expect(
      story.down.some(
        ({ host, toMs, fromMs }) => host === 'user1-1' && Math.abs(toMs - fromMs - 120_000) < 1,
      ),
    ).to.equal(true)
    expect(result.violated).to.deep.equal([])
  })

  it('are refused with the place of every mistake', () => {
    const wrong = (text: string): string => {
      try {
        parseScenario(text, 'my.yaml')
      } catch (error) {
        return error instanceof Error ? error.message : ''
      }
      return 'taken'
    }
    expect(wrong(file('colour: red'))).to.equal('my.yaml:4:9 colour: there is no such key')
    expect(wrong(file('set: { net: { los: 5% } }'))).to.match(
      /^my\.yaml:4:\d+ set\.net\.los: there is no such key$/,
    )
    expect(wrong(file('set:', '  crashEvery: 5'))).to.match(
      /^my\.yaml:5:15 set\.crashEvery: .*a time with its unit/,
    )
    expect(wrong(file('set: { net: { loss: 130% } }'))).to.match(/a share, such as 5%/)
    expect(wrong(file('faults: [{ at: 5, for: 1min, down: relay0 }]'))).to.match(/my\.yaml:4:\d+ faults\.0/)
    expect(wrong(head.slice(0, 2).join('\n'))).to.match(/duration: is a time with its unit/)
    expect(wrong('name: [')).to.match(/^my\.yaml: /)
    expect(wrong(file('scenario: no-such'))).to.match(/my\.yaml:4:11 scenario: /)
  })

  it('name only hosts that are there', async () => {
    const text = file(
      'set: { users: 2, devices: 2, groups: 0 }',
      'faults: [{ at: 1min, for: 1min, down: relay9 }]',
    )
    const result = await runRecipe(parseScenario(text, 'my.yaml').recipe, 1n).catch((error: unknown) => error)
    expect(result).to.be.instanceOf(Error)
    expect(String(result)).to.match(/nothing is called relay9; there are .*relay0/)
  })
})
