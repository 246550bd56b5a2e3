import { deviceState, safetyNumber, type AccountId } from '../identity/index.ts'
import { UsageError } from '../errors.ts'
import { toBase32 } from '../wire/index.ts'
import type { DeviceEvent, MessageView, Queries, QueryName, StatusView } from './api.ts'
import { queryDetails, queryDrafts } from './command-details.ts'
import { selfView, settingsView } from './command-account.ts'
import { relayViewOf } from './command-contact.ts'
import type { Step } from './context.ts'
import { activeRemotes } from './conversations.ts'
import { isArriving, isGroup, takesPart } from './groups.ts'
import { metaOf, restoreEvent } from './events.ts'
import { isNotes } from './group-exchange.ts'
import { inviteView } from './invites.ts'
import { readId, requireContact, requireConversation } from './lookup.ts'
import { headsOf, storedLog } from './logs.ts'
import { findMe, requireMe } from './me.ts'
import { connectionOf } from './network-input.ts'
import { queryExport } from './query-export.ts'
import { queryAudit, queryDevices, queryMembers, queryPolicy } from './query-group.ts'
import { queryHistory, queryMessage } from './query-history.ts'
import { counterKey } from './row.ts'
import {
  contactRows,
  contactStates,
  conversationRows,
  eventRows,
  heldRows,
  inviteRows,
  joinRequestRows,
  joinRows,
  relayRows,
  requestRows,
  warningRows,
  type Conversation,
} from './tables.ts'
import { findMessage, lookAt } from './messages.ts'
import { contactView, conversationView, joinRequestView, requestView } from './views.ts'

type Handler<Q extends QueryName> = (
  step: Step,
  input: Queries[Q]['in'],
) => Queries[Q]['out'] | Promise<Queries[Q]['out']>

/** Every query and what answers it. None of them writes. */
export const queries: { readonly [Q in QueryName]: Handler<Q> } = {
  self: (step) => {
    const me = findMe(step)
    return me === undefined ? null : selfView(me.self)
  },
  status: queryStatus,
  contacts: (step) => shownContacts(step).map((contact) => contactView(step, contact)),
  requests: (step) => queryRequests(step),
  invites: (step) =>
    step.tx
      .all(inviteRows)
      .map((row) => inviteView(step, row))
      .sort((a, b) => a.createdAtMs - b.createdAtMs),
  relays: (step) => step.tx.all(relayRows).map((relay) => relayViewOf(step, relay.relayId, relay.address)),
  conversations: queryConversations,
  history: queryHistory,
  members: queryMembers,
  policy: queryPolicy,
  details: queryDetails,
  drafts: queryDrafts,
  devices: queryDevices,
  audit: queryAudit,
  message: queryMessage,
  export: queryExport,
  settings: (step) => settingsView(requireMe(step).self),
  safety: querySafety,
  events: queryEvents,
}

const shownContacts = (step: Step) => step.tx.all(contactRows).filter(({ state }) => shownStates.has(state))

const shownStates: ReadonlySet<number> = new Set([
  contactStates.pending,
  contactStates.connected,
  contactStates.blocked,
])

/** Strangers who want to write, and people who want into a group, in the order in which they came. */
const queryRequests = (step: Step): Queries['requests']['out'] =>
  [
    ...step.tx.all(requestRows).filter(isOpen).map(requestView),
    ...step.tx
      .all(joinRequestRows)
      .filter(isOpen)
      .map((request) => joinRequestView(step, request)),
  ].sort((a, b) => a.atMs - b.atMs)

const isOpen = ({ ignored }: { readonly ignored: boolean }): boolean => !ignored

async function queryConversations(step: Step): Promise<Queries['conversations']['out']> {
  const shown = new Set(shownContacts(step).map((contact) => toBase32(contact.account)))
  const open = step.tx
    .all(conversationRows)
    .filter((one) => isShown(step, one))
    .filter((one) => one.account === null || shown.has(toBase32(one.account)) || isNotes(step, one))
  const views = []
  for (const conversation of open.toSorted((a, b) => b.lastMs - a.lastMs))
    views.push(await conversationView(step, conversation))
  return views
}

/** A group is shown once this account is in it, or asked to be let in. */
const isShown = (step: Step, conversation: Conversation): boolean =>
  !isArriving(step, conversation) || step.tx.get(joinRows, conversation.conversation) !== undefined

function queryStatus(step: Step): StatusView {
  const { live } = step.context
  const conversations = step.tx.all(conversationRows).filter((one) => isShown(step, one))
  const outbox = conversations.reduce((sum, one) => {
    const reached = activeRemotes(one).map((remote) => remote.got.upTo - remote.got.holes.length)
    if (reached.length === 0 && (isGroup(one) || isNotes(step, one))) return sum
    return sum + one.aseq - (reached.length === 0 ? 0 : Math.min(...reached))
  }, 0)
  return {
    peerId: live.peerId,
    listen: live.addresses,
    connection: connectionOf(step),
    peers: live.connected.size,
    relays: step.tx.all(relayRows).map((relay) => relayViewOf(step, relay.relayId, relay.address)),
    outbox,
    held: step.tx.all(heldRows).filter((row) => mayCome(step, row.conversation)).length,
    conversations: conversations.length,
    warnings: step.tx.all(warningRows),
  }
}

/** Whether what a record waits for may still come: to somebody who was put out of a group nobody brings it. */
function mayCome(step: Step, id: Uint8Array): boolean {
  const conversation = step.tx.get(conversationRows, id)
  return conversation === undefined || takesPart(step, conversation) || isArriving(step, conversation)
}

function querySafety(step: Step, input: Queries['safety']['in']): Queries['safety']['out'] {
  const { crypto } = step.context
  const { self } = requireMe(step)
  const contact = requireContact(step, readId(input.accountId, 'an account id'))
  const seen = (account: AccountId) => ({ account, heads: headsOf(storedLog(step, account)) })
  return {
    number: safetyNumber(crypto, self.account, contact.account),
    deviceState: deviceState(crypto, seen(self.account), seen(contact.account)),
  }
}

/** Events in one answer, at most. */
const eventsLimit = 1_000

async function queryEvents(step: Step, input: Queries['events']['in']): Promise<readonly DeviceEvent[]> {
  if (!Number.isSafeInteger(input.since) || input.since < 0)
    throw new UsageError('E_SEQ', 'an event number is not negative')
  const { eventSeq } = metaOf(step)
  const found: DeviceEvent[] = []
  for (let seq = input.since + 1; seq <= eventSeq && found.length < eventsLimit; seq++) {
    const row = await step.tx.load(eventRows, counterKey(seq))
    const event = row === undefined ? null : await restored(step, row)
    if (event !== null) found.push(event)
  }
  return found
}

async function restored(step: Step, row: string): Promise<DeviceEvent | null> {
  const stored = JSON.parse(row) as { type: string; messageId?: string; conversationId?: string }
  let message: MessageView | null = null
  if (stored.type.startsWith('message')) {
    const conversation = requireConversation(step, stored.conversationId ?? '')
    const look = await lookAt(step, conversation)
    message = await findMessage(step, look, readId(stored.messageId ?? '', 'a message id'))
  }
  return restoreEvent(row, () => message)
}
