import { missingCount, readRecord, recordKinds, type Page, type RecordHeader } from '../history/index.ts'
import { UsageError } from '../errors.ts'
import { equalBytes } from '../wire/index.ts'
import type { HistoryView, MessageView, Queries } from './api.ts'
import type { Step } from './context.ts'
import { readId, requireConversation } from './lookup.ts'
import { pageKey } from './records.ts'
import { bodyRows, conversationRows, pageRows, recordRows, type Conversation } from './tables.ts'
import { findMessage, lookAt, showMessage } from './messages.ts'

/** Messages in one answer, at most. */
const historyLimit = 1_000

/** Reads pages backwards from the end, so that the newest messages of a long conversation come without the rest. */
export async function queryHistory(step: Step, input: Queries['history']['in']): Promise<HistoryView> {
  const conversation = requireConversation(step, input.conversationId)
  const limit = input.limit ?? 50
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > historyLimit)
    throw new UsageError('E_LIMIT', `a page of history is 1 to ${historyLimit} messages`)
  const before = input.before === undefined ? undefined : readId(input.before, 'a message id')
  const { ids, more } = await newestIds(step, conversation, limit, before)
  const { messages, damaged } = await readMessages(step, conversation, ids)
  const { sinceMs } = input
  const shown =
    sinceMs === undefined ? messages : messages.filter((message) => message.receivedAtMs >= sinceMs)
  const missing = conversation.remotes.reduce((sum, remote) => sum + missingCount(remote.received), damaged)
  return { messages: shown, more, missing }
}

async function newestIds(
  step: Step,
  conversation: Conversation,
  limit: number,
  before: Uint8Array | undefined,
): Promise<{ readonly ids: readonly Uint8Array[]; readonly more: boolean }> {
  let found: readonly Uint8Array[] = []
  let started = before === undefined
  for (let n = conversation.pages - 1; n >= 0; n--) {
    const page: Page = (await step.tx.load(pageRows, pageKey(conversation.conversation, n))) ?? []
    let ids = page.map((position) => position.id)
    if (!started && before !== undefined) {
      const at = ids.findIndex((id) => equalBytes(id, before))
      if (at < 0) continue
      started = true
      ids = ids.slice(0, at)
    }
    found = [...ids, ...found]
    if (found.length > limit || (found.length === limit && n > 0))
      return { ids: found.slice(-limit), more: true }
  }
  if (!started) throw new UsageError('E_NOT_FOUND', 'there is no such message in this conversation')
  return { ids: found, more: false }
}

async function readMessages(
  step: Step,
  conversation: Conversation,
  ids: readonly Uint8Array[],
): Promise<{ readonly messages: readonly MessageView[]; readonly damaged: number }> {
  const { crypto, database } = step.context
  const records = await database.loadMany(recordRows, ids)
  const bodies = await database.loadMany(bodyRows, ids)
  const look = await lookAt(step, conversation)
  const messages: MessageView[] = []
  let damaged = 0
  for (const [i, row] of records.entries()) {
    const header = row === undefined || row === 'damaged' ? undefined : readRecord(crypto, row.bytes)
    if (row === undefined || row === 'damaged' || header === undefined) {
      damaged += 1
      continue
    }
    const said = bodies[i]
    const body = said === undefined || said === 'damaged' ? null : said.body
    messages.push(
      await showMessage(step, look, { header, segment: row.segment, body, firstSeenMs: row.receivedAtMs }),
    )
  }
  return { messages, damaged }
}

/** One message, wherever it is. */
export async function queryMessage(step: Step, input: Queries['message']['in']): Promise<MessageView> {
  const { conversation, id } = await requireMessage(step, input.messageId)
  const found = await findMessage(step, await lookAt(step, conversation), id)
  if (found === null) throw new UsageError('E_NOT_FOUND', 'there is no such message')
  return found
}

/** The held message with this id and its conversation. Throws `E_NOT_FOUND` when there is none. */
export async function requireMessage(
  step: Step,
  messageId: string,
): Promise<{
  readonly conversation: Conversation
  readonly id: Uint8Array
  readonly header: RecordHeader
}> {
  const id = readId(messageId, 'a message id')
  const row = await step.tx.load(recordRows, id)
  const header = row === undefined ? undefined : readRecord(step.context.crypto, row.bytes)
  const conversation =
    header === undefined ? undefined : step.tx.get(conversationRows, header.content.conversation)
  if (header?.content.kind !== recordKinds.msg || conversation === undefined)
    throw new UsageError('E_NOT_FOUND', 'there is no such message')
  return { conversation, id, header }
}
