import { expect } from 'chai'
import { limits } from '../../packages/core/src/limits.ts'
import { seededRandom } from '../../packages/core/src/memory/index.ts'
import { toHex } from '../../packages/core/src/wire/index.ts'
import { nodeProvider, textOf, twoEndpoints, type Endpoint } from '../support/session-world.ts'

const front = (end: Endpoint): string => toHex(end.peer.sessions[0]!.id)

describe('adversarial: simultaneous initiation', () => {
  it('018 both begin in the same moment: both first messages show, one session wins at once', () => {
    for (let seed = 0; seed < 10; seed++) {
      const [alice, bob] = twoEndpoints(nodeProvider, `tick ${seed}`)
      alice.begin(bob.device)
      bob.begin(alice.device)
      const [fromAlice, fromBob] = [alice.send('a'), bob.send('b')]
      expect(textOf(bob.receive(fromAlice))).to.equal('a')
      expect(textOf(alice.receive(fromBob))).to.equal('b')
      expect(front(alice)).to.equal(front(bob))
      const both = [toHex(alice.peer.sessions[0]!.id), toHex(alice.peer.sessions[1]!.id)]
      expect(front(alice)).to.equal(both.toSorted()[0])
      expect(textOf(bob.receive(alice.send('c')))).to.equal('c')
      expect(textOf(alice.receive(bob.send('d')))).to.equal('d')
      expect(alice.peer.sessions[0]!.preamble).to.equal(undefined)
    }
  })

  it('018 with loss, delay and repeated handshakes they agree within ten exchanges, and nothing delivered is lost', () => {
    for (let seed = 0; seed < 60; seed++) {
      const random = seededRandom(nodeProvider, `simultaneous ${seed}`)
      const chance = (of: number): boolean => random.bytes(1)[0]! % of === 0
      const ends = twoEndpoints(nodeProvider, `chaos ${seed}`)
      const repairs = [1, 1]
      const late: { to: Endpoint; frame: Uint8Array }[] = []
      for (const [i, end] of ends.entries()) end.begin(ends[1 - i]!.device)
      for (let round = 0; round < 12; round++) {
        for (const [i, end] of ends.entries()) {
          if (chance(6) && repairs[i]! > 0) {
            repairs[i]! -= 1
            end.begin(ends[1 - i]!.device)
          }
          const item = { to: ends[1 - i]!, frame: end.send(`${round}`) }
          if (chance(3)) continue
          if (chance(3)) late.push(item)
          else textOf(item.to.receive(item.frame))
        }
        if (late.length > 0 && chance(2)) {
          const [item] = late.splice(0, 1)
          textOf(item!.to.receive(item!.frame))
        }
      }
      let exchanges = 0
      while (front(ends[0]) !== front(ends[1]) && exchanges < 10) {
        textOf(ends[1].receive(ends[0].send('to')))
        textOf(ends[0].receive(ends[1].send('fro')))
        exchanges += 1
      }
      expect(front(ends[0]), `seed ${seed}`).to.equal(front(ends[1]))
    }
  })

  it('018 an own handshake the peer cannot take gives way to the peer’s after a minute', () => {
    const [alice, bob] = twoEndpoints()
    alice.begin(bob.device)
    bob.begin(alice.device)
    const [fromAlice, fromBob] = [alice.send('lost'), bob.send('b')]
    const lower = toHex(alice.peer.sessions[0]!.id) < toHex(bob.peer.sessions[0]!.id) ? alice : bob
    const other = lower === alice ? bob : alice
    lower.receive(lower === alice ? fromBob : fromAlice)
    expect(lower.peer.sessions[0]!.role).to.equal('initiator')
    lower.nowMs += limits.repairMs
    lower.receive(other.send('still waiting'))
    expect(lower.peer.sessions[0]!.role).to.equal('responder')
    expect(textOf(other.receive(lower.send('at last')))).to.equal('at last')
  })
})
