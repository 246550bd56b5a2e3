import { openRecords, readingDays, recordKey } from '../discovery/index.ts'
import { InvariantError, PortError, UsageError } from '../errors.ts'
import {
  inviteKeys,
  logOps,
  openInvite,
  parseInvite,
  peerIdOf,
  type DeviceId,
  type InviteLink,
  type InviteResult,
  type OpenedInvite,
} from '../identity/index.ts'
import { lookupRequest } from '../mailbox/index.ts'
import { Secret } from '../crypto/index.ts'
import { idHex, toBase32 } from '../wire/index.ts'
import type { AddedView, Commands } from './api.ts'
import { beginJoin, joinedView } from './joins.ts'
import { takesPart } from './groups.ts'
import type { RelayLink, Resolve, Step } from './context.ts'
import { conversationWith, refreshRemotes } from './conversations.ts'
import { emit } from './events.ts'
import { newContact, newPeer } from './contacts.ts'
import { inviteAnswer, inviteQuestion } from './invites.ts'
import { learnLog } from './accounts.ts'
import { storedLog } from './logs.ts'
import { putSessions, sessionsWith } from './sessions.ts'
import { isOwn } from './me.ts'
import { inviteProtocol } from './protocols.ts'
import { tendAllQueues } from './relay-queues.ts'
import { ask, peerIdIn, wantRelay } from './relay-link.ts'
import { wakeAt } from './timers.ts'
import {
  contactRows,
  contactStates,
  conversationRows,
  peerRows,
  relayRows,
  type Contact,
  type Peer,
} from './tables.ts'
import { contactName } from './contacts.ts'
import { contactView } from './views.ts'

/** How long all places together may take, and how long the slower ones once one has answered well. */
const deadlineMs = 15_000
const graceMs = 1_500

/** Starts to look an invite up everywhere it may be; the outcome settles the command. */
export function commandAdd(
  step: Step,
  input: Commands['add']['in'],
  settle: (view: AddedView) => void,
  fail: (error: unknown) => void,
): void {
  const link = readLink(step, input.link)
  const known = step.tx.get(contactRows, link.account)
  if (known?.state === contactStates.blocked)
    throw new UsageError('E_BLOCKED', 'this contact is blocked', { hint: 'sotto contacts unblock' })
  const { live } = step.context
  if (!live.online)
    throw new PortError('E_OFFLINE', 'an invite is looked up on the network', {
      retryable: true,
      hint: 'sotto up',
    })
  const token = live.nextToken
  live.nextToken += 1
  const resolve: Resolve = {
    token,
    link,
    deadlineMs: step.monoMs + deadlineMs,
    goodMs: undefined,
    asked: new Set(),
    channels: new Set(),
    open: 0,
    copies: [],
    records: [],
    settle,
    fail,
  }
  live.resolves.set(token, resolve)
  wakeAt(step, resolve.deadlineMs)
  askDht(step, resolve)
  askRelays(step, resolve, input.relayHints ?? [])
  askInviter(step, resolve)
  if (resolve.open === 0) finish(step, resolve)
}

function readLink(step: Step, text: string): InviteLink {
  const parsed = parseInvite(text)
  if (!parsed.ok)
    throw new UsageError('E_INVITE_MALFORMED', 'this is not an invite link', {
      detail: { reason: parsed.reason },
    })
  if (isOwn(step, parsed.link))
    throw new UsageError('E_INVITE_OWN', 'this is your own invite; give it to somebody else')
  return parsed.link
}

function askDht(step: Step, resolve: Resolve): void {
  const { crypto } = step.context
  const { discovery } = inviteKeys(crypto, resolve.link)
  for (const day of readingDays(step.nowMs)) {
    const key = recordKey(crypto, discovery.publicKey, { day, slot: 0 })
    if (key === undefined) continue
    resolve.open += 1
    step.effects.push({ kind: 'get', key, purpose: { for: 'invite', token: resolve.token, day } })
  }
}

function askRelays(step: Step, resolve: Resolve, hints: readonly string[]): void {
  for (const address of new Set([...hints, ...step.tx.all(relayRows).map((relay) => relay.address)])) {
    resolve.open += 1
    resolve.asked.add(address)
    const link = wantRelay(step, address)
    if (link.session !== undefined) {
      resolve.asked.delete(address)
      lookup(step, resolve, link)
    } else if (!link.opening && link.channel === undefined) settlePlace(step, resolve, address)
  }
}

