import { unpad } from '../crypto/index.ts'
import { covers } from '../history/index.ts'
import { missingFrom, type DeviceId, type LogOpId } from '../identity/index.ts'
import { limits } from '../limits.ts'
import { equalBytes, toBase32, toHex } from '../wire/index.ts'
import { receiveCard, receiveCardGot } from './frame-card.ts'
import type { Step } from './context.ts'
import { conversationWith, putConversation, remoteOf, withRemote } from './conversations.ts'
import { emit, metaOf } from './events.ts'
import { receiveRecords } from './frame-records.ts'
import { linkTo } from './lookup.ts'
import { extendLog, headsOf, stateOf, storedLog } from './logs.ts'
import { requireMe } from './me.ts'
import { payloadFrame, payloadHeads, type Payload, type PayloadItem } from './payload.ts'
import {
  contactRows,
  contactStates,
  metaRows,
  onlyRow,
  outboxRows,
  peerRows,
  requestRows,
  type Contact,
  type Peer,
} from './tables.ts'
import { rowKey, tellStates } from './outbox-rows.ts'
import { contactView, outboxOf } from './views.ts'
import { forgetAcknowledged, hasForgotten, noteBoot, peerRolledBack, resumeAfter } from './rollback.ts'

/** Takes the plaintext of an opened frame apart. The device it is from is proven; what it says is not. */
export async function receivePayload(
  step: Step,
  device: DeviceId,
  padded: Uint8Array,
  frame: Uint8Array,
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
  if (contact.state === contactStates.refused) linkTo(step, device).refusalDue = true
  noteBoot(step, peer, decoded.value)
  if (contact.state === contactStates.connected || contact.state === contactStates.pending)
    agreeOnTime(step, decoded.value.sentAtMs)
  compareLogs(step, peer, decoded.value)
  connected(step, contact)
  for (const item of decoded.value.items) await receiveItem(step, device, item, decoded.value)
  if (!decoded.value.items.some(({ kind }) => kind === 'records' || kind === 'card'))
    noteAnswer(step, device, frame)
}

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
  const extras: PayloadItem[] = []
  if (own !== undefined) {
    const { ops } = missingFrom(own, payload.yourLogHeads as readonly LogOpId[])
    if (ops.length > 0) extras.push({ kind: 'logOps', ops: someOps(ops) })
  }
  if (
    theirs !== undefined &&
    missingFrom(theirs, payload.myLogHeads as readonly LogOpId[]).unknown.length > 0
  )
    extras.push({ kind: 'logNeed', heads: headsOf(theirs).slice(0, payloadHeads) })
  if (extras.length > 0) link.extras = extras
}

async function receiveItem(step: Step, device: DeviceId, item: PayloadItem, payload: Payload): Promise<void> {
  const peer = step.tx.get(peerRows, device)
  if (peer === undefined) return
  switch (item.kind) {
    case 'records':
      return receiveRecords(step, peer, item.records)
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
    case 'unknown': {
      step.context.log.event('item-unknown')
      return
    }
  }
}

type Item<K extends PayloadItem['kind']> = Extract<PayloadItem, { readonly kind: K }>

/** Whether an acknowledgement is about this device's records in the direct conversation with the peer. */
function isAboutUs(step: Step, peer: Peer, item: Item<'got'> | Item<'read'>): boolean {
  const { self } = requireMe(step)
  const { conversation } = conversationWith(step, peer.account)
  return (
    equalBytes(item.device, self.device) &&
    equalBytes(item.account, self.account) &&
    equalBytes(item.conversation, conversation)
  )
}

async function receiveGot(step: Step, peer: Peer, item: Item<'got'>, payload: Payload): Promise<void> {
  if (!isAboutUs(step, peer, item)) return
  const conversation = conversationWith(step, peer.account)
  const remote = remoteOf(conversation, peer.device)
  const newer = item.upTo >= remote.got.upTo
  const [ack, other] = newer ? [item, remote.got] : [remote.got, item]
  if (ack.upTo > conversation.aseq) return resumeAfter(step, conversation, ack.upTo)
  const lacks = !newer || item.holes.some((hole) => covers(remote.got, hole))
  if (lacks && hasForgotten(remote, payload)) {
    peerRolledBack(step, peer)
    forgetAcknowledged(step, peer, item, payload)
    return
  }
  const got = { upTo: ack.upTo, holes: ack.holes.filter((hole) => !covers(other, hole)) }
  const said = newer ? { gotBoot: payload.boot, gotAtMs: payload.sentAtMs } : {}
  const moved = withRemote(conversation, { ...remote, ...said, got })
  putConversation(step, moved)
  const delivered: number[] = []
  for (const row of outboxOf(step, conversation)) {
    if (!equalBytes(row.device, peer.device)) continue
    const left = row.aseqs.filter((aseq) => !covers(got, aseq))
    if (left.length === row.aseqs.length) continue
    delivered.push(...row.aseqs.filter((aseq) => covers(got, aseq)))
    if (left.length === 0 && row.cardSeq === 0) step.tx.delete(outboxRows, rowKey(row.seq))
    else step.tx.put(outboxRows, rowKey(row.seq), { ...row, aseqs: left })
  }
  await tellStates(step, moved, delivered)
}

async function receiveRead(step: Step, peer: Peer, item: Item<'read'>): Promise<void> {
  if (!isAboutUs(step, peer, item)) return
  const conversation = conversationWith(step, peer.account)
  const remote = remoteOf(conversation, peer.device)
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
  const before = stateOf(step, log)
  const after = stateOf(step, extendLog(step, log, ops))
  const accountId = toBase32(peer.account)
  for (const key of after.active.keys())
    if (!before.active.has(key)) emit(step, { type: 'device', accountId, change: 'added' })
  for (const key of after.revoked.keys())
    if (!before.revoked.has(key)) emit(step, { type: 'device', accountId, change: 'revoked' })
  if (after.forked.length > before.forked.length) emit(step, { type: 'device', accountId, change: 'forked' })
}

function receiveLogNeed(step: Step, peer: Peer, heads: readonly LogOpId[]): void {
  const own = storedLog(step, requireMe(step).self.account)
  if (own === undefined) return
  const { ops } = missingFrom(own, heads)
  if (ops.length > 0) linkTo(step, peer.device).extras = [{ kind: 'logOps', ops: someOps(ops) }]
}

const refusals = ['E_INVITE_USED', 'E_INVITE_REVOKED', 'E_INVITE_EXPIRED']

/** Our invite was no longer good: the contact stays, marked, and says why. */
function receiveRefused(step: Step, peer: Peer, code: string): void {
  const contact = step.tx.get(contactRows, peer.account)
  if (contact === undefined || contact.cardSeen > 0 || !refusals.includes(code)) return
  if (contact.refused === code) return
  const refused = { ...contact, state: contactStates.pending, refused: code }
  step.tx.put(contactRows, contact.account, refused)
  step.tx.delete(requestRows, contact.account)
  emit(step, { type: 'contact', contact: contactView(step, refused), change: 'refused', code })
}
