import { idOf } from '../crypto/index.ts'
import { inviteStanding, type InviteStanding } from '../group/index.ts'
import type { AccountId } from '../identity/index.ts'
import { limits } from '../limits.ts'
import { encodeCbor, equalBytes, idHex } from '../wire/index.ts'
import type { Step } from './context.ts'
import { membershipOf } from './groups.ts'
import { linkTo, peersOf } from './lookup.ts'
import type { PayloadItem } from './payload.ts'
import { joinRequestRows, type Conversation, type JoinRequest } from './tables.ts'
import { sureNow } from './timers.ts'

/** Requests to be let into a group, as its members keep them. */

/** One request of an account for a group. */
export const joinRequestId = (step: Step, conversation: Uint8Array, account: AccountId): Uint8Array =>
  idOf(step.context.crypto, 'join-request', encodeCbor([conversation, account]))

/** Why an invite lets nobody in any more; undefined while it does. */
export function overBy(step: Step, { state, expiresAtMs }: InviteStanding): string | undefined {
  if (state === 'used') return 'E_INVITE_USED'
  if (state === 'closed' || state === 'void') return 'E_INVITE_REVOKED'
  return sureNow(step) >= expiresAtMs ? 'E_INVITE_EXPIRED' : undefined
}

/** Tells an account's devices what becomes of its request. */
export function answerJoin(
  step: Step,
  { conversation, invite, account }: Pick<JoinRequest, 'conversation' | 'invite' | 'account'>,
  code: string,
): void {
  for (const { device } of peersOf(step, account))
    sayJoin(step, device, { kind: 'joinAnswer', conversation, invite, code })
}

/** Rides on the next payload to a device, in the place of what was said of the same matter before. */
export function sayJoin(step: Step, device: Parameters<typeof linkTo>[1], item: PayloadItem): void {
  const link = linkTo(step, device)
  link.joins = [...link.joins.filter((one) => !sameMatter(one, item)), item].slice(-limits.joinsTold)
}

function sameMatter(a: PayloadItem, b: PayloadItem): boolean {
  if (a.kind === 'account') return b.kind === 'account' && equalBytes(a.genesis, b.genesis)
  if (a.kind === 'joinAnswer') return b.kind === 'joinAnswer' && equalBytes(a.conversation, b.conversation)
  const same = a.kind === 'join' && b.kind === 'join'
  return same && equalBytes(a.conversation, b.conversation) && equalBytes(a.account, b.account)
}

/** Drops the requests that are settled: who asked is in, or the link lets nobody in any more, which they are told. */
export function settleJoinRequests(step: Step, conversation: Conversation): void {
  const requests = step.tx
    .all(joinRequestRows)
    .filter((one) => equalBytes(one.conversation, conversation.conversation))
  if (requests.length === 0) return
  const membership = membershipOf(step, conversation)
  for (const request of requests) {
    const standing = inviteStanding(membership, request.invite)
    const inside = membership.members.has(idHex(request.account))
    const code = standing === undefined ? undefined : overBy(step, standing)
    if (!inside && code === undefined) continue
    step.tx.delete(joinRequestRows, request.requestId)
    if (!inside && code !== undefined) answerJoin(step, request, code)
  }
}
