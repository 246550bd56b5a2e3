import { acknowledge, type CarriedRecord } from '../history/index.ts'
import { invariant, InvariantError, PortError } from '../errors.ts'
import { limits } from '../limits.ts'
import { equalBytes } from '../wire/index.ts'
import { directProtocol } from './protocols.ts'
import type { PeerLink, Step } from './context.ts'
import { conversationWith, putConversation, remoteOf, withRemote } from './conversations.ts'
import { metaOf } from './events.ts'
import { linkTo } from './lookup.ts'
import { activeDevice, storedLog } from './logs.ts'
import { findMe, requireMe } from './me.ts'
import { rowKey } from './outbox-rows.ts'
import { ownRecordKey } from './command-message.ts'
import type { PayloadItem } from './payload.ts'
import { currentBundle } from './prekeys.ts'
import { depositPlaces } from './queues.ts'
import { depositRow, readyDeposits, wantDeposits } from './relay-link.ts'
import { sealItems } from './sessions.ts'
import { sureNow, wakeAt } from './timers.ts'
import {
  bodyRows,
  contactRows,
  contactStates,
  metaRows,
  onlyRow,
  outboxRows,
  ownRecordRows,
  peerRows,
  recordRows,
  type Contact,
  type OutboxRow,
  type Peer,
  type Remote,
} from './tables.ts'

/** Frames with records on their way to one device; more wait unsealed, so that they can share frames. */
const windowRows = 16
/** Frames that lie at a relay for one device that is away: half of what its queue takes. */
const leftRows = limits.queueItems / 2
/** Records of one frame, in bytes; less while the handshake rides along. */
const frameBudget = { established: 44 * 1024, handshake: 20 * 1024 }
/** A frame the open channel did not see acknowledged for this long is sealed anew. */
const resealMs = 30_000

/** Seals and sends what waits for every contact's device, over whatever reaches it. */
export async function flush(step: Step): Promise<void> {
  if (findMe(step) === undefined || !step.context.live.online) return
  for (const peer of step.tx.all(peerRows)) await flushAlone(step, peer)
}

/** One contact's trouble, a lost row or a payload that cannot be made, keeps nobody else's messages back. */
async function flushAlone(step: Step, peer: Peer): Promise<void> {
  const alone: Step = { ...step, tx: step.tx.fork(), effects: [], events: [], spent: [] }
  try {
    await flushPeer(alone, peer)
  } catch (error) {
    if (error instanceof InvariantError) throw error
    step.context.log.event('flush-failed')
    return
  }
  alone.tx.merge()
  step.effects.push(...alone.effects)
  step.events.push(...alone.events)
  step.spent.push(...alone.spent)
}

async function flushPeer(step: Step, peer: Peer): Promise<void> {
  const contact = step.tx.get(contactRows, peer.account)
  const log = storedLog(step, peer.account)
  // A device its account has removed is told nothing more.
  if (contact === undefined || log === undefined || activeDevice(step, log, peer.device) === undefined) return
  const link = linkTo(step, peer.device)
  const rows = rowsFor(step, peer)
  if (rows.length === 0 && !hasWork(step, peer, contact, link)) return
  const direct = link.channel !== undefined
  if (!direct) seekRoutes(step, peer, link)
  const deposits = readyDeposits(step, peer)
  if (!direct && (deposits.length === 0 || link.failures === 0)) return
  await sealWork(step, peer, contact, link)
  for (const row of rowsFor(step, peer)) await sendRow(step, peer, contact, link, row)
}

const rowsFor = (step: Step, peer: Peer): readonly OutboxRow[] =>
  step.tx.all(outboxRows).filter((row) => equalBytes(row.device, peer.device))

/** Opens a channel when its time has come; where that failed, the relays the contact collects at. */
function seekRoutes(step: Step, peer: Peer, link: PeerLink): void {
  if (!link.opening) {
    if (step.monoMs >= link.nextMs) {
      link.opening = true
      const nearby = step.context.live.nearby.get(peer.peerId) ?? []
      const addresses = [...new Set([...nearby, ...peer.addresses])]
      step.effects.push({
        kind: 'open',
        peer: peer.peerId,
        addresses,
        protocol: directProtocol,
        purpose: { for: 'peer', device: peer.device },
      })
    } else wakeAt(step, link.nextMs)
  }
  if (link.failures > 0) wantDeposits(step, peer)
}

