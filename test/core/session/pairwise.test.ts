import { expect } from 'chai'
import { limits } from '../../../packages/core/src/limits.ts'
import { decodeFirstFlight, needsHandshake, retire } from '../../../packages/core/src/session/index.ts'
import { equalBytes } from '../../../packages/core/src/wire/index.ts'
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

  it('seals nothing more on sessions that are retired, and still opens what comes on them', () => {
    const [alice, bob] = establishedPair()
    const late = [bob.send('late'), bob.send('later')]
    alice.peer = retire(alice.peer, () => false)
    expect(() => alice.send('on a key used before')).to.throw('no-session')
    expect(textOf(alice.receive(late[0]!))).to.equal('late')
    expect(() => alice.send('the same')).to.throw('no-session')
    expect(needsHandshake(alice.peer, alice.nowMs + limits.repairMs)).to.equal('no-session')
    alice.begin(bob.device)
    const own = alice.peer.sessions[0]!.id
    alice.peer = retire(alice.peer, ({ id }) => equalBytes(id, own))
    const first = alice.send('on a new one')
    expect(textOf(alice.receive(late[1]!)), 'does not bring the old one in front').to.equal('later')
    const second = alice.send('again')
    for (const frame of [first, second]) expect(decodeFirstFlight(frame)).to.not.equal(undefined)
    expect(textOf(bob.receive(first))).to.equal('on a new one')
    expect(textOf(bob.receive(second))).to.equal('again')
    expect(textOf(alice.receive(bob.send('answer')))).to.equal('answer')
  })
})
