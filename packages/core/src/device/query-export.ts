import { exportConversation, type ExportedRecord } from '../history/index.ts'
import { idKey } from '../wire/index.ts'
import type { Queries } from './api.ts'
import type { Step } from './context.ts'
import { isGroup, membershipOf } from './groups.ts'
import { requireConversation } from './lookup.ts'
import { loadSaid } from './messages.ts'
import { isForgotten, retentionOf } from './retention.ts'
import { recordsOf } from './segments.ts'
import { bodyRows } from './tables.ts'
import { judgementOf, rulesOf } from './verdicts.ts'

/** The canonical export: the same text on every device that holds the same records and operations. */
export async function queryExport(
  step: Step,
  input: Queries['export']['in'],
): Promise<Queries['export']['out']> {
  const conversation = requireConversation(step, input.conversationId)
  const judge = await judgementOf(step, conversation)
  const records: ExportedRecord[] = []
  const past = new Set<string>()
  const retentionMs = retentionOf(step, conversation)
  for await (const { header, segment } of recordsOf(step, conversation)) {
    const body = await bodyOf(step, header.id)
    records.push({ header, segment, body, verdict: judge(header) })
    if (isForgotten(step, retentionMs, header.content, Infinity)) past.add(idKey(header.id))
  }
  const isPast = ({ header: { id, content } }: ExportedRecord): boolean =>
    past.has(idKey(id)) || (content.target !== null && past.has(idKey(content.target)))
  const kept = records.map((record) => (isPast(record) ? { ...record, body: null } : record))
  const group = isGroup(conversation)
  const members = [...membershipOf(step, conversation).members.values()]
  const about = {
    id: conversation.conversation,
    kind: group ? ('group' as const) : ('direct' as const),
    title: group ? conversation.title : null,
    members: members.map(({ account, role }) => ({ account, role: group ? role : null })),
  }
  return { json: [...exportConversation(about, kept, rulesOf(step, conversation))].join('') }
}

/** What a record says; null where that is not here. A damaged body is noted, to be asked for. */
async function bodyOf(step: Step, id: Uint8Array): Promise<Uint8Array | null> {
  const [row] = await step.tx.loadMany(bodyRows, [id])
  if (row === 'damaged') await loadSaid(step, id)
  return row === undefined || row === 'damaged' ? null : row.said.body
}
