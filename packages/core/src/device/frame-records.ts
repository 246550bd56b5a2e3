import {
  admitRecord,
  holds,
  opensCommitment,
  readRecord,
  receive,
  receiveFrom,
  recordKinds,
  requiredLinks,
  verifyRecord,
  type AdmittedRecord,
  type IncomingRecord,
  type LinkedRecord,
  type RecordHeader,
} from '../history/index.ts'
import type { SignPublicKey, Signature } from '../crypto/index.ts'
import type { DeviceAddress } from '../identity/index.ts'
import { limits } from '../limits.ts'
import { equalBytes, idHex, toHex } from '../wire/index.ts'
import type { Step } from './context.ts'
import {
  conversationNow,
  conversationsWith,
  conversationWith,
  findRemote,
  putConversation,
  remoteOf,
  segmentNumber,
  withRemote,
} from './conversations.ts'
import { bareState, tellOne } from './group-exchange.ts'
import { standingOf } from './group-standing.ts'
import { isTorn } from './groups.ts'
import { noteOwed, wasHere } from './lacking.ts'
import { lookForHeld, noteLate } from './late-records.ts'
import { answerWith } from './extras.ts'
import { acknowledgeAgain, acknowledgeAll, gotLater, tellLater } from './gots.ts'
import { linkTo } from './lookup.ts'
import { identityKeyOf } from './logs.ts'
import { isOwn, requireMe } from './me.ts'
import { forget, lookAt, neededBodies, tellBack, tellBodies, tellRecord } from './messages.ts'
import { addBranch, branchesFor, mayBranch, type Branches } from './branches.ts'
import { findLink, putBody, settleBody, storeRecord } from './records.ts'
import { peerRolledBack } from './rollback.ts'
import { isHeld, placeWithoutBody, wasHeld } from './segments.ts'
import { isShown, showNewest } from './shown.ts'
import {
  contactRows,
  contactStates,
  conversationKinds,
  conversationRows,
  heldRows,
  peerRows,
  type Conversation,
  type HeldRecord,
  type Peer,
} from './tables.ts'
import { contactName } from './contacts.ts'
import { isPast, standingAt, wasIn } from './record-standing.ts'

/**
 * Admits a device's records in the order they come; those that wait are tried again whenever one got in. What it shows
 * of this device's own writing is given back.
 */
export async function receiveRecords(
  step: Step,
  peer: Peer,
  { from, records }: { readonly from: number; readonly records: readonly IncomingRecord[] },
): Promise<readonly RecordHeader[]> {
  const conversations = new Map<string, Conversation>()
  const own: RecordHeader[] = []
  for (const record of records) {
    const header = readRecord(step.context.crypto, record.bytes)
    if (header === undefined) step.context.log.event('record-rejected')
    if (header === undefined) continue
    if (isBy(header, requireMe(step).self)) {
      if (isShown(step, peer, header, record.signature)) own.push(header)
      continue
    }
    const moved = await receiveRecord(step, peer, header, record, from)
    if (moved !== undefined) conversations.set(idHex(moved.conversation), moved)
  }
  for (const conversation of conversations.values()) await retryHeld(step, conversation)
  return own
}

/**
 * A frame of theirs came a second time: they may not know that it arrived. One that was an answer itself wants
 * none, or two devices with two relays between them would answer each other for ever.
 */
export function receiveCopy(step: Step, peer: Peer, frame: Uint8Array): void {
  const link = linkTo(step, peer.device)
  if (link.answers.has(toHex(step.context.crypto.sha256(frame)))) return
  acknowledgeAll(step, peer)
  for (const conversation of conversationsWith(step, peer.device)) {
    const { agreed } = standingOf(step, conversation, peer)
    if (agreed !== null) link.groupGots.set(idHex(conversation.conversation), agreed)
  }
  if (peer.cardSeen > 0)
    step.tx.put(peerRows, peer.device, {
      ...(step.tx.get(peerRows, peer.device) ?? peer),
      cardDue: peer.cardSeen,
    })
}

