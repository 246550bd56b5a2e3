import { expect } from 'chai'
import { bitrot } from './bitrot.ts'

describe('bit rot in a LevelDB home', () => {
  it('gives the truth or a typed failure for every flipped bit', async () => {
    const { harmless, named, silent } = await bitrot(20, 7, 45)
    expect(silent).to.deep.equal([])
    expect(named).to.be.greaterThan(0)
    expect(harmless + named).to.equal(20)
  })
})
