import { expect } from 'chai'
import { SessionGroup, type Loot, type SessionDevice } from '../support/epoch-sessions.ts'
import { EpochThief } from '../support/epoch-thief.ts'
import type { SealedFact, SimDevice } from '../support/group-world.ts'
import { nodeProvider } from '../support/session-world.ts'

/** Three devices whose sessions are answered, under an epoch whose seeds went through answered sessions. */
function talking(seed: string): { world: SessionGroup; people: readonly SessionDevice[] } {
  const world = new SessionGroup(nodeProvider, `compromise ${seed}`)
  const first = world.add('a.0')
  for (const name of ['b.0', 'c.0']) world.add(name, first)
  world.drain()
  for (const device of world.devices) {
    world.send(device, `hello from ${device.name}`)
    world.drain()
  }
  for (const device of world.devices)
    for (const other of world.devices) if (other !== device) world.roundTrip(device, other)
  world.begin(first, 'doubt')
  world.drain()
  return { world, people: world.devices.map(({ name }) => world.device(name)) }
}

/** Something said by each but `silent`, and heard by all. */
function round(world: SessionGroup, text: string, silent?: SimDevice): readonly SealedFact[] {
  const from = world.sealed.length
  for (const device of world.devices) {
    if (device === silent) continue
    world.send(device, text)
    world.drain()
  }
  return world.sealed.slice(from)
}

function thiefOf(world: SessionGroup, loot: Loot, prekeys = true): EpochThief {
  const thief = new EpochThief(world, [loot], { prekeys })
  thief.listen(world.overheard)
  return thief
}

const opened = (thief: EpochThief, facts: readonly SealedFact[]): number =>
  facts.filter((fact) => thief.opens(fact)).length

describe('adversarial: a stolen copy of a device in epochs', () => {
  it('058 opens nothing that was received and erased before; the state from before receiving does', () => {
    const { world, people } = talking('before')
    const victim = people[2]!
    const early = victim.loot()
    const erased = round(world, 'read and erased', victim)
    const late = victim.loot()
    expect(erased.length).to.equal(2)
    expect(opened(thiefOf(world, late), erased)).to.equal(0)
    expect(opened(thiefOf(world, early), erased)).to.equal(2)
  })

  it('058 a record passed over stays open to a copy until its key goes, and no other does', () => {
    const { world, people } = talking('skipped')
    const [a, , victim] = people as [SessionDevice, SessionDevice, SessionDevice]
    const from = world.sealed.length
    world.send(a, 'lost on the way')
    victim.inbox.splice(0)
    world.send(a, 'arrives')
    world.drain()
    const [lost, arrived] = world.sealed.slice(from)
    const thief = thiefOf(world, victim.loot())
    expect(thief.opens(lost!)).to.equal(true)
    expect(thief.opens(arrived!)).to.equal(false)
  })

  it('058 reads on while nothing heals, and is closed out by a round trip on each session and a new epoch', () => {
    for (const beginner of [0, 1, 2]) {
      for (const index of [0, 2]) {
        const { world, people } = talking(`heals ${String(beginner)} ${String(index)}`)
        const victim = people[index]!
        const others = people.filter((device) => device !== victim)
        const loot = victim.loot()
        const unhealed = round(world, 'nothing heals')
        world.begin(others[0]!, 'doubt')
        world.drain()
        const newEpoch = round(world, 'a new epoch without a round trip', victim)

        for (const other of others) world.roundTrip(other, victim)
        const sameEpoch = round(world, 'round trips without a new epoch')
        world.begin(people[beginner]!, 'doubt')
        world.drain()
        const healed = [...round(world, 'healed'), ...round(world, 'still healed')]

        const thief = thiefOf(world, loot)
        for (const facts of [unhealed, newEpoch, sameEpoch])
          expect(opened(thief, facts)).to.equal(facts.length)
        expect(newEpoch[0]!.epoch).not.to.equal(unhealed[0]!.epoch)
        expect(healed.length).to.equal(6)
        expect(opened(thief, healed)).to.equal(0)
      }
    }
  })

  it('058 one session that did not heal is enough for it, when an epoch’s author speaks through that one', () => {
    const { world, people } = talking('half')
    const [a, b, victim] = people as [SessionDevice, SessionDevice, SessionDevice]
    // The others write to the victim last, so that its next message on each session takes a fresh step.
    for (const other of [a, b]) world.roundTrip(victim, other)
    world.roundTrip(a, victim)
    const loot = victim.loot()
    world.roundTrip(a, victim)
    world.begin(a, 'doubt')
    world.drain()
    const byHealed = round(world, 'from a', victim)
    world.begin(b, 'doubt')
    world.drain()
    const byOther = round(world, 'from b', victim)
    const thief = thiefOf(world, loot)
    expect(opened(thief, byHealed)).to.equal(0)
    expect(opened(thief, byOther)).to.equal(byOther.length)
  })

  it('058 a round trip that the victim begins on the chain it had is not enough: it must have answered', () => {
    const { world, people } = talking('begins')
    const [a, , victim] = people as [SessionDevice, SessionDevice, SessionDevice]
    world.roundTrip(a, victim)
    const loot = victim.loot()
    world.roundTrip(victim, a)
    world.begin(a, 'doubt')
    world.drain()
    const begun = round(world, 'begun by the victim', victim)
    world.roundTrip(a, victim)
    world.begin(a, 'doubt')
    world.drain()
    const answered = round(world, 'answered by the victim', victim)
    const thief = thiefOf(world, loot)
    expect(opened(thief, begun)).to.equal(begun.length)
    expect(opened(thief, answered)).to.equal(0)
  })

  it('058 prekeys give a thief the seeds of a session’s first chain, until they are dropped, and no others', () => {
    const world = new SessionGroup(nodeProvider, 'compromise first flight')
    const a = world.add('a.0')
    const b = world.add('b.0', a)
    world.drain()
    world.send(a, 'under the seed in the handshake')
    world.drain()
    const first = [...world.sealed]
    world.roundTrip(b, a)
    world.begin(a, 'doubt')
    world.drain()
    world.send(a, 'under a seed after the answer')
    world.drain()
    const later = world.sealed.slice(first.length)
    const loot = world.device('b.0').loot()
    expect(opened(thiefOf(world, loot), first)).to.equal(first.length)
    expect(opened(thiefOf(world, loot, false), first)).to.equal(0)
    expect(later.length).to.equal(1)
    expect(opened(thiefOf(world, loot), later)).to.equal(0)
  })
})