function lookup(step: Step, resolve: Resolve, link: RelayLink): void {
  const { crypto } = step.context
  const { locator } = inviteKeys(crypto, resolve.link)
  ask(step, link, { kind: 'lookup', token: resolve.token }, (session, id) =>
    lookupRequest(crypto, session, id, locator),
  )
}

/** A relay has answered a channel: every lookup that waits for it is asked now. */
export function askForInvites(step: Step, link: RelayLink): void {
  for (const resolve of step.context.live.resolves.values()) {
    if (!resolve.asked.delete(link.address)) continue
    lookup(step, resolve, link)
  }
}

/** A relay could not be reached: lookups that waited for it go on without. */
export function relayUnreachable(step: Step, address: string): void {
  for (const resolve of step.context.live.resolves.values()) settlePlace(step, resolve, address)
}

function settlePlace(step: Step, resolve: Resolve, address: string): void {
  if (resolve.asked.delete(address)) answered(step, resolve)
}

/** The link's own addresses: the inviter's device is asked itself. */
function askInviter(step: Step, resolve: Resolve): void {
  const { addresses } = resolve.link
  for (const peer of new Set(addresses.map(peerIdIn))) {
    resolve.open += 1
    const own = addresses.filter((address) => peerIdIn(address) === peer)
    step.effects.push({
      kind: 'open',
      peer,
      addresses: own,
      protocol: inviteProtocol,
      purpose: { for: 'invite', token: resolve.token },
    })
  }
}

export function inviteOpened(step: Step, token: number, channel: number | undefined): void {
  const resolve = step.context.live.resolves.get(token)
  if (resolve === undefined) return
  if (channel === undefined) return answered(step, resolve)
  const { locator } = inviteKeys(step.context.crypto, resolve.link)
  resolve.channels.add(channel)
  step.effects.push({ kind: 'write', channel, frame: inviteQuestion.encode({ version: 1, locator }) })
}

/** The inviter's device answered on a channel, or closed it. */
export function inviteAnswered(step: Step, channel: number, input: Uint8Array | undefined): void {
  const resolve = [...step.context.live.resolves.values()].find((one) => one.channels.has(channel))
  if (resolve === undefined) return
  resolve.channels.delete(channel)
  const answer = input === undefined ? undefined : inviteAnswer.decode(input)
  if (answer?.ok === true && answer.value.copy !== null) resolve.copies.push(answer.value.copy)
  if (input !== undefined) step.effects.push({ kind: 'close', channel })
  answered(step, resolve)
}

/** A relay answered a lookup. */
export function lookupAnswered(step: Step, token: number, value: Uint8Array | undefined): void {
  const resolve = step.context.live.resolves.get(token)
  if (resolve === undefined) return
  if (value !== undefined && value.length > 0) resolve.copies.push(value)
  answered(step, resolve)
}

/** The DHT answered for one day. */
export function dhtAnswered(step: Step, token: number, day: number, values: readonly Uint8Array[]): void {
  const resolve = step.context.live.resolves.get(token)
  if (resolve === undefined) return
  const { crypto } = step.context
  const { discovery } = inviteKeys(crypto, resolve.link)
  for (const record of openRecords(crypto, discovery.publicKey, { day, slot: 0 }, values, step.nowMs))
    resolve.records.push(record.plaintext)
  answered(step, resolve)
}

function answered(step: Step, resolve: Resolve): void {
  resolve.open -= 1
  if (resolve.open <= 0) return finish(step, resolve)
  if (resolve.goodMs !== undefined || !conclusive(judge(step, resolve))) return
  resolve.goodMs = step.monoMs + graceMs
  wakeAt(step, resolve.goodMs)
}

const conclusive = (result: InviteResult): boolean =>
  result.result !== 'not-found' && result.result !== 'invalid'

/** Ends lookups whose time is over. */
export function tickResolves(step: Step): void {
  for (const resolve of step.context.live.resolves.values()) {
    const due = Math.min(resolve.deadlineMs, resolve.goodMs ?? Infinity)
    if (step.monoMs >= due) finish(step, resolve)
    else wakeAt(step, due)
  }
}

