import {
  answerGaps,
  answerSync,
  digestOf,
  encodeBodies,
  encodeRuns,
  syncAnswerFrame,
  syncAskFrame,
  syncBodiesAskFrame,
  syncGapsFrame,
  type SaltedBody,
  type Sending,
  type SyncAnswer,
  type SyncVector,
} from '../history/index.ts'
import { limits } from '../limits.ts'
import { equalBytes, idHex, toHex } from '../wire/index.ts'
import type { Step } from './context.ts'
import { keyOf } from './conversations.ts'
import { linkTo } from './lookup.ts'
import { syncFrames, type SyncItem } from './payload.ts'
import { beginSync, isTalking, mayTalk, send, sideFor } from './sync-begin.ts'
import { fittingMail, isConnected, isReached } from './sync-mail.ts'
import { isVisible } from './sync-side.ts'
import { bodyRows, conversationRows, peerRows, type Conversation, type Peer } from './tables.ts'
import { wakeAt } from './timers.ts'

/** Answers to the questions of sync: first how many frames there are, then these. */

interface AnswerFrame {
  readonly what: number
  readonly bytes: Uint8Array
}

/** Takes a question. One is answered at a time: what an answer takes is memory until it has left. */
export async function takeAsk(
  step: Step,
  conversation: Conversation,
  peer: Peer,
  item: SyncItem,
): Promise<void> {
  const link = linkTo(step, peer.device)
  if (link.syncFrames.length === 0) return answerAsk(step, conversation, peer, item)
  link.asksWaiting.set(idHex(item.conversation), item)
  wakeAt(step, step.monoMs)
}

/** Answers the next question of each device, once the last answer has left. */
export async function answerWaiting(step: Step): Promise<void> {
  for (const peer of step.tx.all(peerRows)) {
    const link = step.context.live.peers.get(idHex(peer.device))
    const [next] = link?.asksWaiting ?? []
    if (link === undefined || next === undefined) continue
    const [key, item] = next
    link.asksWaiting.delete(key)
    const conversation = step.tx.get(conversationRows, item.conversation)
    if (conversation !== undefined && isReached(step, peer) && mayTalk(step, conversation, peer))
      await answerAsk(step, conversation, peer, item)
    if (link.asksWaiting.size > 0) wakeAt(step, step.monoMs)
  }
}

async function answerAsk(step: Step, conversation: Conversation, peer: Peer, item: SyncItem): Promise<void> {
  switch (item.what) {
    case syncFrames.gaps:
      return answerLost(step, conversation, peer, item.frame)
    case syncFrames.bodiesAsk:
      return answerBodies(step, conversation, peer, item.frame)
    default:
      return answerRecords(step, conversation, peer, item.frame)
  }
}

function reply(
  step: Step,
  conversation: Conversation,
  peer: Peer,
  nonce: Uint8Array,
  frames: readonly AnswerFrame[],
  older: SyncAnswer['older'] = null,
): void {
  // What is lacking here is asked for from here: naming it would not always fit the frame.
  const saying = (count: number): Uint8Array =>
    syncAnswerFrame.encode({ version: 1, nonce, behind: [], older, frames: count })
  const told = isConnected(step, peer) ? frames : fittingMail(saying(frames.length), frames)
  send(step, conversation, peer, syncFrames.answer, saying(told.length))
  for (const { what, bytes } of told) send(step, conversation, peer, what, bytes)
}

async function answerRecords(
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
  const { older, sendings, behind } = answerSync(crypto, side, ask.value)
  const frames = await framesOf(step, conversation, sendings)
  reply(step, conversation, peer, ask.value.nonce, frames, older)
  const states = `${toHex(digestOf(crypto, side.summaries))}${toHex(ask.value.digest)}`
  await askBack(step, conversation, peer, behind, states)
}

