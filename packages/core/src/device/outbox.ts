import { covers, type IncomingRecord } from '../history/index.ts'
import { invariant, InvariantError } from '../errors.ts'
import { liveGrants } from '../group/index.ts'
import { limits } from '../limits.ts'
import { equalBytes, idHex } from '../wire/index.ts'
import { directProtocol } from './protocols.ts'
import type { PeerLink, Step } from './context.ts'
import {
  conversationNow,
  conversationsWith,
  findRemote,
  putConversation,
  remoteOf,
  withRemote,
} from './conversations.ts'
import { compareOnMeeting, stateItems } from './group-exchange.ts'
import { isStandingDue, putStanding, standingOf } from './group-standing.ts'
import { isGroup, membershipOf, takesPart } from './groups.ts'
import { shareContacts } from './intents.ts'
import { tendLogs } from './epoch-logs.ts'
import { shareOwn } from './own-share.ts'
import { speakOfDevices } from './cut-devices.ts'
import { noteSeeds } from './epochs.ts'
import { noteHoles, tendGots, tendHoles } from './gots.ts'
import { isOnTopic, publishRecords, tendTopics } from './topics.ts'
import { passLeft, tendLeft } from './left-records.ts'
import { linkTo } from './lookup.ts'
import { activeDevice, storedLog } from './logs.ts'
import { findMe, requireMe } from './me.ts'
import { addRow, isAnswer, rowKey, rowsFor, settleAnswer, windowOpen } from './outbox-rows.ts'
import { ownRecord } from './own-records.ts'
import type { PayloadItem } from './payload.ts'
import { currentBundle } from './prekeys.ts'
import { depositPlaces } from './queues.ts'
import { depositRow, readyDeposits, wantDeposits } from './relay-link.ts'
import { sealItems } from './sessions.ts'
import { tendMissed } from './shown.ts'
import { smallRoom, smallTalk } from './small-talk.ts'
import { tellRemoved } from './tell-removed.ts'
import { syncLate } from './sync-begin.ts'
import { mailSync } from './sync-mail.ts'
import { syncOnMeeting } from './sync-talk.ts'
import { sureNow, wakeAt } from './timers.ts'
import {
  contactRows,
  contactStates,
  conversationRows,
  outboxRows,
  peerRows,
  type Contact,
  type Conversation,
  type OutboxRow,
  type Peer,
  type Remote,
} from './tables.ts'

/** Records of one frame, in bytes; less while the handshake rides along. */
const frameBudget = { established: 44 * 1024, handshake: 20 * 1024 }
/** A frame the open channel did not see acknowledged for this long is sealed anew. */
const resealMs = 30_000

/** Seals and sends what waits for every contact's device, over whatever reaches it. */
export async function flush(step: Step): Promise<void> {
  if (findMe(step) === undefined) return
  const begins = isOnAccount(step)
  if (begins) {
    await apart(step, shareContacts)
    await apart(step, shareOwn)
    await apart(step, speakOfDevices)
  }
  if (!step.context.live.online) return
  tendGots(step)
  tendHoles(step)
  for (const peer of begins ? [] : step.tx.all(peerRows))
    await apart(step, (alone) => answerPeer(alone, peer))
  if (!begins) return
  for (const conversation of step.tx.all(conversationRows)) await publishRecords(step, conversation)
  tendTopics(step)
  tendLogs(step)
  tendLeft(step)
  await syncLate(step)
  for (const peer of step.tx.all(peerRows)) await flushAlone(step, peer)
}

/**
 * Whether this device is still one of its account, as far as it knows. One that is out has nothing to share: what it has
 * not said by then counts for nothing.
 */
function isOnAccount(step: Step): boolean {
  const { self } = requireMe(step)
  const log = storedLog(step, self.account)
  return log !== undefined && activeDevice(step, log, self.device) !== undefined
}

/** One contact's trouble, a lost row or a payload that cannot be made, keeps nobody else's messages back. */
const flushAlone = (step: Step, peer: Peer): Promise<void> => apart(step, (alone) => flushPeer(alone, peer))

