import { expect } from 'chai'
import { equalBytes } from '../../packages/core/src/wire/index.ts'
import { fuzz, type FuzzTarget } from './driver.ts'
import { drawFrom, mutate } from './mutator.ts'
import { allTargets } from './targets.ts'

const targets = await allTargets()

describe('fuzz driver', () => {
  const seeds = [Uint8Array.from({ length: 40 }, (_, i) => i)]

  it('gives the same inputs for the same seed, and many different ones', () => {
    const inputs = (seed: number): string[] => {
      const draw = drawFrom(seed)
      return Array.from({ length: 1_000 }, () => Buffer.from(mutate(seeds, draw)).toString('hex'))
    }
    expect(inputs(1)).to.deep.equal(inputs(1))
    expect(inputs(1)).to.not.deep.equal(inputs(2))
    expect(new Set(inputs(1)).size).to.be.greaterThan(800)
  })

  it('reports what throws, once a message, with the input', async () => {
    const brittle: FuzzTarget = {
      name: 'brittle',
      seeds,
      run: (input) => {
        if (input.length !== 40) throw new Error('length')
        return equalBytes(input, seeds[0]!)
      },
    }
    const result = await fuzz(brittle, { inputs: 500, seed: 1 })
    expect(result.findings).to.have.length(1)
    expect(result.findings[0]?.error).to.equal('Error: length')
    expect(result.accepted).to.be.greaterThan(0)
  })

  it('names inputs that stay over the budget', async () => {
    let nowMs = 0
    const slow: FuzzTarget = {
      name: 'slow',
      seeds,
      run: (input) => {
        nowMs += input.length > 40 ? 60 : 1
        return true
      },
    }
    const result = await fuzz(slow, { inputs: 200, seed: 1, budget: { ms: 50, now: () => nowMs } })
    expect(result.slowestMs).to.equal(60)
    expect(result.overBudget).to.have.length(1)
  })
})

describe('fuzz', () => {
  for (const target of targets)
    it(`${target.name} is total, and reads only what it would write`, async () => {
      const { findings, accepted } = await fuzz(target, { inputs: 2_000, seed: 20_260_310 })
      expect(findings).to.deep.equal([])
      expect(accepted, 'its seeds are accepted').to.be.greaterThan(0)
    })
})
