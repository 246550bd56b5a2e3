import type { Signature } from '../crypto/index.ts'
import { exportConversation, readRecord, type ExportedRecord, type RecordHeader } from '../history/index.ts'
import type { Queries } from './api.ts'
import type { Step } from './context.ts'
import { isGroup, membershipOf } from './groups.ts'
import { requireConversation } from './lookup.ts'
import { chainKey, segmentKey } from './records.ts'
import { bodyRows, chainRows, recordRows, writerRows, type Conversation } from './tables.ts'
import { judgementOf, rulesOf } from './verdicts.ts'
import { limits } from '../limits.ts'

/** A record where it lies. */
export interface StoredPlace {
  readonly header: RecordHeader
  readonly segment: number
  readonly signature: Signature | null
}

/** Every record of a conversation from a segment on, by segment, device and number. */
export async function* recordsOf(
  step: Step,
  conversation: Conversation,
  fromSegment = 0,
  toSegment: number = conversation.segment,
): AsyncGenerator<StoredPlace, void, undefined> {
  const { crypto } = step.context
  const id = conversation.conversation
  for (let segment = fromSegment; segment <= toSegment; segment++) {
    for (const { device } of (await step.tx.load(writerRows, segmentKey(id, segment))) ?? []) {
      for (let sseq = 1; sseq <= limits.segmentRecords; sseq++) {
        const ids = await step.tx.load(chainRows, chainKey(id, segment, device, sseq))
        if (ids === undefined) break
        for (const recordId of ids) {
          const row = await step.tx.load(recordRows, recordId)
          const header = row === undefined ? undefined : readRecord(crypto, row.bytes)
          if (row !== undefined && header !== undefined) yield { header, segment, signature: row.signature }
        }
      }
    }
  }
}

/** The canonical export: the same text on every device that holds the same records and operations. */
export async function queryExport(
  step: Step,
  input: Queries['export']['in'],
): Promise<Queries['export']['out']> {
  const conversation = requireConversation(step, input.conversationId)
  const judge = await judgementOf(step, conversation)
  const records: ExportedRecord[] = []
  for await (const { header, segment } of recordsOf(step, conversation)) {
    const said = await step.tx.load(bodyRows, header.id)
    records.push({ header, segment, body: said?.body ?? null, verdict: judge(header) })
  }
  const group = isGroup(conversation)
  const members = [...membershipOf(step, conversation).members.values()]
  const about = {
    id: conversation.conversation,
    kind: group ? ('group' as const) : ('direct' as const),
    title: group ? conversation.title : null,
    members: members.map(({ account, role }) => ({ account, role: group ? role : null })),
  }
  return { json: [...exportConversation(about, records, rulesOf(step, conversation))].join('') }
}