/** Whether anything is to be said to the device that is in no frame yet. */
function hasWork(step: Step, peer: Peer, contact: Contact, link: PeerLink): boolean {
  if (contact.state === contactStates.refused) return contact.owed !== null && link.refusalDue
  if (contact.state === contactStates.blocked || contact.state === contactStates.requested) return false
  const conversation = conversationWith(step, peer.account)
  const remote = remoteOf(conversation, peer.device)
  return (
    remote.sealedUpTo < conversation.aseq ||
    cardDue(step, contact) ||
    smallTalk(step, peer, remote, link).length > 0
  )
}

const cardDue = (step: Step, contact: Contact): boolean =>
  contact.cardOf < requireMe(step).self.cardSeq && contact.refused === null

/** Acknowledgements and answers: what is small, and owed no answer itself. */
function smallTalk(step: Step, peer: Peer, remote: Remote, link: PeerLink): readonly PayloadItem[] {
  const { self } = requireMe(step)
  const { conversation } = conversationWith(step, peer.account)
  const about = { conversation, account: peer.account, device: peer.device }
  const items: PayloadItem[] = [...link.extras]
  if (remote.gotDue) items.push({ kind: 'got', ...about, ...acknowledge(remote.received, 64) })
  if (self.readReceipts && remote.seenUpTo > remote.seenTold)
    items.push({ kind: 'read', ...about, upTo: remote.seenUpTo })
  if (peer.cardDue > 0) items.push({ kind: 'cardGot', seq: peer.cardDue })
  return items
}

/** Seals everything that waits, in as few frames as the window allows. */
async function sealWork(step: Step, peer: Peer, contact: Contact, link: PeerLink): Promise<void> {
  if (contact.state === contactStates.refused) {
    sealRefusal(step, peer, contact, link)
    return
  }
  for (let more = true; more;) {
    const now = {
      peer: step.tx.get(peerRows, peer.device) ?? peer,
      contact: step.tx.get(contactRows, contact.account) ?? contact,
    }
    if (!hasWork(step, now.peer, now.contact, link)) return
    const inFlight = rowsFor(step, peer).filter((row) => row.aseqs.length > 0)
    const unanswered = contact.state === contactStates.pending && link.channel === undefined
    const room = unanswered ? mayWriteUnanswered(step, inFlight) : windowOpen(inFlight)
    const before = remoteOf(conversationWith(step, peer.account), peer.device)
    const aseqs = room ? await nextBatch(step, peer, before.sealedUpTo) : []
    if (
      aseqs.length === 0 &&
      !cardDue(step, now.contact) &&
      smallTalk(step, now.peer, before, link).length === 0
    )
      return
    more = (await sealBatch(step, now.peer, now.contact, link, aseqs)) && aseqs.length > 0
  }
}

/** A frame at a relay is out of our hands until its reader is back; it does not hold up those behind it. */
function windowOpen(inFlight: readonly OutboxRow[]): boolean {
  const left = inFlight.filter((row) => row.relays.length > 0).length
  return left < leftRows && inFlight.length - left < windowRows
}

/**
 * Before the first answer all frames go into one small intro queue: few of them, each when the one before is
 * at a relay and after a growing pause, so that what is written meanwhile shares a frame.
 */
function mayWriteUnanswered(step: Step, inFlight: readonly OutboxRow[]): boolean {
  const last = inFlight.at(-1)
  if (last === undefined) return true
  if (last.relays.length === 0 || inFlight.length >= limits.unansweredFrames) return false
  const pauseMs = limits.unansweredPauseMs * 2 ** (inFlight.length - 1)
  const waitedMs = Math.abs(step.nowMs - last.createdAtMs)
  if (waitedMs < pauseMs) wakeAt(step, step.monoMs + pauseMs - waitedMs)
  return waitedMs >= pauseMs
}

function sealRefusal(step: Step, peer: Peer, contact: Contact, link: PeerLink): void {
  if (contact.owed === null || !link.refusalDue) return
  const frame = sealItems(step, peer, contact, [{ kind: 'refused', code: contact.owed }])
  if (frame === undefined) return
  link.refusalDue = false
  addRow(step, peer, { frame, conversation: null, aseqs: [], cardSeq: 0, attempts: 0 })
}

