import { limits } from '../limits.ts'
import { equalBytes, toBase32 } from '../wire/index.ts'
import type { PeerLink, Step } from './context.ts'
import { ownRecordKey } from './records.ts'
import { emit, metaOf } from './events.ts'
import { counterKey } from './row.ts'
import {
  metaRows,
  onlyRow,
  outboxRows,
  ownRecordRows,
  type Conversation,
  type OutboxRow,
  type Peer,
} from './tables.ts'
import { deliveryState, outboxOf } from './delivery.ts'
import { wakeAt } from './timers.ts'

/** Frames with records on their way to one device; more wait unsealed, so that they can share frames. */
const windowRows = 16
/** Frames that lie at a relay for one device that is away: half of what its queue takes. */
const leftRows = limits.queueItems / 2

/** Key of an outbox row. */
export const rowKey = (seq: number): Uint8Array => counterKey(seq)

/** Frames on their way to a device, oldest first. */
export const rowsFor = (step: Step, peer: Peer): readonly OutboxRow[] =>
  step.tx.all(outboxRows).filter((row) => equalBytes(row.device, peer.device))

/** Whether a frame holds acknowledgements and answers only: nothing acknowledges it. */
export const isAnswer = (row: Pick<OutboxRow, 'aseqs' | 'cardSeq' | 'state'>): boolean =>
  row.aseqs.length === 0 && row.cardSeq === 0 && row.state === null

/**
 * An answer whose channel stayed up for a while counts as arrived. Where nothing came on it since, the channel may be half
 * open: the answer is remembered as long as that takes to show.
 */
export function settleAnswer(step: Step, link: PeerLink, row: OutboxRow, sentMs: number): void {
  if (step.monoMs - sentMs < limits.directAckMs) {
    wakeAt(step, sentMs + limits.directAckMs)
    return
  }
  step.tx.delete(outboxRows, rowKey(row.seq))
  link.sent.delete(row.seq)
  for (const [seq, one] of link.unsure) if (!isUnsure(step, link, one.sentMs)) link.unsure.delete(seq)
  if (isUnsure(step, link, sentMs)) link.unsure.set(row.seq, { row, sentMs })
}

/** Whether nothing came from a device since it was written to, not long ago. */
const isUnsure = (step: Step, { heardMs }: PeerLink, sentMs: number): boolean =>
  heardMs <= sentMs && step.monoMs - sentMs < limits.silentMs

/** A channel ended: what was written to it, and may not have arrived, is kept for the next. */
export function keepUnsure(step: Step, link: PeerLink): void {
  for (const { row, sentMs } of link.unsure.values())
    if (isUnsure(step, link, sentMs) && row.attempts < limits.unsureTimes)
      step.tx.put(outboxRows, rowKey(row.seq), { ...row, attempts: row.attempts + 1 })
  link.unsure.clear()
}

/** Keeps a frame for a device. */
export function addRow(
  step: Step,
  peer: Peer,
  part: Pick<OutboxRow, 'frame' | 'conversation' | 'aseqs' | 'cardSeq' | 'state' | 'attempts'>,
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

/** A frame at a relay is out of our hands until its reader is back; it does not hold up those behind it. */
export function windowOpen(inFlight: readonly OutboxRow[]): boolean {
  const left = inFlight.filter((row) => row.relays.length > 0).length
  return left < leftRows && inFlight.length - left < windowRows
}

/** Tells faces where these own records stand now. */
export async function tellStates(
  step: Step,
  conversation: Conversation,
  aseqs: readonly number[],
): Promise<void> {
  const rows = outboxOf(step, conversation)
  for (const aseq of aseqs) {
    const id = await step.tx.load(ownRecordRows, ownRecordKey(conversation.conversation, aseq))
    if (id === undefined) continue
    emit(step, {
      type: 'state',
      messageId: toBase32(id),
      conversationId: toBase32(conversation.conversation),
      state: deliveryState(step, conversation, aseq, rows),
    })
  }
}

/** Frames that told a device this state of a conversation have done so. */
export function settleState(step: Step, peer: Peer, conversation: Conversation, digest: Uint8Array): void {
  for (const row of step.tx.all(outboxRows)) {
    const { state } = row
    if (state === null || !equalBytes(row.device, peer.device)) continue
    if (!equalBytes(state.conversation, conversation.conversation) || !equalBytes(state.digest, digest))
      continue
    const left = { ...row, state: null }
    if (left.aseqs.length === 0 && left.cardSeq === 0) step.tx.delete(outboxRows, rowKey(row.seq))
    else step.tx.put(outboxRows, rowKey(row.seq), left)
  }
}
