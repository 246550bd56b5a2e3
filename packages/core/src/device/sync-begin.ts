import {
  askGaps,
  syncAskFrame,
  syncBodiesAskFrame,
  syncGapsFrame,
  type AskDetail,
  type CountedRecord,
  type Gap,
  type RecordHeader,
  type SyncSide,
} from '../history/index.ts'
import { limits } from '../limits.ts'
import { idHex, toHex } from '../wire/index.ts'
import type { SegmentLook, Step, SyncTalk } from './context.ts'
import { isTalkedWith } from './contacts.ts'
import { findRemote, keyOf } from './conversations.ts'
import { isTorn } from './groups.ts'
import { lateAgain, lateDue } from './late-records.ts'
import { linkTo } from './lookup.ts'
import { isOwn } from './me.ts'
import { syncFrames } from './payload.ts'
import { askableMs, isConnected, isMailed, isReached, noteMailed } from './sync-mail.ts'
import { askFitting } from './sync-fit.ts'
import { segmentSetOf, summariesOf } from './sync-side.ts'
import { visibleFrom } from './visible-from.ts'
import { contactRows, contactStates, type Conversation, type Peer } from './tables.ts'

/** Questions of sync: what is lacking here, records that were lost here, bodies that never came. */

const nonceBytes = 8
/** An exchange that did not end after this long is begun anew. */
const staleMs = 60_000

/** Whether an exchange still has its time. */
const isFresh = (step: Step, talk: SyncTalk): boolean =>
  step.monoMs - talk.askedMs < (talk.mailed ? limits.syncMailMs : staleMs)

/**
 * What a device was asked for of a conversation and may still answer. What it was asked by relays may get no answer, and
 * keeps nobody from asking on a channel that opened since.
 */
function talkWith(step: Step, conversation: Conversation, peer: Peer): SyncTalk | undefined {
  const talk = step.context.live.syncs.get(keyOf(conversation, peer))
  if (talk === undefined || !isFresh(step, talk)) return undefined
  return talk.mailed && isConnected(step, peer) ? undefined : talk
}

/** Whether a device was asked for something of a conversation and may still answer. */
export const isTalking = (step: Step, conversation: Conversation, peer: Peer): boolean =>
  talkWith(step, conversation, peer) !== undefined

/** Whether anything is being asked for in a conversation. */
export const isAsking = (step: Step, { conversation }: Conversation): boolean =>
  [...step.context.live.syncs].some(
    ([key, talk]) => key.startsWith(idHex(conversation)) && isFresh(step, talk),
  )

