import type { MessageView } from '@sotto/core'
import type { Machine } from '../actors/machine.ts'
import type { Stage } from '../scenarios/stage.ts'
import type { Ledger, Said } from './ledger.ts'
import { judgeEpochReaders } from './epoch-readers.ts'
import { judgeFallen } from './fallen.ts'
import { idSpellings, textSpellings } from './outside.ts'
import { disagreements, heldIn, isAfterRemoval, lostIn, type Held } from './quiescence.ts'
import type { Room } from './rooms.ts'
import { isExcused, judgeSetBacks } from './set-backs.ts'

/** What the books say at the end. */
export interface Tally {
  readonly messages: number
  readonly lost: number
  readonly duplicated: number
  readonly unauthenticated: number
  readonly diverged: number
  readonly keyReuse: number
}

/** Compares every device with the ledger and with the others, and searches what left for secrets. */
export async function audit(stage: Stage): Promise<Tally> {
  const { ledger, hearing, recorder, outside } = stage.world
  let lost = 0
  for (const room of ledger.rooms.values()) lost += await auditRoom(stage, room)
  for (const person of stage.people)
    for (const machine of person.machines) await auditOutsider(stage, machine)
  hearing.judgeSilence()
  auditRemovals(stage)
  searchSecrets(stage)
  await judgeSetBacks(stage)
  await judgeEpochReaders(stage)
  const reusedKeys = recorder.reusedMessageKeys(
    (suspects) => outside.found(new Map(suspects.map((one) => [one, [one.sealed]]))),
    (first, again) => isExcused([...stage.everything(), ...stage.clones], first, again),
  )
  const reused = recorder.reusedPairs + reusedKeys
  if (reused > 0) ledger.violate('no-key-reuse', `${reused} keys were used twice`)
  const broken = (...laws: readonly string[]): number =>
    ledger.violations.filter((one) => laws.includes(one.law)).length
  return {
    messages: ledger.accepted().length,
    lost,
    duplicated: broken('no-duplicate'),
    unauthenticated: broken('authenticity', 'removed-blind', 'removed-mute'),
    diverged: broken('nobody-falls', 'same-members', 'same-history'),
    keyReuse: reused,
  }
}

async function auditRoom(stage: Stage, room: Room): Promise<number> {
  const { ledger } = stage.world
  const held = await heldIn(stage, room)
  for (const { law, what } of disagreements(room, held)) ledger.violate(law, what)
  await judgeFallen(stage, room, held)
  for (const one of held) {
    if (room.group && !room.titles.has(one.title))
      ledger.violate('authenticity', `${one.machine.name} shows a title nobody gave`)
    judgeHistory(stage, one.machine, one.messages)
    for (const message of one.messages) judgeChanges(stage, room, one, message)
  }
  const lost = lostIn(ledger, room, held)
  for (const { said, machine } of lost)
    ledger.violate('no-loss', `${said.marker} of ${said.machine} is not with ${machine.name}`)
  return new Set(lost.map(({ said }) => said)).size
}

function judgeHistory(stage: Stage, machine: Machine, messages: readonly MessageView[]): void {
  const { ledger } = stage.world
  const seen = new Set<Said>()
  for (const message of messages) {
    const said = ledger.judge(machine, message)
    if (said === undefined) continue
    if (seen.has(said) && !said.mayMove)
      ledger.violate('no-duplicate', `${machine.name}'s history holds ${said.marker} twice`)
    seen.add(said)
    if (machine.out || message.outside !== null) continue
    if (isAfterRemoval(ledger, said))
      ledger.violate('removed-mute', `${said.marker} counts at ${machine.name} though its device was out`)
    const room = ledger.rooms.get(said.conversationId)
    if (room?.wasPutOut(machine.person) === false && room.isOutSince(said.author, said.atMs))
      ledger.violate('removed-mute', `${said.marker} counts at ${machine.name} though its author was out`)
  }
}

/** What was accepted about a message of somebody who was never put out shows everywhere. */
function judgeChanges(stage: Stage, room: Room, { machine, messages }: Held, message: MessageView): void {
  const { ledger } = stage.world
  const original = ledger.original(message.messageId)
  if (original === undefined || room.wasPutOut(original.author) || room.wasPutOut(machine.person)) return
  if (ledger.deviceRemovals.some(({ gone }) => gone.person === original.author)) return
  const { messageId } = message
  if (message.deleted && !room.deletes.has(messageId) && !isWrittenAgain(ledger, original, messages))
    ledger.violate('authenticity', `${machine.name} holds ${original.marker} to be taken back`)
  if (room.deletes.get(messageId)?.accepted === true) {
    if (!message.deleted)
      ledger.violate('no-loss', `${machine.name} missed that ${original.marker} was taken back`)
    return
  }
  if (ledger.editsOf(messageId).some(({ accepted }) => accepted) && !message.edited && !message.deleted)
    ledger.violate('no-loss', `${machine.name} missed an edit of ${original.marker}`)
}

/** Whoever goes on from an older copy writes again what others refuse, and takes back what had got about. */
const isWrittenAgain = (ledger: Ledger, original: Said, messages: readonly MessageView[]): boolean =>
  original.mayMove &&
  messages.some(({ messageId, deleted }) => !deleted && ledger.original(messageId) === original)

/** Devices that are out, and conversations one has left: nothing may be shown there that should not be. */
async function auditOutsider(stage: Stage, machine: Machine): Promise<void> {
  const { device } = machine
  if (device === undefined || machine.deviceId === '') return
  for (const { conversationId, contactState } of await device.view('conversations', {})) {
    if (!machine.out && contactState !== 'left') continue
    const { messages } = await machine.history(conversationId)
    judgeHistory(stage, machine, messages)
  }
}

/** Everybody who shares a conversation with an account is told of its devices that are out. */
function auditRemovals(stage: Stage): void {
  const { ledger, hearing } = stage.world
  for (const { gone, acceptedAtMs } of ledger.deviceRemovals) {
    if (acceptedAtMs === undefined) continue
    for (const machine of stage.machines()) {
      const began = Math.max(machine.sinceMs, gone.sinceMs)
      const near =
        machine.person === gone.person || stage.person(machine.person)?.direct.has(gone.person) === true
      if (
        near &&
        began < acceptedAtMs &&
        hearing.knows(machine, gone) &&
        !hearing.revokedFor(machine).has(gone.deviceId)
      )
        ledger.violate('nobody-silent', `${machine.name} was not told that ${gone.name} is out`)
    }
  }
}

function searchSecrets(stage: Stage): void {
  const { ledger, outside, textPrefix } = stage.world
  const secrets = new Map([['a text or a title', textSpellings(textPrefix)]])
  for (const [number, room] of [...ledger.rooms.values()].entries())
    secrets.set(`the id of conversation ${number}`, idSpellings(room.conversationId))
  for (const person of stage.people) {
    const ids = [person.accountId, ...person.machines.map(({ deviceId }) => deviceId)].filter(
      (id) => id !== '',
    )
    secrets.set(`a name or an id of ${person.name}`, [
      ...ids.flatMap(idSpellings),
      ...textSpellings(person.fullName),
    ])
  }
  for (const what of outside.found(secrets))
    ledger.violate('ciphertext-only-outside', `${what} left a process in clear`)
}
