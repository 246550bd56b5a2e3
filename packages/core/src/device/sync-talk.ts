import {
  answerSync,
  decodeRuns,
  differing,
  encodeBodies,
  encodeRuns,
  growSegment,
  linksHeld,
  matchBodies,
  recordsOfRuns,
  segmentId,
  syncAnswerFrame,
  syncAskFrame,
  syncBodiesFrame,
  type AskDetail,
  type CountedRecord,
  type RecordHeader,
  type SaltedBody,
  type Sending,
  type SyncSide,
} from '../history/index.ts'
import { limits } from '../limits.ts'
import { equalBytes, toBase32, idKey, toHex } from '../wire/index.ts'
import type { Step, SyncTalk } from './context.ts'
import { branchesAmong } from './branches.ts'
import { isTalkedWith } from './contacts.ts'
import { conversationNow, findRemote, segmentNumber } from './conversations.ts'
import { emit } from './events.ts'
import { keepSynced, retryHeld } from './frame-records.ts'
import { isCompared, standingOf } from './group-exchange.ts'
import { linkTo } from './lookup.ts'
import { requireMe } from './me.ts'
import { tellBodies } from './messages.ts'
import { syncFrames, type SyncItem } from './payload.ts'
import { askFitting } from './sync-fit.ts'
import { putBody } from './records.ts'
import { resumeBehind } from './resume.ts'
import { segmentKey } from './row.ts'
import { wantsBody } from './segments.ts'
import { authorOf, segmentSetOf, summariesOf, visibleFrom } from './sync-side.ts'
import { conversationRows, bodyRows, peerRows, segmentRows, type Conversation, type Peer } from './tables.ts'
import { wakeAt } from './timers.ts'
import { clearWarning } from './warnings.ts'

/**
 * The exchange of records with another device (sync.md). Each side asks for what it lacks and asks again while more
 * comes. Frames travel in payloads of their own and only on an open channel: what is lost with the channel is asked
 * for again when the two meet.
 *
 * ```
 *   ask ─► answer ─► runs, bodies… ─► ask again while something came
 * ```
 */

const nonceBytes = 8
/** Records that are told one by one; of more it is only said that the conversation changed. */
const toldOneByOne = 64
/** An exchange that did not end after this long is begun anew. */
const staleMs = 60_000

const keyOf = (conversation: Conversation, peer: Peer): string =>
  `${toHex(conversation.conversation)}${toHex(peer.device)}`

/** The conversation as this device may show it to the other; records are read where a first look found them needed. */
async function sideFor(
  step: Step,
  conversation: Conversation,
  peer: Peer,
  look: (side: SyncSide) => unknown,
): Promise<SyncSide> {
  const summaries = await summariesOf(step, conversation)
  const from = visibleFrom(step, conversation, peer)
  const sets = new Map<string, readonly CountedRecord[]>()
  const load = async (depth: number, segment: Uint8Array): Promise<readonly CountedRecord[]> => {
    const known = sets.get(toHex(segment))
    if (known !== undefined) return known
    const records = [...(await segmentSetOf(step, conversation, depth)).counted.values()]
    sets.set(toHex(segment), records)
    return records
  }
  const visible = new Set<string>()
  for (const { depth, segment, open } of summaries) if (depth >= from || open) visible.add(toHex(segment))
  const needed = new Set<string>()
  const base = {
    conversation: conversation.conversation,
    summaries,
    visible: (segment: Uint8Array) =>
      visible.has(toHex(segment)) || !summaries.some((one) => toHex(one.segment) === toHex(segment)),
  }
  look({
    ...base,
    records: (segment) => {
      needed.add(toHex(segment))
      return []
    },
  })
  for (const { depth, segment } of summaries) if (needed.has(toHex(segment))) await load(depth, segment)
  return { ...base, records: (segment) => sets.get(toHex(segment)) ?? [] }
}

