import type { Room } from '../laws/rooms.ts'
import type { Stage } from '../scenarios/stage.ts'
import type { Stream } from '../world/stream.ts'
import { createGroup, someOf } from './groups.ts'
import { linkMachine, removeStrays } from './linking.ts'
import type { Machine } from './machine.ts'
import type { Person } from './person.ts'

const minute = 60_000

/** Who knows whom: everybody next to each other in a ring, and a share of the other pairs. */
export function pairsOf(stage: Stage): readonly (readonly [Person, Person])[] {
  const draw = stage.world.stream('workload', 'pairs')
  const { people } = stage
  return people.flatMap((a, i) =>
    people
      .slice(i + 1)
      .flatMap((b, step) => (step === 0 || draw.chance(stage.plan.acquaintance) ? [[a, b] as const] : [])),
  )
}

/**
 * Opens every app, with one or more relays each, lets the pairs meet by invites, links everybody's further devices
 * and opens the groups. Throws when that does not work on a calm network.
 */
export async function introduce(stage: Stage): Promise<void> {
  const { world, people, relays } = stage
  for (const relay of relays) relay.boot()
  for (const person of people)
    for (const machine of person.machines) {
      await world.timeline.until(machine.boot(), minute)
      await world.timeline.until(useRelays(stage, machine), minute)
    }
  for (const [inviter, guest] of pairsOf(stage)) await meet(stage, inviter, guest)
  for (const [i, person] of people.entries())
    for (let more = 1; more < (stage.devicesEach[i] ?? 1); more++) await linkOne(stage, person)
  await world.timeline.runUntil(world.timeline.nowMs + minute)
  for (let n = 0; n < stage.plan.groups; n++) await openGroup(stage)
  await world.timeline.runUntil(world.timeline.nowMs + 2 * minute)
}

/** One or more relays, some of them the person's other devices use as well. */
export async function useRelays(stage: Stage, machine: Machine): Promise<void> {
  const { world, relays } = stage
  const draw = world.stream('workload', `relays/${machine.name}`)
  const first = draw.pick(relays)
  const used = relays.filter((relay) => relay === first || draw.chance(0.5))
  for (const { address } of used)
    await machine.device?.dispatch('add-relay', { address }).catch(() => undefined)
}

async function linkOne(stage: Stage, person: Person): Promise<void> {
  const { timeline } = stage.world
  const draw = stage.world.stream('workload', `link/${person.name}`)
  for (let attempt = 0; attempt < 5; attempt++) {
    const [old] = person.devices
    if (old === undefined) break
    const granted = draw.chance(0.5) ? 'all' : 'none'
    const linked = await timeline.until(linkMachine(stage, person, old, granted), 20 * minute)
    await timeline.until(removeStrays(stage, person), minute)
    const fresh = person.machines.at(-1)
    if (!linked || fresh === undefined) continue
    await timeline.until(useRelays(stage, fresh), minute)
    return
  }
  throw new Error(`${person.name} could not link another device`)
}

async function openGroup(stage: Stage): Promise<void> {
  const draw = stage.world.stream('workload', 'groups')
  const owner = draw.pick(stage.people)
  const contacts = stage.people.filter(({ name }) => owner.direct.has(name))
  await openGroupOf(stage, draw, owner, someOf(draw, contacts))
}

/** Opens a group of these people on a calm network. Throws when that does not work. */
export async function openGroupOf(
  stage: Stage,
  draw: Stream,
  owner: Person,
  members: readonly Person[],
): Promise<Room> {
  const { timeline } = stage.world
  const opened = await timeline.until(createGroup(stage, draw, owner, members), minute)
  if (opened === undefined) throw new Error('no group could be opened')
  await timeline.runUntil(timeline.nowMs + minute)
  return opened
}

async function meet(stage: Stage, inviter: Person, guest: Person): Promise<void> {
  const { timeline, ledger } = stage.world
  const relayHints = stage.relays.map((relay) => relay.address)
  for (let attempt = 0; attempt < 20; attempt++) {
    const invite = inviter.machines[0]?.device?.dispatch('create-invite', { direct: attempt % 2 === 0 })
    if (invite === undefined) break
    const { link } = await timeline.until(invite, minute)
    await timeline.runUntil(timeline.nowMs + 5_000)
    const adding = guest.machines[0]?.device?.dispatch('add', { link, relayHints }).catch(() => undefined)
    const added = adding === undefined ? undefined : await timeline.until(adding, minute)
    await timeline.runUntil(timeline.nowMs + minute)
    if (added === undefined) continue
    inviter.direct.set(guest.name, added.conversationId)
    guest.direct.set(inviter.name, added.conversationId)
    ledger.open(added.conversationId, false, [inviter.name, guest.name])
    return
  }
  throw new Error(`${guest.name} could not take up an invite of ${inviter.name}`)
}