/** The conversation, when a record that was not held is held in it now. */
async function receiveRecord(
  step: Step,
  peer: Peer,
  header: RecordHeader,
  incoming: IncomingRecord,
  from: number,
): Promise<Conversation | undefined> {
  const { log } = step.context
  const conversation = conversationOf(step, peer, header)
  if (!isBy(header, peer)) {
    log.event('record-of-another')
    return undefined
  }
  if (conversation === undefined) {
    if (!mayIntroduceGroups(step, peer)) {
      tellLater(step, header.content.conversation, peer)
      return undefined
    }
    hold(step, peer, header, incoming)
    askAbout(step, peer, header.content.conversation)
    return undefined
  }
  noteFrom(step, conversation, peer, from)
  const numberTaken = holds(remoteOf(conversationNow(step, conversation), peer).received, header.content.aseq)
  if (numberTaken && (await isHeld(step, header.id))) {
    await takeBody(step, conversation, header, incoming)
    acknowledgeAgain(step, conversation, peer)
    return undefined
  }
  const identityKey = identityKeyOf(step, peer.account, peer.device)
  if (identityKey !== undefined && numberTaken && !(await wasHeld(step, header.id))) {
    await refuseFork(step, conversation, peer, { incoming, header, identityKey })
    return undefined
  }
  if (!hasRoom(step, conversation, peer, header)) {
    log.event('record-beyond-limit')
    return undefined
  }
  return admitted(step, conversation, peer, header, incoming)
}

/** Whoever speaks in a group that is not known here may take it to be known, as by a home set back since: it is asked. */
function askAbout(step: Step, peer: Peer, conversation: Uint8Array): void {
  const link = linkTo(step, peer.device)
  const isAsked = link.extras.some(
    (one) => one.kind === 'group' && equalBytes(one.conversation, conversation),
  )
  if (!isAsked) answerWith(step, link, bareState({ conversation }))
}

/** Takes the body of a record that is held without it; its author may have none any more. */
async function takeBody(
  step: Step,
  conversation: Conversation,
  header: RecordHeader,
  { said }: IncomingRecord,
): Promise<void> {
  const { id } = header
  const place = await placeWithoutBody(step, id)
  if (place === undefined) return
  if (said === null) return settleBody(step, id)
  if (!opensCommitment(step.context.crypto, header, said.salt, said.body)) return
  if ((await neededBodies(step, await lookAt(step, conversation), [id])).length === 0) return
  const isBack = wasHere(step, place, id)
  await putBody(step, id, said)
  const now = conversationNow(step, conversation)
  await (isBack ? tellBack(step, now, [header]) : tellBodies(step, now, [header], true))
}

/** Whether a record says to be by this device. */
const isBy = ({ content }: RecordHeader, { account, device }: DeviceAddress): boolean =>
  equalBytes(content.device, device) && equalBytes(content.account, account)

/** The conversation a record of this device belongs to, if the device takes or took part in it. */
function conversationOf(step: Step, peer: Peer, { content }: RecordHeader): Conversation | undefined {
  const known = step.tx.get(conversationRows, content.conversation)
  if (known !== undefined)
    return findRemote(known, peer.device) === undefined && !wasIn(step, known, content) ? undefined : known
  const direct = step.tx.get(contactRows, peer.account)
  return direct !== undefined && equalBytes(direct.conversation, content.conversation)
    ? conversationWith(step, peer.account)
    : undefined
}

/**
 * What a device wrote before this reader came is not missing here. Above the newest record held, its word on where that
 * was is all there is: an older copy of its home names a lower number, and what it writes from there on is new.
 */
function noteFrom(step: Step, conversation: Conversation, author: DeviceAddress, from: number): void {
  const now = conversationNow(step, conversation)
  const remote = remoteOf(now, author)
  const { received, last } = remote
  const least = Math.max(from, last === null ? 0 : last.aseq + 1)
  if (from > received.upTo)
    putConversation(step, withRemote(now, { ...remote, received: receiveFrom(received, from) }))
  else if (received.upTo > least)
    putConversation(step, withRemote(now, { ...remote, received: { upTo: least, above: [] } }))
}

