import type { MemberView, MessageView } from '@sotto/core'
import type { Machine } from '../actors/machine.ts'
import type { Stage } from '../scenarios/stage.ts'
import type { Ledger, Said } from './ledger.ts'
import type { Room } from './rooms.ts'

/** A conversation as one device holds it in the end. */
export interface Held {
  readonly machine: Machine
  readonly members: readonly MemberView[]
  readonly title: string
  readonly messages: readonly MessageView[]
  /** The lines of the canonical export, by message id, in order. */
  readonly lines: ReadonlyMap<string, string>
  readonly missing: number
}

/** What every device that takes part holds of a conversation; a device that is off, or was let out, holds none. */
export async function heldIn(stage: Stage, room: Room): Promise<readonly Held[]> {
  const found: Held[] = []
  for (const person of stage.people)
    for (const machine of person.devices) {
      const held = room.parties.has(person.name) ? await holdings(machine, room) : undefined
      if (held !== undefined) found.push(held)
    }
  return found
}

async function holdings(machine: Machine, { conversationId, group }: Room): Promise<Held | undefined> {
  const { device } = machine
  if (device === undefined) return undefined
  const views = await device.view('conversations', {})
  const view = views.find((one) => one.conversationId === conversationId)
  if (view === undefined || view.contactState === 'left') return undefined
  const { json } = await device.view('export', { conversationId })
  return {
    machine,
    members: await device.view('members', { conversationId }),
    title: group ? view.name : '',
    ...(await machine.history(conversationId)),
    lines: linesOf(json),
  }
}

function linesOf(json: string): ReadonlyMap<string, string> {
  const lines = json.split('\n').filter((line) => line.startsWith('{"messageId"'))
  return new Map(
    lines.map((line) => {
      const text = line.replace(/,$/, '')
      return [(JSON.parse(text) as MessageView).messageId, text]
    }),
  )
}

const rolesOf = ({ members }: Held): string =>
  members
    .map(({ accountId, role, devices }) => {
      const ids = devices.map(({ deviceId }) => deviceId).sort()
      return `${accountId} ${role} ${ids.join('+')}`
    })
    .sort()
    .join(', ')

/** Where two devices hold different things of one conversation: who is in, what it is called, what was said. */
export function disagreements(
  room: Room,
  held: readonly Held[],
): readonly { readonly law: 'same-members' | 'same-history'; readonly what: string }[] {
  const found: { readonly law: 'same-members' | 'same-history'; readonly what: string }[] = []
  const [first] = held
  if (first === undefined) return found
  const inside = new Set(first.members.map(({ accountId }) => accountId))
  for (const one of held) {
    const pair = `${first.machine.name} and ${one.machine.name}`
    if (rolesOf(one) !== rolesOf(first))
      found.push({ law: 'same-members', what: `${pair} see different members` })
    if (one.title !== first.title) found.push({ law: 'same-members', what: `${pair} call it differently` })
    if (!inside.has(one.machine.accountId))
      found.push({ law: 'same-members', what: `${one.machine.name} holds itself to be in` })
  }
  for (const [i, one] of held.entries())
    for (const other of held.slice(i + 1)) {
      const apart = [one, other].some(({ machine }) => room.wasPutOut(machine.person))
      const what = differenceOf(one, other, apart ? fixedPart : (line) => line)
      if (what !== undefined)
        found.push({ law: 'same-history', what: `${one.machine.name} and ${other.machine.name} ${what}` })
    }
  return found
}

/** What both hold must be the same and in the same order; who came later holds less. */
function differenceOf(a: Held, b: Held, part: (line: string) => string): string | undefined {
  const shared = [...a.lines.keys()].filter((id) => b.lines.has(id))
  const theirs = [...b.lines.keys()].filter((id) => a.lines.has(id))
  if (shared.join() !== theirs.join()) return 'order messages differently'
  const odd = shared.find((id) => part(a.lines.get(id) ?? '') !== part(b.lines.get(id) ?? ''))
  return odd === undefined
    ? undefined
    : `read ${odd} differently: ${a.lines.get(odd) ?? ''} ${b.lines.get(odd) ?? ''}`
}

/** What nobody changes any more: who was out for a while was not told what was said meanwhile about older messages. */
function fixedPart(line: string): string {
  const { messageId, author, sentAt, replyTo } = JSON.parse(line) as Readonly<Record<string, unknown>>
  return JSON.stringify([messageId, author, sentAt, replyTo])
}

