import { unpad } from '../crypto/index.ts'
import { covers } from '../history/index.ts'
import { missingFrom, type DeviceId, type LogOpId } from '../identity/index.ts'
import { limits } from '../limits.ts'
import { equalBytes, toHex } from '../wire/index.ts'
import { receiveCard, receiveCardGot } from './frame-card.ts'
import type { Step } from './context.ts'
import { findRemote, putConversation, remoteOf, withRemote } from './conversations.ts'
import { receiveAccount } from './accounts.ts'
import { takeSiblings } from './cuts.ts'
import { receiveGroup, receiveGroupGot } from './frame-group.ts'
import { receiveJoin } from './frame-join.ts'
import { receiveJoinAnswer } from './joins.ts'
import { receiveLogPlaces } from './epoch-logs.ts'
import { receiveSeed, receiveSeedAck } from './epochs.ts'
import { forgetLeft } from './left-records.ts'
import { receiveSync } from './sync-talk.ts'
import { emit, metaOf } from './events.ts'
import { receiveRecords } from './frame-records.ts'
import { answerWith } from './extras.ts'
import { noteMissed } from './shown.ts'
import { linkTo, peersOf } from './lookup.ts'
import { extendLog } from './accounts.ts'
import { headsOf, storedLog } from './logs.ts'
import { requireMe } from './me.ts'
import { payloadFrame, payloadHeads, type Payload, type PayloadItem } from './payload.ts'
import {
  contactRows,
  contactStates,
  metaRows,
  onlyRow,
  outboxRows,
  peerRows,
  conversationRows,
  requestRows,
  type Contact,
  type Conversation,
  type Peer,
  type Request,
  type Remote,
} from './tables.ts'
import { openHeldBack } from './topic-input.ts'
import { rowKey, tellStates } from './outbox-rows.ts'
import { outboxOf } from './delivery.ts'
import { contactView, requestView } from './views.ts'
import { isAnother, resumeBehind } from './resume.ts'
import { forgetAcknowledged, hasForgotten, noteBoot, peerRolledBack } from './rollback.ts'

/** Items whose arrival is said; a frame with none of them is an answer itself. */
const answered: ReadonlySet<PayloadItem['kind']> = new Set(['records', 'card', 'group', 'join'])

/**
 * Takes the plaintext of an opened frame apart. The device it is from is proven; what it says is not. `before`: what
 * its account asked for before the frame came.
 */
export async function receivePayload(
  step: Step,
  device: DeviceId,
  padded: Uint8Array,
  frame: Uint8Array,
  before: Request | null | undefined = step.tx.get(
    requestRows,
    step.tx.get(peerRows, device)?.account ?? device,
  ),
): Promise<void> {
  const { log } = step.context
  const plaintext = unpad(padded)
  const decoded = plaintext === undefined ? undefined : payloadFrame.decode(plaintext)
  const peer = step.tx.get(peerRows, device)
  if (decoded?.ok !== true || peer === undefined) {
    log.event('payload-malformed')
    return
  }
  const contact = step.tx.get(contactRows, peer.account)
  if (contact === undefined || contact.state === contactStates.blocked) return
  step.tx.put(peerRows, device, { ...peer, heardAtMs: step.nowMs })
  if (contact.state === contactStates.refused) linkTo(step, device).refusalDue = true
  noteBoot(step, peer, decoded.value)
  if (trusted.has(contact.state)) agreeOnTime(step, decoded.value.sentAtMs)
  compareLogs(step, peer, decoded.value)
  connected(step, contact)
  for (const item of decoded.value.items) await receiveItem(step, device, item, decoded.value)
  tellRequest(step, peer.account, before)
  if (!decoded.value.items.some(({ kind }) => answered.has(kind))) noteAnswer(step, device, frame)
}

/** Somebody asks to write, or says another name: told once all of the frame is known, for it may be another matter. */
function tellRequest(step: Step, account: Peer['account'], before: Request | null | undefined): void {
  const request = step.tx.get(requestRows, account)
  if (request === undefined || request.name === before?.name) return
  emit(step, { type: 'request', request: requestView(request) })
}

/** Whose clock ends the doubt of ours. */
const trusted: ReadonlySet<number> = new Set([
  contactStates.connected,
  contactStates.pending,
  contactStates.own,
])

/** Remembers a frame that wants no answer: a copy of it, by another way, wants none either. */
function noteAnswer(step: Step, device: DeviceId, frame: Uint8Array): void {
  const { answers } = linkTo(step, device)
  answers.add(toHex(step.context.crypto.sha256(frame)))
  const [oldest] = answers
  if (answers.size > limits.answersRemembered && oldest !== undefined) answers.delete(oldest)
}

/** A contact whose first reply opened is connected; the invite's secret has done its work. */
function connected(step: Step, contact: Contact): void {
  if (contact.state !== contactStates.pending || contact.refused !== null) return
  // What comes on a session from before the invite was taken up answers something else.
  if (peersOf(step, contact.account).some(({ renew }) => renew) && contact.invitePsk !== null) return
  const now = { ...contact, state: contactStates.connected, invitePsk: null, refused: null }
  step.tx.put(contactRows, contact.account, now)
  emit(step, { type: 'contact', contact: contactView(step, now), change: 'connected' })
}

