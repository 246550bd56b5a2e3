import type { Device, GroupRole, MemberView } from '@sotto/core'
import type { Room } from '../laws/rooms.ts'
import type { Stage } from '../scenarios/stage.ts'
import type { Stream } from '../world/stream.ts'
import type { Machine } from './machine.ts'
import type { Person } from './person.ts'

/** Somebody's running device. */
export function deviceOf(draw: Stream, person: Person): Machine | undefined {
  const there = person.devices.filter(({ device }) => device !== undefined)
  return there.length === 0 ? undefined : draw.pick(there)
}

/** Some of these people, one at least. */
export function someOf(draw: Stream, people: readonly Person[]): readonly Person[] {
  const first = people.length === 0 ? undefined : draw.pick(people)
  return people.filter((one) => one === first || draw.chance(0.7))
}

/** Opens a group of a person's contacts; nothing when the device did not say yes. */
export async function createGroup(
  stage: Stage,
  draw: Stream,
  owner: Person,
  members: readonly Person[],
): Promise<Room | undefined> {
  const { world } = stage
  const title = world.newTitle()
  const machine = deviceOf(draw, owner)
  const ids = members.map(({ accountId }) => accountId)
  const opened = await machine?.device
    ?.dispatch('create-group', { name: title, members: ids })
    .catch(() => undefined)
  if (opened === undefined) return undefined
  const room = world.ledger.open(opened.conversationId, true, [owner.name])
  room.titles.add(title)
  room.openedOn = machine?.name ?? ''
  for (const { name } of members) room.adding(owner.name, name, world.timeline.nowMs).taken = true
  world.did('create-group')
  return room
}

/** A person lets somebody into a group; whether a device took it. */
export async function letIn(stage: Stage, room: Room, by: Person, guest: Person): Promise<boolean> {
  return took(stage, 'add', by, async (device) => {
    const addition = room.adding(by.name, guest.name, stage.world.timeline.nowMs)
    await device.dispatch('group-add', aboutOf(room, guest))
    addition.taken = true
  })
}

/** A person puts somebody out of a group; whether a device took it. */
export async function putOut(stage: Stage, room: Room, by: Person, gone: Person): Promise<boolean> {
  const { timeline } = stage.world
  const move = { by: by.name, target: gone.name, atMs: timeline.nowMs }
  return took(stage, 'remove', by, (device) =>
    room.puttingOut(move, device.dispatch('group-remove', aboutOf(room, gone)), timeline),
  )
}

/** A person makes somebody an owner beside them; whether a device took it. */
export async function makeOwner(stage: Stage, room: Room, by: Person, heir: Person): Promise<boolean> {
  room.promotions.push({ by: by.name, target: heir.name, atMs: stage.world.timeline.nowMs })
  return took(stage, 'promote', by, (device) =>
    device.dispatch('group-role', { ...aboutOf(room, heir), role: 'owner' }),
  )
}

/** A person leaves a group, on one of their machines. */
export async function leaveOn(stage: Stage, room: Room, machine: Machine): Promise<void> {
  const { name, person } = machine
  const { timeline } = stage.world
  const move = { by: person, target: person, atMs: timeline.nowMs, machine: name }
  const { conversationId } = room
  await room.puttingOut(move, machine.device?.dispatch('group-leave', { conversationId }), timeline)
}

const aboutOf = ({ conversationId }: Room, { accountId }: Person) => ({ conversationId, accountId })

/** Something a person does on the first of their devices that is there; whether it was taken. */
async function took(
  stage: Stage,
  act: GroupAct,
  by: Person,
  work: (device: Device) => Promise<unknown>,
): Promise<boolean> {
  const device = by.devices.find((one) => one.device !== undefined)?.device
  if (device === undefined) return false
  try {
    await work(device)
    stage.world.did(act)
    return true
  } catch {
    return false
  }
}

/** What can be done to a group. */
export const groupActs = ['rename', 'promote', 'demote', 'remove', 'add', 'leave'] as const
export type GroupAct = (typeof groupActs)[number]

/**
 * A person does something to a group, as their device sees it; what the rules do not allow is refused and was no try.
 * Whether it was done.
 */
export async function actInGroup(
  stage: Stage,
  draw: Stream,
  person: Person,
  act: GroupAct,
): Promise<boolean> {
  const machine = deviceOf(draw, person)
  const rooms = [...stage.world.ledger.rooms.values()].filter(({ group }) => group)
  if (machine?.device === undefined || rooms.length === 0) return false
  const room = draw.pick(rooms)
  const { conversationId } = room
  const members = await machine.device.view('members', { conversationId }).catch(() => undefined)
  const me = members?.find((member) => member.me)
  if (members === undefined || me === undefined) return false
  const did = await doneTo(stage, draw, { person, machine, room, members, role: me.role }, act)
  if (did) stage.world.did(act)
  return did
}

interface Doing {
  readonly person: Person
  readonly machine: Machine
  readonly room: Room
  readonly members: readonly MemberView[]
  readonly role: GroupRole
}

async function doneTo(stage: Stage, draw: Stream, doing: Doing, act: GroupAct): Promise<boolean> {
  const { person, machine, room, members } = doing
  const { conversationId } = room
  const { device } = machine
  const atMs = stage.world.timeline.nowMs
  const others = members.filter(({ me }) => !me)
  const target = others.length === 0 ? undefined : draw.pick(others)
  const yes = (work: Promise<unknown> | undefined): Promise<boolean> =>
    work?.then(
      () => true,
      () => false,
    ) ?? Promise.resolve(false)
  const move = { by: person.name, target: stage.world.ledger.personOf(target?.accountId ?? '') ?? '', atMs }
  const about = { conversationId, accountId: target?.accountId ?? '' }
  switch (act) {
    case 'rename': {
      const name = stage.world.newTitle()
      room.titles.add(name)
      return yes(device?.dispatch('group-rename', { conversationId, name }))
    }
    case 'promote':
      room.promotions.push(move)
      return yes(device?.dispatch('group-role', { ...about, role: promotionOf(doing, draw) }))
    case 'demote':
      room.demotions.push(move)
      return yes(device?.dispatch('group-role', { ...about, role: 'member' }))
    case 'remove':
      return yes(room.puttingOut(move, device?.dispatch('group-remove', about), stage.world.timeline))
    case 'leave':
      return yes(leaveOn(stage, room, machine))
    case 'add':
      return yes(add(stage, draw, doing))
  }
}

const promotionOf = ({ role }: Doing, draw: Stream): GroupRole =>
  role === 'owner' && draw.chance(0.2) ? 'owner' : 'admin'

/** Lets in somebody who is not in: one who was before, if there is any. */
async function add(stage: Stage, draw: Stream, { person, machine, room, members }: Doing): Promise<void> {
  const outside = stage.people.filter(
    ({ accountId, name }) =>
      !members.some((one) => one.accountId === accountId) &&
      (person.direct.has(name) || room.parties.has(name)),
  )
  const before = outside.filter(({ name }) => room.wasPutOut(name))
  const guest = before.length > 0 ? draw.pick(before) : outside.length > 0 ? draw.pick(outside) : undefined
  if (guest === undefined) throw new Error('everybody is in')
  const { conversationId } = room
  const addition = room.adding(person.name, guest.name, stage.world.timeline.nowMs)
  await machine.device?.dispatch('group-add', { conversationId, accountId: guest.accountId })
  addition.taken = true
}
