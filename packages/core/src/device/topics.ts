import { epochTopics, seal, sealRandomBytes } from '../group/index.ts'
import type { DeviceAddress } from '../identity/index.ts'
import { UsageError } from '../errors.ts'
import { limits } from '../limits.ts'
import { equalBytes, idHex, toHex } from '../wire/index.ts'
import type { Step, TopicPlace } from './context.ts'
import { activeRemotes, conversationNow, putConversation } from './conversations.ts'
import {
  dropSeeds,
  epochInUse,
  epochsOf,
  epochView,
  hasSeed,
  hasTopic,
  putEpochs,
  sweepConversation,
  tendEpoch,
} from './epochs.ts'
import { askAfterLeft, leaveRecord } from './left-records.ts'
import { requireMe } from './me.ts'
import { ownRecord } from './own-records.ts'
import { conversationRows, peerRows, type Conversation, type Peer, type Remote } from './tables.ts'
import { contentFrame } from './topic-input.ts'
import { wakeAt } from './timers.ts'

/** The live path of large groups: records sealed once under the epoch in use and published on its topic. */

/**
 * Subscribes to the topics of every epoch whose keys are here, under yesterday's, today's and tomorrow's names, with
 * the devices of the conversation as those who are expected there.
 */
export function tendTopics(step: Step): void {
  const { live, crypto } = step.context
  if (!live.topicsDue || !live.online) return
  live.topicsDue = false
  const wanted = new Map<string, TopicPlace>()
  for (const conversation of step.tx.all(conversationRows)) {
    if (!hasTopic(step, conversation)) continue
    const peers = expectedPeers(step, conversation)
    for (const { epoch, names } of epochTopics(crypto, epochsOf(step, conversation), step.nowMs))
      for (const name of names)
        wanted.set(name, { conversation: conversation.conversation, route: epoch, peers })
  }
  for (const topic of live.topics.keys())
    if (!wanted.has(topic)) step.effects.push({ kind: 'unsubscribe', topic })
  for (const [topic, { peers }] of wanted)
    if (live.topics.get(topic)?.peers.join() !== peers.join())
      step.effects.push({ kind: 'subscribe', topic, peers })
  live.topics.clear()
  for (const [topic, place] of wanted) live.topics.set(topic, place)
  wakeAt(step, step.monoMs + limits.topicTendMs)
}

/** Transport ids of the devices that take part. */
const expectedPeers = (step: Step, conversation: Conversation): readonly string[] =>
  activeRemotes(conversation)
    .flatMap(({ device }) => step.tx.get(peerRows, device)?.peerId ?? [])
    .slice(0, limits.topicPeers)
    .sort()

/** Names change with the day, and old epochs go. */
export function tickTopics(step: Step): void {
  const { live } = step.context
  if (step.monoMs < live.topicsMs) return wakeAt(step, live.topicsMs)
  live.topicsMs = step.monoMs + limits.topicTendMs
  live.topicsDue = true
  for (const [record, { atMs }] of live.onTopics)
    if (step.monoMs - atMs > limits.topicAckMs) live.onTopics.delete(record)
  for (const conversation of step.tx.all(conversationRows))
    if (hasTopic(step, conversation)) sweepConversation(step, conversation)
  dropSeeds(step)
  askAfterLeft(step)
}

/** Seals and publishes own records that are new, under the epoch in use; those it cannot reach go by sessions alone. */
export async function publishRecords(step: Step, before: Conversation): Promise<void> {
  if (!hasTopic(step, before)) return
  const known = passBefore(step, before)
  if (known.publishedUpTo >= known.aseq) return
  await tendEpoch(step, known, true)
  const conversation = conversationNow(step, known)
  const node = epochInUse(step, conversation)
  const heard = node !== undefined && node.recipients.some((one) => isOther(step, one) && hasSeed(node, one))
  if (node === undefined || !heard) return
  for (let aseq = conversation.publishedUpTo; aseq < conversation.aseq; aseq++)
    await publishOne(step, conversation, aseq)
  putConversation(step, { ...conversationNow(step, conversation), publishedUpTo: conversation.aseq })
}

/** Passes over what was written before somebody came: whoever has the seed would read it. Sessions carry it to the others. */
function passBefore(step: Step, conversation: Conversation): Conversation {
  const from = activeRemotes(conversation).map((remote) => remote.from)
  const publishedUpTo = Math.max(conversation.publishedUpTo, ...from)
  const passed = { ...conversation, publishedUpTo }
  if (publishedUpTo > conversation.publishedUpTo) putConversation(step, passed)
  return passed
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
    leaveRecord(step, conversation, aseq, sealed)
    live.onTopics.set(`${idHex(conversation.conversation)}/${aseq}`, {
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
  const published = live.onTopics.get(`${idHex(conversation.conversation)}/${remote.sealedUpTo}`)
  if (published === undefined) return false
  const node = epochsOf(step, conversation).nodes.get(published.epoch)
  if (node === undefined || !hasSeed(node, peer)) return false
  const until = published.atMs + limits.topicAckMs
  if (step.monoMs >= until) return false
  wakeAt(step, until)
  return true
}