/** Asks a device for what is lacking here, unless an exchange is under way. */
export async function beginSync(
  step: Step,
  conversation: Conversation,
  peer: Peer,
  detail?: AskDetail,
): Promise<void> {
  const { live, crypto, random } = step.context
  const link = linkTo(step, peer.device)
  const known = live.syncs.get(keyOf(conversation, peer))
  if (link.channel === undefined || !mayTalk(step, conversation, peer)) return
  if (detail === undefined && known !== undefined && step.monoMs - known.askedMs < staleMs) return
  const nonce = random.bytes(nonceBytes)
  const wanted = detail ?? { kind: 'from', depth: Math.max(0, conversation.segment - 1) }
  const side = await sideFor(step, conversation, peer, () => undefined)
  const { ask, rest } = askFitting(crypto, side, nonce, wanted)
  live.syncs.set(keyOf(conversation, peer), {
    nonce,
    ask,
    askedMs: step.monoMs,
    sets: new Map(),
    bodiless: new Map(),
    frames: undefined,
    next: rest,
    came: 0,
  })
  send(step, conversation, peer, syncFrames.ask, syncAskFrame.encode(ask))
}

/** Asks a device for a segment of which records were lost here. */
export async function askAgain(
  step: Step,
  conversation: Conversation,
  peer: Peer,
  segment: Uint8Array,
): Promise<void> {
  const talk = step.context.live.syncs.get(keyOf(conversation, peer))
  if (talk === undefined || step.monoMs - talk.askedMs >= staleMs)
    return beginSync(step, conversation, peer, { kind: 'segments', segments: [segment] })
  talk.next = [...talk.next, segment]
}

/** Whether a device takes part now; only then are records shown to it or taken from it. */
const mayTalk = (step: Step, conversation: Conversation, peer: Peer): boolean =>
  findRemote(conversation, peer.device)?.active === true && isTalkedWith(step, conversation, peer.account)

const send = (
  step: Step,
  { conversation }: Conversation,
  peer: Peer,
  what: number,
  frame: Uint8Array,
): void => {
  linkTo(step, peer.device).syncFrames.push({ kind: 'sync', conversation, what, frame })
}

/** Takes a frame of an exchange. */
export async function receiveSync(step: Step, peer: Peer, item: SyncItem): Promise<void> {
  const conversation = step.tx.get(conversationRows, item.conversation)
  if (conversation === undefined || !mayTalk(step, conversation, peer)) {
    step.context.log.event('sync-not-shared')
    return
  }
  switch (item.what) {
    case syncFrames.ask:
      return takeAsk(step, conversation, peer, item)
    case syncFrames.answer:
      return receiveAnswer(step, conversation, peer, item.frame)
    case syncFrames.runs:
      return receiveRuns(step, conversation, peer, item.frame)
    case syncFrames.bodies:
      return receiveBodies(step, conversation, peer, item.frame)
  }
}

/** One question is answered at a time: what an answer takes is memory until it has left. */
async function takeAsk(step: Step, conversation: Conversation, peer: Peer, item: SyncItem): Promise<void> {
  const link = linkTo(step, peer.device)
  if (link.syncFrames.length === 0) return receiveAsk(step, conversation, peer, item.frame)
  link.asksWaiting.set(toHex(item.conversation), item)
  wakeAt(step, step.monoMs)
}

/** Answers the next question of each device, once the last answer has left. */
export async function answerWaiting(step: Step): Promise<void> {
  for (const peer of step.tx.all(peerRows)) {
    const link = step.context.live.peers.get(toHex(peer.device))
    const [next] = link?.asksWaiting ?? []
    if (link === undefined || next === undefined) continue
    const [key, item] = next
    link.asksWaiting.delete(key)
    if (link.channel !== undefined) await receiveSync(step, peer, item)
    if (link.asksWaiting.size > 0) wakeAt(step, step.monoMs)
  }
}

async function receiveAsk(
  step: Step,
  conversation: Conversation,
  peer: Peer,
  frame: Uint8Array,
): Promise<void> {
  const { crypto } = step.context
  const ask = syncAskFrame.decode(frame)
  if (!ask.ok) {
    step.context.log.event('sync-malformed')
    return
  }
  const side = await sideFor(step, conversation, peer, (first) => answerSync(crypto, first, ask.value))
  const reply = answerSync(crypto, side, ask.value)
  const frames = await framesOf(step, conversation, reply.sendings)
  const { older } = reply
  // What is lacking here is asked for from here: naming it would not always fit the frame.
  const answer = { version: 1 as const, nonce: ask.value.nonce, behind: [], older, frames: frames.length }
  send(step, conversation, peer, syncFrames.answer, syncAnswerFrame.encode(answer))
  for (const { what, bytes } of frames) send(step, conversation, peer, what, bytes)
}

