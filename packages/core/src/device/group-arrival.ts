import type { Membership, MembershipOp } from '../group/index.ts'
import { toBase32 } from '../wire/index.ts'
import { becomeMember } from './accounts.ts'
import type { Step } from './context.ts'
import { conversationNow, refreshRemotes } from './conversations.ts'
import { refreshDocument } from './documents.ts'
import { emit } from './events.ts'
import { retryHeld } from './frame-records.ts'
import { noteMembership } from './group-notes.ts'
import { membershipOf } from './groups.ts'
import { settleInvites } from './invites.ts'
import { settleJoinRequests } from './join-requests.ts'
import { endJoin } from './joins.ts'
import type { Conversation } from './tables.ts'

/** Operations entered a conversation: who is in, what it is called, what waited for them. */
export async function opsCame(
  step: Step,
  conversation: Conversation,
  before: Membership,
  added: readonly MembershipOp[],
): Promise<void> {
  const now = refreshRemotes(step, conversationNow(step, conversation))
  const after = membershipOf(step, now)
  for (const { account } of after.members.values()) becomeMember(step, account)
  noteMembership(step, now, before, after, added)
  endJoin(step, now)
  settleInvites(step, now)
  settleJoinRequests(step, now)
  await refreshDocument(step, now)
  emit(step, { type: 'group', conversationId: toBase32(now.conversation) })
  await retryHeld(step, now)
}
