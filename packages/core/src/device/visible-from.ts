import { inPast, type OpId } from '../group/index.ts'
import type { AccountId, DeviceAddress } from '../identity/index.ts'
import { equalBytes, idHex, toHex } from '../wire/index.ts'
import type { Step } from './context.ts'
import { findRemote } from './conversations.ts'
import { isGroup, membershipOf, opSetOf } from './groups.ts'
import { isOwn, requireMe } from './me.ts'
import type { Conversation } from './tables.ts'

/** First segment a device may read: what was written since it, or its account, came. */
export function visibleFrom(step: Step, conversation: Conversation, peer: DeviceAddress): number {
  const own = isOwn(step, peer)
  const local = findRemote(conversation, peer.device)?.fromSegment ?? Infinity
  if (own || !isGroup(conversation)) return local
  return Math.max(local, joinSegment(step, conversation, peer.account))
}

/** First segment that others let this device read: what was written since its account came. */
export const givenFrom = (step: Step, conversation: Conversation): number =>
  isGroup(conversation) ? joinSegment(step, conversation, requireMe(step).self.account) : 0

/** The segment that was opened when an account came in: the first opened after the grant that made it a member. */
function joinSegment(step: Step, conversation: Conversation, account: AccountId): number {
  const joined = membershipOf(step, conversation).members.get(idHex(account))?.joined ?? null
  const began = joined === null || equalBytes(joined, conversation.conversation)
  return began ? 0 : firstSegmentAfter(step, conversation, joined)
}

/** Of a grant behind which nobody opened a segment, the newest that its author knew of: 0 where nobody had opened one. */
function firstSegmentAfter(step: Step, conversation: Conversation, grant: OpId): number {
  const set = opSetOf(step, conversation)
  const from = set.byId.get(toHex(grant))
  let first = Infinity
  let last = 0
  for (const entry of set.entries) {
    if (entry.op.args.kind !== 'seg' || from === undefined) continue
    if (entry.deps.some((dep) => dep === from)) first = Math.min(first, entry.op.args.depth)
    else if (inPast(from, entry)) last = Math.max(last, entry.op.args.depth)
  }
  return first === Infinity ? last : first
}
