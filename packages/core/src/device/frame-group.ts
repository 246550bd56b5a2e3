import { directConversationId } from '../history/index.ts'
import { groupHeads, readMembershipOp, type MembershipOp } from '../group/index.ts'
import type { AccountId } from '../identity/index.ts'
import { limits } from '../limits.ts'
import { concat, equalBytes, idHex, toHex } from '../wire/index.ts'
import type { Step } from './context.ts'
import { isTalkedWith } from './contacts.ts'
import {
  activeRemotes,
  conversationNow,
  conversationWith,
  findRemote,
  newGroup,
  putConversation,
  remoteOf,
  withRemote,
  keyOf,
} from './conversations.ts'
import {
  bareState,
  groupState,
  isUndone,
  logsKnown,
  stateDigest,
  tellInTurn,
  type GroupState,
} from './group-exchange.ts'
import { keptLogs, noteSpoke, putAgreed, putStanding, saidLogs, standingOf } from './group-standing.ts'
import { opsCame } from './group-arrival.ts'
import {
  addOpsTo,
  isArriving,
  isGroup,
  lostOps,
  membershipOf,
  membershipThen,
  newAmong,
  opSetOf,
  takesPart,
} from './groups.ts'
import { answerWith } from './extras.ts'
import { dropHeld, neighbours } from './late-records.ts'
import { lostCame, noteEqual } from './lost-ops.ts'
import { linkTo } from './lookup.ts'
import { isOwn, requireMe } from './me.ts'
import { settleState } from './outbox-rows.ts'
import type { PayloadItem } from './payload.ts'
import {
  contactRows,
  contactStates,
  conversationRows,
  heldRows,
  joinRows,
  opRows,
  type Conversation,
  type Peer,
  type Remote,
} from './tables.ts'

type GroupItem = Extract<PayloadItem, { readonly kind: 'group' }>

/** Takes in how a conversation stands at another device; both end with the same, or ask on. */
export async function receiveGroup(step: Step, peer: Peer, item: GroupItem): Promise<void> {
  const known = step.tx.get(conversationRows, item.conversation)
  if (known === undefined) return receiveNewGroup(step, peer, item)
  const isShared = mayCompare(step, known, peer)
  if (!isShared && !showsGrant(step, known, peer, item)) {
    step.context.log.event('group-not-shared')
    return
  }
  noteSpoke(step, known, peer)
  // Whoever came after its account or this one had gone is none of the group's devices here, and is answered all the same.
  if (!isShared || cameAfter(step, known, peer))
    putConversation(step, withRemote(known, remoteOf(known, peer)))
  await (isUnasked(step, known) ? tryOut : takeOps)(step, conversationNow(step, known), peer, item)
}

/** Whether a group is known in part, and this account did not ask to be let in. */
const isUnasked = (step: Step, conversation: Conversation): boolean =>
  isArriving(step, conversation) && step.tx.get(joinRows, conversation.conversation) === undefined

/** Somebody in the conversation, or once in it, or asked to let this account in: what those who are out knew still has to be judged. */
const mayCompare = (step: Step, conversation: Conversation, peer: Peer): boolean =>
  isOwn(step, peer) ||
  (step.tx.get(joinRows, conversation.conversation) !== undefined && isKnown(step, peer)) ||
  ((findRemote(conversation, peer.device) !== undefined || cameAfter(step, conversation, peer)) &&
    isTalkedWith(step, conversation, peer.account))

/**
 * Whether somebody known shows who let their account into a group: that device may be gone before it told anybody else,
 * and whether its word counts is still to be judged.
 */
const showsGrant = (step: Step, conversation: Conversation, peer: Peer, { ops }: GroupItem): boolean =>
  isGroup(conversation) &&
  isKnown(step, peer) &&
  step.tx.get(contactRows, peer.account)?.state !== contactStates.refused &&
  newAmong(step, conversation, ops).some(
    ({ args }) => (args.kind === 'grant' || args.kind === 'admit') && equalBytes(args.account, peer.account),
  )

/** Whether a device of an account that takes or took part came, unheard of, after that account had gone, or this one. */
function cameAfter(step: Step, conversation: Conversation, { account, device }: Peer): boolean {
  if (findRemote(conversation, device) !== undefined) return false
  if (isOwn(step, { account })) return true
  return isGroup(conversation) && conversation.remotes.some((one) => equalBytes(one.account, account))
}

