import { exportConversation, type ExportedRecord } from '../history/index.ts'
import type { Queries } from './api.ts'
import type { Step } from './context.ts'
import { isGroup, membershipOf } from './groups.ts'
import { requireConversation } from './lookup.ts'
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
  for await (const { header, segment } of recordsOf(step, conversation)) {
    const said = await step.tx.load(bodyRows, header.id)
    records.push({ header, segment, body: said?.said.body ?? null, verdict: judge(header) })
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