/** The own records that fit the next frame, by aseq. */
async function nextBatch(step: Step, peer: Peer, from: number): Promise<readonly number[]> {
  const conversation = conversationWith(step, peer.account)
  const contact = step.tx.get(contactRows, peer.account)
  const budget = contact?.state === contactStates.pending ? frameBudget.handshake : frameBudget.established
  const aseqs: number[] = []
  let size = 0
  for (let aseq = from; aseq < conversation.aseq && aseqs.length < limits.payloadRecords; aseq++) {
    const record = await ownRecord(step, conversation.conversation, aseq)
    size += record === undefined ? 0 : record.bytes.length + record.body.length + 128
    if (size > budget && aseqs.length > 0) break
    aseqs.push(aseq)
  }
  return aseqs
}

/** An own record ready to travel; undefined when the store lost it. */
async function ownRecord(
  step: Step,
  conversation: Uint8Array,
  aseq: number,
): Promise<CarriedRecord | undefined> {
  const id = await lost(step.tx.load(ownRecordRows, ownRecordKey(conversation, aseq)))
  if (id === undefined) return undefined
  const row = await lost(step.tx.load(recordRows, id))
  const body = await lost(step.tx.load(bodyRows, id))
  return row === undefined || body === undefined
    ? undefined
    : { bytes: row.bytes, signature: row.signature, salt: row.salt, body }
}

/** A damaged row counts as one that is not there: the rest goes on. */
const lost = <T>(row: Promise<T>): Promise<T | undefined> =>
  row.catch((error: unknown) => {
    if (error instanceof PortError && error.code === 'E_STORE_CORRUPT') return undefined
    throw error
  })

/** Seals one payload with these records and whatever else is due; keeps the frame until it is acknowledged. */
async function sealBatch(
  step: Step,
  peer: Peer,
  contact: Contact,
  link: PeerLink,
  aseqs: readonly number[],
  row?: OutboxRow,
): Promise<boolean> {
  const conversation = conversationWith(step, peer.account)
  const remote = remoteOf(conversation, peer.device)
  const records: CarriedRecord[] = []
  for (const aseq of aseqs) {
    const record = await ownRecord(step, conversation.conversation, aseq)
    if (record !== undefined) records.push(record)
  }
  const card =
    cardDue(step, contact) || (row !== undefined && row.cardSeq > 0) ? cardItem(step, contact) : undefined
  const items: PayloadItem[] = [...(card === undefined ? [] : [card]), ...smallTalk(step, peer, remote, link)]
  if (records.length > 0) items.push({ kind: 'records', records })
  const frame = sealItems(step, peer, contact, items)
  if (frame === undefined) return false
  settleSealed(step, peer, link, aseqs, card === undefined ? undefined : contact.cardSent + 1)
  const kept = {
    frame,
    conversation: aseqs.length > 0 ? conversation.conversation : null,
    aseqs,
    cardSeq: card === undefined ? 0 : contact.cardSent + 1,
  }
  if (row !== undefined)
    step.tx.put(outboxRows, rowKey(row.seq), {
      ...row,
      ...kept,
      relays: [],
      attempts: row.attempts + 1,
      createdAtMs: step.nowMs,
    })
  else {
    if (isAnswer(kept)) dropAnswers(step, peer, link)
    addRow(step, peer, { ...kept, attempts: 0 })
  }
  return true
}

/** Whether a frame holds acknowledgements and answers only: nothing acknowledges it. */
const isAnswer = (row: Pick<OutboxRow, 'aseqs' | 'cardSeq'>): boolean =>
  row.aseqs.length === 0 && row.cardSeq === 0

/** Acknowledgements say all that is held: the newest frame of them makes the ones before it needless. */
function dropAnswers(step: Step, peer: Peer, link: PeerLink): void {
  for (const row of rowsFor(step, peer)) {
    if (!isAnswer(row) || !link.sent.has(row.seq)) continue
    step.tx.delete(outboxRows, rowKey(row.seq))
    link.sent.delete(row.seq)
  }
}