/** Takes a record that opened on a topic, where its signature and body were checked. */
export async function admitOpened(
  step: Step,
  conversation: Conversation,
  author: DeviceAddress,
  header: RecordHeader,
  incoming: IncomingRecord,
): Promise<void> {
  const now = conversationNow(step, conversation)
  const taken = holds(remoteOf(now, author).received, header.content.aseq)
  if (taken && (await isHeld(step, header.id))) return takeBody(step, now, header, incoming)
  if (taken && !(await wasHeld(step, header.id))) return refuseOpened(step, now, author, header, incoming)
  const moved = await admitted(step, now, author, header, incoming)
  if (moved === undefined) return
  gotLater(step, moved, author)
  await retryHeld(step, conversationNow(step, moved))
}

/** A second record under a number of its author's came by a topic. */
async function refuseOpened(
  step: Step,
  conversation: Conversation,
  author: DeviceAddress,
  header: RecordHeader,
  incoming: IncomingRecord,
): Promise<void> {
  const peer = step.tx.get(peerRows, author.device)
  const identityKey = identityKeyOf(step, author.account, author.device)
  if (peer !== undefined && identityKey !== undefined)
    await refuseFork(step, conversation, peer, { incoming, header, identityKey })
}

/** Judges a record, whoever brought it, and keeps it: the conversation, when it is held now. */
async function admitted(
  step: Step,
  conversation: Conversation,
  carrier: DeviceAddress,
  header: RecordHeader,
  incoming: IncomingRecord,
): Promise<Conversation | undefined> {
  const { crypto, log } = step.context
  const { account, device } = header.content
  const author = { account, device } as DeviceAddress
  const identityKey = identityKeyOf(step, account, device)
  const standing = standingAt(step, conversation, header.content)
  if (identityKey === undefined || standing === 'no') {
    log.event('record-rejected')
    return undefined
  }
  if (standing === 'unknown') {
    hold(step, carrier, header, incoming)
    tellOne(step, conversation, carrier)
    return undefined
  }
  const links = new Map<string, LinkedRecord | undefined>()
  for (const id of requiredLinks(header.content)) links.set(toHex(id), await findLink(step, id))
  const verdict = admitRecord(crypto, incoming, {
    conversation: conversation.conversation,
    ...author,
    identityKey,
    segmentNumber: (segment) => segmentNumber(step, conversation, segment),
    linked: (id) => links.get(toHex(id)),
  })
  switch (verdict.verdict) {
    case 'accepted': {
      const branches = await branchesFor(step, conversation, header, verdict.value.segmentNumber)
      if (mayBranch(step, branches, header)) {
        addBranch(branches, header)
        noteLate(step, conversation, carrier, header.content, verdict.value.segmentNumber)
        return keep(step, conversation, verdict.value, incoming)
      }
      log.event('record-beyond-limit')
      return undefined
    }
    case 'held':
      if (isPast(step, conversation, header)) log.event('record-past-removal')
      else {
        hold(step, carrier, header, incoming)
        lookForHeld(step, conversation, carrier)
      }
      return undefined
    case 'rejected':
      log.event('record-rejected')
      return undefined
  }
}

/**
 * A number of theirs that is taken: their home is an older copy of itself. The record is refused, and the newest one
 * held of theirs is shown to them, which makes them write it again under a number of its own.
 */
async function refuseFork(
  step: Step,
  conversation: Conversation,
  peer: Peer,
  record: {
    readonly incoming: IncomingRecord
    readonly header: RecordHeader
    readonly identityKey: SignPublicKey
  },
): Promise<void> {
  step.context.log.event('record-forked')
  if (!verifyRecord(step.context.crypto, record.identityKey, record.header, record.incoming.signature)) return
  acknowledgeAgain(step, conversation, peer)
  peerRolledBack(step, step.tx.get(peerRows, peer.device) ?? peer)
  await showNewest(step, conversation, peer)
}

/** Whether the record is within what a contact, or a stranger who waits for the person's word, may have kept here. */
function hasRoom(step: Step, conversation: Conversation, peer: Peer, { content }: RecordHeader): boolean {
  const { received } = remoteOf(conversationNow(step, conversation), peer)
  if (content.aseq - received.upTo > limits.outboxPerContact) return false
  if (received.above.length >= limits.receivedAbove && content.aseq !== received.upTo) return false
  if (conversation.kind === conversationKinds.group) return true
  const state = step.tx.get(contactRows, peer.account)?.state
  if (state === contactStates.requested && conversation.count >= limits.requestRecords) return false
  return state !== contactStates.refused && state !== contactStates.member
}