/** A question showed that the asker has more: it is asked for that, once for each two states. */
async function askBack(
  step: Step,
  conversation: Conversation,
  peer: Peer,
  behind: readonly SyncVector[],
  states: string,
): Promise<void> {
  const { askedBack } = step.context.live
  const key = keyOf(conversation, peer)
  if (behind.length === 0 || isTalking(step, conversation, peer) || askedBack.get(key) === states) return
  askedBack.set(key, states)
  const segments = behind.map(({ segment }) => segment)
  await beginSync(step, conversation, peer, { kind: 'segments', segments })
}

/** Records by their places in the common count; none where the two do not count alike. */
async function answerLost(
  step: Step,
  conversation: Conversation,
  peer: Peer,
  frame: Uint8Array,
): Promise<void> {
  const { crypto, log } = step.context
  const gaps = syncGapsFrame.decode(frame)
  if (!gaps.ok) {
    log.event('sync-malformed')
    return
  }
  const side = await sideFor(step, conversation, peer, (first) => answerGaps(crypto, first, gaps.value))
  const frames = await framesOf(step, conversation, answerGaps(crypto, side, gaps.value) ?? [])
  reply(step, conversation, peer, gaps.value.nonce, frames)
}

/** Bodies of records the device may see, as many as one answer has; of others, and of erased ones, nothing is said. */
async function answerBodies(
  step: Step,
  conversation: Conversation,
  peer: Peer,
  frame: Uint8Array,
): Promise<void> {
  const ask = syncBodiesAskFrame.decode(frame)
  if (!ask.ok) {
    step.context.log.event('sync-malformed')
    return
  }
  const { nonce, records } = ask.value
  const visible = new Map<number, boolean>()
  const frames: AnswerFrame[] = []
  for (let at = 0; at < records.length && frames.length < limits.syncAnswerFrames; at += partRecords) {
    const bodies: SaltedBody[] = []
    for (const row of await step.tx.loadMany(bodyRows, records.slice(at, at + partRecords))) {
      if (row === undefined || row === 'damaged') continue
      const { place, said } = row
      if (!equalBytes(place.conversation, conversation.conversation)) continue
      const seen = visible.get(place.segment) ?? (await isVisible(step, conversation, peer, place.segment))
      visible.set(place.segment, seen)
      if (seen) bodies.push(said)
    }
    frames.push(...encodeBodies(bodies).map((bytes) => ({ what: syncFrames.bodies, bytes })))
  }
  reply(step, conversation, peer, nonce, frames.slice(0, limits.syncAnswerFramesMax))
}

/** Frames of runs with their bodies behind them, as many as one answer has. */
async function framesOf(
  step: Step,
  conversation: Conversation,
  sendings: readonly Sending[],
): Promise<readonly AnswerFrame[]> {
  const frames: AnswerFrame[] = []
  for (const sending of sendings) {
    for (const part of parts(sending)) {
      const runs = encodeRuns(conversation.conversation, part)
      const bodies = encodeBodies(
        await bodiesOf(
          step,
          part.records.map(({ header }) => header.id),
        ),
      )
      if (frames.length > 0 && frames.length + runs.length + bodies.length > limits.syncAnswerFrames)
        return frames
      frames.push(...runs.map((bytes) => ({ what: syncFrames.runs, bytes })))
      frames.push(...bodies.map((bytes) => ({ what: syncFrames.bodies, bytes })))
    }
  }
  return frames
}

/** Records whose bodies are read at once, and follow them. */
const partRecords = 100

/** Records of one segment in parts that leave room for their bodies; each part is complete under links before it. */
function parts(sending: Sending): readonly Sending[] {
  const found: Sending[] = []
  for (let at = 0; at < sending.records.length; at += partRecords)
    found.push({ ...sending, records: sending.records.slice(at, at + partRecords) })
  return found
}

async function bodiesOf(step: Step, ids: readonly Uint8Array[]): Promise<readonly SaltedBody[]> {
  const found = await step.tx.loadMany(bodyRows, ids)
  return found.flatMap((row) => (row === undefined || row === 'damaged' ? [] : [row.said]))
}
