import {
  readRecord,
  recordKinds,
  type IncomingRecord,
  type LinkedRecord,
  type RecordHeader,
  type SaltedBody,
} from '../history/index.ts'
import type { Signature } from '../crypto/index.ts'
import { limits } from '../limits.ts'
import { concat, equalBytes, idKey } from '../wire/index.ts'
import type { Step } from './context.ts'
import { aboutKey, aboutOf } from './about.ts'
import { fileName } from './files.ts'
import { noteHad, noteLacking, noteOwed } from './lacking.ts'
import { noteSaid } from './retention.ts'
import { counterKey, segmentKey } from './row.ts'
import { findRecord, journalOf, placeOf, putInJournal, takeFromJournal, undamaged } from './segments.ts'
import {
  aboutRows,
  bodyRows,
  placeRows,
  recordRows,
  summaryRows,
  type Conversation,
  type Tip,
} from './tables.ts'

/** Linked records remembered in memory; the chain's newest are asked for again and again. */
const rememberedLinks = 4_096

const linkOf = (header: RecordHeader): LinkedRecord => {
  const { segment, account, device, aseq, sseq, lamport } = header.content
  return { segment, account, device, aseq, sseq, lamport }
}

function remember(step: Step, header: RecordHeader): LinkedRecord {
  const { links } = step.context.live
  const link = linkOf(header)
  links.set(idKey(header.id), link)
  if (links.size > rememberedLinks) links.delete(links.keys().next().value ?? '')
  return link
}

/** The held record with this id, if there is one. */
export async function findLink(step: Step, id: Uint8Array): Promise<LinkedRecord | undefined> {
  const known = step.context.live.links.get(idKey(id))
  if (known !== undefined) return known
  const found = await findRecord(step, id)
  return found === undefined ? undefined : remember(step, found.header)
}

/** Stores a record and its body and gives it its place; the conversation comes back with its counters moved. */
export async function storeRecord(
  step: Step,
  conversation: Conversation,
  header: RecordHeader,
  incoming: Omit<IncomingRecord, 'signature'> & { readonly signature: Signature | null },
  segment: number,
): Promise<Conversation> {
  const { bytes, signature, said } = incoming
  const journal = await journalOf(step, conversation.conversation, segment)
  const before = journal.lost ? await placeOf(step, header.id) : undefined
  const place = { conversation: conversation.conversation, segment, receivedAtMs: step.nowMs, ...before }
  const { lamport, kind } = header.content
  step.tx.put(recordRows, header.id, { bytes, signature, segment, receivedAtMs: place.receivedAtMs })
  await putInJournal(step, journal, { lamport, id: header.id, kind })
  forgetSummary(step, conversation, segment)
  remember(step, header)
  // What was here before a file was damaged comes back to where it was.
  if (before !== undefined) return conversation
  if (said === null) {
    step.tx.put(placeRows, header.id, place)
    noteLacking(step, place, header.id)
  } else {
    step.tx.put(bodyRows, header.id, { place, said })
    noteSaid(step, conversation.conversation, segment)
  }
  if (kind !== recordKinds.msg) await putAbout(step, conversation, header, segment)
  return grown(step, conversation, header, segment)
}

function grown(step: Step, conversation: Conversation, header: RecordHeader, segment: number): Conversation {
  const opened = segment > conversation.segment
  return {
    ...conversation,
    segment: Math.max(conversation.segment, segment),
    segmentCount: opened ? 1 : conversation.segmentCount + (segment === conversation.segment ? 1 : 0),
    sseq: opened ? 0 : conversation.sseq,
    count: conversation.count + 1,
    lastMs: step.nowMs,
    tips: withTip(conversation.tips, header, segment),
  }
}

/** What a segment holds has changed. */
export function forgetSummary(
  step: Step,
  { conversation, segment: newest }: Conversation,
  segment: number,
): void {
  step.context.live.summaries.delete(fileName(conversation, segment))
  if (segment < newest) step.tx.delete(summaryRows, segmentKey(conversation, segment))
}