/** A contact's clock near ours ends the doubt of ours. */
function agreeOnTime(step: Step, sentAtMs: number): void {
  const { live } = step.context
  if (!live.clockDoubted || Math.abs(sentAtMs - step.nowMs) >= limits.clockSkewMs) return
  live.clockDoubted = false
  step.tx.put(metaRows, onlyRow, { ...metaOf(step), lastMs: step.nowMs })
}

/** As many ops as leave room for what else the frame carries; the rest is asked for again. */
function someOps(ops: readonly Uint8Array[]): readonly Uint8Array[] {
  let size = 0
  return ops.slice(0, 64).filter((op, i) => (size += op.length) <= logOpsBudget || i === 0)
}

/** Bytes of log operations in one payload. */
const logOpsBudget = 8 * 1024

/** Ops they lack are sent, ops we lack are asked for, with the next payload. */
function compareLogs(step: Step, peer: Peer, payload: Payload): void {
  const link = linkTo(step, peer.device)
  const own = storedLog(step, requireMe(step).self.account)
  const theirs = storedLog(step, peer.account)
  if (own !== undefined) {
    const { ops } = missingFrom(own, payload.yourLogHeads as readonly LogOpId[])
    if (ops.length > 0) answerWith(step, link, { kind: 'logOps', ops: someOps(ops) })
  }
  if (
    theirs !== undefined &&
    missingFrom(theirs, payload.myLogHeads as readonly LogOpId[]).unknown.length > 0
  )
    answerWith(step, link, { kind: 'logNeed', heads: headsOf(theirs).slice(0, payloadHeads) })
}

async function receiveItem(step: Step, device: DeviceId, item: PayloadItem, payload: Payload): Promise<void> {
  const peer = step.tx.get(peerRows, device)
  if (peer === undefined) return
  switch (item.kind) {
    case 'records':
      return resumeBehind(step, await receiveRecords(step, peer, item))
    case 'got':
      return receiveGot(step, peer, item, payload)
    case 'read':
      return receiveRead(step, peer, item)
    case 'card': {
      receiveCard(step, peer, item)
      return
    }
    case 'cardGot': {
      receiveCardGot(step, peer, item.seq)
      return
    }
    case 'logOps': {
      receiveLogOps(step, peer, item.ops)
      return
    }
    case 'logNeed': {
      receiveLogNeed(step, peer, item.heads as readonly LogOpId[])
      return
    }
    case 'refused': {
      receiveRefused(step, peer, item.code)
      return
    }
    case 'account': {
      if (mayIntroduce(step, peer)) receiveAccount(step, item)
      return
    }
    case 'seed':
    case 'seedAck':
    case 'epochLog': {
      const conversation = step.tx.get(conversationRows, item.conversation)
      if (conversation === undefined || findRemote(conversation, device)?.active !== true) return
      if (item.kind === 'epochLog') receiveLogPlaces(step, conversation, peer, item)
      else if (item.kind === 'seedAck') receiveSeedAck(step, conversation, peer, item.epoch)
      else {
        receiveSeed(step, conversation, peer, item)
        await openHeldBack(step, conversation)
      }
      return
    }
    case 'sync':
      return receiveSync(step, peer, item)
    case 'group':
      return receiveGroup(step, peer, item)
    case 'join':
      return receiveJoin(step, peer, item)
    case 'joinAnswer': {
      receiveJoinAnswer(step, peer, item)
      return
    }
    case 'siblings': {
      takeSiblings(step, peer, item)
      return
    }
    case 'groupGot': {
      await receiveGroupGot(step, peer, item)
      return
    }
    case 'unknown': {
      step.context.log.event('item-unknown')
      return
    }
  }
}

type Item<K extends PayloadItem['kind']> = Extract<PayloadItem, { readonly kind: K }>

/** Who may make other accounts known here. */
function mayIntroduce(step: Step, peer: Peer): boolean {
  const state = step.tx.get(contactRows, peer.account)?.state
  return state === contactStates.connected || state === contactStates.own || state === contactStates.member
}

/** The conversation an acknowledgement of this device's records is about, if the device takes part in it. */
function aboutUs(step: Step, peer: Peer, item: Item<'got'> | Item<'read'>): Conversation | undefined {
  const { self } = requireMe(step)
  const conversation = step.tx.get(conversationRows, item.conversation)
  return conversation !== undefined &&
    findRemote(conversation, peer.device) !== undefined &&
    equalBytes(item.device, self.device) &&
    equalBytes(item.account, self.account)
    ? conversation
    : undefined
}

