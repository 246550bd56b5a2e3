import { directConversationId } from '../history/index.ts'
import type { AccountId, DeviceAddress } from '../identity/index.ts'
import type { Step } from './context.ts'
import { requireMe } from './me.ts'
import {
  contactRows,
  contactStates,
  conversationKinds,
  type Contact,
  type Conversation,
  type Peer,
} from './tables.ts'

/** A contact of whom nothing but the account is known. */
export const newContact = (step: Step, account: AccountId): Contact => ({
  account,
  conversation: directConversationId(step.context.crypto, requireMe(step).self.account, account),
  name: '',
  alias: null,
  state: contactStates.pending,
  stateBefore: contactStates.pending,
  verified: false,
  discovery: null,
  refused: null,
  owed: null,
  invitePsk: null,
  addedAtMs: step.nowMs,
})

/** A device of a contact of which nothing but its certificate is known. */
export const newPeer = ({ account, device }: DeviceAddress): Peer => ({
  account,
  device,
  name: '',
  peerId: '',
  bundle: null,
  addresses: [],
  deposits: [],
  boot: 0,
  bootNow: 0,
  bootAtMs: 0,
  cardSeen: 0,
  cardSent: 0,
  cardAcked: 0,
  cardOf: 0,
  cardDue: 0,
  expired: false,
  heardAtMs: 0,
  renew: false,
})

const speakable: ReadonlySet<number> = new Set([
  contactStates.pending,
  contactStates.connected,
  contactStates.own,
])

/**
 * Whether an account is talked with in a conversation: in a group unless it is blocked, in a direct one only when the
 * person has agreed to it. Nobody else is told anything, or has more kept here than a request may.
 */
export function isTalkedWith(step: Step, { kind }: Conversation, account: AccountId): boolean {
  const state = step.tx.get(contactRows, account)?.state
  if (state === undefined || state === contactStates.blocked) return false
  return kind === conversationKinds.group || speakable.has(state)
}

/** What the person here calls a contact, else what they call themselves. */
export const contactName = (contact: Contact): string => contact.alias ?? contact.name
