import { expect } from 'chai'
import { runSotto } from '../support/real-node.ts'

describe('sotto demo', function () {
  this.timeout(120_000)

  it('plays two people, a relay, a cut and a heal, and finds nothing lost', async () => {
    const { code, json, err } = await runSotto(['demo', '--check', '--json'])
    expect(code, err).to.equal(0)
    expect(json).to.include({ ok: true, messages: 6 })
  })
})