const isKnown = (step: Step, { account }: Peer): boolean => {
  const state = step.tx.get(contactRows, account)?.state
  return state !== undefined && state !== contactStates.requested && state !== contactStates.blocked
}

/** A conversation not known here: kept only if its operations say that this account takes part, or may yet come to. */
async function receiveNewGroup(step: Step, peer: Peer, item: GroupItem): Promise<void> {
  const direct = item.accounts.length === 2 ? namedDirect(step, peer, item) : undefined
  if (direct !== undefined) return takeOps(step, direct, peer, item)
  const ops = item.ops.map((bytes) => readMembershipOp(step.context.crypto, bytes))
  const invites = mayInvite(step, peer)
  if (!(invites || isWaitedFor(step, peer, item)) || !ops.some((op) => isCreate(op, item))) {
    step.context.log.event('group-unknown')
    // Whoever takes it to be known speaks of it without its operations.
    if (invites && item.ops.length === 0 && item.heads.length > 0) askOn(step, peer, item)
    return
  }
  await tryOut(step, undefined, peer, item)
}

/** Takes in what is told of a group that may not be this account's; where it is not, nothing of it is kept. */
async function tryOut(
  step: Step,
  known: Conversation | undefined,
  peer: Peer,
  item: GroupItem,
): Promise<void> {
  const alone: Step = { ...step, tx: step.tx.fork(), effects: [], events: [], spent: [] }
  const conversation = known ?? newGroup(alone, item.conversation)
  // Whoever brings it is asked for the rest.
  if (known === undefined) putConversation(alone, withRemote(conversation, remoteOf(conversation, peer)))
  await takeOps(alone, conversationNow(alone, conversation), peer, item)
  const now = conversationNow(alone, conversation)
  const isOver = !takesPart(alone, now) && isTold(alone, now, peer, item)
  if (known === undefined ? isOurs(alone, now, peer, item) : !isOver) {
    alone.tx.merge()
    step.effects.push(...alone.effects)
    step.events.push(...alone.events)
    step.spent.push(...alone.spent)
    return
  }
  step.context.live.groups.delete(idHex(item.conversation))
  step.context.log.event('group-not-ours')
  if (known !== undefined) forgetGroup(step, known)
  if (isOver) takeLeave(step, peer, item)
  else if (mayInvite(step, peer)) askOn(step, peer, item)
}

/** Whether what somebody brings is a group of this account, or may come to be one. */
const isOurs = (step: Step, conversation: Conversation, peer: Peer, item: GroupItem): boolean =>
  mayInvite(step, peer) && (takesPart(step, conversation) || mayArrive(step, conversation, item))

/** Whether the rest of a group, which fills more than one frame, is to be waited for; the oldest such makes room. */
function mayArrive(step: Step, conversation: Conversation, { heads }: GroupItem): boolean {
  const { byId } = opSetOf(step, conversation)
  if (!isArriving(step, conversation) || heads.every((head) => byId.has(toHex(head)))) return false
  const arriving = step.tx.all(conversationRows).filter((one) => isUnasked(step, one))
  arriving.sort((a, b) => a.lastMs - b.lastMs)
  for (const old of arriving.slice(0, -limits.arrivingGroups)) forgetGroup(step, old)
  return true
}

/** A group that did not become one of ours leaves nothing behind. */
export function forgetGroup(step: Step, group: Conversation): void {
  const { conversation } = group
  for (const { op } of opSetOf(step, group).entries) step.tx.delete(opRows, concat(conversation, op.id))
  step.tx.delete(conversationRows, conversation)
  step.context.live.groups.delete(idHex(conversation))
}

/**
 * The operations that let this account in may stand on device logs that did not fit beside them: what is known here
 * is said, and whoever told goes on from there. Where nothing was left out, both say the same again and it ends.
 */
function askOn(step: Step, peer: Peer, { conversation, logs }: GroupItem): void {
  const known = logsKnown(step, logs)
  answerWith(step, linkTo(step, peer.device), { ...bareState({ conversation }), logs: known })
}

/** Whether words of a device wait for the group it speaks of: where they came too late, it may say so. */
const isWaitedFor = (step: Step, { device }: Peer, { conversation }: GroupItem): boolean =>
  step.tx
    .all(heldRows)
    .some((row) => equalBytes(row.device, device) && equalBytes(row.conversation, conversation))

