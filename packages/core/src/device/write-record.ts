import {
  issueRecord,
  segmentId,
  type CarriedRecord,
  type IncomingRecord,
  type RecordDraft,
  type RecordHeader,
} from '../history/index.ts'
import { sizes } from '../crypto/index.ts'
import { limits } from '../limits.ts'
import type { Me, Step } from './context.ts'
import { conversationNow, findRemote, putConversation } from './conversations.ts'
import { pinOwnDevice } from './group-ops.ts'
import { headsNow, isTorn, leastSegment, membershipOf, requireWhole } from './groups.ts'
import { activeDevice, storedLog } from './logs.ts'
import { requireMe } from './me.ts'
import { ownRecordKey, storeRecord } from './records.ts'
import { ownRecordRows, type Conversation, type Tip } from './tables.ts'

/** What a record says, and about which other. */
export interface Said {
  readonly kind: number
  readonly target: Uint8Array | null
  readonly body: Uint8Array
}

/** Signs and stores this device's next record of a conversation; the outbox brings it to every device. */
export async function writeRecord(
  step: Step,
  conversation: Conversation,
  said: Said,
): Promise<{ readonly header: RecordHeader; readonly incoming: IncomingRecord }> {
  const me = requireMe(step)
  if (isTorn(step, conversation)) requireWhole(step, conversation)
  await pinOwnDevice(step, conversation)
  const { header, carried, segment } = issueNext(step, me, conversationNow(step, conversation), said)
  const { bytes, signature, salt, body } = carried
  const incoming = { bytes, signature, said: { salt, body } }
  const stored = await storeRecord(step, conversationNow(step, conversation), header, incoming, segment)
  putConversation(step, {
    ...stored,
    aseq: header.content.aseq + 1,
    sseq: header.content.sseq,
    selfPrev: header.id,
    selfLamport: header.content.lamport,
  })
  step.tx.put(ownRecordRows, ownRecordKey(conversation.conversation, header.content.aseq), header.id)
  return { header, incoming }
}

/** Whether a tip is by another's device that is not out of its account. */
function isCitable(step: Step, conversation: Conversation, { device }: Tip): boolean {
  const remote = findRemote(conversation, device)
  const log = remote === undefined ? undefined : storedLog(step, remote.account)
  return remote !== undefined && log !== undefined && activeDevice(step, log, remote.device) !== undefined
}

/**
 * The next record of this device: in the newest segment, or in the next one when that is full. It refers to the tips of
 * its segment, except its own, which `selfPrev` names, and those of devices that are out: what they still send may
 * reach some readers only, and whatever refers to it would wait at all others. A tip of an account that has left is as
 * good as any.
 */
function issueNext(
  step: Step,
  me: Me,
  conversation: Conversation,
  said: Said,
): { readonly header: RecordHeader; readonly carried: CarriedRecord; readonly segment: number } {
  const { crypto, random } = step.context
  const full =
    conversation.sseq >= limits.segmentRecords || conversation.segmentCount >= limits.segmentRecords
  const least = leastSegment(step, conversation)
  const segment = Math.max(
    least,
    conversation.nextSegment,
    full ? conversation.segment + 1 : conversation.segment,
  )
  const sseq = segment > conversation.segment ? 1 : conversation.sseq + 1
  const others = conversation.tips.filter((tip) => isCitable(step, conversation, tip))
  const near = others.filter((tip) => tip.segment === segment).slice(-limits.recordLinks)
  const room = limits.recordLinks - near.length
  const far = room === 0 ? [] : others.filter((tip) => tip.segment !== segment).slice(-room)
  const before = Math.max(0, ...near.map((tip) => tip.lamport), sseq > 1 ? conversation.selfLamport : 0)
  const draft: RecordDraft = {
    conversation: conversation.conversation,
    segment: segmentId(crypto, conversation.conversation, segment),
    kind: said.kind,
    account: me.self.account,
    device: me.self.device,
    aseq: conversation.aseq,
    sseq,
    selfPrev: conversation.selfPrev,
    refs: near.map((tip) => tip.id),
    xrefs: far.map((tip) => tip.id),
    groupHeads: headsNow(step, conversation),
    lamport: before + 1,
    timestampMs: step.nowMs,
    ttlMs: membershipOf(step, conversation).policy.timerMs,
    target: said.target,
    history: membershipOf(step, conversation).policy.historyDays === null ? 1 : 0,
  }
  return { ...issueRecord(crypto, me.identity, draft, said.body, random.bytes(sizes.hash)), segment }
}
