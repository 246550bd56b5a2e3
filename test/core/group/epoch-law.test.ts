/**
 * Laws of conversation epochs over random histories, every fourth over real sessions. `SOTTO_GROUP_WORLDS` sets
 * their number, `SOTTO_GROUP_SEED` the first.
 */
import { expect } from 'chai'
import { open } from '../../../packages/core/src/group/index.ts'
import { addressKey } from '../../../packages/core/src/identity/index.ts'
import { toHex } from '../../../packages/core/src/wire/index.ts'
import { SessionGroup } from '../../support/epoch-sessions.ts'
import { GroupWorld, judgeWith, stateOf, type SimDevice } from '../../support/group-world.ts'
import { messageKeyWatch } from '../../support/message-key-watch.ts'
import { nodeProvider } from '../../support/session-world.ts'

const worlds = Number(process.env['SOTTO_GROUP_WORLDS'] ?? 20)
const firstSeed = Number(process.env['SOTTO_GROUP_SEED'] ?? 1)

interface Removal {
  readonly device: SimDevice
  readonly rows: ReadonlyMap<string, Uint8Array>
}

/** One random history: sends, adds, removes, partitions, lost seeds, restarts, time. */
function play(world: GroupWorld, steps: number): readonly Removal[] {
  const first = world.add('a.0')
  for (const name of ['b.0', 'c.0', 'b.1']) world.add(name, first)
  world.drain()
  const removals: Removal[] = []
  const members = (): readonly SimDevice[] => world.devices.filter((device) => world.isMember(device))
  for (let step = 0; step < steps; step++) {
    const device = world.pick(members())
    const dice = world.below(100)
    if (dice < 38) world.send(device, `step ${String(step)}`)
    else if (dice < 70) world.shuffle(1 + world.below(24))
    else if (dice < 75 && world.devices.length < 9)
      world.add(`${world.pick(['a', 'b', 'd', 'e'])}.n${String(step)}`, device)
    else if (dice < 79 && members().length > 3) {
      const target = world.pick(members())
      if (target !== device) {
        world.remove(target, device)
        removals.push({ device: target, rows: target.snapshot() })
      }
    } else if (dice < 84) for (const other of world.devices) other.side = world.below(2)
    else if (dice < 90) world.restart(device)
    else if (dice < 96) world.nowMs += world.below(400_000)
    else for (const other of members()) world.tick(other)
  }
  return removals
}

/** Everything arrives, timers run out, everyone speaks once more. */
function settle(world: GroupWorld): void {
  world.seedLoss = 0
  for (const device of world.devices) world.publish(device, { kind: 'ops', ops: [...device.ops] })
  world.drain()
  for (let round = 0; round < 40; round++) {
    world.nowMs += 31_000
    for (const device of world.devices) if (world.isMember(device)) world.tick(device)
    world.drain()
  }
  for (const device of world.devices) {
    if (!world.isMember(device)) continue
    world.send(device, `last words of ${device.name}`)
    world.drain()
  }
}

describe('conversation epochs: laws', function () {
  this.timeout(240_000)

  for (let seed = firstSeed; seed < firstSeed + worlds; seed++) {
    it(`history ${String(seed)}`, () => {
      const watch = messageKeyWatch(nodeProvider)
      const world =
        seed % 4 === 0
          ? new SessionGroup(watch.crypto, String(seed), nodeProvider)
          : new GroupWorld(watch.crypto, String(seed))
      world.seedLoss = seed % 3 === 0 ? 0.3 : 0
      const removals = play(world, 90)
      settle(world)

      // Nobody seals under an epoch that lists a device it knows to be out.
      for (const { epoch, knownRemoved } of world.sealed)
        for (const device of knownRemoved)
          expect(world.recipientsOf.get(epoch)!.has(addressKey(device.address))).to.equal(false)

      // Who is listed and got the seeds of epoch and topic has the record. (What a device that left still had to
      // say, or still had to hear, is record sync's business once everybody has moved on.)
      for (const { by, recordId, epoch, route } of world.sealed) {
        for (const device of world.devices) {
          if (device === by || !world.isMember(by) || !world.isMember(device)) continue
          if (!world.recipientsOf.get(epoch)!.has(addressKey(device.address))) continue
          const got = [epoch, toHex(route)].every((key) => world.seeded.has(`${key}/${device.name}`))
          if (got) expect(device.delivered.has(recordId), `${device.name} lacks a record`).to.equal(true)
        }
      }
      // An envelope is delivered at most once: as often as the record was sealed in different epochs.
      for (const device of world.devices)
        for (const [recordId, times] of device.delivered)
          expect(times).to.be.at.most(
            new Set(world.sealed.filter((fact) => fact.recordId === recordId).map(({ epoch }) => epoch)).size,
          )

      // Once everything has arrived everyone who is in reads everyone.
      const members = world.devices.filter((device) => world.isMember(device))
      for (const device of members)
        for (const other of members)
          if (other !== device) expect(device.delivered.has(toHex(other.lastId!)), device.name).to.equal(true)

      // Who was removed opens nothing of an epoch that leaves it out, neither then nor with what it holds now.
      const judge = judgeWith(world.crypto, world.conversation)
      for (const { device, rows } of removals) {
        for (const state of [stateOf(world.crypto, rows), device.state]) {
          for (const { envelope, epoch } of world.sealed) {
            if (world.recipientsOf.get(epoch)!.has(addressKey(device.address))) continue
            const [verdict] = open(world.crypto, state, [{ envelope }], judge, world.nowMs).verdicts
            expect(verdict!.verdict).not.to.equal('accepted')
          }
        }
      }

      expect(watch.pairsReused(), '(key, nonce) pairs').to.equal(0)
      expect(watch.keysReused(), 'message keys').to.equal(0)
      expect(watch.messageKeys()).to.equal(world.sealed.length)
    })
  }
})
