import {
  insertInto,
  pageRecords,
  readRecord,
  startsBefore,
  type CarriedRecord,
  type LinkedRecord,
  type Page,
  type Position,
  type RecordHeader,
} from '../history/index.ts'
import { invariant } from '../errors.ts'
import { concat, equalBytes, toHex } from '../wire/index.ts'
import type { Step } from './context.ts'
import { counterKey } from './row.ts'
import { bodyRows, pageRows, recordRows, type Conversation, type Tip } from './tables.ts'

/** Linked records remembered in memory; the chain's newest are asked for again and again. */
const rememberedLinks = 4_096

const linkOf = (header: RecordHeader): LinkedRecord => {
  const { segment, account, device, aseq, sseq, lamport } = header.content
  return { segment, account, device, aseq, sseq, lamport }
}

function remember(step: Step, header: RecordHeader): LinkedRecord {
  const { links } = step.context.live
  const link = linkOf(header)
  links.set(toHex(header.id), link)
  if (links.size > rememberedLinks) links.delete(links.keys().next().value ?? '')
  return link
}

/** The held record with this id, if there is one. */
export async function findLink(step: Step, id: Uint8Array): Promise<LinkedRecord | undefined> {
  const known = step.context.live.links.get(toHex(id))
  if (known !== undefined) return known
  const row = await step.tx.load(recordRows, id)
  if (row === undefined) return undefined
  const header = readRecord(step.context.crypto, row.bytes)
  invariant(header, 'E_RECORD', 'a held record does not decode')
  return remember(step, header)
}

/** Page of a conversation, by number. */
export const pageKey = (conversation: Uint8Array, n: number): Uint8Array =>
  concat(conversation, counterKey(n))

/** Stores a record and its body and gives it its place; the conversation comes back with its counters moved. */
export async function storeRecord(
  step: Step,
  conversation: Conversation,
  header: RecordHeader,
  carried: CarriedRecord,
  segment: number,
): Promise<Conversation> {
  const { bytes, signature, salt, body } = carried
  step.tx.put(recordRows, header.id, { bytes, signature, salt, segment, receivedAtMs: step.nowMs })
  step.tx.put(bodyRows, header.id, body)
  remember(step, header)
  const opened = segment > conversation.segment
  const grown: Conversation = {
    ...conversation,
    segment: Math.max(conversation.segment, segment),
    segmentCount: opened ? 1 : conversation.segmentCount + (segment === conversation.segment ? 1 : 0),
    sseq: opened ? 0 : conversation.sseq,
    count: conversation.count + 1,
    lastMs: step.nowMs,
    tips: withTip(conversation.tips, header, segment),
  }
  const position = { segment, lamport: header.content.lamport, id: header.id }
  return { ...grown, pages: await place(step, grown, position) }
}

function withTip(tips: readonly Tip[], header: RecordHeader, segment: number): readonly Tip[] {
  const { refs, xrefs, selfPrev, device, lamport } = header.content
  const covered = selfPrev === null ? [...refs, ...xrefs] : [...refs, ...xrefs, selfPrev]
  const left = tips.filter((tip) => !covered.some((id) => equalBytes(id, tip.id)))
  return [...left, { id: header.id, segment, lamport, device }].slice(-64)
}

/** Inserts a position into the page it belongs to; returns the number of pages. */
async function place(step: Step, conversation: Conversation, position: Position): Promise<number> {
  const load = async (n: number): Promise<Page> =>
    (await step.tx.load(pageRows, pageKey(conversation.conversation, n))) ?? []
  let n = Math.max(0, conversation.pages - 1)
  let page = conversation.pages === 0 ? [] : await load(n)
  while (n > 0 && !startsBefore(page, position)) {
    n -= 1
    page = await load(n)
  }
  const last = n >= conversation.pages - 1
  const inserted = insertInto(page, position)
  const full = last && page.length >= pageRecords && inserted.at(-1) === position
  step.tx.put(pageRows, pageKey(conversation.conversation, full ? n + 1 : n), full ? [position] : inserted)
  return full ? conversation.pages + 1 : Math.max(1, conversation.pages)
}

/** Takes an own record back that nobody has seen; the conversation comes back without it. */
export async function withdrawRecord(
  step: Step,
  conversation: Conversation,
  id: Uint8Array,
): Promise<Conversation> {
  step.tx.delete(recordRows, id)
  step.tx.delete(bodyRows, id)
  step.context.live.links.delete(toHex(id))
  for (let n = conversation.pages - 1; n >= 0; n--) {
    const key = pageKey(conversation.conversation, n)
    const page = (await step.tx.load(pageRows, key)) ?? []
    if (!page.some((position) => equalBytes(position.id, id))) continue
    step.tx.put(
      pageRows,
      key,
      page.filter((position) => !equalBytes(position.id, id)),
    )
    break
  }
  const tips = conversation.tips.filter((tip) => !equalBytes(tip.id, id))
  return { ...conversation, tips, count: conversation.count - 1 }
}
