import { missingCount, readRecord, recordKinds, type RecordHeader } from '../history/index.ts'
import { UsageError } from '../errors.ts'
import { equalBytes, idHex, idKey } from '../wire/index.ts'
import type { HistoryView, MessageView, Queries } from './api.ts'
import type { Step } from './context.ts'
import { condemn, openedFile } from './files.ts'
import { readId, requireConversation } from './lookup.ts'
import { segmentKey } from './row.ts'
import { beganMs, findRecord, loadPage, pagesBack, placeOf, type FoundRecord } from './segments.ts'
import {
  bodyRows,
  conversationRows,
  recordRows,
  segmentRows,
  type Conversation,
  type Place,
  type StoredRecord,
} from './tables.ts'
import { bodyOrNote, findMessage, lookAt, showMessage } from './messages.ts'

/** Messages in one answer, at most. */
const historyLimit = 1_000

/** Reads pages back from the end or a message, so that a long conversation is shown without the rest of it. */
export async function queryHistory(step: Step, input: Queries['history']['in']): Promise<HistoryView> {
  const conversation = requireConversation(step, input.conversationId)
  const limit = input.limit ?? 50
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > historyLimit)
    throw new UsageError('E_LIMIT', `a page of history is 1 to ${historyLimit} messages`)
  const before = input.before === undefined ? undefined : readId(input.before, 'a message id')
  const { found, more } = await newestBefore(step, conversation, limit, before)
  const { messages, damaged } = await readMessages(step, conversation, found)
  const { sinceMs } = input
  const shown =
    sinceMs === undefined ? messages : messages.filter((message) => message.receivedAtMs >= sinceMs)
  const missing = (await missingIn(step, conversation)) + damaged
  const lost = wantedOf(step, conversation) + (await unnamedIn(step, conversation))
  return { messages: shown, more, missing: missing + lost }
}

/**
 * Words that are known to have been written and are not here. Who came after the first segment was not to have what was
 * before; a device that is out by then never says where that ends, so that the oldest held of it is where it begins.
 */
async function missingIn(step: Step, { conversation, remotes }: Conversation): Promise<number> {
  const cameLater = (await beganMs(step, conversation, 0)) === undefined
  return remotes.reduce((sum, { active, received }) => {
    const [oldest] = received.above
    const isUntold = cameLater && !active && received.upTo === 0 && oldest !== undefined
    return sum + missingCount(isUntold ? { ...received, upTo: oldest } : received)
  }, 0)
}

/** Records that only a damaged page named, until its segment is looked after. */
async function unnamedIn(step: Step, { conversation }: Conversation): Promise<number> {
  let lost = 0
  for (const address of step.context.live.condemned.values()) {
    const journal = step.tx.get(segmentRows, segmentKey(address.conversation, address.segment))
    if (journal === undefined || !equalBytes(address.conversation, conversation)) continue
    lost += journal.records
    for (let n = 0; n < journal.pages; n++) lost -= (await loadPage(step, journal, n)).length
  }
  return lost
}

/** Records that were lost here and are asked for. */
const wantedOf = (step: Step, { conversation }: Conversation): number =>
  step.context.live.wanted.has(idHex(conversation))
    ? step.tx
        .all(segmentRows)
        .filter((one) => equalBytes(one.conversation, conversation))
        .reduce((sum, { wanted }) => sum + wanted, 0)
    : 0

/** Where messages of one answer lie. */
interface Found {
  readonly id: Uint8Array
  readonly segment: number
}

async function newestBefore(
  step: Step,
  conversation: Conversation,
  limit: number,
  before: Uint8Array | undefined,
): Promise<{ readonly found: readonly Found[]; readonly more: boolean }> {
  const start = before === undefined ? undefined : await requirePlace(step, conversation, before)
  let found: readonly Found[] = []
  let started = before === undefined
  for await (const page of pagesBack(step, conversation, start?.segment ?? conversation.segment)) {
    // Nobody opens a sealed segment to learn whether there is anything to show in it.
    if (found.length === limit && page.sealed) return { found, more: true }
    let messages = (await page.read()).filter(({ kind }) => kind === recordKinds.msg)
    if (!started && before !== undefined) {
      const at = messages.findIndex(({ id }) => equalBytes(id, before))
      if (at < 0) continue
      started = true
      messages = messages.slice(0, at)
    }
    found = [...messages.map(({ id }) => ({ id, segment: page.segment })), ...found]
    if (found.length > limit) return { found: found.slice(-limit), more: true }
  }
  if (!started) throw notFound('there is no such message in this conversation')
  return { found, more: false }
}

async function requirePlace(step: Step, { conversation }: Conversation, id: Uint8Array): Promise<Place> {
  const place = await placeOf(step, id)
  if (place === undefined || !equalBytes(place.conversation, conversation))
    throw notFound('there is no such message in this conversation')
  return place
}

const notFound = (message: string): UsageError => new UsageError('E_NOT_FOUND', message)

async function readMessages(
  step: Step,
  conversation: Conversation,
  places: readonly Found[],
): Promise<{ readonly messages: readonly MessageView[]; readonly damaged: number }> {
  const ids = places.map(({ id }) => id)
  const records = await step.tx.loadMany(recordRows, ids)
  const bodies = await step.tx.loadMany(bodyRows, ids)
  const look = await lookAt(step, conversation)
  const messages: MessageView[] = []
  let damaged = 0
  for (const [i, place] of places.entries()) {
    const body = present(bodies[i])
    const found = await readOne(step, conversation, place, present(records[i]), body)
    if (found === undefined) {
      damaged += 1
      condemn(step, conversation.conversation, place.segment)
    } else {
      const { header, segment, receivedAtMs } = found
      const at = { conversation: conversation.conversation, segment, receivedAtMs }
      const said = await bodyOrNote(step, header.id, at, bodies[i])
      messages.push(await showMessage(step, look, { header, segment, body: said, firstSeenMs: receivedAtMs }))
    }
  }
  return { messages, damaged: damaged + look.lacks.size }
}

const present = <T>(row: T | undefined | 'damaged'): T | undefined => (row === 'damaged' ? undefined : row)

/** A record of the journal as its row has it; of a sealed segment as its file does. */
async function readOne(
  step: Step,
  { conversation }: Conversation,
  { id, segment }: Found,
  row: StoredRecord | undefined,
  body: { readonly place: Place } | undefined,
): Promise<FoundRecord | undefined> {
  const header = row === undefined ? undefined : readRecord(step.context.crypto, row.bytes)
  if (row !== undefined && header !== undefined) return { header, ...row }
  const filed = (await openedFile(step, conversation, segment)).byId.get(idKey(id))
  if (filed === undefined) return undefined
  const place = body?.place ?? (await placeOf(step, id))
  return { ...filed, segment, receivedAtMs: place?.receivedAtMs ?? filed.header.content.timestampMs }
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
  const header = (await findRecord(step, id))?.header
  const conversation =
    header === undefined ? undefined : step.tx.get(conversationRows, header.content.conversation)
  if (header?.content.kind !== recordKinds.msg || conversation === undefined)
    throw new UsageError('E_NOT_FOUND', 'there is no such message')
  return { conversation, id, header }
}
