import { toBase32 } from '../wire/index.ts'
import type { Step } from './context.ts'
import { ownRecordKey } from './records.ts'
import { emit } from './events.ts'
import { counterKey } from './row.ts'
import { ownRecordRows, type Conversation } from './tables.ts'
import { deliveryState, outboxOf } from './delivery.ts'

/** Key of an outbox row. */
export const rowKey = (seq: number): Uint8Array => counterKey(seq)

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
