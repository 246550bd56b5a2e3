import { UsageError } from '../errors.ts'
import type { AccountId, DeviceId } from '../identity/index.ts'
import { equalBytes, fromBase32, idHex } from '../wire/index.ts'
import type { PeerLink, Step } from './context.ts'
import {
  contactRows,
  conversationRows,
  peerRows,
  type Contact,
  type Conversation,
  type Peer,
} from './tables.ts'

/** Reads an id a face gave. */
export function readId(value: string, what: string): Uint8Array {
  const id = fromBase32(value)
  if (id?.length !== 32) throw new UsageError('E_ID', `${what} is 52 characters of base32`)
  return id
}

export function requireConversation(step: Step, id: string): Conversation {
  const found = step.tx.get(conversationRows, readId(id, 'a conversation id'))
  if (found === undefined) throw new UsageError('E_NOT_FOUND', 'there is no such conversation')
  return found
}

export function requireContact(step: Step, account: Uint8Array): Contact {
  const found = step.tx.get(contactRows, account)
  if (found === undefined) throw new UsageError('E_NOT_FOUND', 'there is no such contact')
  return found
}

/** Devices of a contact that were ever spoken with or named in its bundles. */
export const peersOf = (step: Step, account: AccountId): readonly Peer[] =>
  step.tx.all(peerRows).filter((peer) => equalBytes(peer.account, account))

/**
 * The contacts' devices that say they are behind a PeerId. One, unless a contact certified another's transport
 * key as its own; then each is tried, and only the keys of a session tell who speaks.
 */
export const peersByPeerId = (step: Step, peerId: string): readonly Peer[] =>
  step.tx.all(peerRows).filter((peer) => peer.peerId === peerId)

/** The link to a device; a new one may try at once. */
export function linkTo(step: Step, device: DeviceId): PeerLink {
  const { peers } = step.context.live
  const key = idHex(device)
  const known = peers.get(key)
  if (known !== undefined) return known
  const fresh: PeerLink = {
    opening: false,
    failures: 0,
    nextMs: 0,
    denied: new Map(),
    channel: undefined,
    heardMs: 0,
    unsure: new Map(),
    sent: new Map(),
    refusalDue: false,
    answers: new Set(),
    met: false,
    outTold: undefined,
    askAgain: false,
    awaited: undefined,
    syncFrames: [],
    seeds: new Map(),
    seedAcks: new Map(),
    fromTold: new Map(),
    asksWaiting: new Map(),
    spokeUntil: new Map(),
    groupGots: new Map(),
    joins: [],
    extras: [],
  }
  peers.set(key, fresh)
  return fresh
}
