import { issueCreate, type KnownOpArgs, type PolicyChange } from '../group/index.ts'
import { sizes } from '../crypto/index.ts'
import type { AccountId } from '../identity/index.ts'
import { UsageError } from '../errors.ts'
import { limits } from '../limits.ts'
import { equalBytes, idHex } from '../wire/index.ts'
import type { Commands, ConversationView, MemberView, PolicyView } from './api.ts'
import { becomeMember } from './accounts.ts'
import { checkName } from './command-account.ts'
import type { Step } from './context.ts'
import { writeIntent } from './intents.ts'
import { conversationNow, newGroup, putConversation } from './conversations.ts'
import { opsCame } from './group-arrival.ts'
import { newestSeen } from './cuts.ts'
import { opAuthor, openSegment, pinnedHeads, requireMember, writeGroupOp } from './group-ops.ts'
import { forgetGroup } from './frame-group.ts'
import { addOpsTo, isArriving, isGroup, membershipOf, opSetOf } from './groups.ts'
import { readId, requireContact, requireConversation } from './lookup.ts'
import { isOwn, requireMe } from './me.ts'
import { membersView } from './query-group.ts'
import { contactStates, joinRows, type Conversation } from './tables.ts'
import { conversationView } from './views.ts'

const accountOf = (id: string): AccountId => readId(id, 'an account id') as AccountId

/** A group by the id a face gave. */
export function requireGroup(step: Step, id: string): Conversation {
  const conversation = requireConversation(step, id)
  if (!isGroup(conversation)) throw new UsageError('E_NOT_GROUP', 'this conversation is no group')
  return conversation
}

/** Opens a group. Its first operation makes this account the owner; the rest is as for any other. */
export async function commandCreateGroup(
  step: Step,
  input: Commands['create-group']['in'],
): Promise<ConversationView> {
  const name = checkName(input.name)
  const { crypto, random } = step.context
  const { self } = requireMe(step)
  const members = (input.members ?? []).map(accountOf)
  const create = issueCreate(
    crypto,
    opAuthor(step),
    pinnedHeads(step, self.account),
    random.bytes(sizes.hash),
    step.nowMs,
  )
  const conversation = newGroup(step, create.conversation)
  putConversation(step, conversation)
  const before = membershipOf(step, conversation)
  const { added } = addOpsTo(step, conversation, [create.bytes])
  await opsCame(step, conversation, before, added)
  await rename(step, conversation, name)
  for (const account of members) await addMember(step, conversation, account)
  return conversationView(step, conversationNow(step, conversation))
}

/** Lets a contact in. What is written from now on goes into a new segment, which the newcomer can build alone. */
export async function commandGroupAdd(
  step: Step,
  input: Commands['group-add']['in'],
): Promise<readonly MemberView[]> {
  const conversation = requireGroup(step, input.conversationId)
  await addMember(step, conversation, accountOf(input.accountId))
  return membersView(step, conversationNow(step, conversation))
}

async function addMember(step: Step, conversation: Conversation, account: AccountId): Promise<void> {
  const contact = requireContact(step, account)
  if (contact.state === contactStates.blocked)
    throw new UsageError('E_BLOCKED', 'this contact is blocked', { hint: 'sotto contacts unblock' })
  // Who was let in before, and went out with whoever did that, need not be a contact.
  if (opSetOf(step, conversation).grants.has(idHex(account))) becomeMember(step, account)
  else if (contact.state !== contactStates.connected && contact.state !== contactStates.member)
    throw new UsageError('E_NOT_CONNECTED', 'this contact has not answered yet')
  requireMember(step, conversation)
  if (isMember(step, conversation, account)) return
  const heads = pinnedHeads(step, account)
  await writeGroupOp(step, conversation, { kind: 'grant', account, role: 'member', heads })
  await openSegment(step, conversation)
}

const isMember = (step: Step, conversation: Conversation, account: AccountId): boolean =>
  [...membershipOf(step, conversation).members.values()].some((one) => equalBytes(one.account, account))

/** Ends an account's part. What it wrote and is held here stays; later words of its devices count for nothing. */
export async function commandGroupRemove(
  step: Step,
  input: Commands['group-remove']['in'],
): Promise<readonly MemberView[]> {
  const conversation = requireGroup(step, input.conversationId)
  const account = requireInside(step, conversation, input.accountId)
  const frontier = newestSeen(step, conversation, account)
  await writeGroupOp(step, conversation, { kind: 'revoke', account, frontier })
  return membersView(step, conversationNow(step, conversation))
}