/** All that ended this account's part is here, in a group this device never knew: it says so, and waits for no more of it. */
function takeLeave(step: Step, peer: Peer, { conversation, heads }: GroupItem): void {
  const digest = stateDigest(step, heads, [])
  answerWith(step, linkTo(step, peer.device), { kind: 'groupGot', conversation, digest })
  dropHeld(step, { conversation }, peer)
}

const isCreate = (op: MembershipOp | undefined, item: GroupItem): boolean =>
  op?.args.kind === 'create' && equalBytes(op.id, item.conversation)

/** Who may bring this account into a group unasked: contacts, and its own devices. */
function mayInvite(step: Step, peer: Peer): boolean {
  const state = step.tx.get(contactRows, peer.account)?.state
  return state === contactStates.connected || state === contactStates.own
}

/** The direct conversation an item names, when this account is in it with a contact, and one of the two says so. */
function namedDirect(step: Step, peer: Peer, item: GroupItem): Conversation | undefined {
  const { accounts, conversation } = item
  const { self } = requireMe(step)
  const [a, b] = accounts as readonly [AccountId, AccountId]
  const other = equalBytes(a, self.account) ? b : equalBytes(b, self.account) ? a : undefined
  const contact = other === undefined ? undefined : step.tx.get(contactRows, other)
  if (other === undefined || contact === undefined || contact.state === contactStates.member) return undefined
  if (!accounts.some((account) => equalBytes(account, peer.account))) return undefined
  const id = directConversationId(step.context.crypto, self.account, other)
  return equalBytes(id, conversation) ? conversationWith(step, other) : undefined
}

async function takeOps(step: Step, conversation: Conversation, peer: Peer, item: GroupItem): Promise<void> {
  const before = membershipOf(step, conversation)
  const wasTorn = lostOps(step, conversation) > 0
  const { added, rejected } = addOpsTo(step, conversation, item.ops)
  if (rejected.length > 0) step.context.log.event('group-op-rejected')
  if (wasTorn) {
    if (added.length > 0) await lostCame(step, conversationNow(step, conversation), added)
    return compare(step, conversationNow(step, conversation), peer, item)
  }
  if (isArriving(step, conversation)) {
    const { heads, since, logs } = item
    putStanding(step, conversation, {
      ...standingOf(step, conversation, peer),
      heads,
      since,
      logs,
      due: true,
    })
    return
  }
  if (added.length > 0) {
    await opsCame(step, conversation, before, added)
    tellChanged(step, conversation, peer)
    passOn(step, conversationNow(step, conversation), peer, added)
  }
  return compare(step, conversationNow(step, conversation), peer, item)
}

/**
 * Operations of others changed who is in: whoever came is met anew, and who is out though nobody removed them, as by a
 * link used twice, is told why. Whoever is out themselves tells their own devices alone, for whoever ended the account's
 * part need not know of those: to them all others seem to have gone.
 */
function tellChanged(step: Step, before: Conversation, carrier: Peer): void {
  const conversation = conversationNow(step, before)
  const speaks = takesPart(step, conversation)
  for (const remote of conversation.remotes) {
    const was = findRemote(before, remote.device)?.active === true
    if (remote.active === was) continue
    if (remote.active) linkTo(step, remote.device).met = true
    else if (isSibling(step, remote, carrier) || (speaks && isUndone(step, conversation, remote.account)))
      tellInTurn(step, conversation, remote)
  }
}

/**
 * Who writes an operation tells all it speaks with, but whom it had not heard of. One that came by another hand, or that
 * knows less than is known here, may not have been told to all: then it is passed on.
 */
function passOn(step: Step, conversation: Conversation, peer: Peer, added: readonly MembershipOp[]): void {
  const heads = new Set(groupHeads(opSetOf(step, conversation)).map(toHex))
  const newest = added.filter(({ key }) => heads.has(key))
  for (const remote of activeRemotes(conversation))
    if (!equalBytes(remote.device, peer.device) && isUnheardOf(step, conversation, remote, newest))
      tellInTurn(step, conversation, remote)
  const told = new Set(added.filter((op) => equalBytes(op.device, peer.device)).map(({ key }) => key))
  const speaks = findRemote(conversation, peer.device)?.active === true
  if (speaks && [...heads].every((head) => told.has(head))) return
  for (const neighbour of neighbours(step, conversation, peer)) tellInTurn(step, conversation, neighbour)
  for (const sibling of siblings(step, conversation, peer)) tellInTurn(step, conversation, sibling)
}