/** Keeps a record that another device brought by sync, where it was judged, unless it is held; its body may follow. */
export async function keepSynced(
  step: Step,
  before: Conversation,
  carrier: Peer,
  header: RecordHeader,
  signature: Signature | null,
  segment: number,
  among: { readonly branches: Branches; readonly beside: readonly RecordHeader[] },
): Promise<boolean> {
  if (await isKnown(step, before, header)) return false
  if (!mayBranch(step, among.branches, header, among.beside) || !(await isComplete(step, header))) {
    step.context.log.event('record-beyond-limit')
    return false
  }
  addBranch(among.branches, header)
  noteLate(step, before, carrier, header.content, segment)
  const incoming = { bytes: header.bytes, signature, said: null }
  const stored = await storeRecord(step, before, header, incoming, segment)
  const { self } = requireMe(step)
  const { account, device, aseq, kind } = header.content
  noteOwed(step, before.conversation, segment, header.id, { device, aseq })
  const isNew = stored.count > before.count
  const fresh =
    isNew && kind === recordKinds.msg && !equalBytes(account, self.account) && !isRead(before, header)
  const unread = fresh && !equalBytes(carrier.account, self.account) ? stored.unread + 1 : stored.unread
  putConversation(step, withReceived(step, { ...stored, unread }, header))
  step.tx.delete(heldRows, header.id)
  return true
}

/** Whether all that a record stands on is kept: what stands on a branch that was not, is not either. */
async function isComplete(step: Step, header: RecordHeader): Promise<boolean> {
  for (const id of requiredLinks(header.content)) if ((await findLink(step, id)) === undefined) return false
  return true
}

/** Whether a record is held already; the store is asked only where its number is taken. */
async function isKnown(
  step: Step,
  conversation: Conversation,
  { id, content }: RecordHeader,
): Promise<boolean> {
  const { account, device, aseq } = content
  const own = equalBytes(device, requireMe(step).self.device)
  const taken = own
    ? aseq < conversation.aseq
    : holds(remoteOf(conversation, { account, device } as DeviceAddress).received, aseq)
  return taken && isHeld(step, id)
}

/** Whether a record says that it follows another one than is held under the number before its own: two homes write. */
function followsAnother(conversation: Conversation, { content }: RecordHeader): boolean {
  const last = findRemote(conversation, content.device)?.last ?? null
  const { selfPrev, aseq } = content
  return last?.aseq === aseq - 1 && selfPrev !== null && !equalBytes(selfPrev, last.id)
}

/** What is held of a device's records, with one more. */
function withReceived(step: Step, conversation: Conversation, header: RecordHeader): Conversation {
  const { account, device, aseq } = header.content
  if (equalBytes(device, requireMe(step).self.device)) return conversation
  const remote = remoteOf(conversation, { account, device } as DeviceAddress)
  const full = remote.received.above.length >= limits.receivedAbove && aseq !== remote.received.upTo
  return withRemote(conversation, {
    ...remote,
    received: full ? remote.received : receive(remote.received, aseq),
    last: remote.last !== null && remote.last.aseq > aseq ? remote.last : { aseq, id: header.id },
    gotDue: true,
  })
}

async function keep(
  step: Step,
  before: Conversation,
  { header, segmentNumber: segment }: AdmittedRecord,
  incoming: IncomingRecord,
): Promise<Conversation> {
  const stored = await storeRecord(step, conversationNow(step, before), header, incoming, segment)
  const own = isOwn(step, header.content)
  const shown = header.content.kind === recordKinds.msg
  const unread = stored.unread + (shown && !own && !isRead(stored, header) ? 1 : 0)
  if (followsAnother(stored, header)) {
    const author = step.tx.get(peerRows, header.content.device)
    if (author !== undefined) {
      peerRolledBack(step, author)
      await showNewest(step, stored, author)
    }
  }
  const moved = withReceived(step, { ...stored, unread }, header)
  putConversation(step, moved)
  step.tx.delete(heldRows, header.id)
  await tellArrival(step, moved, header, incoming)
  return moved
}