function requireInside(step: Step, conversation: Conversation, id: string): AccountId {
  requireMember(step, conversation)
  const account = accountOf(id)
  if (isOwn(step, { account }))
    throw new UsageError('E_OWN_ACCOUNT', 'this is your own account', { hint: 'sotto group leave' })
  if (!isMember(step, conversation, account))
    throw new UsageError('E_NOT_FOUND', 'this account is no member of the group')
  return account
}

const ranks = { owner: 0, admin: 1, member: 2 } as const

/** Raises a member by a grant, or lowers it by ending what it has above. */
export async function commandGroupRole(
  step: Step,
  input: Commands['group-role']['in'],
): Promise<readonly MemberView[]> {
  const conversation = requireGroup(step, input.conversationId)
  const { role } = input
  if (!Object.hasOwn(ranks, role)) throw new UsageError('E_ROLE', 'a role is owner, admin or member')
  const account = requireInside(step, conversation, input.accountId)
  const now = [...membershipOf(step, conversation).members.values()].find((one) =>
    equalBytes(one.account, account),
  )
  if (now === undefined || now.role === role) return membersView(step, conversation)
  const heads = pinnedHeads(step, account)
  const args: KnownOpArgs =
    ranks[role] < ranks[now.role]
      ? { kind: 'grant', account, role, heads }
      : { kind: 'demote', account, role }
  await writeGroupOp(step, conversation, args)
  return membersView(step, conversationNow(step, conversation))
}

/** Ends this account's own part; a last owner names another one first. */
export async function commandGroupLeave(step: Step, input: Commands['group-leave']['in']): Promise<null> {
  const conversation = requireGroup(step, input.conversationId)
  if (step.tx.get(joinRows, conversation.conversation) !== undefined) return stopAsking(step, conversation)
  const member = requireMember(step, conversation)
  const others = [...membershipOf(step, conversation).members.values()].filter((one) => one !== member)
  if (member.role === 'owner' && others.length > 0 && !others.some((one) => one.role === 'owner'))
    throw new UsageError('E_LAST_OWNER', 'the last owner names another one before leaving', {
      hint: 'sotto group role GROUP WHO owner',
    })
  await writeGroupOp(step, conversation, { kind: 'leave' })
  return null
}

/** Gives up on being let in; of a group this account never was in nothing stays. */
function stopAsking(step: Step, conversation: Conversation): null {
  step.tx.delete(joinRows, conversation.conversation)
  if (isArriving(step, conversation)) forgetGroup(step, conversation)
  return null
}

export async function commandGroupRename(
  step: Step,
  input: Commands['group-rename']['in'],
): Promise<ConversationView> {
  const conversation = requireGroup(step, input.conversationId)
  requireMember(step, conversation)
  await rename(step, conversation, checkName(input.name))
  return conversationView(step, conversationNow(step, conversation))
}

/** A name is an edit of the conversation's shared document. */
async function rename(step: Step, conversation: Conversation, text: string): Promise<void> {
  await writeIntent(step, conversation, { kind: 'set', field: 0, text })
}

/** Sets the given rules, one operation each. */
export async function commandGroupPolicy(
  step: Step,
  input: Commands['group-policy']['in'],
): Promise<PolicyView> {
  const conversation = requireConversation(step, input.conversationId)
  if (isGroup(conversation)) requireMember(step, conversation)
  const changes = policyChanges(input)
  for (const change of changes) await writeGroupOp(step, conversation, { kind: 'policy', change })
  return membershipOf(step, conversationNow(step, conversation)).policy
}

function policyChanges(input: Partial<PolicyView>): readonly PolicyChange[] {
  const changes: PolicyChange[] = []
  const { historyDays, retentionMs, timerMs } = input
  if (historyDays !== undefined)
    changes.push({ kind: 'history', days: checkNumber(historyDays, limits.historyDays) })
  if (retentionMs !== undefined) changes.push({ kind: 'retention', ms: checkRetention(retentionMs) })
  if (timerMs !== undefined) changes.push({ kind: 'timer', ms: checkNumber(timerMs) })
  for (const kind of ['adminsGrantAdmin', 'membersAdmit', 'adminsRedact'] as const) {
    const allowed = input[kind]
    if (allowed !== undefined) changes.push({ kind, allowed })
  }
  if (changes.length === 0) throw new UsageError('E_POLICY', 'no rule was given')
  return changes
}

function checkRetention(ms: number | null): number | null {
  if (ms !== null && ms < limits.retentionLeastMs)
    throw new UsageError('E_POLICY', 'messages are kept an hour at least')
  return checkNumber(ms)
}

function checkNumber(value: number | null, most: number = Number.MAX_SAFE_INTEGER): number | null {
  if (value === null || (Number.isSafeInteger(value) && value >= 0 && value <= most)) return value
  throw new UsageError('E_POLICY', 'a rule is a whole number that is not negative, or none')
}