/** Accepted messages that a device which was to read them does not show. */
export function lostIn(
  ledger: Ledger,
  room: Room,
  held: readonly Held[],
): readonly { readonly said: Said; readonly machine: Machine }[] {
  const shown = new Map(held.map((one) => [one.machine.name, markersOf(ledger, one.messages)]))
  const inside = new Set(held[0]?.members.flatMap(({ accountId }) => ledger.personOf(accountId) ?? []))
  return ledger
    .accepted()
    .filter((said) => said.conversationId === room.conversationId && owes(ledger, room, inside, said))
    .flatMap((said) =>
      held
        .filter(({ machine }) => isOwed(room, said, machine) && !shown.get(machine.name)?.has(said.marker))
        .map(({ machine }) => ({ said, machine })),
    )
}

/** Markers of the messages a device shows whole, or knows to be taken back. */
function markersOf(ledger: Ledger, messages: readonly MessageView[]): ReadonlySet<string> {
  const whole = messages.filter(({ text, deleted }) => text !== null || deleted)
  return new Set(whole.flatMap(({ messageId }) => ledger.original(messageId)?.marker ?? []))
}

/** A message of somebody who is out, or of a device that is, may have had nobody left to bring it. */
const owes = (ledger: Ledger, room: Room, inside: ReadonlySet<string>, said: Said): boolean =>
  (!room.group || inside.has(said.author)) &&
  !ledger.isOut(said.machine) &&
  !(room.wasPutOut(said.author) && isReplaced(ledger, room, said))

/** Whether somebody took it back, or put another text in its place: where that comes to count for nothing, the text may be gone. */
const isReplaced = (ledger: Ledger, { deletes }: Room, { messageId = '' }: Said): boolean =>
  deletes.has(messageId) || ledger.editsOf(messageId).length > 0

/** Its author counts as a reader; somebody who came back starts anew. */
const isOwed = (room: Room, said: Said, machine: Machine): boolean =>
  machine.name === said.machine ||
  (said.readers?.has(machine.deviceId) === true && !room.cameBack(machine.person))

/** Whether a thief wrote this after its device had been removed. */
export const isAfterRemoval = (ledger: Ledger, said: Said): boolean =>
  said.stolen &&
  ledger.deviceRemovals.some(
    ({ gone, acceptedAtMs }) =>
      gone.name === said.machine && acceptedAtMs !== undefined && acceptedAtMs < said.atMs,
  )

/** A thief's words that count with somebody who has not heard yet that the thief's device is out. */
function unheardOf(ledger: Ledger, { machine, messages }: Held): string | undefined {
  const counting = machine.out ? [] : messages.filter(({ outside }) => outside === null)
  return counting
    .flatMap(({ messageId }) => ledger.original(messageId) ?? [])
    .find((said) => isAfterRemoval(ledger, said))?.marker
}

/** Records of liars, and of a copied home beside the original, that may name what nobody has: they wait until they are too old. */
function mayWait({ forgedRecords, clones, world }: Stage): number {
  const copied = clones.length === 0 ? [] : [...world.ledger.said.values()].filter(({ stolen }) => stolen)
  return forgedRecords + copied.length
}

/** What still has to happen, or nothing: asked again and again after the heal. */
export async function unsettled(stage: Stage): Promise<string | undefined> {
  for (const machine of stage.machines()) {
    const status = await machine.device?.view('status', {})
    if (status === undefined) return `${machine.name} is off`
    if (status.outbox !== 0) return `${machine.name} has ${status.outbox} messages to deliver`
    if (status.held > mayWait(stage)) return `${machine.name} holds ${status.held} back`
  }
  const { ledger } = stage.world
  for (const room of ledger.rooms.values()) {
    const held = await heldIn(stage, room)
    // Who came back is not owed what was on its way when they were put out, and may know of it.
    const gap = held.find(({ missing, machine }) => missing > 0 && !room.cameBack(machine.person))
    if (gap !== undefined) return `${gap.machine.name} misses ${gap.missing}`
    const [odd] = disagreements(room, held)
    if (odd !== undefined) return odd.what
    for (const one of held) {
      const marker = unheardOf(ledger, one)
      if (marker !== undefined) return `${marker} counts at ${one.machine.name} though its device was out`
    }
    const [lost] = lostIn(ledger, room, held)
    if (lost !== undefined)
      return `${lost.said.marker} of ${lost.said.machine} is not with ${lost.machine.name}`
  }
  return undefined
}