/** Whether another own device has shown it already. */
const isRead = (conversation: Conversation, { content: { device, aseq } }: RecordHeader): boolean =>
  aseq < (findRemote(conversation, device)?.seenUpTo ?? 0)

/** Says that something came, unless its sender still waits for the person's word. */
async function tellArrival(
  step: Step,
  conversation: Conversation,
  header: RecordHeader,
  incoming: IncomingRecord,
): Promise<void> {
  const { self } = requireMe(step)
  const sender = step.tx.get(contactRows, header.content.account)
  const direct = conversation.kind === conversationKinds.direct
  const own = equalBytes(header.content.account, self.account)
  const look = { ...(await lookAt(step, conversation)), outbox: [] }
  if (direct && !own && sender?.state !== contactStates.connected)
    return forget(step, look, header.content.target ?? header.id)
  const message = await tellRecord(step, conversation, header, incoming)
  if (message === undefined || own || sender?.state === contactStates.blocked) return
  const name = sender === undefined ? '' : contactName(sender)
  const preview = self.previews && message.text !== null ? { name, text: message.text } : undefined
  step.effects.push({ kind: 'notify', preview })
}

/** Who may speak of conversations not known here yet. */
function mayIntroduceGroups(step: Step, peer: Peer): boolean {
  const state = step.tx.get(contactRows, peer.account)?.state
  return state === contactStates.connected || state === contactStates.own || state === contactStates.member
}

/** Keeps a record that waits; the oldest goes when too many do, and is asked for again by the next `got`. */
function hold(
  step: Step,
  carrier: DeviceAddress,
  { id, content }: RecordHeader,
  record: IncomingRecord,
): void {
  const waiting = step.tx.all(heldRows).filter((other) => equalBytes(other.device, carrier.device))
  if (waiting.length >= limits.heldRecords) {
    const oldest = waiting.reduce((a, b) => (b.atMs < a.atMs ? b : a))
    const header = readRecord(step.context.crypto, oldest.record.bytes)
    if (header !== undefined) step.tx.delete(heldRows, header.id)
  }
  const { conversation } = content
  step.tx.put(heldRows, id, { conversation, ...carrier, record, atMs: step.nowMs })
  // What is missing is named to its author, who may believe it delivered.
  const known = step.tx.get(conversationRows, conversation)
  if (known !== undefined && findRemote(known, carrier.device) !== undefined)
    acknowledgeAgain(step, known, carrier)
}

/** A held record and how many of those it stands on are still missing. */
interface Waiting {
  readonly id: Uint8Array
  readonly row: HeldRecord
  missing: number
}

/** Admits what waited for nothing but records and operations that are here now, each once, however they lie. */
export async function retryHeld(step: Step, conversation: Conversation): Promise<void> {
  if (isTorn(step, conversation)) return
  const waitingFor = new Map<string, Waiting[]>()
  const ready: Waiting[] = []
  for (const row of step.tx.all(heldRows)) {
    const header = equalBytes(row.conversation, conversation.conversation)
      ? readRecord(step.context.crypto, row.record.bytes)
      : undefined
    if (header === undefined) continue
    if (isPast(step, conversation, header)) {
      step.tx.delete(heldRows, header.id)
      continue
    }
    const waiting: Waiting = { id: header.id, row, missing: 0 }
    for (const id of requiredLinks(header.content)) {
      if ((await findLink(step, id)) !== undefined) continue
      waiting.missing += 1
      waitingFor.set(toHex(id), [...(waitingFor.get(toHex(id)) ?? []), waiting])
    }
    if (waiting.missing === 0) ready.push(waiting)
  }
  for (let next = ready.shift(); next !== undefined; next = ready.shift()) {
    step.tx.delete(heldRows, next.id)
    const header = readRecord(step.context.crypto, next.row.record.bytes)
    const now = conversationNow(step, conversation)
    if (header === undefined) continue
    const { row } = next
    if ((await admitted(step, now, row, header, row.record)) === undefined) continue
    for (const other of waitingFor.get(toHex(next.id)) ?? []) {
      other.missing -= 1
      if (other.missing === 0) ready.push(other)
    }
  }
}