/** What the sealed frame says is said. */
function settleSealed(
  step: Step,
  peer: Peer,
  link: PeerLink,
  aseqs: readonly number[],
  cardSeq: number | undefined,
): void {
  link.extras = []
  const conversation = conversationWith(step, peer.account)
  const remote = remoteOf(conversation, peer.device)
  const sealedUpTo = Math.max(remote.sealedUpTo, ...aseqs.map((aseq) => aseq + 1))
  const { readReceipts, cardSeq: cardOf } = requireMe(step).self
  const seenTold = readReceipts ? remote.seenUpTo : remote.seenTold
  putConversation(step, withRemote(conversation, { ...remote, gotDue: false, seenTold, sealedUpTo }))
  const stored = step.tx.get(peerRows, peer.device)
  if (stored !== undefined && stored.cardDue > 0)
    step.tx.put(peerRows, peer.device, { ...stored, cardDue: 0 })
  const contact = step.tx.get(contactRows, peer.account)
  if (contact !== undefined && cardSeq !== undefined)
    step.tx.put(contactRows, contact.account, { ...contact, cardSent: cardSeq, cardOf })
}

function cardItem(step: Step, contact: Contact): PayloadItem {
  const bundle = currentBundle(step)
  const { self, discovery } = requireMe(step)
  return {
    kind: 'card',
    seq: contact.cardSent + 1,
    name: self.name,
    deviceName: self.deviceName,
    bundle,
    queues: depositPlaces(step, contact.account).slice(0, limits.bundleRelays),
    discovery: discovery.publicKey,
  }
}

/** Nobody answers an answer: it has arrived when its channel stays up for a while after it. A broken one repeats it. */
function settleAnswer(step: Step, link: PeerLink, row: OutboxRow, sentMs: number): void {
  if (step.monoMs - sentMs < limits.directAckMs) {
    wakeAt(step, sentMs + limits.directAckMs)
    return
  }
  step.tx.delete(outboxRows, rowKey(row.seq))
  link.sent.delete(row.seq)
}

function addRow(
  step: Step,
  peer: Peer,
  part: Pick<OutboxRow, 'frame' | 'conversation' | 'aseqs' | 'cardSeq' | 'attempts'>,
): void {
  const meta = metaOf(step)
  const seq = meta.outboxSeq + 1
  step.tx.put(metaRows, onlyRow, { ...meta, outboxSeq: seq })
  step.tx.put(outboxRows, rowKey(seq), {
    ...part,
    seq,
    device: peer.device,
    createdAtMs: step.nowMs,
    relays: [],
  })
}

/** Whether relays have dropped what they took: the frame is made anew, on a session that may still send. */
const isExpired = (step: Step, row: OutboxRow): boolean =>
  row.relays.length > 0 && sureNow(step) - row.createdAtMs > limits.mailboxTtlMs

/** Sends a kept frame on the open channel, and leaves it at a relay when that is not answered or not there. */
async function sendRow(
  step: Step,
  peer: Peer,
  contact: Contact,
  link: PeerLink,
  row: OutboxRow,
): Promise<void> {
  if (link.channel === undefined) {
    if (isExpired(step, row)) await sealBatch(step, peer, contact, link, row.aseqs, row)
    depositRow(step, peer, step.tx.get(outboxRows, rowKey(row.seq)) ?? row)
    return
  }
  const sentMs = link.sent.get(row.seq)
  if (sentMs === undefined) {
    step.effects.push({ kind: 'write', channel: link.channel, frame: row.frame })
    link.sent.set(row.seq, step.monoMs)
    wakeAt(step, step.monoMs + limits.directAckMs)
    return
  }
  const waitedMs = step.monoMs - sentMs
  if (isAnswer(row)) {
    settleAnswer(step, link, row, sentMs)
    return
  }
  if (waitedMs >= limits.directAckMs) {
    wantDeposits(step, peer)
    depositRow(step, peer, row)
  }
  if (waitedMs < resealMs * (row.attempts + 1)) {
    wakeAt(
      step,
      sentMs + (waitedMs < limits.directAckMs ? limits.directAckMs : resealMs * (row.attempts + 1)),
    )
    return
  }
  const now = step.tx.get(contactRows, contact.account)
  invariant(now, 'E_OUTBOX', 'a frame without a contact')
  link.sent.delete(row.seq)
  if (row.attempts >= 2)
    step.tx.put(peerRows, peer.device, { ...(step.tx.get(peerRows, peer.device) ?? peer), renew: true })
  if (await sealBatch(step, step.tx.get(peerRows, peer.device) ?? peer, now, link, row.aseqs, row))
    wakeAt(step, step.monoMs)
}