/** Frames of runs with their bodies behind them, as many as one answer has. */
async function framesOf(step: Step, conversation: Conversation, sendings: readonly Sending[]) {
  const frames: { readonly what: number; readonly bytes: Uint8Array }[] = []
  for (const sending of sendings) {
    for (const part of parts(sending)) {
      const runs = encodeRuns(conversation.conversation, part)
      const bodies = encodeBodies(await bodiesOf(step, part.records))
      if (frames.length > 0 && frames.length + runs.length + bodies.length > limits.syncAnswerFrames)
        return frames
      frames.push(...runs.map((bytes) => ({ what: syncFrames.runs, bytes })))
      frames.push(...bodies.map((bytes) => ({ what: syncFrames.bodies, bytes })))
    }
  }
  return frames
}

/** Records of one segment in parts that leave room for their bodies; each part is complete under links before it. */
function parts(sending: Sending): readonly Sending[] {
  const step = 100
  const found: Sending[] = []
  for (let at = 0; at < sending.records.length; at += step)
    found.push({ ...sending, records: sending.records.slice(at, at + step) })
  return found
}

async function bodiesOf(step: Step, records: readonly CountedRecord[]): Promise<readonly SaltedBody[]> {
  const found = await step.tx.loadMany(
    bodyRows,
    records.map(({ header }) => header.id),
  )
  return found.flatMap((row) => (row === undefined || row === 'damaged' ? [] : [row.said]))
}

async function receiveAnswer(
  step: Step,
  conversation: Conversation,
  peer: Peer,
  frame: Uint8Array,
): Promise<void> {
  const { crypto, live } = step.context
  const talk = live.syncs.get(keyOf(conversation, peer))
  const answer = syncAnswerFrame.decode(frame)
  const fits = answer.ok && answer.value.frames <= limits.syncAnswerFramesMax
  const asked = fits && talk?.frames === undefined && talk?.nonce
  if (!answer.ok || talk === undefined || !asked || !equalBytes(answer.value.nonce, asked)) {
    step.context.log.event('sync-malformed')
    return
  }
  talk.frames = answer.value.frames
  const side = await sideFor(step, conversation, peer, () => undefined)
  talk.next = [...talk.next, ...differing(crypto, side, talk.ask, answer.value.older)]
  await endWhenDone(step, conversation, peer, talk)
}

/** The exchange a frame belongs to: one of those that an answer said would come. */
function awaited(step: Step, conversation: Conversation, peer: Peer): SyncTalk | undefined {
  const talk = step.context.live.syncs.get(keyOf(conversation, peer))
  if (talk?.frames !== undefined && talk.frames > 0) return talk
  step.context.log.event('sync-unasked')
  return undefined
}

async function receiveRuns(
  step: Step,
  conversation: Conversation,
  peer: Peer,
  frame: Uint8Array,
): Promise<void> {
  const { crypto, log } = step.context
  const talk = awaited(step, conversation, peer)
  if (talk === undefined) return
  const decoded = decodeRuns(frame)
  const n = decoded === undefined ? undefined : knownSegment(step, conversation, decoded.segment)
  if (decoded === undefined || n === undefined) {
    log.event('sync-malformed')
    return
  }
  const held = talk.sets.get(n) ?? (await segmentSetOf(step, conversation, n))
  const carrier = toHex(peer.device)
  const { arrivals } = recordsOfRuns(crypto, decoded, linksHeld(held, carrier))
  const growth = growSegment(crypto, held, carrier, arrivals, authorOf(step, conversation))
  talk.sets.set(n, growth.set)
  const before = [...held.counted.values()].map(({ header }) => header)
  const among = { branches: branchesAmong(before), beside: growth.counted }
  const own: RecordHeader[] = []
  for (const header of growth.counted) {
    const signature = growth.set.counted.get(idKey(header.id))?.signature ?? null
    const now = conversationNow(step, conversation)
    if (!(await keepSynced(step, now, peer, header, signature, n, among))) continue
    talk.came += 1
    if (equalBytes(header.content.device, requireMe(step).self.device)) own.push(header)
    if (await wantsBody(step, header.id)) talk.bodiless.set(toHex(header.id), header)
  }
  if (growth.counted.length > 0) await retryHeld(step, conversationNow(step, conversation))
  await resumeBehind(step, own)
  await countFrame(step, conversation, peer, talk)
}

