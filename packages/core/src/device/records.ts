import {
  insertInto,
  pageRecords,
  readRecord,
  startsBefore,
  recordKinds,
  type IncomingRecord,
  type LinkedRecord,
  type Page,
  type Position,
  type RecordHeader,
} from '../history/index.ts'
import type { Signature } from '../crypto/index.ts'
import { invariant } from '../errors.ts'
import { concat, equalBytes, toHex } from '../wire/index.ts'
import type { Step } from './context.ts'
import { counterKey } from './row.ts'
import {
  aboutRows,
  bodyRows,
  chainRows,
  pageRows,
  recordRows,
  summaryRows,
  writerRows,
  type Conversation,
  type Tip,
} from './tables.ts'
import type { AccountId, DeviceId } from '../identity/index.ts'

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
  incoming: Omit<IncomingRecord, 'signature'> & { readonly signature: Signature | null },
  segment: number,
): Promise<Conversation> {
  const { bytes, signature, said } = incoming
  step.tx.put(recordRows, header.id, { bytes, signature, segment, receivedAtMs: step.nowMs })
  if (said !== null) step.tx.put(bodyRows, header.id, said)
  await putInChain(step, conversation, header, segment)
  step.context.live.summaries.delete(`${toHex(conversation.conversation)}/${segment}`)
  if (segment < conversation.segment)
    step.tx.delete(summaryRows, segmentKey(conversation.conversation, segment))
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
  if (header.content.kind !== recordKinds.msg) {
    await putAbout(step, conversation, header, segment)
    return grown
  }
  const position = { segment, lamport: header.content.lamport, id: header.id }
  return { ...grown, pages: await place(step, grown, position) }
}

/** Key of a segment's row, and with a device and number of a record's place in it. */
export const segmentKey = (conversation: Uint8Array, segment: number): Uint8Array =>
  concat(conversation, counterKey(segment))
export const chainKey = (
  conversation: Uint8Array,
  segment: number,
  device: Uint8Array,
  sseq: number,
): Uint8Array => concat(segmentKey(conversation, segment), device, counterKey(sseq))

async function putInChain(
  step: Step,
  { conversation }: Conversation,
  header: RecordHeader,
  segment: number,
): Promise<void> {
  const { account, device, sseq } = header.content
  if (sseq === 1) {
    const key = segmentKey(conversation, segment)
    const writers = (await step.tx.load(writerRows, key)) ?? []
    if (!writers.some((one) => equalBytes(one.device, device))) {
      const writer = { account: account as AccountId, device: device as DeviceId }
      step.tx.put(writerRows, key, [...writers, writer])
    }
  }
  const key = chainKey(conversation, segment, device, sseq)
  const others = (await step.tx.load(chainRows, key)) ?? []
  step.tx.put(chainRows, key, [...others, header.id])
}

/** What a record is about: a message, or for timers the conversation. */
const aboutOf = (conversation: Conversation, { content }: RecordHeader): Uint8Array =>
  content.target ?? conversation.conversation

async function putAbout(
  step: Step,
  conversation: Conversation,
  header: RecordHeader,
  segment: number,
): Promise<void> {
  const key = aboutOf(conversation, header)
  const others = (await step.tx.load(aboutRows, key)) ?? []
  step.tx.put(aboutRows, key, [...others, { id: header.id, segment }])
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
  const row = await step.tx.load(recordRows, id)
  const header = row === undefined ? undefined : readRecord(step.context.crypto, row.bytes)
  if (row !== undefined && header !== undefined) await takeFromIndex(step, conversation, header, row.segment)
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

async function takeFromIndex(
  step: Step,
  conversation: Conversation,
  header: RecordHeader,
  segment: number,
): Promise<void> {
  const { device, sseq, kind } = header.content
  const key = chainKey(conversation.conversation, segment, device, sseq)
  const left = ((await step.tx.load(chainRows, key)) ?? []).filter((id) => !equalBytes(id, header.id))
  if (left.length === 0) step.tx.delete(chainRows, key)
  else step.tx.put(chainRows, key, left)
  if (kind === recordKinds.msg) return
  const target = aboutOf(conversation, header)
  const about = ((await step.tx.load(aboutRows, target)) ?? []).filter(({ id }) => !equalBytes(id, header.id))
  step.tx.put(aboutRows, target, about)
}

/** Key of an own record by conversation and aseq. */
export const ownRecordKey = (conversation: Uint8Array, aseq: number): Uint8Array =>
  concat(conversation, counterKey(aseq))