async function receiveGot(step: Step, peer: Peer, said: Item<'got'>, payload: Payload): Promise<void> {
  const conversation = aboutUs(step, peer, said)
  if (conversation === undefined) return
  const remote = remoteOf(conversation, peer)
  const item = ofWhatIsOwed(said, remote)
  const newer = item.upTo >= remote.got.upTo
  const [ack, older] = newer ? [item, remote.got] : [remote.got, item]
  if (
    ack.upTo > conversation.aseq ||
    (item.last !== null && (await isAnother(step, conversation, item.last)))
  ) {
    // Anybody can say so, and it delivers nothing. Who really holds what is not known here shows it.
    step.context.log.event('got-beyond')
    return
  }
  const lacks = !newer || item.holes.some((hole) => covers(remote.got, hole))
  if (lacks && hasForgotten(remote, payload)) {
    peerRolledBack(step, peer)
    forgetAcknowledged(step, conversation, peer, item, payload)
    return
  }
  const got = { upTo: ack.upTo, holes: ack.holes.filter((hole) => !covers(older, hole)) }
  const when = newer ? { gotBoot: payload.boot, gotAtMs: payload.sentAtMs } : {}
  const sealedUpTo = beyond(got, Math.max(remote.sealedUpTo, remote.from), conversation.aseq)
  const moved = withRemote(conversation, { ...remote, ...when, got, sealedUpTo })
  putConversation(step, moved)
  await noteMissed(step, moved, peer, said)
  forgetLeft(step, moved)
  const delivered = newlyCovered(remote.got, got)
  for (const row of outboxOf(step, conversation)) {
    if (!equalBytes(row.device, peer.device)) continue
    const left = row.aseqs.filter((aseq) => !covers(got, aseq))
    if (left.length === row.aseqs.length) continue
    if (left.length === 0 && row.cardSeq === 0 && row.state === null)
      step.tx.delete(outboxRows, rowKey(row.seq))
    else step.tx.put(outboxRows, rowKey(row.seq), { ...row, aseqs: left })
  }
  await tellStates(step, moved, delivered)
}

/** What a device lacks of before it came is no matter between it and the author: others bring that, or nobody. */
const ofWhatIsOwed = (item: Item<'got'>, { from }: Remote): Item<'got'> => ({
  ...item,
  upTo: Math.max(item.upTo, from),
  holes: item.holes.filter((hole) => hole >= from),
})

/** From where on a device has not said that it holds what was written. */
function beyond(got: Remote['got'], from: number, end: number): number {
  let aseq = from
  while (aseq < end && covers(got, aseq)) aseq += 1
  return aseq
}

/** Of the newest thousand, what is acknowledged now and was not: what came by a topic or a log has no frame to tell by. */
function newlyCovered(before: Remote['got'], got: Remote['got']): number[] {
  const from = Math.max(Math.min(before.upTo, ...before.holes), got.upTo - 1_000)
  const all = Array.from({ length: Math.max(0, got.upTo - from) }, (_, at) => from + at)
  return all.filter((aseq) => covers(got, aseq) && !covers(before, aseq))
}

async function receiveRead(step: Step, peer: Peer, item: Item<'read'>): Promise<void> {
  const conversation = aboutUs(step, peer, item)
  if (conversation === undefined) return
  const remote = remoteOf(conversation, peer)
  const upTo = Math.min(item.upTo, conversation.aseq)
  if (upTo <= remote.readUpTo) return
  const moved = withRemote(conversation, { ...remote, readUpTo: upTo })
  putConversation(step, moved)
  const read = Array.from(
    { length: Math.min(upTo - remote.readUpTo, 1_000) },
    (_, i) => upTo - 1 - i,
  ).reverse()
  if (requireMe(step).self.readReceipts) await tellStates(step, moved, read)
}

function receiveLogOps(step: Step, peer: Peer, ops: readonly Uint8Array[]): void {
  const log = storedLog(step, peer.account)
  if (log === undefined) return
  extendLog(step, log, ops)
}

function receiveLogNeed(step: Step, peer: Peer, heads: readonly LogOpId[]): void {
  const own = storedLog(step, requireMe(step).self.account)
  if (own === undefined) return
  const { ops } = missingFrom(own, heads)
  if (ops.length > 0) answerWith(step, linkTo(step, peer.device), { kind: 'logOps', ops: someOps(ops) })
}

const refusals = ['E_INVITE_USED', 'E_INVITE_REVOKED', 'E_INVITE_EXPIRED']

/** Our invite was no longer good: the contact stays, marked, and says why. */
function receiveRefused(step: Step, peer: Peer, code: string): void {
  const contact = step.tx.get(contactRows, peer.account)
  if (
    contact === undefined ||
    peersOf(step, peer.account).some((one) => one.cardSeen > 0) ||
    !refusals.includes(code)
  )
    return
  if (contact.refused === code) return
  const refused = { ...contact, state: contactStates.pending, refused: code }
  step.tx.put(contactRows, contact.account, refused)
  step.tx.delete(requestRows, contact.account)
  emit(step, { type: 'contact', contact: contactView(step, refused), change: 'refused', code })
}
