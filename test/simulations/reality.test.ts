import { expect } from 'chai'
import { compareSeed } from '../reality/compare.ts'
import { devicesOf, drawScript } from '../reality/script.ts'

/** Over real libp2p it is a campaign, for it waits for real clocks: `npm run campaign:reality`. */
describe('the script that the model and real libp2p play', () => {
  it('ends in the model with everybody in and every device heard', async () => {
    const { places, differences } = await compareSeed(1n, [])
    expect(differences).to.deep.equal([])
    const [model] = places
    expect(model?.outcome).to.have.property('members').that.deep.equals(['user0 owner 2', 'user1 member 2'])
    expect(model?.outcome)
      .to.have.property('messages')
      .that.has.all.keys(devicesOf(drawScript(1n)))
    expect(model?.tally, 'what is counted').to.include.keys('topic: heard', 'frame', 'put: taken')
  }).timeout(60_000)

  it('is the same for the same seed, with every kind of step', () => {
    expect(drawScript(7n)).to.deep.equal(drawScript(7n))
    expect(drawScript(8n)).to.not.deep.equal(drawScript(7n))
    const kinds = new Set([1n, 2n, 3n].flatMap((seed) => drawScript(seed).steps.map(({ kind }) => kind)))
    expect([...kinds]).to.include.members(['say', 'edit', 'take-back', 'react', 'rename', 'put-out'])
    expect([...kinds]).to.include.members(['split', 'heal', 'close', 'open', 'settle'])
  })
})
