import { expect } from 'chai'
import { hostileCampaigns } from './campaigns.ts'
import { Tally, type Lie } from './lie.ts'

describe('hostile members: every lie reaches the check it aims at, and leaves nothing behind', () => {
  for (const { room, run } of hostileCampaigns)
    it(room, async function () {
      this.timeout(60_000)
      const { wrong, inputs } = await run(400, 20_261_129)
      expect(wrong).to.deep.equal([])
      expect(inputs).to.be.at.least(400)
    })

  it('would be found out: another answer than it should have, and a lie that reaches nothing', () => {
    const lie: Lie<undefined, number> = { name: 'a lie', answers: ['refused', 'waits'], tell: () => 1 }
    const other = { ...lie, name: 'another' }
    const tally = new Tally('room', [lie, other])
    tally.note(lie, 'waits')
    tally.note(other, 'counts')
    expect(tally.finish().wrong).to.deep.equal([
      'another: answered "counts"',
      'a lie: never reached "refused"',
      'another: never reached "refused"',
    ])
  })
})
