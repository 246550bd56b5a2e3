import { segmentId, type Gap, type RecordHeader } from '../history/index.ts'
import { limits } from '../limits.ts'
import { equalBytes, idHex, toHex } from '../wire/index.ts'
import type { SegmentLook, Step, Wants } from './context.ts'
import { activeRemotes } from './conversations.ts'
import { dropSpoilt, noteHad } from './lacking.ts'
import { lookAt, neededBodies } from './messages.ts'
import { requireMe } from './me.ts'
import { beginBodies, beginGaps, isAsking, mayTalk } from './sync-begin.ts'
import { askableMs, isConnected, isMailed } from './sync-mail.ts'
import { segmentSetOf, summariesOf } from './sync-side.ts'
import { conversationRows, lackingRows, peerRows, type Conversation, type Peer } from './tables.ts'
import { wakeAt } from './timers.ts'

/**
 * What is known to be wanted here: records that were lost, which summaries still tell of, and bodies that did not come
 * with their records, as when a channel breaks between the two. Who brought the record is asked first, then own devices,
 * then everybody who takes part, one after another with growing pauses; each once until it is met again, or until all
 * had none and some of them may have come to have it since.
 */

const wantsOf = (step: Step, { conversation }: Conversation): Wants => {
  const { wants } = step.context.live
  const known = wants.get(idHex(conversation))
  if (known !== undefined) return known
  const fresh: Wants = {
    ...{ carrier: undefined, asked: new Map(), tries: 0, nextMs: 0 },
    ...{ rounds: 0, againMs: undefined },
  }
  wants.set(idHex(conversation), fresh)
  return fresh
}

/** Records came without their bodies: they follow, or are asked for in a while. */
export function wantFrom(step: Step, conversation: Conversation, carrier: Peer): void {
  const wants = wantsOf(step, conversation)
  wants.carrier = idHex(carrier.device)
  wants.asked.clear()
  wants.tries = 0
  wants.rounds = 0
  wants.againMs = undefined
  wants.nextMs = step.monoMs + limits.wantAgainMs
  wakeAt(step, wants.nextMs)
}

/** A device that was met again is asked again. */
export function forgetAsked(step: Step, { conversation }: Conversation, peer: Peer): void {
  step.context.live.wants.get(idHex(conversation))?.asked.delete(idHex(peer.device))
}

/** Notes what a segment held before records of it were lost. */
export function noteLost(
  step: Step,
  { conversation }: Conversation,
  segment: number,
  look: SegmentLook,
): void {
  const { lost } = step.context.live
  const known = lost.get(idHex(conversation)) ?? new Map<number, SegmentLook>()
  if (!known.has(segment)) known.set(segment, look)
  lost.set(idHex(conversation), known)
}

/** Asks a device for records that were lost here by their places; false when there are none to be named, or not to it. */
export async function askLost(step: Step, conversation: Conversation, peer: Peer): Promise<boolean> {
  const lost = step.context.live.lost.get(idHex(conversation.conversation))
  if (lost === undefined || isAsked(step, conversation, peer)) return false
  const gaps: Gap[] = []
  for (const [segment, look] of lost) gaps.push(...(await gapsIn(step, conversation, segment, look)))
  const held = (await summariesOf(step, conversation)).filter(({ depth }) => !lost.has(depth))
  const segments = [...lost.values()].map(({ segment }) => segment)
  const asked = await beginGaps(step, conversation, peer, {
    looks: [...held, ...lost.values()],
    gaps,
    segments,
  })
  if (asked) noteAsked(step, conversation, peer)
  return asked
}

/** The records of a segment that are not held and were. */
async function gapsIn(
  step: Step,
  conversation: Conversation,
  segment: number,
  look: SegmentLook,
): Promise<readonly Gap[]> {
  const { counted } = await segmentSetOf(step, conversation, segment)
  const contents = [...counted.values()].map(({ header }) => header.content)
  const id = segmentId(step.context.crypto, conversation.conversation, segment)
  return look.devices.flatMap(({ account, device, count }) => {
    const held = new Set(contents.filter((one) => equalBytes(one.device, device)).map(({ sseq }) => sseq))
    const all = Array.from({ length: count }, (_, at) => at + 1)
    return all.filter((sseq) => !held.has(sseq)).map((sseq) => ({ segment: id, account, device, sseq }))
  })
}

/** Asks a device that was not asked yet for what is wanted; whether it was. */
export async function askWanted(step: Step, conversation: Conversation, peer: Peer): Promise<boolean> {
  if (await askLost(step, conversation, peer)) return true
  if (isAsked(step, conversation, peer)) return false
  const headers = await lackingHere(step, conversation)
  if (headers.length === 0 || !beginBodies(step, conversation, peer, headers)) return false
  noteAsked(step, conversation, peer)
  return true
}

