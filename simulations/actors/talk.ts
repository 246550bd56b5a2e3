import type { MessageView } from '@sotto/core'
import type { Room } from '../laws/rooms.ts'
import type { Stage } from '../scenarios/stage.ts'
import type { Stream } from '../world/stream.ts'
import { actInGroup, createGroup, deviceOf, someOf, type GroupAct } from './groups.ts'
import { useRelays } from './introduce.ts'
import { linkMachine, removeMachine, removeStrays } from './linking.ts'
import type { Machine } from './machine.ts'
import type { Person } from './person.ts'

const minute = 60_000
const emoji = ['👍', '🎉', '❤️', '']

/** Everything people do: they talk, change what they said, tend their groups and their devices. */
export function beginLife(stage: Stage): void {
  for (const person of stage.people) talk(stage, person)
  governGroups(stage)
  changeDevices(stage)
}

/** Now and then a message, at times many at once, or a word about one there is; and what is there is read. */
function talk(stage: Stage, person: Person): void {
  const draw = stage.world.stream('workload', person.name)
  stage.repeat(draw, stage.plan.messageEveryMs, () => {
    const machine = deviceOf(draw, person)
    const rooms = [...stage.world.ledger.rooms.values()].filter(({ parties }) => parties.has(person.name))
    if (machine === undefined || rooms.length === 0) return
    const room = draw.pick(rooms)
    const count = draw.chance(0.05) ? 2 + draw.below(20) : 1
    const about = draw.fraction()
    if (about < 0.68) for (let n = 0; n < count; n++) void say(stage, draw, machine, room)
    else void sayAbout(stage, draw, machine, room, about)
    if (draw.chance(0.3))
      machine.device?.dispatch('mark-read', { conversationId: room.conversationId }).catch(() => undefined)
  })
}

/** Sends a new text; its device is asked in the same turn whom it holds to be in. */
export async function say(
  stage: Stage,
  draw: Stream,
  machine: Machine,
  { conversationId }: Room,
  more: { readonly replyTo?: string; readonly stolen?: boolean } = {},
): Promise<boolean> {
  const { ledger, trace } = stage.world
  const { device } = machine
  if (device === undefined) return false
  const { stolen = false, ...reply } = more
  const text = stage.world.newText(draw)
  const said = ledger.intend(machine, text, conversationId, { stolen })
  const listing = device.view('members', { conversationId }).catch(() => undefined)
  const sending = device.dispatch('send', { conversationId, text, ...reply })
  try {
    const [members, message] = await Promise.all([listing, sending])
    ledger.accept(said, message.messageId, members)
    stage.world.did(stolen ? 'thief-send' : reply.replyTo === undefined ? 'send' : 'reply')
    trace.note('accepted', { host: machine.name, message: message.messageId })
    return true
  } catch {
    return false
  }
}

/** A reply, an edit, a deletion or a reaction, to a message the person's device shows. */
async function sayAbout(
  stage: Stage,
  draw: Stream,
  machine: Machine,
  room: Room,
  which: number,
): Promise<void> {
  const page = await machine.device
    ?.view('history', { conversationId: room.conversationId, limit: 20 })
    .catch(() => undefined)
  const open = page?.messages.filter(({ deleted, text }) => !deleted && text !== null) ?? []
  const mine = open.filter(({ author }) => author.me)
  if (open.length === 0) return
  const any = draw.pick(open)
  if (which < 0.76) {
    await say(stage, draw, machine, room, { replyTo: any.messageId })
    return
  }
  if (which < 0.84) return react(stage, draw, machine, room, any)
  if (mine.length === 0) return
  const own = draw.pick(mine)
  return which < 0.92 ? edit(stage, draw, machine, room, own) : takeBack(stage, machine, room, own)
}

async function edit(
  stage: Stage,
  draw: Stream,
  machine: Machine,
  room: Room,
  { messageId }: MessageView,
): Promise<void> {
  const text = stage.world.newText(draw)
  const said = stage.world.ledger.intend(machine, text, room.conversationId, { messageId })
  const done = await machine.device?.dispatch('edit', { messageId, text }).catch(() => undefined)
  if (done === undefined) return
  stage.world.ledger.accept(said, messageId, undefined)
  stage.world.did('edit')
}

async function takeBack(
  stage: Stage,
  machine: Machine,
  room: Room,
  { messageId }: MessageView,
): Promise<void> {
  const tried = room.deletes.get(messageId) ?? { accepted: false }
  room.deletes.set(messageId, tried)
  const done = await machine.device?.dispatch('delete', { messageId }).catch(() => undefined)
  if (done === undefined) return
  tried.accepted = true
  stage.world.did('delete')
}

async function react(
  stage: Stage,
  draw: Stream,
  machine: Machine,
  room: Room,
  { messageId }: MessageView,
): Promise<void> {
  const one = draw.pick(emoji)
  const tried = room.reacting(messageId, machine.person, one)
  const done = await machine.device?.dispatch('react', { messageId, emoji: one }).catch(() => undefined)
  if (done === undefined) return
  tried.accepted += 1
  stage.world.did('react')
}

/** Groups change hands slowly: most of it is renaming, and now and then a new one. */
function governGroups(stage: Stage): void {
  const draw = stage.world.stream('workload', 'govern')
  const acts: readonly GroupAct[] = ['rename', 'rename', 'promote', 'demote', 'add', 'add', 'remove', 'leave']
  stage.repeat(draw, stage.plan.groupChangeEveryMs, () => {
    const person = draw.pick(stage.people)
    const contacts = stage.people.filter(({ name }) => person.direct.has(name))
    if (draw.chance(0.08)) void createGroup(stage, draw, person, someOf(draw, contacts))
    else void actOfSome(stage, draw, person, draw.pick(acts))
  })
}

/** A person does something to a group; what their device does not allow them is done by somebody who may. */
async function actOfSome(stage: Stage, draw: Stream, first: Person, act: GroupAct): Promise<void> {
  const start = stage.people.indexOf(first)
  const people = [...stage.people.slice(start), ...stage.people.slice(0, start)]
  for (const person of people) if (await actInGroup(stage, draw, person, act)) return
}

/** Devices come and go: a person who has one links another, one with three takes one off, else it is a toss. */
function changeDevices(stage: Stage): void {
  const draw = stage.world.stream('workload', 'devices')
  stage.repeat(draw, stage.plan.deviceChangeEveryMs, () => {
    const person = draw.pick(stage.people)
    const machine = deviceOf(draw, person)
    if (machine === undefined || person.linking) return
    const { devices } = person
    const others = devices.filter((other) => other !== machine)
    const links = devices.length < 2 || (devices.length < 3 && draw.chance(0.5))
    if (links) void linkWithin(stage, draw, person, machine)
    else
      void removeMachine(stage, machine, draw.pick(others)).then(
        (done) => done && stage.world.did('remove-device'),
      )
  })
}

async function linkWithin(stage: Stage, draw: Stream, person: Person, old: Machine): Promise<void> {
  const linked = await linkMachine(stage, person, old, draw.chance(0.5) ? 'all' : 'none')
  if (linked) stage.world.did('link')
  const fresh = person.machines.at(-1)
  if (linked && fresh !== undefined) await useRelays(stage, fresh)
  else stage.later(minute, () => void removeStrays(stage, person))
}
