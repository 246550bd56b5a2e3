import { admitProof, type ConversationId, type OpId } from '../group/index.ts'
import {
  peerIdOf,
  type ActiveDevice,
  type DeviceLog,
  type InviteLink,
  type KeyBundle,
  type OpenedGroup,
  type OpenedInvite,
} from '../identity/index.ts'
import { Secret } from '../crypto/index.ts'
import { equalBytes, idHex, toBase32 } from '../wire/index.ts'
import { learnLog, withBundle } from './accounts.ts'
import type { AddedView } from './api.ts'
import type { Step } from './context.ts'
import { contactName, newContact, newPeer } from './contacts.ts'
import {
  conversationNow,
  findRemote,
  newGroup,
  putConversation,
  remoteOf,
  withRemote,
} from './conversations.ts'
import { emit } from './events.ts'
import { tellOne } from './group-exchange.ts'
import { putStanding, standingOf } from './group-standing.ts'
import { takesPart } from './groups.ts'
import { isOwn, requireMe } from './me.ts'
import { settleState } from './outbox-rows.ts'
import type { PayloadItem } from './payload.ts'
import { peerIdIn } from './relay-link.ts'
import { tendAllQueues } from './relay-queues.ts'
import {
  contactRows,
  contactStates,
  conversationRows,
  joinRows,
  peerRows,
  requestRows,
  type Conversation,
  type Peer,
} from './tables.ts'

/**
 * Asking to be let into a group by its link (docs/protocol/invite.md §6): the device that made the link and those
 * others its record names are asked, each until it answers.
 */
export function beginJoin(step: Step, link: InviteLink, invite: OpenedInvite, group: OpenedGroup): AddedView {
  const id = group.conversation as ConversationId
  const known = step.tx.get(conversationRows, id)
  if (known !== undefined && takesPart(step, known)) return joinedView(step, known, link, 'connected')
  meetAccount(step, invite.log, invite.name)
  for (const { log } of group.ways) meetAccount(step, log, '')
  const { self } = requireMe(step)
  const op = group.invite as OpId
  const about = { conversation: id, invite: op, account: self.account }
  const conversation = known ?? { ...newGroup(step, id), title: group.name }
  putConversation(step, conversation)
  step.tx.put(joinRows, id, {
    conversation: id,
    invite: op,
    proof: admitProof(step.context.crypto, invite.keys.admit, about),
    inviter: link.account,
    expiresAtMs: invite.expiresAtMs,
    askedAtMs: step.nowMs,
    refused: null,
  })
  for (const way of waysOf(link, invite, group)) askBy(step, conversation, way)
  tendAllQueues(step)
  emit(step, { type: 'group', conversationId: toBase32(id) })
  return joinedView(step, conversation, link, 'pending')
}

/** An account met by a link: known from the group only, unless it is more already. */
function meetAccount(step: Step, log: DeviceLog, name: string): void {
  const account = log.account.id
  learnLog(step, log)
  if (isOwn(step, { account })) return
  const contact = step.tx.get(contactRows, account)
  if (contact === undefined || contact.state === contactStates.requested) {
    const base = contact ?? newContact(step, account)
    step.tx.put(contactRows, account, {
      ...base,
      state: contactStates.member,
      name: base.name === '' ? name : base.name,
    })
    step.tx.delete(requestRows, account)
  }
}

interface Way {
  readonly device: ActiveDevice
  readonly bundle: KeyBundle
  readonly hints: readonly string[]
  readonly intro: OpenedInvite['intro']
}

/** Devices that are asked: those of who made the link, and those the record names. */
function waysOf(link: InviteLink, invite: OpenedInvite, group: OpenedGroup): readonly Way[] {
  const own = invite.bundles.flatMap((bundle) => {
    const device = invite.state.active.get(idHex(bundle.certificate.device))
    if (device === undefined) return []
    const peerId = peerIdOf(device.transportKey)
    const hints = link.addresses.filter((address) => peerIdIn(address) === peerId)
    return [{ device, bundle, hints, intro: invite.intro }]
  })
  return [...own, ...group.ways.map(({ device, bundle }) => ({ device, bundle, hints: [], intro: null }))]
}

function askBy(step: Step, before: Conversation, { device, bundle, hints, intro }: Way): void {
  if (isOwn(step, device)) return
  const base = step.tx.get(peerRows, device.device) ?? newPeer(device)
  const peer = withBundle({ ...base, peerId: peerIdOf(device.transportKey) }, bundle)
  const deposits =
    intro === null || peer.deposits.some((one) => !one.intro)
      ? peer.deposits
      : [{ relay: intro.relay, writeSeed: new Secret(intro.writerSeed), intro: true }]
  const addresses = [...new Set([...hints, ...peer.addresses])].slice(0, 8)
  step.tx.put(peerRows, device.device, { ...peer, addresses, deposits })
  const conversation = conversationNow(step, before)
  putConversation(step, withRemote(conversation, remoteOf(conversation, device)))
  tellOne(step, conversation, device)
}

/** A group, as what opening a link into it came to. */
export function joinedView(
  step: Step,
  { conversation, title }: Conversation,
  { account }: InviteLink,
  state: AddedView['state'],
): AddedView {
  const contact = step.tx.get(contactRows, account)
  return {
    accountId: toBase32(account),
    conversationId: toBase32(conversation),
    name: contact === undefined ? '' : contactName(contact),
    state,
    group: title,
  }
}

/** Why a request to be let in may be refused. */
const refusals = ['E_INVITE_USED', 'E_INVITE_REVOKED', 'E_INVITE_EXPIRED']

/** A device that was asked says that the request waits there, or why it will not be granted. */
export function receiveJoinAnswer(
  step: Step,
  peer: Peer,
  item: Extract<PayloadItem, { readonly kind: 'joinAnswer' }>,
): void {
  const join = step.tx.get(joinRows, item.conversation)
  const conversation = step.tx.get(conversationRows, item.conversation)
  if (join === undefined || conversation === undefined || !equalBytes(join.invite, item.invite)) return
  if (findRemote(conversation, peer.device) === undefined) return
  putStanding(step, conversation, {
    ...standingOf(step, conversation, peer),
    agreed: join.invite,
    due: false,
  })
  settleState(step, peer, conversation, join.invite)
  if (!refusals.includes(item.code) || join.refused === item.code) return
  step.tx.put(joinRows, join.conversation, { ...join, refused: item.code })
  const conversationId = toBase32(join.conversation)
  emit(step, { type: 'group', conversationId, change: 'refused', code: item.code })
}

/** Asks no more once this account is in. */
export function endJoin(step: Step, conversation: Conversation): void {
  if (step.tx.get(joinRows, conversation.conversation) === undefined || !takesPart(step, conversation)) return
  step.tx.delete(joinRows, conversation.conversation)
  emit(step, { type: 'group', conversationId: toBase32(conversation.conversation), change: 'joined' })
}
