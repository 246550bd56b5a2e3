import {
  admitRecord,
  holds,
  readRecord,
  receive,
  verifyRecord,
  type CarriedRecord,
  type LinkedRecord,
  type RecordHeader,
} from '../history/index.ts'
import type { SignPublicKey } from '../crypto/index.ts'
import { peerRolledBack } from './rollback.ts'
import { limits } from '../limits.ts'
import { equalBytes, toHex } from '../wire/index.ts'
import type { Step } from './context.ts'
import { conversationWith, putConversation, remoteOf, segmentNumber, withRemote } from './conversations.ts'
import { emit } from './events.ts'
import { stateOf, storedLog } from './logs.ts'
import { requireMe } from './me.ts'
import { linkTo } from './lookup.ts'
import { findLink, storeRecord } from './records.ts'
import {
  contactRows,
  contactStates,
  heldRows,
  peerRows,
  recordRows,
  type Conversation,
  type HeldRecord,
  type Peer,
} from './tables.ts'
import { contactName, messageView } from './views.ts'

/** Admits records in the order they come; those that wait are tried again whenever one got in. */
export async function receiveRecords(
  step: Step,
  peer: Peer,
  records: readonly CarriedRecord[],
): Promise<void> {
  let admitted = false
  for (const record of records) admitted = (await receiveRecord(step, peer, record)) || admitted
  if (admitted) await retryHeld(step, peer)
}

/**
 * A frame of theirs came a second time: they may not know that it arrived. One that was an answer itself wants
 * none, or two devices with two relays between them would answer each other for ever.
 */
export function receiveCopy(step: Step, peer: Peer, frame: Uint8Array): void {
  if (!linkTo(step, peer.device).answers.has(toHex(step.context.crypto.sha256(frame))))
    acknowledgeAgain(step, peer)
}

/** They are owed an acknowledgement again. */
function acknowledgeAgain(step: Step, peer: Peer): void {
  const conversation = conversationWith(step, peer.account)
  const remote = remoteOf(conversation, peer.device)
  putConversation(step, withRemote(conversation, { ...remote, gotDue: true }))
  const contact = step.tx.get(contactRows, peer.account)
  if (contact !== undefined && contact.cardSeen > 0)
    step.tx.put(peerRows, peer.device, { ...peer, cardDue: contact.cardSeen })
}

/** True when a record that was not held is held now. */
async function receiveRecord(step: Step, peer: Peer, carried: CarriedRecord): Promise<boolean> {
  const { crypto, log } = step.context
  const header = readRecord(crypto, carried.bytes)
  const identityKey = authorKey(step, peer)
  if (header === undefined || identityKey === undefined) {
    log.event('record-rejected')
    return false
  }
  if ((await step.tx.load(recordRows, header.id)) !== undefined) {
    acknowledgeAgain(step, peer)
    return false
  }
  const conversation = conversationWith(step, peer.account)
  if (holds(remoteOf(conversation, peer.device).received, header.content.aseq)) {
    refuseFork(step, peer, carried, header, identityKey)
    return false
  }
  if (!hasRoom(step, conversation, peer, header)) {
    log.event('record-beyond-limit')
    return false
  }
  const links = new Map<string, LinkedRecord | undefined>()
  for (const id of [
    ...header.content.refs,
    ...(header.content.selfPrev === null ? [] : [header.content.selfPrev]),
  ])
    links.set(toHex(id), await findLink(step, id))
  const verdict = admitRecord(crypto, carried, {
    conversation: conversation.conversation,
    account: peer.account,
    device: peer.device,
    identityKey,
    segmentNumber: (segment) => segmentNumber(step, conversation, segment),
    linked: (id) => links.get(toHex(id)),
  })
  switch (verdict.verdict) {
    case 'accepted':
      await keep(step, peer, verdict.value.segmentNumber, carried)
      return true
    case 'held':
      hold(step, peer, header.id, {
        conversation: conversation.conversation,
        device: peer.device,
        record: carried,
        atMs: step.nowMs,
      })
      return false
    case 'rejected':
      log.event('record-rejected')
      return false
  }
}

/**
 * A number of theirs that is taken: their home is an older copy of itself. The record is refused, and the
 * acknowledgement they are sent makes them write it again under a number of its own.
 */
