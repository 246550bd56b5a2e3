import { expect } from 'chai'
import { compareSeed } from '../reality/compare.ts'
import { devicesOf, drawScript } from '../reality/script.ts'

describe('the model and real libp2p', function () {
  // What is decided is how they end, never how long it takes.
  this.timeout(660_000)

  it('end alike over libp2p’s memory transport', async () => {
    const { places, differences } = await compareSeed(1n, ['memory'])
    expect(differences).to.deep.equal([])
    const [model, memory] = places
    expect(memory?.outcome).to.have.property('members').that.deep.equals(['user0 owner 2', 'user1 member 2'])
    expect(memory?.outcome)
      .to.have.property('messages')
      .that.has.all.keys(devicesOf(drawScript(1n)))
    for (const tally of [model?.tally, memory?.tally])
      expect(tally, 'what is counted').to.include.keys('topic: heard', 'frame', 'put: taken')
  })

  it('play the same script for the same seed, with every kind of step', () => {
    expect(drawScript(7n)).to.deep.equal(drawScript(7n))
    expect(drawScript(8n)).to.not.deep.equal(drawScript(7n))
    const kinds = new Set([1n, 2n, 3n].flatMap((seed) => drawScript(seed).steps.map(({ kind }) => kind)))
    expect([...kinds]).to.include.members(['say', 'edit', 'take-back', 'react', 'rename', 'put-out'])
    expect([...kinds]).to.include.members(['split', 'heal', 'close', 'open', 'settle'])
  })
})
