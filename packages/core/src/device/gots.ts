import { missingCount } from '../history/index.ts'
import type { DeviceAddress } from '../identity/index.ts'
import { limits } from '../limits.ts'
import type { Step } from './context.ts'
import {
  conversationNow,
  conversationsWith,
  keyOf,
  putConversation,
  remoteOf,
  withRemote,
} from './conversations.ts'
import { conversationRows, type Conversation } from './tables.ts'
import { wakeAt } from './timers.ts'

/** Acknowledgements of records: which devices are owed one, and when. */

/** They may have forgotten what they were told is here: they are owed an acknowledgement again in all they share. */
export function acknowledgeAll(step: Step, author: DeviceAddress): void {
  for (const conversation of conversationsWith(step, author.device))
    if (remoteOf(conversation, author).received.upTo > 0) acknowledgeAgain(step, conversation, author)
}

/** They are owed an acknowledgement again. */
export function acknowledgeAgain(step: Step, conversation: Conversation, author: DeviceAddress): void {
  const now = conversationNow(step, conversation)
  putConversation(step, withRemote(now, { ...remoteOf(now, author), gotDue: true }))
}

/** Everybody reads a topic at once: acknowledgements wait a little, so that one speaks of many records. */
export function gotLater(step: Step, conversation: Conversation, author: DeviceAddress): void {
  const { gotsLater } = step.context.live
  const now = conversationNow(step, conversation)
  putConversation(step, withRemote(now, { ...remoteOf(now, author), gotDue: false }))
  const key = keyOf(conversation, author)
  if (gotsLater.has(key)) return
  const atMs = step.monoMs + limits.topicGotMs
  gotsLater.set(key, { conversation: conversation.conversation, author, atMs })
  wakeAt(step, atMs)
}

/**
 * What a stranger says of a group that is not known yet is not kept. If it is known by then, they hear after a while
 * that they were passed over, for they may believe it delivered.
 */
export function tellLater(step: Step, conversation: Uint8Array, author: DeviceAddress): void {
  const { gotsLater } = step.context.live
  if (gotsLater.size >= limits.looseAccounts) return
  const atMs = step.monoMs + limits.passedOverMs + limits.topicAckMs
  gotsLater.set(keyOf({ conversation }, author), { conversation, author, atMs })
  wakeAt(step, atMs)
}

/** Acknowledgements whose time has come are due. */
export function tendGots(step: Step): void {
  for (const [key, { conversation, author, atMs }] of step.context.live.gotsLater) {
    if (step.monoMs < atMs) {
      wakeAt(step, atMs)
      continue
    }
    step.context.live.gotsLater.delete(key)
    const known = step.tx.get(conversationRows, conversation)
    if (known !== undefined) acknowledgeAgain(step, known, author)
  }
}

/**
 * What of a device's records is missing here was said in an acknowledgement, which nothing acknowledges; and it may be
 * that only the author can say that it was never for this device. It is said again a few times, with growing pauses.
 */
export function noteHoles(step: Step, conversation: Conversation, author: DeviceAddress): void {
  const { holes } = step.context.live
  const { active, received } = remoteOf(conversation, author)
  const key = keyOf(conversation, author)
  if (!active || missingCount(received) === 0) {
    holes.delete(key)
    return
  }
  if (holes.get(key)?.upTo === received.upTo) return
  const atMs = step.monoMs + limits.fromAgainMs
  holes.set(key, { conversation: conversation.conversation, author, upTo: received.upTo, times: 0, atMs })
  wakeAt(step, atMs)
}

/** Says again what is still missing, where its time has come. */
export function tendHoles(step: Step): void {
  const { holes } = step.context.live
  for (const [key, told] of holes) {
    if (told.times >= limits.fromTimes) continue
    if (step.monoMs < told.atMs) {
      wakeAt(step, told.atMs)
      continue
    }
    const known = step.tx.get(conversationRows, told.conversation)
    if (known === undefined) {
      holes.delete(key)
      continue
    }
    noteHoles(step, known, told.author)
    if (holes.get(key) !== told) continue
    const times = told.times + 1
    holes.set(key, { ...told, times, atMs: step.monoMs + limits.fromAgainMs * 2 ** times })
    acknowledgeAgain(step, known, told.author)
  }
}
