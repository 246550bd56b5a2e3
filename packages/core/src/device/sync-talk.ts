import {
  decodeRuns,
  differing,
  growSegment,
  linksHeld,
  matchBodies,
  recordsOfRuns,
  segmentId,
  syncAnswerFrame,
  syncBodiesFrame,
  type RecordHeader,
} from '../history/index.ts'
import { limits } from '../limits.ts'
import { equalBytes, idHex, idKey, toBase32, toHex } from '../wire/index.ts'
import type { Step, SyncTalk } from './context.ts'
import { branchesAmong } from './branches.ts'
import { conversationNow, segmentNumber, keyOf } from './conversations.ts'
import { emit } from './events.ts'
import { keepSynced, retryHeld } from './frame-records.ts'
import { isCompared } from './group-exchange.ts'
import { standingOf } from './group-standing.ts'
import { wasHere } from './lacking.ts'
import { dropFromBefore, lateAnswered } from './late-records.ts'
import { isOwn, requireMe } from './me.ts'
import { lookAt, neededBodies, tellBack, tellBodies } from './messages.ts'
import { syncFrames, type SyncItem } from './payload.ts'
import { putBody } from './records.ts'
import { resumeBehind } from './resume.ts'
import { segmentKey } from './row.ts'
import { placeWithoutBody } from './segments.ts'
import { takeAsk } from './sync-answer.ts'
import { beginSync, mayTalk, sideFor } from './sync-begin.ts'
import { noteMailAnswered } from './sync-mail.ts'
import { authorOf, segmentSetOf } from './sync-side.ts'
import { askLost, askWanted, endBodies, forgetAsked, wantFrom } from './sync-wants.ts'
import { conversationRows, segmentRows, type Conversation, type Peer } from './tables.ts'
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

/** Records that are told one by one; of more it is only said that the conversation changed. */
const toldOneByOne = 64

/** Takes a frame of an exchange. */
export async function receiveSync(step: Step, peer: Peer, item: SyncItem): Promise<void> {
  const conversation = step.tx.get(conversationRows, item.conversation)
  if (conversation === undefined || !mayTalk(step, conversation, peer)) {
    step.context.log.event('sync-not-shared')
    return
  }
  switch (item.what) {
    case syncFrames.ask:
    case syncFrames.gaps:
    case syncFrames.bodiesAsk:
      return takeAsk(step, conversation, peer, item)
    case syncFrames.answer:
      return receiveAnswer(step, conversation, peer, item.frame)
    case syncFrames.runs:
      return receiveRuns(step, conversation, peer, item.frame)
    case syncFrames.bodies:
      return receiveBodies(step, conversation, peer, item.frame)
  }
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
  noteMailAnswered(step, conversation, peer)
  if (talk.mailed && talk.kind === 'records') lateAnswered(step, conversation, peer, talk.askedMs)
  if (talk.ask !== undefined) {
    const side = await sideFor(step, conversation, peer, () => undefined)
    talk.next = [...talk.next, ...differing(crypto, side, talk.ask, answer.value.older)]
  }
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
  const carrier = idHex(peer.device)
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
    if ((await placeWithoutBody(step, header.id)) !== undefined) talk.bodiless.set(toHex(header.id), header)
  }
  if (growth.counted.length > 0) await retryHeld(step, conversationNow(step, conversation))
  await resumeBehind(step, own)
  if (talk.bodiless.size > 0) wantFrom(step, conversation, peer)
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
  if (talk.kind === 'bodies') talk.came += matched.length
  const look = await lookAt(step, conversation)
  const ids = matched.map(({ header }) => header.id)
  const needed = new Set((await neededBodies(step, look, ids)).map(({ id }) => toHex(id)))
  const fresh: RecordHeader[] = []
  const back: RecordHeader[] = []
  for (const { header, body } of matched) {
    talk.bodiless.delete(toHex(header.id))
    // Its author may have brought it meanwhile, or taken it back: then that was told.
    if (!needed.has(toHex(header.id))) continue
    const place = await placeWithoutBody(step, header.id)
    if (place === undefined) continue
    ;(wasHere(step, place, header.id) ? back : fresh).push(header)
    await putBody(step, header.id, body)
  }
  await tellSynced(step, conversationNow(step, conversation), peer, fresh)
  await tellBack(step, conversationNow(step, conversation), back)
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
  const own = isOwn(step, peer)
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
  if (talk.kind === 'bodies') return endBodies(step, conversation, peer, talk.came > 0)
  // Of lost records the segments are compared only where their places led to nothing.
  const next = talk.kind === 'gaps' && talk.came > 0 ? [] : talk.next
  if (next.length > 0) return beginSync(step, conversation, peer, { kind: 'segments', segments: next })
  if (talk.came > 0) return beginSync(step, conversation, peer)
  if (talk.kind === 'records') dropFromBefore(step, conversation, peer)
  noteWhole(step, conversation)
  await askWanted(step, conversation, peer)
}

/** Somebody has nothing that is not here: what was lost of the conversation is back, as far as anybody knows. */
function noteWhole(step: Step, { conversation }: Conversation): void {
  step.context.live.lost.delete(idHex(conversation))
  if (!step.context.live.wanted.delete(idHex(conversation))) return
  const wanted = step.tx.all(segmentRows).filter((one) => one.wanted > 0)
  const here = wanted.filter((one) => equalBytes(one.conversation, conversation))
  for (const one of here)
    step.tx.put(segmentRows, segmentKey(one.conversation, one.segment), { ...one, wanted: 0 })
  if (here.length > 0 && here.length === wanted.length) clearWarning(step, 'E_SEGMENT_DAMAGED')
}

/** Two devices meet, or agree on who is in: each asks for what it lacks. */
export async function syncOnMeeting(step: Step, conversation: Conversation, peer: Peer): Promise<void> {
  if (isCompared(step, conversation) && standingOf(step, conversation, peer).agreed === null) return
  forgetAsked(step, conversation, peer)
  if (!(await askLost(step, conversation, peer))) await beginSync(step, conversation, peer)
}
