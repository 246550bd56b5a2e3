import { expect } from 'chai'
import { SessionGroup, type SessionDevice } from '../support/epoch-sessions.ts'
import { EpochThief } from '../support/epoch-thief.ts'
import type { SealedFact, SimDevice } from '../support/group-world.ts'
import { nodeProvider } from '../support/session-world.ts'

/** Four devices that have each spoken and answered over their sessions. */
function talking(seed: string): { world: SessionGroup; people: readonly SessionDevice[] } {
  const world = new SessionGroup(nodeProvider, `removed ${seed}`)
  const first = world.add('a.0')
  for (const name of ['b.0', 'c.0', 'd.0']) world.add(name, first)
  world.drain()
  for (const device of world.devices) {
    world.send(device, `hello from ${device.name}`)
    world.drain()
  }
  return { world, people: world.devices.map(({ name }) => world.device(name)) }
}

const sealedBy = (world: SessionGroup, from: number, device: SimDevice): readonly SealedFact[] =>
  world.sealed.slice(from).filter(({ by }) => by === device)

describe('adversarial: a removed device', () => {
  it('066 opens what it was entitled to, and nothing sealed by who knew of its removal', () => {
    const { world, people } = talking('knowing')
    const [a, b, c, d] = people as [SessionDevice, SessionDevice, SessionDevice, SessionDevice]
    const early = d.loot()
    world.send(a, 'before the removal')
    world.drain()
    const before = d.loot()
    world.remove(d, a)
    const known = world.sealed.length
    // `a` knows at once. `b` and `c` have not heard and speak to everybody, as they may.
    world.send(a, 'a knows')
    world.send(b, 'b does not know')
    const unknowing = sealedBy(world, known, b)
    world.drain()
    const informed = world.sealed.length
    for (let round = 0; round < 4; round++) {
      for (const device of [c, b, a]) {
        world.nowMs += 200_000
        world.send(device, `round ${String(round)}`)
        world.drain()
      }
    }

    const thief = new EpochThief(world, [early, before, d.loot()])
    thief.listen(world.overheard)
    const closed = [...sealedBy(world, known, a), ...world.sealed.slice(informed)]
    expect(closed.length).to.be.at.least(13)
    expect(new Set(closed.map(({ epoch }) => epoch)).size).to.be.greaterThan(5)
    for (const fact of closed) {
      expect(fact.knownRemoved).to.include(d)
      expect(thief.opens(fact), `${fact.by.name} sealed it`).to.equal(false)
    }
    // The same thief opens what it was sealed for: this test can fail.
    const open = world.sealed.slice(0, known).filter(({ by }) => by !== d)
    expect(open.length).to.equal(4)
    for (const fact of [...open, ...unknowing]) expect(thief.opens(fact)).to.equal(true)
    expect(unknowing.length).to.equal(1)
  })

  it('066 is shut out although the others go on talking to it over their sessions', () => {
    const { world, people } = talking('chatter')
    const [a, b, , d] = people as [SessionDevice, SessionDevice, SessionDevice, SessionDevice]
    world.remove(d, a)
    world.drain()
    for (const other of [a, b]) world.roundTrip(d, other)
    for (const device of [a, b, a]) {
      world.nowMs += 200_000
      world.send(device, 'without d')
      world.drain()
      world.roundTrip(device, d)
    }
    const thief = new EpochThief(world, [d.loot()])
    thief.listen(world.overheard)
    for (const fact of world.sealed.slice(-3)) expect(thief.opens(fact)).to.equal(false)
  })

  it('066 comes back as another device and reads on, but not what was said meanwhile', () => {
    const { world, people } = talking('back')
    const [a, b, c, d] = people as [SessionDevice, SessionDevice, SessionDevice, SessionDevice]
    world.remove(d, a)
    world.drain()
    const from = world.sealed.length
    for (let i = 0; i < 10; i++) {
      world.nowMs += 40_000
      world.send([a, b, c][i % 3]!, `gap ${String(i)}`)
      world.drain()
    }
    const gap = world.sealed.slice(from)
    world.add('d.1', a)
    world.drain()
    const back = world.device('d.1')
    const arrived = back.loot()
    world.send(b, 'welcome back')
    world.drain()
    const thief = new EpochThief(world, [arrived, back.loot(), d.loot()])
    thief.listen(world.overheard)
    expect(gap.length).to.equal(10)
    for (const fact of gap) expect(thief.opens(fact)).to.equal(false)
    expect(back.delivered.size).to.equal(1)
    expect(thief.opens(world.sealed.at(-1)!)).to.equal(true)
  })
})