function judge(step: Step, { link, copies, records }: Resolve): InviteResult {
  const log = storedLog(step, link.account)
  return openInvite(
    step.context.crypto,
    link,
    { copies, records, ops: log === undefined ? [] : logOps(log) },
    step.nowMs,
  )
}

function finish(step: Step, resolve: Resolve): void {
  step.context.live.resolves.delete(resolve.token)
  const result = judge(step, resolve)
  const view = outcome(step, resolve.link, result)
  if (view !== undefined) {
    step.effects.push({ kind: 'settle', run: () => resolve.settle(view), fail: resolve.fail })
    return
  }
  resolve.fail(refusal(result))
}

/**
 * What opening the link came to, when it came to something. Who is a contact already, or in the group already, stays
 * that, whatever became of the link since.
 */
function outcome(step: Step, link: InviteLink, result: InviteResult): AddedView | undefined {
  const contact = step.tx.get(contactRows, link.account)
  const connected = contact?.state === contactStates.connected ? addedView(contact, 'connected') : undefined
  if (result.result === 'ok') {
    const { invite } = result
    if (invite.group !== null) return beginJoin(step, link, invite, invite.group)
    return connected ?? takeUp(step, link, invite)
  }
  if (!('conversation' in result)) return undefined
  const group = result.conversation === null ? undefined : step.tx.get(conversationRows, result.conversation)
  if (group !== undefined && takesPart(step, group)) return joinedView(step, group, link, 'connected')
  return result.conversation === null ? connected : undefined
}

function refusal(result: InviteResult): Error {
  switch (result.result) {
    case 'ok':
      return new InvariantError('E_INVITE', 'an open invite is no refusal')
    case 'expired':
      return new UsageError(result.code, 'this invite has expired', { hint: 'ask for a new link' })
    case 'used':
      return new UsageError(result.code, 'this invite was used already', { hint: 'ask for a new link' })
    case 'revoked':
      return new UsageError(result.code, 'this invite was revoked', { hint: 'ask for a new link' })
    case 'invalid':
    case 'not-found':
      return new PortError(result.code, 'nobody who knows this invite can be reached now', {
        retryable: true,
        hint: 'try again when the other person is online',
      })
  }
}

/** The inviter becomes a contact that waits for its first reply; the first flight goes out with the next flush. */
function takeUp(step: Step, link: InviteLink, invite: OpenedInvite): AddedView {
  const known = step.tx.get(contactRows, link.account)
  const contact: Contact = {
    ...(known ?? newContact(step, link.account)),
    name: invite.name,
    state: contactStates.pending,
    refused: null,
    invitePsk: invite.keys.psk,
  }
  step.tx.put(contactRows, contact.account, contact)
  learnLog(step, invite.log)
  for (const bundle of invite.bundles) {
    const active = invite.state.active.get(idHex(bundle.certificate.device))
    if (active === undefined) continue
    const peerId = peerIdOf(active.transportKey)
    const hints = link.addresses.filter((address) => peerIdIn(address) === peerId)
    const intro =
      invite.intro === null
        ? []
        : [{ relay: invite.intro.relay, writeSeed: new Secret(invite.intro.writerSeed), intro: true }]
    const base = step.tx.get(peerRows, active.device) ?? newPeer(active)
    step.tx.put(peerRows, active.device, {
      ...base,
      peerId,
      bundle: bundle.bytes,
      addresses: [...new Set([...hints, ...bundle.addresses])].slice(0, 8),
      deposits: intro,
      ...beginAgain(step, active.device),
    })
  }
  refreshRemotes(step, conversationWith(step, contact.account))
  tendAllQueues(step)
  if (known === undefined)
    emit(step, { type: 'contact', contact: contactView(step, contact), change: 'added' })
  return addedView(contact, 'pending')
}

/**
 * Whoever is known from a group has a session that says nothing of the invite, and the card: both are made anew, at
 * once, for it is the person who asks and no repair.
 */
function beginAgain(step: Step, device: DeviceId): Partial<Peer> {
  const held = sessionsWith(step, device)
  if (held.sessions.length === 0) return {}
  putSessions(step, device, { ...held, handshakeAtMs: 0 })
  return { renew: true, cardOf: 0 }
}

const addedView = (contact: Contact, state: AddedView['state']): AddedView => ({
  accountId: toBase32(contact.account),
  conversationId: toBase32(contact.conversation),
  name: contactName(contact),
  state,
  group: null,
})
