import { expect } from 'chai'
import { establishedPair, textOf, twoEndpoints } from '../../support/session-world.ts'

describe('session: a pair of devices', () => {
  it('opens the first message with its handshake and answers on the session', () => {
    const [alice, bob] = twoEndpoints()
    alice.begin(bob.device)
    expect(textOf(bob.receive(alice.send('one')))).to.equal('one')
    expect(textOf(bob.receive(alice.send('two')))).to.equal('two')
    expect(textOf(alice.receive(bob.send('three')))).to.equal('three')
    const plain = alice.send('four')
    expect(plain.length).to.be.lessThan(200)
    expect(textOf(bob.receive(plain))).to.equal('four')
  })

  it('carries hundreds of messages each way, through several post-quantum steps', () => {
    const [alice, bob] = establishedPair()
    for (let i = 0; i < 300; i++) {
      expect(textOf(bob.receive(alice.send(`a${i}`)))).to.equal(`a${i}`)
      expect(textOf(alice.receive(bob.send(`b${i}`)))).to.equal(`b${i}`)
    }
  })
})
