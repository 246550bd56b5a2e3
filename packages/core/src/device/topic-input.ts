import { holdBack, nothingHeld, open, stillHeld, type JudgeRecords } from '../group/index.ts'
import {
  incomingRecord,
  opensCommitment,
  readRecord,
  verifyRecord,
  type IncomingRecord,
  type RecordHeader,
} from '../history/index.ts'
import type { DeviceAddress } from '../identity/index.ts'
import type { NetworkEvent, TopicVerdict } from '../ports/index.ts'
import { equalBytes, fields, frame, idHex, toHex } from '../wire/index.ts'
import type { Step } from './context.ts'
import { conversationNow, findRemote } from './conversations.ts'
import { epochsOf, putEpochs } from './epochs.ts'
import { admitOpened } from './frame-records.ts'
import { conversationRows, type Conversation } from './tables.ts'
import { maySpeak, mayStillFail, noteRefused } from './topic-rates.ts'

/** What comes by a topic or a log queue: one ciphertext for everybody, opened, judged and taken or left. */

/** What an envelope of this device room holds: a record with its body. */
export const contentFrame = frame('content', fields({ record: incomingRecord }), 60 * 1024)

/**
 * What became of an envelope. `outer`: not sealed under its topic's key; `held`: its epoch's seed has not come;
 * `refused`: anything about which members' views may differ.
 */
export type EnvelopeOutcome = 'taken' | 'held' | 'outer' | 'refused'

interface Found {
  readonly header: RecordHeader
  readonly incoming: IncomingRecord
}

/** A message on a topic: taken or left, and the network is told whether it may go on. */
export async function receiveTopic(
  step: Step,
  event: Extract<NetworkEvent, { readonly type: 'message' }>,
): Promise<void> {
  const verdict = await judgeTopic(step, event)
  step.effects.push({ kind: 'judge', message: event.message, verdict })
}

async function judgeTopic(
  step: Step,
  { topic, data, peer }: Extract<NetworkEvent, { readonly type: 'message' }>,
): Promise<TopicVerdict> {
  const place = step.context.live.topics.get(topic)
  const conversation = place === undefined ? undefined : step.tx.get(conversationRows, place.conversation)
  if (place === undefined || conversation === undefined || !mayStillFail(step, peer)) {
    step.context.log.event('topic-message-dropped')
    return 'ignore'
  }
  const outcome = await receiveEnvelope(step, conversation, place.route, data)
  if (outcome === 'taken') return 'accept'
  noteRefused(step, peer)
  return outcome === 'outer' ? 'reject' : 'ignore'
}

/** Takes an envelope. What does not open, or is no record of whom it should be by, leaves no trace. */
export async function receiveEnvelope(
  step: Step,
  conversation: Conversation,
  route: Uint8Array,
  envelope: Uint8Array,
): Promise<EnvelopeOutcome> {
  const { live, log } = step.context
  const outcome = await openOne(step, conversation, route, envelope)
  if (outcome === 'taken') return outcome
  log.event('envelope-refused')
  if (outcome === 'held') {
    const key = idHex(conversation.conversation)
    const waiting = live.heldEnvelopes.get(key) ?? nothingHeld
    live.heldEnvelopes.set(key, holdBack(waiting, envelope, route, step.nowMs))
  }
  return outcome
}

/** A seed came: envelopes that waited for it are opened, in the order in which they arrived. */
export async function openHeldBack(step: Step, conversation: Conversation): Promise<void> {
  const { heldEnvelopes } = step.context.live
  const key = idHex(conversation.conversation)
  const waiting = heldEnvelopes.get(key)
  if (waiting === undefined) return
  heldEnvelopes.delete(key)
  for (const { envelope, route } of stillHeld(waiting, step.nowMs))
    if (route !== undefined) await receiveEnvelope(step, conversationNow(step, conversation), route, envelope)
}

async function openOne(
  step: Step,
  conversation: Conversation,
  route: Uint8Array,
  envelope: Uint8Array,
): Promise<EnvelopeOutcome> {
  const { crypto } = step.context
  const before = epochsOf(step, conversation)
  const found: Found[] = []
  const judge = judgeOf(step, conversation, found)
  const { state, spent, verdicts } = open(crypto, before, [{ envelope, route }], judge, step.nowMs)
  const [verdict] = verdicts
  if (verdict?.verdict === 'held') return 'held'
  if (verdict?.verdict === 'rejected') return verdict.reason === 'outer' ? 'outer' : 'refused'
  const [record] = found
  if (record === undefined || !isTaken(step, conversation, record)) return 'refused'
  if (state !== before) putEpochs(step, conversation, before, state, spent)
  await admitOpened(step, conversation, authorOf(record), record.header, record.incoming)
  return 'taken'
}

const authorOf = ({ header }: Found): DeviceAddress =>
  ({ account: header.content.account, device: header.content.device }) as DeviceAddress

/** Whether the author takes or took part, and does not speak faster than anybody is passed on. */
const isTaken = (step: Step, conversation: Conversation, record: Found): boolean =>
  findRemote(conversation, authorOf(record).device) !== undefined &&
  maySpeak(step, toHex(authorOf(record).device))

/** Says of a candidate whether it is a genuine record of its author; what is genuine is put into `found`. */
const judgeOf =
  (step: Step, conversation: Conversation, found: Found[]): JudgeRecords =>
  (candidates) =>
    candidates.map(({ content, author, aseq }) => {
      const { crypto } = step.context
      const decoded = contentFrame.decode(content)
      const incoming = decoded.ok ? decoded.value.record : undefined
      const header = incoming === undefined ? undefined : readRecord(crypto, incoming.bytes)
      if (incoming === undefined || header === undefined || incoming.said === null) return false
      const { content: said } = header
      const genuine =
        equalBytes(said.conversation, conversation.conversation) &&
        equalBytes(said.account, author.account) &&
        equalBytes(said.device, author.device) &&
        (aseq === undefined || said.aseq === aseq) &&
        verifyRecord(crypto, author.identityKey, header, incoming.signature) &&
        opensCommitment(crypto, header, incoming.said.salt, incoming.said.body)
      if (genuine) found.push({ header, incoming })
      return genuine
    })
