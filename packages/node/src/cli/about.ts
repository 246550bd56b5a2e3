import { UsageError } from '@sotto/core/ports'
import type { DetailsView, DeviceFace } from '@sotto/core'
import { findMessageId } from '../face/message-id.ts'
import { findPlace } from '../face/who.ts'
import { onDevice } from './context.ts'
import type { Context } from './context.ts'
import { outcome } from './io.ts'
import type { Outcome } from './io.ts'
import { readText } from './message.ts'
import { printable, printableLine } from './printable.ts'
import { warnWhenNotRunning } from './session.ts'
import { short } from './table.ts'

/** What may be set of a conversation beside its messages; an empty text takes it away. */
export interface AboutOptions {
  readonly topic?: string
  readonly note?: string
  readonly pin?: string
  readonly unpin?: string
}

async function setAll(context: Context, face: DeviceFace, conversationId: string, given: AboutOptions) {
  const { topic, note, pin, unpin } = given
  // Both are found before anything is said.
  const pinned = pin === undefined ? undefined : await findMessageId(face, pin, conversationId)
  const unpinned = unpin === undefined ? undefined : await findMessageId(face, unpin, conversationId)
  if (topic !== undefined) await face.dispatch('set-topic', { conversationId, topic })
  if (note !== undefined)
    await face.dispatch('set-note', { conversationId, note: await readText(context.io, note) })
  if (pinned !== undefined) await face.dispatch('pin', { messageId: pinned })
  if (unpinned !== undefined) await face.dispatch('unpin', { conversationId, messageId: unpinned })
}

/** A pinned message, which this device may not have. */
async function pinnedLine(face: DeviceFace, messageId: string): Promise<string> {
  const text = await face.view('message', { messageId }).then(
    (message) => message.text,
    (error: unknown) => {
      if (error instanceof UsageError && error.code === 'E_NOT_FOUND') return null
      throw error
    },
  )
  return `Pinned: ${short(messageId)}  ${printableLine(text ?? '')}`.trimEnd()
}

const aboutText = ({ topic, note }: DetailsView, pinned: readonly string[]): string => {
  const parts = [
    ...(topic === '' ? [] : [`Topic: ${printableLine(topic)}`]),
    ...pinned,
    ...(note === '' ? [] : [`Note:\n${printable(note)}`]),
  ]
  return parts.length > 0 ? parts.join('\n') : 'No topic, no pinned messages, no note.'
}

/** `sotto about WHO`: topic, pinned messages and shared note of a conversation, and setting them. */
export const runAbout = (context: Context, who: string, given: AboutOptions): Promise<Outcome> =>
  onDevice(context, async (session) => {
    const { face } = session
    const { conversationId } = await findPlace(face, who)
    await setAll(context, face, conversationId, given)
    if (Object.keys(given).length > 0) warnWhenNotRunning(context.io, session)
    const details = await face.view('details', { conversationId })
    const pinned = await Promise.all(details.pins.map((messageId) => pinnedLine(face, messageId)))
    return outcome({ conversationId, ...details }, aboutText(details, pinned))
  })
