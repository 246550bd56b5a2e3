import type { DeviceFace } from '@sotto/core'
import type { Candidate } from './failure.ts'
import { isIdPrefix, resolveId } from './who.ts'

/** Characters of a whole id. */
const wholeId = 52

const pageSize = 500

/** Ids of a conversation's messages that begin with `typed`, newest page first. */
async function idsIn(face: DeviceFace, conversationId: string, typed: string): Promise<readonly Candidate[]> {
  const found: Candidate[] = []
  let before: string | undefined
  for (;;) {
    const from = before === undefined ? {} : { before }
    const { messages, more } = await face.view('history', { conversationId, limit: pageSize, ...from })
    for (const { messageId, author } of messages)
      if (messageId.startsWith(typed)) found.push({ id: messageId, name: author.name })
    before = messages[0]?.messageId
    if (!more || before === undefined) return found
  }
}

/**
 * The message that an id, or its beginning of eight or more characters, means: in one conversation, or in any
 * when none is given. A beginning is looked for in all of the history, since only then is it known to be
 * the only one. A whole id is passed on; the device knows whether it exists. Errors: `E_AMBIGUOUS`, `E_NOT_FOUND`.
 */
export async function findMessageId(
  face: DeviceFace,
  typed: string,
  conversationId?: string,
): Promise<string> {
  if (isIdPrefix(typed) && typed.length === wholeId) return typed
  if (!isIdPrefix(typed)) return resolveId([], typed, 'message')
  const everywhere = conversationId === undefined ? await face.view('conversations', {}) : []
  const places = conversationId === undefined ? everywhere.map((one) => one.conversationId) : [conversationId]
  const found: Candidate[] = []
  for (const place of places) found.push(...(await idsIn(face, place, typed)))
  return resolveId(found, typed, 'message')
}
