import { lastSeenIn, recordCounts, type RecordVerdict } from '../group/index.ts'
import type { LinkedRecord, RecordContent, RecordHeader, ViewRules } from '../history/index.ts'
import type { DeviceAddress } from '../identity/index.ts'
import { equalBytes, idHex, toHex } from '../wire/index.ts'
import type { Step } from './context.ts'
import { lostOps, membershipOf, membershipThen, opSetOf, takesPart } from './groups.ts'
import { isOutUnjudged } from './record-standing.ts'
import { findLink } from './records.ts'
import type { Conversation } from './tables.ts'

/** Which records of a conversation count now, asked of the operations held here (group.md §5). */
export type Judgement = (header: RecordHeader) => RecordVerdict

const counts: RecordVerdict = { counts: true }

/** The judgement over one conversation; what operations name of records is looked up once. */
export async function judgementOf(step: Step, conversation: Conversation): Promise<Judgement> {
  const set = opSetOf(step, conversation)
  if (set.entries.length === 0) return () => counts
  const now = membershipOf(step, conversation)
  const torn = lostOps(step, conversation) > 0
  const isOut = !takesPart(step, conversation)
  const named = new Map<string, LinkedRecord>()
  for (const { op } of set.entries)
    for (const { record } of lastSeenIn(op.args)) {
      const link = record === null ? undefined : await findLink(step, record.id)
      if (record !== null && link !== undefined) named.set(toHex(record.id), link)
    }
  return (header) => {
    const { account, device, groupHeads } = header.content
    const then = membershipThen(step, conversation, groupHeads)
    // What was admitted counts until it is known again whether something took it back.
    if (then === undefined) return torn ? counts : { counts: false, reason: 'not-a-member' }
    // Nobody tells whoever is out how far the words reach of a device that was removed since.
    if (isOut && isOutUnjudged(step, conversation, header.content))
      return { counts: false, reason: 'device-out' }
    const author = { account, device } as DeviceAddress
    return recordCounts(now, then, author, (id) => isFollowedBy(header, id, named.get(toHex(id))))
  }
}

/** Whether a named record is this one, or one its device wrote after it. */
const isFollowedBy = (header: RecordHeader, id: Uint8Array, link: LinkedRecord | undefined): boolean =>
  equalBytes(header.id, id) ||
  (link !== undefined && equalBytes(link.device, header.content.device) && link.aseq > header.content.aseq)

/** Who may take back whose messages: their own account, and owners and admins where the rules at the time say so. */
export const rulesOf = (step: Step, conversation: Conversation): ViewRules => ({
  mayRedact: ({ account, groupHeads }: RecordContent) => {
    const then = membershipThen(step, conversation, groupHeads)
    if (then === undefined) return lostOps(step, conversation) > 0
    const role = then.members.get(idHex(account))?.role
    return then.policy.adminsRedact && (role === 'owner' || role === 'admin')
  },
})