/** What nobody asked for, and fails, leaves nothing and stops nothing: an operation the rules refuse just now, say. */
async function apart(step: Step, work: (alone: Step) => Promise<void>): Promise<void> {
  const alone: Step = { ...step, tx: step.tx.fork(), effects: [], events: [], spent: [] }
  try {
    await work(alone)
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

/** Answers what a device says while its channel is open, and begins nothing. */
async function answerPeer(step: Step, peer: Peer): Promise<void> {
  const contact = step.tx.get(contactRows, peer.account)
  const log = storedLog(step, peer.account)
  const link = linkTo(step, peer.device)
  if (contact === undefined || log === undefined || link.channel === undefined) return
  if (activeDevice(step, log, peer.device) === undefined) return
  if (smallTalk(step, peer, talksWith(step, peer, contact), link).items.length > 0)
    await sealBatch(step, peer, contact, link, {})
  for (const row of rowsFor(step, peer).filter(isAnswer)) await sendRow(step, peer, contact, link, row)
}

async function flushPeer(step: Step, peer: Peer): Promise<void> {
  const contact = step.tx.get(contactRows, peer.account)
  const log = storedLog(step, peer.account)
  if (contact === undefined || log === undefined) return
  const link = linkTo(step, peer.device)
  // A device its account has removed is told that, by a device of the account, and nothing more.
  if (activeDevice(step, log, peer.device) === undefined) {
    tellRemoved(step, peer, contact, link, log)
    return
  }
  if (link.met && link.channel !== undefined) await meet(step, peer, link)
  else if (link.askAgain && link.channel !== undefined) await askOnceMore(step, peer, link)
  for (const talk of talksWith(step, peer, contact)) passLeft(step, talk, peer)
  await tendMissed(step, peer, link)
  const isIdle = rowsFor(step, peer).length === 0 && link.syncFrames.length === 0
  if (isIdle && !hasWork(step, peer, contact, link, talksWith(step, peer, contact))) return
  const direct = link.channel !== undefined
  if (!direct) seekRoutes(step, peer, link)
  const deposits = readyDeposits(step, peer)
  if (!direct && (deposits.length === 0 || link.failures === 0)) return
  await sealWork(step, peer, contact, link)
  if (!direct) mailSync(step, peer, contact, link)
  for (const row of rowsFor(step, peer)) await sendRow(step, peer, contact, link, row)
  sendSync(step, peer, contact, link)
}

/** Compares what both know and hold of every conversation they share. */
async function meet(step: Step, peer: Peer, link: PeerLink): Promise<void> {
  link.met = false
  link.askAgain = false
  for (const conversation of conversationsWith(step, peer.device)) {
    compareOnMeeting(step, conversation, peer)
    await syncOnMeeting(step, conversation, peer)
  }
}

/** Asks by sync for what was lost with a channel beside which there was another one. */
async function askOnceMore(step: Step, peer: Peer, link: PeerLink): Promise<void> {
  link.askAgain = false
  for (const conversation of conversationsWith(step, peer.device))
    await syncOnMeeting(step, conversation, peer)
}

/** Frames of sync leave on the open channel; what is lost with it is asked for again. */
function sendSync(step: Step, peer: Peer, contact: Contact, link: PeerLink): void {
  if (link.channel === undefined) return
  for (const item of link.syncFrames.splice(0)) {
    const frame = sealItems(step, step.tx.get(peerRows, peer.device) ?? peer, contact, [item])
    if (frame !== undefined) step.effects.push({ kind: 'write', channel: link.channel, frame })
  }
}

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
function hasWork(
  step: Step,
  peer: Peer,
  contact: Contact,
  link: PeerLink,
  talks: readonly Conversation[],
): boolean {
  if (contact.state === contactStates.refused) return contact.owed !== null && link.refusalDue
  if (link.joins.length > 0) return true
  if (link.channel === undefined && isSought(contact, link)) return true
  if (talks.length === 0) return false
  return (
    talks.some((one) => recordsDue(step, one, peer) || isStandingDue(step, one, peer)) ||
    (link.channel === undefined && talks.some((one) => isWanted(step, one, peer))) ||
    cardDue(step, peer, contact, talks) ||
    isAnswerDue(step, peer, talks, link)
  )
}

const isSought = ({ state }: Contact, { awaited, failures }: PeerLink): boolean =>
  state === contactStates.own ? awaited !== false : awaited === true && failures === 0

/** Whether answers are due. While one waits for a relay to take it, no other is made: the next says all that is due by then. */
const isAnswerDue = (step: Step, peer: Peer, talks: readonly Conversation[], link: PeerLink): boolean =>
  smallTalk(step, peer, talks, link).items.length > 0 &&
  (link.channel !== undefined || !rowsFor(step, peer).some(isAnswer))

/** Conversations in which the device is told things: groups with it, and the direct one unless the person has not agreed to it. */
function talksWith(step: Step, peer: Peer, contact: Contact): readonly Conversation[] {
  const direct = speakable.has(contact.state)
  return conversationsWith(step, peer.device).filter(
    (one) => (isGroup(one) && contact.state !== contactStates.blocked) || (direct && !isGroup(one)),
  )
}

const speakable: ReadonlySet<number> = new Set([
  contactStates.pending,
  contactStates.connected,
  contactStates.own,
])

/** Whether own records wait to be sealed to a device. */
function recordsDue(step: Step, conversation: Conversation, peer: Peer): boolean {
  const remote = findRemote(conversation, peer.device)
  if (remote === undefined || remote.sealedUpTo >= conversation.aseq) return false
  return remote.active ? !isOnTopic(step, conversation, peer, remote) : isOwed(step, conversation, remote)
}

/**
 * Whether a member is still to have what this account wrote while it took part: going takes no word back. One that was
 * out meanwhile, and takes part by another grant now, is not: part of it was written to be kept from it.
 */
const isOwed = (step: Step, conversation: Conversation, { account, grant }: Remote): boolean =>
  !takesPart(step, conversation) &&
  grant !== null &&
  liveGrants(membershipOf(step, conversation).judge, idHex(account)).some(({ op }) =>
    equalBytes(op.id, grant),
  )

/** Whether records of a conversation were lost here, or bodies are lacking, that the device may have. */
function isWanted(step: Step, { conversation, remotes }: Conversation, peer: Peer): boolean {
  const { wanted, wants } = step.context.live
  if (wanted.size === 0 && wants.size === 0) return false
  const known = wants.get(idHex(conversation))
  const mayHave = known !== undefined && known.asked.get(idHex(peer.device)) !== true
  return (wanted.has(idHex(conversation)) || mayHave) && findRemote({ remotes }, peer.device)?.active === true
}

/** Whether the device is to hear where this one is: not before something is shared with it. */
const cardDue = (
  step: Step,
  peer: Peer,
  contact: Contact,
  talks: readonly Conversation[] = talksWith(step, peer, contact),
): boolean =>
  peer.cardOf < requireMe(step).self.cardSeq &&
  contact.refused === null &&
  talks.length > 0 &&
  isOnAccount(step)

/** Seals everything that waits, in as few frames as the window allows. */
async function sealWork(step: Step, peer: Peer, contact: Contact, link: PeerLink): Promise<void> {
  if (contact.state === contactStates.refused) {
    sealRefusal(step, peer, contact, link)
    return
  }
  for (let more = true; more;) {
    const now = step.tx.get(peerRows, peer.device) ?? peer
    const talks = talksWith(step, now, contact)
    if (!hasWork(step, now, contact, link, talks)) return
    const told = talks.find((one) => isStandingDue(step, one, now))
    if (told !== undefined) {
      more = await sealBatch(step, now, contact, link, { told })
      continue
    }
    const inFlight = rowsFor(step, peer).filter((row) => row.aseqs.length > 0)
    const unanswered = contact.state === contactStates.pending && link.channel === undefined
    const room = unanswered ? mayWriteUnanswered(step, inFlight) : windowOpen(inFlight)
    const speaking = room ? talks.find((one) => recordsDue(step, one, now)) : undefined
    const aseqs = speaking === undefined ? [] : await nextBatch(step, now, speaking)
    if (
      aseqs.length === 0 &&
      !cardDue(step, now, contact, talks) &&
      link.joins.length === 0 &&
      !isAnswerDue(step, now, talks, link)
    )
      return
    const sealed = await sealBatch(step, now, contact, link, { speaking, aseqs })
    more = sealed && (aseqs.length > 0 || link.extras.length > 0 || talks.length > limits.payloadItems / 4)
  }
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
  addRow(step, peer, { frame, conversation: null, aseqs: [], cardSeq: 0, state: null, attempts: 0 })
}

/** The own records that fit the next frame, by aseq. */
async function nextBatch(step: Step, peer: Peer, conversation: Conversation): Promise<readonly number[]> {
  const budget = isMet(step, peer) ? frameBudget.established : frameBudget.handshake
  const aseqs: number[] = []
  let size = 0
  const { sealedUpTo, got } = remoteOf(conversation, peer)
  for (let aseq = sealedUpTo; aseq < conversation.aseq && aseqs.length < limits.payloadRecords; aseq++) {
    if (covers(got, aseq)) continue
    const record = await ownRecord(step, conversation.conversation, aseq)
    size += record === undefined ? 0 : record.bytes.length + (record.said?.body.length ?? 0) + 128
    if (size > budget && aseqs.length > 0) break
    aseqs.push(aseq)
  }
  return aseqs
}

/** Whether the device has answered: until then each frame carries the handshake. */
const isMet = (step: Step, peer: Peer): boolean =>
  peer.heardAtMs > 0 && step.tx.get(contactRows, peer.account)?.state !== contactStates.pending

/** What a frame is made for, beside what is small. */
interface Purpose {
  /** A conversation whose state is told. */
  readonly told?: Conversation | undefined
  /** A conversation whose records are sent, with their numbers. */
  readonly speaking?: Conversation | undefined
  readonly aseqs?: readonly number[]
}

/** Seals one payload with these records and whatever else is due; keeps the frame until it is acknowledged. */
async function sealBatch(
  step: Step,
  peer: Peer,
  contact: Contact,
  link: PeerLink,
  { told, speaking, aseqs = [] }: Purpose,
  row?: OutboxRow,
): Promise<boolean> {
  const records: IncomingRecord[] = []
  for (const aseq of speaking === undefined ? [] : aseqs) {
    const record = await ownRecord(step, speaking?.conversation ?? noId, aseq)
    if (record !== undefined) records.push(record)
  }
  const withCard = cardDue(step, peer, contact) || (row !== undefined && row.cardSeq > 0)
  const card = withCard ? cardItem(step, peer) : undefined
  // A state fills its frame; acknowledgements have the next one.
  const talks = told === undefined ? talksWith(step, peer, contact) : []
  const beside = told !== undefined || records.length > 0
  const small = smallTalk(step, peer, talks, link, beside ? smallRoom.beside : smallRoom.alone)
  const joins = told === undefined ? link.joins : []
  const items: PayloadItem[] = [...(card === undefined ? [] : [card]), ...small.items, ...joins]
  const state = told === undefined ? undefined : stateItems(step, told, peer, isMet(step, peer))
  if (state !== undefined) items.push(...state.items)
  if (speaking !== undefined && records.length > 0)
    items.push({ kind: 'records', from: remoteOf(speaking, peer).from, records })
  const frame = sealItems(step, peer, contact, items)
  if (frame === undefined) return false
  const kept = {
    frame,
    conversation: aseqs.length > 0 ? (speaking?.conversation ?? null) : null,
    aseqs,
    cardSeq: card === undefined ? 0 : peer.cardSent + 1,
    state:
      told === undefined || state?.digest === undefined
        ? null
        : { conversation: told.conversation, digest: state.digest },
  }
  settleSealed(step, peer, link, small, kept)
  if (told === undefined) link.joins = []
  if (told !== undefined) settleTold(step, peer, told, row)
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

const noId = new Uint8Array(0)

/** The state is told; frames with an older one of the same conversation need not arrive any more. */
function settleTold(step: Step, peer: Peer, told: Conversation, by: OutboxRow | undefined): void {
  putStanding(step, told, { ...standingOf(step, told, peer), due: false })
  for (const row of rowsFor(step, peer)) {
    if (row.seq === by?.seq || row.state === null) continue
    if (!equalBytes(row.state.conversation, told.conversation)) continue
    const left = { ...row, state: null }
    if (isAnswer(left)) step.tx.delete(outboxRows, rowKey(row.seq))
    else step.tx.put(outboxRows, rowKey(row.seq), left)
  }
}

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
  small: ReturnType<typeof smallTalk>,
  { conversation, aseqs, cardSeq }: Pick<OutboxRow, 'conversation' | 'aseqs' | 'cardSeq'>,
): void {
  link.extras = link.extras.filter((one) => !small.items.includes(one))
  noteSeeds(step, peer, small.items)
  const { readReceipts, cardSeq: cardOf } = requireMe(step).self
  for (const talk of small.said) {
    link.groupGots.delete(idHex(talk.conversation))
    link.seedAcks.delete(idHex(talk.conversation))
    const now = conversationNow(step, talk)
    const remote = remoteOf(now, peer)
    if (remote.gotDue) noteHoles(step, now, peer)
    const seenTold = readReceipts ? remote.seenUpTo : remote.seenTold
    if (remote.gotDue || seenTold !== remote.seenTold)
      putConversation(step, withRemote(now, { ...remote, gotDue: false, seenTold }))
  }
  const speaking = conversation === null ? undefined : step.tx.get(conversationRows, conversation)
  if (speaking !== undefined) {
    const remote = remoteOf(speaking, peer)
    const sealedUpTo = Math.max(remote.sealedUpTo, ...aseqs.map((aseq) => aseq + 1))
    putConversation(step, withRemote(speaking, { ...remote, sealedUpTo }))
  }
  const stored = step.tx.get(peerRows, peer.device)
  if (stored === undefined || (stored.cardDue === 0 && cardSeq === 0)) return
  const card = cardSeq === 0 ? {} : { cardSent: cardSeq, cardOf }
  step.tx.put(peerRows, peer.device, { ...stored, cardDue: 0, ...card })
}

function cardItem(step: Step, peer: Peer): PayloadItem {
  const bundle = currentBundle(step)
  const { self, discovery } = requireMe(step)
  return {
    kind: 'card',
    seq: peer.cardSent + 1,
    name: self.name,
    deviceName: self.deviceName,
    bundle,
    queues: depositPlaces(step, peer.account).slice(0, limits.bundleRelays),
    discovery: discovery.publicKey,
  }
}

/** Makes a kept frame anew, with what it was made for as it is now. */
function sealAnew(
  step: Step,
  peer: Peer,
  contact: Contact,
  link: PeerLink,
  row: OutboxRow,
): Promise<boolean> {
  const talk = (id: Uint8Array | undefined): Conversation | undefined =>
    id === undefined ? undefined : step.tx.get(conversationRows, id)
  const purpose = {
    told: talk(row.state?.conversation),
    speaking: talk(row.conversation ?? undefined),
    aseqs: row.aseqs,
  }
  return sealBatch(step, peer, contact, link, purpose, row)
}

/** Whether relays have dropped what they took: the frame is made anew, on a session that may still send. */
const isExpired = (step: Step, row: OutboxRow): boolean =>
  row.relays.length > 0 && sureNow(step) - row.createdAtMs > limits.mailboxTtlMs

/**
 * Whether the device was heard of well after a relay had confirmed the frame, and did not acknowledge it: the relay
 * may have lost it. Each time the pause is twice as long.
 */
const isPassedOver = ({ heardAtMs }: Peer, { relays, createdAtMs, attempts }: OutboxRow): boolean =>
  relays.length > 0 && heardAtMs - createdAtMs > limits.passedOverMs * 2 ** attempts

/** Sends a kept frame on the open channel, and leaves it at a relay when that is not answered or not there. */
async function sendRow(
  step: Step,
  peer: Peer,
  contact: Contact,
  link: PeerLink,
  row: OutboxRow,
): Promise<void> {
  if (link.channel === undefined) {
    // Made while the clock was ahead: it would not be old for as long.
    if (row.createdAtMs > step.nowMs)
      step.tx.put(outboxRows, rowKey(row.seq), { ...row, createdAtMs: step.nowMs })
    if (isExpired(step, row) || isPassedOver(peer, row)) await sealAnew(step, peer, contact, link, row)
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
  if (row.attempts >= 1)
    step.tx.put(peerRows, peer.device, { ...(step.tx.get(peerRows, peer.device) ?? peer), renew: true })
  if (await sealAnew(step, step.tx.get(peerRows, peer.device) ?? peer, now, link, row))
    wakeAt(step, step.monoMs)
}
