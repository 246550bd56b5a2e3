import { epochTopics, open, seal, sealRandomBytes, type JudgeRecords } from '../group/index.ts'
import {
  incomingRecord,
  opensCommitment,
  readRecord,
  verifyRecord,
  type IncomingRecord,
  type RecordHeader,
} from '../history/index.ts'
import type { DeviceAddress } from '../identity/index.ts'
import { UsageError } from '../errors.ts'
import { limits } from '../limits.ts'
import { equalBytes, fields, frame, toHex } from '../wire/index.ts'
import type { Step } from './context.ts'
import { conversationNow, findRemote, putConversation } from './conversations.ts'
import {
  epochInUse,
  epochsOf,
  epochView,
  hasSeed,
  hasTopic,
  putEpochs,
  sweepConversation,
  tendEpoch,
} from './epochs.ts'
import { admitOpened } from './frame-records.ts'
import { requireMe } from './me.ts'
import { ownRecord } from './own-records.ts'
import { conversationRows, type Conversation, type Peer, type Remote } from './tables.ts'
import { wakeAt } from './timers.ts'

/** The live path of large groups: records sealed once under the epoch in use and published on its topic. */

/** What an envelope of this device room holds: a record with its body. */
const contentFrame = frame('content', fields({ record: incomingRecord }), 60 * 1024)

/** Subscribes to the topics of every epoch whose keys are here, under yesterday's, today's and tomorrow's names. */
export function tendTopics(step: Step): void {
  const { live, crypto } = step.context
  if (!live.topicsDue || !live.online) return
  live.topicsDue = false
  const wanted = new Map<string, { readonly conversation: Uint8Array; readonly route: Uint8Array }>()
  for (const conversation of step.tx.all(conversationRows)) {
    if (!hasTopic(step, conversation)) continue
    for (const { epoch, names } of epochTopics(crypto, epochsOf(step, conversation), step.nowMs))
      for (const name of names) wanted.set(name, { conversation: conversation.conversation, route: epoch })
  }
  for (const topic of live.topics.keys())
    if (!wanted.has(topic)) step.effects.push({ kind: 'unsubscribe', topic })
  for (const topic of wanted.keys())
    if (!live.topics.has(topic)) step.effects.push({ kind: 'subscribe', topic })
  live.topics.clear()
  for (const [topic, place] of wanted) live.topics.set(topic, place)
  wakeAt(step, step.monoMs + limits.topicTendMs)
}

/** Names change with the day, and old epochs go. */
export function tickTopics(step: Step): void {
  const { live } = step.context
  if (step.monoMs < live.topicsMs) return
  live.topicsMs = step.monoMs + limits.topicTendMs
  live.topicsDue = true
  for (const conversation of step.tx.all(conversationRows))
    if (hasTopic(step, conversation)) sweepConversation(step, conversation)
}

/** Seals and publishes own records that are new, under the epoch in use; those it cannot reach go by sessions alone. */
export async function publishRecords(step: Step, before: Conversation): Promise<void> {
  if (!hasTopic(step, before) || before.publishedUpTo >= before.aseq) return
  await tendEpoch(step, before, true)
  const conversation = conversationNow(step, before)
  const node = epochInUse(step, conversation)
  const heard = node !== undefined && node.recipients.some((one) => isOther(step, one) && hasSeed(node, one))
  if (node === undefined || !heard) return
  for (let aseq = conversation.publishedUpTo; aseq < conversation.aseq; aseq++)
    await publishOne(step, conversation, aseq)
  putConversation(step, { ...conversationNow(step, conversation), publishedUpTo: conversation.aseq })
}

const isOther = (step: Step, { device }: DeviceAddress): boolean =>
  !equalBytes(device, requireMe(step).self.device)

async function publishOne(step: Step, conversation: Conversation, aseq: number): Promise<void> {
  const { crypto, random, live } = step.context
  const record = await ownRecord(step, conversation.conversation, aseq)
  if (record === undefined) return
  const state = epochsOf(step, conversation)
  const content = contentFrame.encode({ record })
  const draft = { aseq, base: aseq, content, announceBase: true }
  try {
    const { identity } = requireMe(step)
    const view = epochView(step, conversation)
    const sealed = seal(crypto, state, identity, view, draft, random.bytes(sealRandomBytes), step.nowMs)
    if (!sealed.ok) return
    putEpochs(step, conversation, state, sealed.state, sealed.spent)
    const topics = epochTopics(crypto, sealed.state, step.nowMs)
    const topic = topics.find(({ epoch }) => equalBytes(epoch, sealed.route))?.names[1]
    if (topic === undefined) return
    step.effects.push({ kind: 'publish', topic, data: sealed.envelope })
    live.onTopics.set(`${toHex(conversation.conversation)}/${aseq}`, {
      atMs: step.monoMs,
      epoch: toHex(sealed.epoch),
    })
  } catch (error) {
    // Sealed under this epoch before, or too large for an envelope: the sessions carry it.
    if (!(error instanceof UsageError)) throw error
    step.context.log.event('envelope-not-sealed')
  }
}

/**
 * Whether a record is left to the topic for now: it was published under an epoch whose seed the device has, and that
 * is not long ago. Then it asks for no copy by its session.
 */
export function isOnTopic(step: Step, conversation: Conversation, peer: Peer, remote: Remote): boolean {
  const { live } = step.context
  const published = live.onTopics.get(`${toHex(conversation.conversation)}/${remote.sealedUpTo}`)
  if (published === undefined) return false
  const node = epochsOf(step, conversation).nodes.get(published.epoch)
  if (node === undefined || !hasSeed(node, peer)) return false
  const until = published.atMs + limits.topicAckMs
  if (step.monoMs >= until) return false
  wakeAt(step, until)
  return true
}

/** Takes what came on a topic. What does not open, or is no record of whom it should be by, leaves no trace. */
export async function receiveTopic(step: Step, topic: string, data: Uint8Array): Promise<void> {
  const { live, crypto, log } = step.context
  const place = live.topics.get(topic)
  const conversation = place === undefined ? undefined : step.tx.get(conversationRows, place.conversation)
  if (place === undefined || conversation === undefined) {
    log.event('topic-unknown')
    return
  }
  const before = epochsOf(step, conversation)
  const found: { readonly header: RecordHeader; readonly incoming: IncomingRecord }[] = []
  const judge: JudgeRecords = (candidates) =>
    candidates.map(({ content, author, aseq }) => {
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
  const opened = open(crypto, before, [{ envelope: data, route: place.route }], judge, step.nowMs)
  if (opened.state !== before) putEpochs(step, conversation, before, opened.state, opened.spent)
  const [verdict] = opened.verdicts
  if (verdict?.verdict !== 'accepted') {
    log.event('envelope-refused')
    return
  }
  for (const { header, incoming } of found) {
    const author = { account: header.content.account, device: header.content.device } as DeviceAddress
    if (findRemote(conversation, author.device) === undefined) continue
    await admitOpened(step, conversation, author, header, incoming)
  }
}