/** Whether a device was asked since it was met, or is not to be asked now: by relays it is again, until it answers. */
function isAsked(step: Step, conversation: Conversation, peer: Peer): boolean {
  const wants = step.context.live.wants.get(idHex(conversation.conversation))
  const answered = wants?.asked.get(idHex(peer.device))
  if (answered === true || (answered === false && isConnected(step, peer))) return true
  return askableMs(step, conversation, peer) > step.monoMs
}

function noteAsked(step: Step, conversation: Conversation, peer: Peer): void {
  const wants = wantsOf(step, conversation)
  wants.asked.set(idHex(peer.device), false)
  wants.nextMs = step.monoMs + limits.wantAgainMs * 2 ** Math.min(wants.tries, 10)
  wants.tries += 1
  wakeAt(step, wants.nextMs)
}

/** Records of a conversation whose bodies are lacking and still needed, as many as one question names. */
async function lackingHere(step: Step, conversation: Conversation): Promise<readonly RecordHeader[]> {
  const found: RecordHeader[] = []
  const look = await lookAt(step, conversation)
  for (const row of step.tx.all(lackingRows)) {
    if (!equalBytes(row.conversation, conversation.conversation)) continue
    if (found.length >= limits.syncBodies) break
    const ids = row.records.map(({ id }) => id)
    const needed = await neededBodies(step, look, ids)
    const left = new Set(needed.map(({ id }) => toHex(id)))
    for (const id of ids) if (!left.has(toHex(id))) noteHad(step, row.conversation, row.segment, id)
    found.push(...needed)
  }
  return found
}

/** A device gave the bodies it has; who gave some may have more. */
export async function endBodies(
  step: Step,
  conversation: Conversation,
  peer: Peer,
  gaveSome: boolean,
): Promise<void> {
  const wants = wantsOf(step, conversation)
  if (!gaveSome) {
    wants.asked.set(idHex(peer.device), true)
    return
  }
  wants.asked.delete(idHex(peer.device))
  wants.tries = 0
  await askWanted(step, conversation, peer)
}

/** Asks somebody else for what is wanted and did not come. */
export async function tendWants(step: Step): Promise<void> {
  dropSpoilt(step)
  const wanted = new Map(step.tx.all(lackingRows).map((row) => [idHex(row.conversation), row.conversation]))
  for (const conversation of step.tx.all(conversationRows)) {
    const name = idHex(conversation.conversation)
    if (wanted.has(name) || step.context.live.lost.has(name)) await tend(step, conversation)
    else step.context.live.wants.delete(name)
  }
}

async function tend(step: Step, conversation: Conversation): Promise<void> {
  const wants = wantsOf(step, conversation)
  if (isAsking(step, conversation)) wants.nextMs = Math.max(wants.nextMs, step.monoMs + limits.wantAgainMs)
  if (step.monoMs < wants.nextMs) {
    wakeAt(step, wants.nextMs)
    return
  }
  const others = candidates(step, conversation, wants)
  for (const peer of others) if (await askWanted(step, conversation, peer)) return
  for (const peer of others) {
    const atMs = askableMs(step, conversation, peer)
    if (atMs > step.monoMs && atMs < Infinity) wakeAt(step, atMs)
  }
  if (others.length === 0 && wants.asked.size > 0) askAgainLater(step, wants)
}

/** Everybody there is was asked: after a pause, which doubles up to a day, all may be asked once more. */
function askAgainLater(step: Step, wants: Wants): void {
  const pauseMs = Math.min(limits.wantRoundMs * 2 ** Math.min(wants.rounds, 20), limits.wantRoundMaxMs)
  wants.againMs ??= step.monoMs + pauseMs
  if (step.monoMs < wants.againMs) {
    wakeAt(step, wants.againMs)
    return
  }
  wants.asked.clear()
  wants.tries = 0
  wants.rounds += 1
  wants.againMs = undefined
  wakeAt(step, step.monoMs)
}

/**
 * Who may be asked, now or after a pause: first who is connected, of these who brought the record, then own devices, then
 * all others; whoever is reached by no way is asked when it is met.
 */
function candidates(step: Step, conversation: Conversation, { carrier, asked }: Wants): readonly Peer[] {
  const { account } = requireMe(step).self
  const rank = (peer: Peer): number =>
    (isConnected(step, peer) ? 0 : 3) +
    (idHex(peer.device) === carrier ? 0 : equalBytes(peer.account, account) ? 1 : 2)
  return activeRemotes(conversation)
    .flatMap(({ device }) => step.tx.get(peerRows, device) ?? [])
    .filter((peer) => (isConnected(step, peer) ? !asked.has(idHex(peer.device)) : isMailed(step, peer)))
    .filter((peer) => asked.get(idHex(peer.device)) !== true && mayTalk(step, conversation, peer))
    .toSorted((a, b) => rank(a) - rank(b))
}