/** Puts the body of a record whose place is known. */
export async function putBody(step: Step, id: Uint8Array, said: SaltedBody): Promise<void> {
  const place = await undamaged(step.tx.load(placeRows, id))
  if (place === undefined) return
  step.tx.put(bodyRows, id, { place, said })
  step.tx.delete(placeRows, id)
  noteHad(step, place.conversation, place.segment, id)
  noteSaid(step, place.conversation, place.segment)
}

/** The author of a record has no body for it any more: it is asked for elsewhere, and all of its author's is here. */
export async function settleBody(step: Step, id: Uint8Array): Promise<void> {
  const place = await undamaged(step.tx.load(placeRows, id))
  if (place !== undefined) noteOwed(step, place.conversation, place.segment, id, null)
}

/** Erases a body, or the wish for it; the record keeps its place. */
export async function eraseBody(step: Step, id: Uint8Array): Promise<void> {
  const row = await undamaged(step.tx.load(bodyRows, id))
  if (row === undefined) {
    const place = await undamaged(step.tx.load(placeRows, id))
    if (place !== undefined) noteHad(step, place.conversation, place.segment, id)
    return
  }
  step.tx.put(placeRows, id, row.place)
  step.tx.delete(bodyRows, id)
}

async function putAbout(
  step: Step,
  conversation: Conversation,
  header: RecordHeader,
  segment: number,
): Promise<void> {
  const key = aboutKey(conversation, header)
  const others = await aboutOf(step, conversation, key)
  if (others.some(({ id }) => equalBytes(id, header.id))) return
  if (!(await hasSaidTooMuch(step, others, header))) {
    step.tx.put(aboutRows, key, [...others, { id: header.id, segment }])
    return
  }
  step.context.log.event('record-about-too-much')
}

/** Whether an account has spoken of one message as often as is looked at. */
async function hasSaidTooMuch(
  step: Step,
  others: readonly { readonly id: Uint8Array }[],
  { content }: RecordHeader,
): Promise<boolean> {
  if (others.length < limits.recordsAbout) return false
  let said = 0
  for (const { id } of others) {
    const link = await findLink(step, id)
    if (link !== undefined && equalBytes(link.account, content.account)) said += 1
  }
  return said >= limits.recordsAbout
}

function withTip(tips: readonly Tip[], header: RecordHeader, segment: number): readonly Tip[] {
  const { refs, xrefs, selfPrev, device, lamport } = header.content
  const covered = selfPrev === null ? [...refs, ...xrefs] : [...refs, ...xrefs, selfPrev]
  const left = tips.filter((tip) => !covered.some((id) => equalBytes(id, tip.id)))
  return [...left, { id: header.id, segment, lamport, device }].slice(-64)
}

/** Takes an own record back that nobody has seen; the conversation comes back without it. */
export async function withdrawRecord(
  step: Step,
  conversation: Conversation,
  id: Uint8Array,
): Promise<Conversation> {
  const row = await step.tx.load(recordRows, id)
  const header = row === undefined ? undefined : readRecord(step.context.crypto, row.bytes)
  if (row === undefined || header === undefined) return conversation
  await takeFromJournal(step, conversation, row.segment, header)
  forgetSummary(step, conversation, row.segment)
  if (header.content.kind !== recordKinds.msg) await takeAbout(step, conversation, header)
  step.tx.delete(recordRows, id)
  step.tx.delete(bodyRows, id)
  step.tx.delete(placeRows, id)
  step.context.live.links.delete(idKey(id))
  const tips = conversation.tips.filter((tip) => !equalBytes(tip.id, id))
  return { ...conversation, tips, count: conversation.count - 1 }
}

async function takeAbout(step: Step, conversation: Conversation, header: RecordHeader): Promise<void> {
  const key = aboutKey(conversation, header)
  const about = await aboutOf(step, conversation, key)
  step.tx.put(
    aboutRows,
    key,
    about.filter(({ id }) => !equalBytes(id, header.id)),
  )
}

/** Key of an own record by conversation and aseq. */
export const ownRecordKey = (conversation: Uint8Array, aseq: number): Uint8Array =>
  concat(conversation, counterKey(aseq))
