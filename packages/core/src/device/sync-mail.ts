import { limits } from '../limits.ts'
import type { PeerLink, Step } from './context.ts'
import { keyOf } from './conversations.ts'
import { linkTo } from './lookup.ts'
import { addRow, isAnswer, rowsFor } from './outbox-rows.ts'
import { syncFrames, type SyncItem } from './payload.ts'
import { sealItems } from './sessions.ts'
import { peerRows, type Contact, type Conversation, type Peer } from './tables.ts'

/**
 * Sync with a device to which no channel opens: a question, or an answer with all its frames, is one payload that lies
 * at the relays the device collects at (sync.md §5). Nothing says that it arrived but the answer.
 */

/** Whether a channel to a device is open. */
export const isConnected = (step: Step, { device }: Pick<Peer, 'device'>): boolean =>
  linkTo(step, device).channel !== undefined

/** Whether a device is spoken with by relays alone: no channel opened to it. */
export const isMailed = (step: Step, peer: Peer): boolean =>
  !isConnected(step, peer) && linkTo(step, peer.device).failures > 0 && peer.deposits.length > 0

/** Whether frames of sync find a way to a device. */
export const isReached = (step: Step, peer: Peer): boolean => isConnected(step, peer) || isMailed(step, peer)

/** Monotonic moment from which a device may be asked unprompted: by relays again after a pause; Infinity by no way. */
export function askableMs(step: Step, conversation: Conversation, peer: Peer): number {
  if (isConnected(step, peer)) return 0
  if (!isMailed(step, peer)) return Infinity
  return step.context.live.mailed.get(keyOf(conversation, peer))?.nextMs ?? 0
}

/** Notes that a question is left at relays: without an answer the next one waits, each time twice as long. */
export function noteMailed(step: Step, conversation: Conversation, peer: Peer): void {
  const { mailed } = step.context.live
  const tries = mailed.get(keyOf(conversation, peer))?.tries ?? 0
  const nextMs = step.monoMs + limits.syncMailMs * 2 ** Math.min(tries, 10)
  mailed.set(keyOf(conversation, peer), { tries: tries + 1, nextMs })
}

/** What a device was asked by relays it has answered. */
export const noteMailAnswered = (step: Step, conversation: Conversation, peer: Peer): void =>
  void step.context.live.mailed.delete(keyOf(conversation, peer))

/** Bytes of an answer in one payload. */
const mailBytes = limits.syncFrameBytes + 1024

/** The first frames of an answer that fit beside it. */
export function fittingMail<Frame extends { readonly bytes: Uint8Array }>(
  answer: Uint8Array,
  frames: readonly Frame[],
): readonly Frame[] {
  let [left, items] = [mailBytes - answer.length, limits.payloadItems - 1]
  const first = frames.findIndex(({ bytes }) => (left -= bytes.length) < 0 || (items -= 1) < 0)
  return first === -1 ? frames : frames.slice(0, first)
}

/** Frames as payloads have them: each question alone, each answer with what it says will follow. */
function mailsOf(frames: readonly SyncItem[]): readonly (readonly SyncItem[])[] {
  const mails: SyncItem[][] = []
  for (const frame of frames) {
    const follows = frame.what === syncFrames.runs || frame.what === syncFrames.bodies
    const last = mails.at(-1)
    if (follows && last !== undefined) last.push(frame)
    else mails.push([frame])
  }
  return mails.filter((mail) => mail.reduce((sum, { frame }) => sum + frame.length, 0) <= mailBytes)
}

/** Where no channel opens, what belongs together is one frame, which nothing acknowledges. */
export function mailSync(step: Step, peer: Peer, contact: Contact, link: PeerLink): void {
  for (const items of mailsOf(link.syncFrames.splice(0))) {
    if (rowsFor(step, peer).filter(isAnswer).length >= limits.syncMails)
      return step.context.log.event('sync-mail-left-out')
    const frame = sealItems(step, step.tx.get(peerRows, peer.device) ?? peer, contact, items)
    if (frame !== undefined)
      addRow(step, peer, { frame, conversation: null, aseqs: [], cardSeq: 0, state: null, attempts: 0 })
  }
}
