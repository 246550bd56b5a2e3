/** When a device begins an epoch, and which one it seals under. */
import { expect } from 'chai'
import { GroupWorld, type SimDevice } from '../../support/group-world.ts'
import { nodeProvider as crypto } from '../../support/session-world.ts'
import {
  chooseBase,
  closeAll,
  epochDue,
  epochTopics,
  holdBack,
  isLagging,
  nothingHeld,
  preferredEpoch,
  stillHeld,
  usableForSending,
  type EpochDue,
  type MembershipView,
} from '../../../packages/core/src/group/index.ts'
import { limits } from '../../../packages/core/src/limits.ts'
import { toHex } from '../../../packages/core/src/wire/index.ts'

function group(seed: string, people: number): { world: GroupWorld; devices: readonly SimDevice[] } {
  const world = new GroupWorld(crypto, seed)
  const first = world.add('p0.0')
  for (let i = 1; i < people; i++) world.add(`p${String(i)}.0`, first)
  world.drain()
  world.send(first, 'hello')
  world.drain()
  return { world, devices: world.devices }
}

const due = (world: GroupWorld, device: SimDevice, sending: boolean): EpochDue | undefined =>
  epochDue(crypto, device.state, world.viewOf(device), { sending, onlineSinceMs: 0 }, world.nowMs)

