import { inviteStanding, verifyAdmitProof, type ConversationId } from '../group/index.ts'
import { UsageError } from '../errors.ts'
import type { AccountId } from '../identity/index.ts'
import { limits } from '../limits.ts'
import { equalBytes, idHex, toHex } from '../wire/index.ts'
import { accountItem, becomeMember } from './accounts.ts'
import type { Step } from './context.ts'
import { activeRemotes, conversationNow } from './conversations.ts'
import { emit } from './events.ts'
import { tellOne } from './group-exchange.ts'
import { openSegment, pinnedHeads, writeGroupOp } from './group-ops.ts'
import { isGroup, isTorn, membershipOf, opSetOf, takesPart } from './groups.ts'
import { answerJoin, joinRequestId, overBy, sayJoin } from './join-requests.ts'
import { storedLog } from './logs.ts'
import { requireMe } from './me.ts'
import type { PayloadItem } from './payload.ts'
import {
  contactRows,
  contactStates,
  conversationRows,
  joinRequestRows,
  requestRows,
  type Conversation,
  type JoinRequest,
  type Peer,
} from './tables.ts'
import { joinRequestView } from './views.ts'

type JoinItem = Extract<PayloadItem, { readonly kind: 'join' }>
type Asked = Pick<JoinRequest, 'conversation' | 'invite' | 'account' | 'proof'>

/**
 * Somebody asks to be let into a group of this account's, themselves or by another member. The proof says that they
 * hold a link into it; the operations say whether the link is still good, and the rules who may let them in.
 */
export async function receiveJoin(step: Step, peer: Peer, item: JoinItem): Promise<void> {
  const conversation = step.tx.get(conversationRows, item.conversation)
  const themselves = equalBytes(item.account, peer.account)
  if (conversation === undefined || isTorn(step, conversation) || !mayAsk(step, conversation, peer, item)) {
    step.context.log.event('join-unknown')
    return
  }
  const { members } = membershipOf(step, conversation)
  if (members.has(idHex(item.account))) {
    if (themselves) tellOne(step, conversation, peer)
    return
  }
  if (!isWelcome(step, item.account)) return
  becomeMember(step, item.account)
  const asked: Asked = item
  const standing = inviteStanding(membershipOf(step, conversation), item.invite)
  const over = standing === undefined ? undefined : overBy(step, standing)
  if (over !== undefined) {
    answerJoin(step, asked, over)
    return
  }
  if (await admitUnasked(step, conversation, asked)) return
  if (themselves) passOn(step, conversation, item)
  if (mayAdmit(step, conversation)) keepRequest(step, asked)
}

/** They ask for themselves, or a member passes it on, with a proof to hold a link into a group of ours. */
function mayAsk(step: Step, conversation: Conversation, peer: Peer, item: JoinItem): boolean {
  if (!isGroup(conversation) || !takesPart(step, conversation)) return false
  const { members } = membershipOf(step, conversation)
  const fit = equalBytes(item.account, peer.account) || members.has(idHex(peer.account))
  return fit && holdsLink(step, conversation, item)
}

function holdsLink(step: Step, conversation: Conversation, { invite, account, proof }: JoinItem): boolean {
  const entry = opSetOf(step, conversation).byId.get(toHex(invite))
  if (entry?.op.args.kind !== 'invite') return false
  const about = {
    conversation: conversation.conversation as ConversationId,
    invite,
    account: account,
  }
  return verifyAdmitProof(step.context.crypto, entry.op.args.key, about, proof)
}

/** Whose devices are known, and whom the person here has not blocked. */
function isWelcome(step: Step, account: AccountId): boolean {
  const state = step.tx.get(contactRows, account)?.state
  return state !== undefined && state !== contactStates.blocked && storedLog(step, account) !== undefined
}

/** Whether this account may let somebody in who holds a link. */
function mayAdmit(step: Step, conversation: Conversation): boolean {
  const { members, policy } = membershipOf(step, conversation)
  const role = members.get(toHex(requireMe(step).self.account))?.role
  return role !== undefined && (role !== 'member' || policy.membersAdmit)
}

/** Lets a holder of a link in. Throws `E_NOT_ALLOWED` where the rules would not count it. */
export async function admitHolder(step: Step, conversation: Conversation, asked: Asked): Promise<void> {
  const { invite, account, proof } = asked
  const heads = pinnedHeads(step, account)
  await writeGroupOp(step, conversation, { kind: 'admit', invite, account, heads, proof })
  await openSegment(step, conversationNow(step, conversation))
}

/** Where members may let people in, whoever holds a link is let in by the first device that hears of it. */
async function admitUnasked(step: Step, conversation: Conversation, asked: Asked): Promise<boolean> {
  if (!membershipOf(step, conversation).policy.membersAdmit) return false
  const alone: Step = { ...step, tx: step.tx.fork(), effects: [], events: [], spent: [] }
  try {
    await admitHolder(alone, conversation, asked)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    step.context.live.groups.delete(idHex(conversation.conversation))
    return false
  }
  alone.tx.merge()
  step.effects.push(...alone.effects)
  step.events.push(...alone.events)
  step.spent.push(...alone.spent)
  return true
}

/** Other devices whose people may let somebody in hear of it too, as far as they can be reached now. */
function passOn(step: Step, conversation: Conversation, item: JoinItem): void {
  const { members } = membershipOf(step, conversation)
  const introduction = accountItem(step, item.account, [], limits.joinAccountBytes)
  if (introduction === undefined) return
  for (const remote of activeRemotes(conversation)) {
    const role = members.get(idHex(remote.account))?.role
    if (role === undefined || role === 'member') continue
    sayJoin(step, remote.device, introduction)
    sayJoin(step, remote.device, item)
  }
}

function keepRequest(step: Step, asked: Asked): void {
  const requestId = joinRequestId(step, asked.conversation, asked.account)
  const known = step.tx.get(joinRequestRows, requestId)
  if (known === undefined && openRequests(step) >= limits.openRequests) return
  const { conversation, invite, account, proof } = asked
  const request: JoinRequest = {
    ...{ requestId, conversation, invite, account, proof },
    atMs: known?.atMs ?? step.nowMs,
    ignored: known?.ignored ?? false,
  }
  step.tx.put(joinRequestRows, requestId, request)
  answerJoin(step, request, '')
  if (known === undefined) emit(step, { type: 'request', request: joinRequestView(step, request) })
}

const openRequests = (step: Step): number =>
  [...step.tx.all(requestRows), ...step.tx.all(joinRequestRows)].filter(({ ignored }) => !ignored).length
