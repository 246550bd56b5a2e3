import { directConversationId } from '../history/index.ts'
import type { AccountId, DeviceAddress } from '../identity/index.ts'
import type { Step } from './context.ts'
import { requireMe } from './me.ts'
import { contactStates, type Contact, type Peer } from './tables.ts'

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

/** What the person here calls a contact, else what they call themselves. */
export const contactName = (contact: Contact): string => contact.alias ?? contact.name
