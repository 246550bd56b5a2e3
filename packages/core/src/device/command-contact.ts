import { UsageError } from '../errors.ts'
import { equalBytes, toBase32, utf8 } from '../wire/index.ts'
import type { AccountId } from '../identity/index.ts'
import type { Commands, ContactView, RelayView } from './api.ts'
import { shareLater } from './own-values.ts'
import { checkName } from './command-account.ts'
import type { Step } from './context.ts'
import { conversationWith, putConversation, remoteOf, withRemote } from './conversations.ts'
import { emit } from './events.ts'
import { readId, requireContact, requireConversation, peersOf } from './lookup.ts'
import { rowKey } from './outbox-rows.ts'
import { settleAt } from './relay-input.ts'
import { peerIdIn, relayIdOf, relayLink, wantRelay } from './relay-link.ts'
import {
  bootstrapRows,
  contactRows,
  contactStates,
  outboxRows,
  peerRows,
  queueRows,
  relayRows,
  type Contact,
} from './tables.ts'
import { contactView } from './views.ts'

const accountOf = (id: string): AccountId => readId(id, 'an account id') as AccountId

function change(step: Step, contact: Contact): ContactView {
  step.tx.put(contactRows, contact.account, contact)
  const view = contactView(step, contact)
  emit(step, { type: 'contact', contact: view, change: 'changed' })
  return view
}

/** The person's own name for a contact. */
export function commandRename(step: Step, input: Commands['rename-contact']['in']): ContactView {
  const contact = requireContact(step, accountOf(input.accountId))
  return change(step, { ...contact, alias: checkName(input.name) })
}

/** Nothing of a blocked contact is opened or answered, and nothing waits for them any longer. */
export function commandBlock(step: Step, input: Commands['block']['in']): ContactView {
  const contact = requireContact(step, accountOf(input.accountId))
  if (contact.state === contactStates.blocked) return contactView(step, contact)
  const devices = peersOf(step, contact.account)
  for (const row of step.tx.all(outboxRows)) {
    if (devices.some((peer) => equalBytes(peer.device, row.device)))
      step.tx.delete(outboxRows, rowKey(row.seq))
  }
  return change(step, { ...contact, stateBefore: contact.state, state: contactStates.blocked })
}

export function commandUnblock(step: Step, input: Commands['unblock']['in']): ContactView {
  const contact = requireContact(step, accountOf(input.accountId))
  if (contact.state !== contactStates.blocked) return contactView(step, contact)
  const conversation = conversationWith(step, contact.account)
  const remotes = conversation.remotes.map((remote) => ({
    ...remote,
    sealedUpTo: Math.min(remote.sealedUpTo, remote.got.upTo),
  }))
  putConversation(step, { ...conversation, remotes })
  return change(step, { ...contact, state: contact.stateBefore })
}

/** All that is held counts as seen; the author is told when receipts are on. */
export function commandMarkRead(step: Step, input: Commands['mark-read']['in']): null {
  const conversation = requireConversation(step, input.conversationId)
  let moved = { ...conversation, unread: 0 }
  for (const remote of conversation.remotes)
    moved = withRemote(moved, { ...remoteOf(moved, remote), seenUpTo: remote.received.upTo })
  putConversation(step, moved)
  shareLater(step)
  return null
}

const peerId = /^[1-9A-HJ-NP-Za-km-z]{46,59}$/

/** A dialable multiaddr that says whose it is, as far as text can tell. */
function checkAddress(value: string): string {
  const address = value.trim()
  if (!/^\/[!-~]{4,511}$/.test(address) || !peerId.test(peerIdIn(address)))
    throw new UsageError('E_ADDRESS', 'an address is a multiaddr that ends in /p2p/ and a PeerId')
  return address
}

/** A relay of ours: a circuit to be reached through, and queues for when we are away. */
export function commandAddRelay(step: Step, input: Commands['add-relay']['in']): RelayView {
  const address = checkAddress(input.address)
  const relayId = relayIdOf(step, address)
  const known = step.tx.get(relayRows, relayId)
  step.tx.put(relayRows, relayId, {
    relayId,
    peerId: peerIdIn(address),
    address,
    web: known?.web ?? null,
    addedAtMs: known?.addedAtMs ?? step.nowMs,
  })
  if (step.context.live.online) {
    step.effects.push({ kind: 'attach', address })
    relayLink(step, address).nextMs = 0
    // A channel may be open already: contacts collect there.
    settleAt(step, wantRelay(step, address))
  }
  return relayViewOf(step, relayId, address)
}

export function commandRemoveRelay(step: Step, input: Commands['remove-relay']['in']): null {
  const relay = step.tx.get(relayRows, readId(input.relayId, 'a relay id'))
  if (relay === undefined) throw new UsageError('E_NOT_FOUND', 'there is no such relay')
  step.tx.delete(relayRows, relay.relayId)
  for (const queue of step.tx.all(queueRows))
    if (equalBytes(queue.relayId, relay.relayId)) step.tx.delete(queueRows, queue.recvId)
  for (const peer of step.tx.all(peerRows)) step.tx.put(peerRows, peer.device, { ...peer, cardOf: 0 })
  const { channel } = relayLink(step, relay.address)
  if (channel !== undefined) step.effects.push({ kind: 'close', channel })
  step.effects.push({ kind: 'detach', address: relay.address })
  return null
}

/** A peer to enter the DHT by. */
export function commandAddBootstrap(step: Step, input: Commands['add-bootstrap']['in']): null {
  const address = checkAddress(input.address)
  step.tx.put(bootstrapRows, utf8(address), { address })
  if (step.context.live.online) step.effects.push({ kind: 'attach', address })
  return null
}

/** A relay as faces see it. */
export function relayViewOf(step: Step, relayId: Uint8Array, address: string): RelayView {
  const link = step.context.live.relays.get(address)
  const state =
    link?.session !== undefined ? 'connected' : (link?.failures ?? 0) > 0 ? 'unreachable' : 'connecting'
  const items = step.tx.all(outboxRows).filter((row) => row.relays.includes(address)).length
  return { relayId: toBase32(relayId), address, state, items }
}