/** Number of a segment that may be far ahead of what is known here. */
function knownSegment(step: Step, conversation: Conversation, segment: Uint8Array): number | undefined {
  const near = segmentNumber(step, conversation, segment)
  if (near !== undefined) return near
  const { crypto } = step.context
  for (let n = conversation.segment + 1; n < conversation.segment + limits.syncSegments; n++)
    if (toHex(segmentId(crypto, conversation.conversation, n)) === toHex(segment)) return n
  return undefined
}

async function receiveBodies(
  step: Step,
  conversation: Conversation,
  peer: Peer,
  frame: Uint8Array,
): Promise<void> {
  const { crypto } = step.context
  const talk = awaited(step, conversation, peer)
  if (talk === undefined) return
  const decoded = syncBodiesFrame.decode(frame)
  if (!decoded.ok) {
    step.context.log.event('sync-malformed')
    return
  }
  const matched = matchBodies(crypto, [...talk.bodiless.values()], decoded.value.bodies)
  for (const { header, body } of matched) {
    talk.bodiless.delete(toHex(header.id))
    await putBody(step, header.id, body)
  }
  const fresh = matched.map(({ header }) => header)
  await tellSynced(step, conversationNow(step, conversation), peer, fresh)
  await countFrame(step, conversation, peer, talk)
}

/** What came is told: messages one by one, or of many that the conversation changed. */
async function tellSynced(
  step: Step,
  conversation: Conversation,
  peer: Peer,
  headers: readonly RecordHeader[],
): Promise<void> {
  if (headers.length === 0) return
  const own = equalBytes(peer.account, requireMe(step).self.account)
  const each = !own && headers.length <= toldOneByOne
  await tellBodies(step, conversation, headers, each)
  if (!each) emit(step, { type: 'group', conversationId: toBase32(conversation.conversation) })
}

async function countFrame(step: Step, conversation: Conversation, peer: Peer, talk: SyncTalk): Promise<void> {
  if (talk.frames === undefined) return
  talk.frames -= 1
  await endWhenDone(step, conversation, peer, talk)
}

/** All frames of an answer came: there may be more where it came from. */
async function endWhenDone(step: Step, before: Conversation, peer: Peer, talk: SyncTalk): Promise<void> {
  if (talk.frames === undefined || talk.frames > 0) return
  const conversation = conversationNow(step, before)
  const key = keyOf(conversation, peer)
  if (step.context.live.syncs.get(key) !== talk) return
  step.context.live.syncs.delete(key)
  if (talk.next.length > 0)
    return beginSync(step, conversation, peer, { kind: 'segments', segments: talk.next })
  if (talk.came > 0) return beginSync(step, conversation, peer)
  noteWhole(step, conversation)
}

/** Somebody has nothing that is not here: what was lost of the conversation is back, as far as anybody knows. */
function noteWhole(step: Step, { conversation }: Conversation): void {
  if (!step.context.live.wanted.delete(toHex(conversation))) return
  const wanted = step.tx.all(segmentRows).filter((one) => one.wanted > 0)
  const here = wanted.filter((one) => equalBytes(one.conversation, conversation))
  for (const one of here)
    step.tx.put(segmentRows, segmentKey(one.conversation, one.segment), { ...one, wanted: 0 })
  if (here.length > 0 && here.length === wanted.length) clearWarning(step, 'E_SEGMENT_DAMAGED')
}

/** Two devices meet, or agree on who is in: each asks for what it lacks. */
export async function syncOnMeeting(step: Step, conversation: Conversation, peer: Peer): Promise<void> {
  if (isCompared(step, conversation) && standingOf(step, conversation, peer).agreed === null) return
  await beginSync(step, conversation, peer)
}