function refuseFork(
  step: Step,
  peer: Peer,
  carried: CarriedRecord,
  header: RecordHeader,
  identityKey: SignPublicKey,
): void {
  step.context.log.event('record-forked')
  if (!verifyRecord(step.context.crypto, identityKey, header, carried.signature)) return
  acknowledgeAgain(step, peer)
  peerRolledBack(step, step.tx.get(peerRows, peer.device) ?? peer)
}

/** Whether the record is within what a contact, or a stranger who waits for the person's word, may have kept here. */
function hasRoom(step: Step, conversation: Conversation, peer: Peer, { content }: RecordHeader): boolean {
  const state = step.tx.get(contactRows, peer.account)?.state
  if (state === contactStates.requested && conversation.count >= limits.requestRecords) return false
  const { received } = remoteOf(conversation, peer.device)
  return state !== contactStates.refused && content.aseq - received.upTo <= limits.outboxPerContact
}

/** Identity key of an author: of a device that is or was on the account's log. */
function authorKey(step: Step, peer: Peer) {
  const log = storedLog(step, peer.account)
  if (log === undefined) return undefined
  return stateOf(step, log).active.get(toHex(peer.device))?.certificate.identityKey
}

async function keep(step: Step, peer: Peer, segment: number, carried: CarriedRecord): Promise<void> {
  const header = readRecord(step.context.crypto, carried.bytes)
  if (header === undefined) return
  const stored = await storeRecord(step, conversationWith(step, peer.account), header, carried, segment)
  const remote = remoteOf(stored, peer.device)
  const moved = withRemote(
    { ...stored, unread: stored.unread + 1 },
    { ...remote, received: receive(remote.received, header.content.aseq), gotDue: true },
  )
  putConversation(step, moved)
  step.tx.delete(heldRows, header.id)
  const contact = step.tx.get(contactRows, peer.account)
  if (contact?.state !== contactStates.connected) return
  const message = messageView(step, moved, { header, body: carried.body, receivedAtMs: step.nowMs }, [])
  emit(step, { type: 'message', message })
  const { previews } = requireMe(step).self
  const preview =
    previews && message.text !== null ? { name: contactName(contact), text: message.text } : undefined
  step.effects.push({ kind: 'notify', preview })
}

/** Keeps a record that waits; the oldest goes when too many do, and is asked for again by the next `got`. */
function hold(step: Step, peer: Peer, id: Uint8Array, row: HeldRecord): void {
  const waiting = step.tx.all(heldRows).filter((other) => equalBytes(other.device, peer.device))
  if (waiting.length >= limits.heldRecords) {
    const oldest = waiting.reduce((a, b) => (b.atMs < a.atMs ? b : a))
    const header = readRecord(step.context.crypto, oldest.record.bytes)
    if (header !== undefined) step.tx.delete(heldRows, header.id)
  }
  step.tx.put(heldRows, id, row)
  // What is missing is named to its author, who may believe it delivered.
  const conversation = conversationWith(step, peer.account)
  putConversation(step, withRemote(conversation, { ...remoteOf(conversation, peer.device), gotDue: true }))
}

/** A held record and how many of those it stands on are still missing. */
interface Waiting {
  readonly id: Uint8Array
  readonly row: HeldRecord
  missing: number
}

/** Admits what waited for nothing but records that are here now, each once, however they lie. */
async function retryHeld(step: Step, peer: Peer): Promise<void> {
  const waitingFor = new Map<string, Waiting[]>()
  const ready: Waiting[] = []
  for (const row of step.tx.all(heldRows)) {
    const header = equalBytes(row.device, peer.device)
      ? readRecord(step.context.crypto, row.record.bytes)
      : undefined
    if (header === undefined) continue
    const waiting: Waiting = { id: header.id, row, missing: 0 }
    for (const id of required(header)) {
      if ((await findLink(step, id)) !== undefined) continue
      waiting.missing += 1
      waitingFor.set(toHex(id), [...(waitingFor.get(toHex(id)) ?? []), waiting])
    }
    if (waiting.missing === 0) ready.push(waiting)
  }
  for (let next = ready.shift(); next !== undefined; next = ready.shift()) {
    step.tx.delete(heldRows, next.id)
    if (!(await receiveRecord(step, peer, next.row.record))) continue
    for (const other of waitingFor.get(toHex(next.id)) ?? []) {
      other.missing -= 1
      if (other.missing === 0) ready.push(other)
    }
  }
}

/** Records that must be held before this one counts. */
const required = ({ content }: RecordHeader): readonly Uint8Array[] =>
  content.selfPrev !== null && content.sseq > 1 ? [...content.refs, content.selfPrev] : content.refs
