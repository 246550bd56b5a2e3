import { UsageError } from '@sotto/core/ports'
import type { MessageView } from '@sotto/core'
import { findMessageId } from '../face/message-id.ts'
import { findPlace } from '../face/who.ts'
import { onDevice } from './context.ts'
import type { Context } from './context.ts'
import { outcome } from './io.ts'
import type { Outcome } from './io.ts'
import { readText } from './message.ts'
import { warnWhenNotRunning } from './session.ts'
import type { Session } from './session.ts'
import { messageJson } from './shapes.ts'

/** Changes one message, named by its id or the beginning of it. */
const changeMessage = (
  context: Context,
  typed: string,
  change: (session: Session, messageId: string) => Promise<MessageView>,
  words: string,
): Promise<Outcome> =>
  onDevice(context, async (session) => {
    const message = await change(session, await findMessageId(session.face, typed))
    warnWhenNotRunning(context.io, session)
    return outcome(messageJson(message), words)
  })

/** `sotto edit ID TEXT|-` */
export async function runEdit(context: Context, typed: string, words: string): Promise<Outcome> {
  const text = await readText(context.io, words)
  return changeMessage(
    context,
    typed,
    ({ face }, messageId) => face.dispatch('edit', { messageId, text }),
    'Changed.',
  )
}

/** `sotto delete ID` */
export const runDelete = (context: Context, typed: string): Promise<Outcome> =>
  changeMessage(
    context,
    typed,
    ({ face }, messageId) => face.dispatch('delete', { messageId }),
    'Taken back; devices that hear of it erase it.',
  )

/** `sotto react ID EMOJI` and `react ID --remove` */
export function runReact(
  context: Context,
  typed: string,
  emoji: string | undefined,
  remove: boolean,
): Promise<Outcome> {
  if (remove === (emoji !== undefined) || emoji === '') {
    throw new UsageError('E_USAGE', 'a reaction is an emoji, or --remove', {
      hint: 'As in: sotto react ID 👍',
    })
  }
  return changeMessage(
    context,
    typed,
    ({ face }, messageId) => face.dispatch('react', { messageId, emoji: emoji ?? '' }),
    remove ? 'Reaction taken back.' : 'Reacted.',
  )
}

/** `sotto export WHO --format json`: prints the canonical text as it is, byte for byte. */
export const runExport = (context: Context, who: string, format: string): Promise<void> =>
  onDevice(context, async ({ face }) => {
    if (format !== 'json')
      throw new UsageError('E_USAGE', `“${format}” is no format of an export`, { hint: 'Use --format json.' })
    const { conversationId } = await findPlace(face, who)
    context.io.out((await face.view('export', { conversationId })).json)
  })