describe('conversation epochs: rules', () => {
  it('a sender begins one for age and number, at the limit and not before', () => {
    const { world, devices } = group('triggers', 9)
    const [a] = devices
    const begun = world.nowMs
    world.nowMs = begun + limits.epochRenewMs - 1
    expect(due(world, a!, true)).to.equal(undefined)
    world.nowMs += 1
    expect(due(world, a!, true)?.reason).to.equal('age')
    world.nowMs = begun
    for (let i = 1; i < limits.epochMessages; i++) world.send(a!, String(i))
    expect(world.created.length).to.equal(1)
    world.send(a!, 'one more')
    expect(world.created.at(-1)?.reason).to.equal('count')
  })

  it('each turn of a small conversation begins one, spaced; it rides on the topic in use', () => {
    const { world, devices } = group('turns', limits.turnDevices)
    const [a, b] = devices
    world.nowMs += limits.turnMs - 1
    expect(due(world, b!, true)).to.equal(undefined)
    world.nowMs += 1
    expect(due(world, a!, true), 'no turn of one’s own').to.equal(undefined)
    expect(due(world, b!, true)?.reason).to.equal('turn')
    world.send(b!, 'my turn')
    world.drain()
    const node = preferredEpoch(a!.state, world.viewOf(a!), world.nowMs)!
    expect(node.record.terms.route).not.to.equal(null)
    expect(epochTopics(crypto, a!.state, world.nowMs).length).to.equal(1)
    const large = group('no turns', limits.turnDevices + 1)
    large.world.nowMs += limits.turnMs
    expect(due(large.world, large.devices[1]!, true)).to.equal(undefined)
  })

  it('an epoch is not used with a device too many, too few, a lost author, another policy, or once closed', () => {
    const { world, devices } = group('usable', 3)
    const [a, b, c] = devices
    const view = world.viewOf(b!)
    const node = preferredEpoch(b!.state, view, world.nowMs)!
    const usable = (change: Partial<MembershipView>, state = b!.state): boolean =>
      usableForSending(state, state.nodes.get(node.key)!, { ...view, ...change }, world.nowMs)
    expect(usable({})).to.equal(true)
    const without = (gone: SimDevice) =>
      view.devices.filter(({ device }) => toHex(device) !== toHex(gone.address.device))
    expect(usable({ devices: without(c!) })).to.equal(false)
    expect(usable({ devices: without(a!) })).to.equal(false)
    const stranger = new GroupWorld(crypto, 'stranger').add('x.0')
    const added = (notAfterMs: number) => [
      ...view.devices,
      { ...stranger.address, identityKey: stranger.keys.publicKey, notAfterMs },
    ]
    expect(usable({ devices: added(world.nowMs + limits.clockSkewMs + 1) })).to.equal(false)
    expect(usable({ devices: added(world.nowMs + limits.clockSkewMs) })).to.equal(true)
    const ending = (notAfterMs: number) => view.devices.map((device) => ({ ...device, notAfterMs }))
    expect(usable({ devices: ending(world.nowMs - limits.clockSkewMs) })).to.equal(true)
    expect(usable({ devices: ending(world.nowMs - limits.clockSkewMs - 1) })).to.equal(false)
    expect(usable({ history: 1 })).to.equal(false)
    expect(usable({}, closeAll(b!.state))).to.equal(false)
  })

  it('after a removal idle devices wait their turn, and one epoch is enough for all', () => {
    const { world, devices } = group('idle', 6)
    const [a, b] = devices
    world.remove(b!, a!)
    world.drain()
    const members = devices.filter((device) => device !== b)
    const times = members.map((device) => due(world, device, false)!)
    expect(new Set(times.map(({ reason }) => reason))).to.deep.equal(new Set(['devices']))
    expect(new Set(times.map(({ atMs }) => atMs)).size).to.equal(members.length)
    const before = world.created.length
    for (let i = 0; i < 20; i++) {
      world.nowMs += limits.epochSpacingMs / 2
      for (const device of members) world.tick(device)
      world.drain()
    }
    expect(world.created.length - before).to.equal(1)
  })

  it('a device left without its seed begins one after a minute, at most six an hour', () => {
    const { world, devices } = group('unseeded', 3)
    const [a, b] = devices
    world.seedLoss = 1
    world.begin(a!, 'doubt')
    world.drain()
    const at = due(world, b!, false)!
    expect(at.reason).to.equal('unseeded')
    expect(at.atMs - world.nowMs).to.be.within(
      limits.unseededMs,
      limits.unseededMs + 2 * limits.epochSpacingMs,
    )
    const begun = (): number =>
      world.created.filter(({ reason, by }) => reason === 'unseeded' && by === b).length
    for (let minute = 0; minute < 59; minute++) {
      world.begin(a!, 'doubt')
      world.drain()
      world.nowMs += minute % 2 === 0 ? 61_000 : 59_000
      world.tick(b!)
    }
    expect(begun()).to.equal(limits.unseededEpochsPerHour)
  })

  it('a device that does not acknowledge a seed lags after ten minutes', () => {
    const { world, devices } = group('lagging', 3)
    const [a, b, c] = devices
    world.begin(a!, 'doubt')
    c!.inbox.splice(0)
    world.drain()
    world.nowMs += limits.seedAckMs
    expect(isLagging(a!.state, c!.address, world.nowMs)).to.equal(false)
    world.nowMs += 1
    expect(isLagging(a!.state, c!.address, world.nowMs)).to.equal(true)
    expect(isLagging(a!.state, b!.address, world.nowMs)).to.equal(false)
  })

  it('the base reaches back as far as a receiver can follow', () => {
    expect(chooseBase([], 7)).to.equal(7)
    expect(chooseBase([4, 6], 7)).to.equal(4)
    expect(chooseBase([1, 1 + limits.generationsAhead], 2 + limits.generationsAhead)).to.equal(1)
    expect(chooseBase([1, 2 + limits.generationsAhead], 3 + limits.generationsAhead)).to.equal(
      2 + limits.generationsAhead,
    )
  })

  it('envelopes without a key wait, each once, so many and so long', () => {
    let waiting = nothingHeld
    const envelope = (i: number): Uint8Array => Uint8Array.of(i >> 8, i & 255)
    for (let i = 0; i <= limits.heldRecords; i++) waiting = holdBack(waiting, envelope(i), undefined, 5)
    expect(waiting.length).to.equal(limits.heldRecords)
    expect(waiting[0]?.envelope).to.deep.equal(envelope(1))
    expect(holdBack(waiting, envelope(3), undefined, 6)).to.equal(waiting)
    expect(stillHeld(waiting, 5 + limits.heldMs).length).to.equal(limits.heldRecords)
    expect(stillHeld(waiting, 6 + limits.heldMs)).to.deep.equal([])
  })
})