/** The conversation as this device may show it to the other; records are read where a first look found them needed. */
export async function sideFor(
  step: Step,
  conversation: Conversation,
  peer: Peer,
  look: (side: SyncSide) => unknown,
  lookedAt?: readonly SegmentLook[],
): Promise<SyncSide> {
  const summaries = lookedAt ?? (await summariesOf(step, conversation))
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

function beginTalk(
  step: Step,
  conversation: Conversation,
  peer: Peer,
  begun: Pick<SyncTalk, 'kind' | 'nonce' | 'ask' | 'next'>,
  bodiless: SyncTalk['bodiless'] = new Map(),
): void {
  const mailed = !isConnected(step, peer)
  if (mailed) noteMailed(step, conversation, peer)
  const fresh = { bodiless, askedMs: step.monoMs, mailed, sets: new Map(), frames: undefined, came: 0 }
  step.context.live.syncs.set(keyOf(conversation, peer), { ...begun, ...fresh })
}

/** Asks a device for what is lacking here, unless an exchange is under way. */
export async function beginSync(
  step: Step,
  conversation: Conversation,
  peer: Peer,
  detail?: AskDetail,
): Promise<void> {
  const { crypto, random } = step.context
  if (!isReached(step, peer) || !mayTalk(step, conversation, peer)) return
  if (detail === undefined && isTalking(step, conversation, peer)) return
  const nonce = random.bytes(nonceBytes)
  const wanted = detail ?? { kind: 'from', depth: Math.max(0, conversation.segment - 1) }
  const side = await sideFor(step, conversation, peer, () => undefined)
  const { ask, rest } = askFitting(crypto, side, nonce, wanted)
  beginTalk(step, conversation, peer, { kind: 'records', nonce, ask, next: rest })
  send(step, conversation, peer, syncFrames.ask, syncAskFrame.encode(ask))
}

/**
 * Asks own devices that may lack records: by the question they see it, and ask back. Who is away is sought for it, and
 * asked by relays, until it answers, where no channel opens.
 */
export async function syncLate(step: Step): Promise<void> {
  for (const { conversation, peer } of lateDue(step, (...of) => lateMs(step, ...of))) {
    await beginSync(step, conversation, peer, { kind: 'digest' })
    const againMs = askableMs(step, conversation, peer)
    if (againMs > step.monoMs && againMs < Infinity) lateAgain(step, conversation, peer, againMs)
  }
}

/** Seeks who is away, and says until which monotonic moment a comparison waits: for a channel, an answer, the pause. */
function lateMs(step: Step, conversation: Conversation, peer: Peer): number {
  if (!mayTalk(step, conversation, peer)) return 0
  linkTo(step, peer.device).awaited = !isConnected(step, peer)
  if (isTalking(step, conversation, peer)) return step.monoMs + limits.lateSyncMs
  if (isUntried(step, peer))
    return step.monoMs + (isOwn(step, peer) ? limits.lateSyncMs : limits.lateSyncPauseMs)
  return isMailed(step, peer) ? askableMs(step, conversation, peer) : 0
}

/** Whether it is not known yet if a channel opens to an own device, or to one that mail finds if none does. */
const isUntried = (step: Step, peer: Peer): boolean =>
  (isOwn(step, peer) || (peer.deposits.length > 0 && !isRefused(step, peer))) &&
  !isConnected(step, peer) &&
  linkTo(step, peer.device).failures === 0

/** Whether the person wants nothing of an account: no channel is opened to it. */
const isRefused = (step: Step, { account }: Peer): boolean =>
  step.tx.get(contactRows, account)?.state === contactStates.refused

/** Asks a device for a segment of which records were lost here. */
export async function askAgain(
  step: Step,
  conversation: Conversation,
  peer: Peer,
  segment: Uint8Array,
): Promise<void> {
  const talk = talkWith(step, conversation, peer)
  if (talk === undefined)
    return beginSync(step, conversation, peer, { kind: 'segments', segments: [segment] })
  talk.next = [...talk.next, segment]
}

/**
 * Asks a device for records that were lost here, each by its place in a count both sides have; `looks`: what every
 * segment held before. False when none of them has a place there, or the device is not to be asked now.
 */
export async function beginGaps(
  step: Step,
  conversation: Conversation,
  peer: Peer,
  lost: {
    readonly looks: readonly SegmentLook[]
    readonly gaps: readonly Gap[]
    readonly segments: readonly Uint8Array[]
  },
): Promise<boolean> {
  if (!mayAsk(step, conversation, peer)) return false
  const { crypto, random } = step.context
  const nonce = random.bytes(nonceBytes)
  const side = await sideFor(step, conversation, peer, () => undefined, lost.looks)
  const gaps = askGaps(crypto, side, nonce, conversation.segment, lost.gaps)
  if (gaps === undefined) return false
  beginTalk(step, conversation, peer, { kind: 'gaps', nonce, ask: undefined, next: lost.segments })
  send(step, conversation, peer, syncFrames.gaps, syncGapsFrame.encode(gaps))
  return true
}

/** Asks a device for bodies of records that are held; whether it did. */
export function beginBodies(
  step: Step,
  conversation: Conversation,
  peer: Peer,
  headers: readonly RecordHeader[],
): boolean {
  if (!mayAsk(step, conversation, peer)) return false
  const asked = headers.slice(0, limits.syncBodies)
  const nonce = step.context.random.bytes(nonceBytes)
  const bodiless = new Map(asked.map((header) => [toHex(header.id), header]))
  beginTalk(step, conversation, peer, { kind: 'bodies', nonce, ask: undefined, next: [] }, bodiless)
  const records = asked.map(({ id }) => id)
  const frame = { version: 1 as const, conversation: conversation.conversation, nonce, records }
  send(step, conversation, peer, syncFrames.bodiesAsk, syncBodiesAskFrame.encode(frame))
  return true
}

/** Whether a device is reached, takes part, and is asked for nothing else of the conversation. */
const mayAsk = (step: Step, conversation: Conversation, peer: Peer): boolean =>
  isReached(step, peer) && mayTalk(step, conversation, peer) && !isTalking(step, conversation, peer)

/** Whether a device takes part now; only then are records shown to it or taken from it. */
export const mayTalk = (step: Step, conversation: Conversation, peer: Peer): boolean =>
  findRemote(conversation, peer.device)?.active === true &&
  isTalkedWith(step, conversation, peer.account) &&
  !isTorn(step, conversation)

/** Puts a frame of sync on its way. */
export const send = (
  step: Step,
  { conversation }: Conversation,
  peer: Peer,
  what: number,
  frame: Uint8Array,
): void => {
  linkTo(step, peer.device).syncFrames.push({ kind: 'sync', conversation, what, frame })
}