/**
 * Whether the author of one of these did not know of a device when it wrote it, or held it to be out: nobody else need
 * be connected with it.
 */
const isUnheardOf = (
  step: Step,
  conversation: Conversation,
  { account, device }: Remote,
  ops: readonly MembershipOp[],
): boolean =>
  ops.some(({ deps }) => {
    if (deps.length === 0) return false
    const then = membershipThen(step, conversation, deps)
    const key = idHex(account)
    return then?.members.has(key) !== true || then.accounts.get(key)?.active.has(idHex(device)) !== true
  })

/** Own devices may never be met while they are connected: they are told through relays as well. */
const siblings = (step: Step, conversation: Conversation, peer: Peer): readonly Remote[] =>
  activeRemotes(conversation).filter((remote) => isSibling(step, remote, peer))

/** Whether it is another device of this account than the one that brought something. */
const isSibling = (step: Step, { account, device }: Remote, carrier: Peer): boolean =>
  isOwn(step, { account }) && !equalBytes(device, carrier.device)

/** Whether this account is out, or the other one, and all that the other says of that is here. */
const isTold = (step: Step, conversation: Conversation, { device }: Peer, item: GroupItem): boolean => {
  const { byId } = opSetOf(step, conversation)
  const { heads, logs } = item
  const isBare = heads.length > 0 && logs.length === 0
  const isApart = !takesPart(step, conversation) || findRemote(conversation, device)?.active !== true
  return isBare && isApart && heads.every((head) => byId.has(toHex(head)))
}

/** Ends the exchange when both hold the same; else says how things stand here, once for each two states. */
async function compare(step: Step, conversation: Conversation, peer: Peer, item: GroupItem): Promise<void> {
  const { live } = step.context
  const ours = groupState(step, conversation)
  // Changes to what is not known here say too little: how things stand here is said in full then, and so answered.
  const since = keptLogs(step, conversation, item.since) === undefined ? null : item.since
  const theirs = stateDigest(step, item.heads, saidLogs(step, conversation, { since, logs: item.logs }))
  if (equalBytes(ours.digest, theirs)) {
    agree(step, conversation, peer, ours)
    linkTo(step, peer.device).groupGots.set(idHex(conversation.conversation), theirs)
    settleState(step, peer, conversation, theirs)
    return noteEqual(step, conversation, peer)
  }
  if (isTold(step, conversation, peer, item))
    linkTo(step, peer.device).groupGots.set(idHex(conversation.conversation), theirs)
  const said = { agreed: null, heads: item.heads, since, logs: item.logs }
  const standing = { ...standingOf(step, conversation, peer), ...said }
  putStanding(step, conversation, standing)
  const pair = `${toHex(theirs)}${toHex(ours.digest)}`
  const key = keyOf(conversation, peer)
  if (live.compared.get(key) === pair) return
  live.compared.set(key, pair)
  tellInTurn(step, conversation, peer)
}

/** The device has what it was told. */
export async function receiveGroupGot(
  step: Step,
  peer: Peer,
  item: Extract<PayloadItem, { readonly kind: 'groupGot' }>,
): Promise<void> {
  const conversation = step.tx.get(conversationRows, item.conversation)
  if (conversation === undefined || findRemote(conversation, peer.device) === undefined) return
  noteSpoke(step, conversation, peer)
  settleState(step, peer, conversation, item.digest)
  const ours = groupState(step, conversation)
  if (!equalBytes(ours.digest, item.digest)) return
  agree(step, conversation, peer, ours)
  await noteEqual(step, conversation, peer)
}

/**
 * Both hold the same: they are met anew, for what neither showed the other before. Said once more, it is no news, or an
 * answer to a copy would bring the next copy about.
 */
function agree(step: Step, conversation: Conversation, peer: Peer, ours: GroupState): void {
  const { agreed } = standingOf(step, conversation, peer)
  if (agreed === null || !equalBytes(agreed, ours.digest)) linkTo(step, peer.device).met = true
  putAgreed(step, conversation, peer, ours)
}
