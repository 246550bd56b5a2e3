import { sizes } from '../crypto/index.ts'
import { publishingDays, recordExpiry, sealRecord } from '../discovery/index.ts'
import { invariant } from '../errors.ts'
import {
  decodeInvite,
  encodeInvite,
  inviteEditKey,
  inviteKeys,
  inviteStatus,
  renewInvite,
  revokeInvite,
  sealInviteCopy,
  usedByThese,
  writeInviteRecord,
  type AccountId,
  type InviteState,
} from '../identity/index.ts'
import { inviteStanding } from '../group/index.ts'
import { limits } from '../limits.ts'
import { recordRequest } from '../mailbox/index.ts'
import {
  bytes,
  bytesBetween,
  equalBytes,
  fields,
  frame,
  fromHex,
  literal,
  nullable,
  toBase32,
} from '../wire/index.ts'
import type { InviteView } from './api.ts'
import type { RelayLink, Step } from './context.ts'
import { sureNow } from './timers.ts'
import { emit } from './events.ts'
import { groupOfInvite, groupTerms } from './group-invites.ts'
import { membershipOf } from './groups.ts'
import { storedLog } from './logs.ts'
import { requireMe } from './me.ts'
import { currentBundle } from './prekeys.ts'
import { introTarget } from './queues.ts'
import { ask } from './relay-link.ts'
import { groupInviteRows, inviteRows, relayRows, type Conversation, type Invite } from './tables.ts'

/** What an inviter's own device is asked, and answers, about an invite. */
export const inviteQuestion = frame(
  'invite-question',
  fields({ version: literal(1), locator: bytes(sizes.hash) }),
  64,
)
export const inviteAnswer = frame(
  'invite-answer',
  fields({ version: literal(1), copy: nullable(bytesBetween(1, limits.recordBytes)) }),
)

export function stateOfInvite(row: Invite): InviteState {
  const state = decodeInvite(row.state)
  invariant(state, 'E_INVITE', 'an invite row does not decode')
  return state
}

/** An invite as faces see it. */
export function inviteView(step: Step, row: Invite): InviteView {
  const state = stateOfInvite(row)
  const group = groupOfInvite(step, row.inviteId)
  const heldBy: InviteView['heldBy'][number][] = []
  if (row.heldByRelay) heldBy.push('relay')
  if (row.heldByDht) heldBy.push('dht')
  return {
    inviteId: toBase32(row.inviteId),
    link: row.link,
    createdAtMs: state.createdAtMs,
    expiresAtMs: state.expiresAtMs,
    uses: state.uses,
    used: state.usedBy.length,
    state: inviteStatus(state, sureNow(step)),
    heldBy,
    group: group === undefined ? null : { conversationId: toBase32(group.conversation), name: group.title },
  }
}

/** Stores a changed invite and publishes what its record says now. */
export function putInviteState(step: Step, state: InviteState): Invite {
  const row = step.tx.get(inviteRows, state.inviteId)
  invariant(row, 'E_INVITE', 'a used invite is not held')
  const changed = { ...row, state: encodeInvite(state) }
  if (equalBytes(changed.state, row.state)) return row
  step.tx.put(inviteRows, row.inviteId, changed)
  emit(step, { type: 'invite', invite: inviteView(step, changed) })
  publishInvite(step, changed)
  return changed
}

/** The invites of ours into a group, as its operations say who used them and what closed them. */
export function settleInvites(step: Step, conversation: Conversation): void {
  const membership = membershipOf(step, conversation)
  for (const row of step.tx.all(groupInviteRows)) {
    if (!equalBytes(row.conversation, conversation.conversation)) continue
    const standing = inviteStanding(membership, row.op)
    const held = step.tx.get(inviteRows, row.inviteId)
    if (standing === undefined || held === undefined) continue
    const used = usedByThese(
      stateOfInvite(held),
      standing.usedBy.map((key) => fromHex(key) as AccountId),
    )
    const over = standing.state === 'closed' || standing.state === 'void'
    putInviteState(step, over ? revokeInvite(used) : used)
  }
}

/** Fresh bundles or a new intro queue: every open invite's record is written again. */
export function renewInvites(step: Step): void {
  for (const row of step.tx.all(inviteRows)) {
    const state = stateOfInvite(row)
    if (inviteStatus(state, sureNow(step)) !== 'open') continue
    const renewed = { ...row, state: encodeInvite(renewInvite(state)) }
    step.tx.put(inviteRows, row.inviteId, renewed)
    publishInvite(step, renewed)
  }
}

function recordOf(step: Step, state: InviteState): Uint8Array {
  const me = requireMe(step)
  const log = storedLog(step, me.self.account)
  invariant(log, 'E_SELF', 'the own device log is missing')
  const bundles = [currentBundle(step)]
  const terms = {
    invite: state,
    name: me.self.name,
    log,
    device: me.self.device,
    bundles,
    intro: introTarget(step),
    group: groupTerms(step, state.inviteId),
  }
  return writeInviteRecord(step.context.crypto, me.identity, terms, sureNow(step))
}

/** Puts the invite's record in the DHT and at every relay that is open. */
export function publishInvite(step: Step, row: Invite): void {
  const { crypto, random, live } = step.context
  if (!live.online) return
  const state = stateOfInvite(row)
  const record = recordOf(step, state)
  const { discovery } = inviteKeys(crypto, state)
  for (const day of publishingDays(step.nowMs)) {
    const nonce = random.bytes(sizes.aeadNonce)
    const sealed = sealRecord(crypto, {
      discovery,
      day,
      slot: 0,
      seq: state.seq,
      notAfterMs: recordExpiry(step.nowMs),
      plaintext: record,
      nonce,
    })
    step.effects.push({ kind: 'put', ...sealed, inviteId: row.inviteId })
  }
  for (const relay of step.tx.all(relayRows)) {
    const link = live.relays.get(relay.address)
    if (link?.session !== undefined) sendCopy(step, link, state, record)
  }
}

/** A relay that has just answered gets every open invite's record. */
export function publishAtRelay(step: Step, link: RelayLink): void {
  for (const row of step.tx.all(inviteRows)) {
    const state = stateOfInvite(row)
    const status = inviteStatus(state, sureNow(step))
    if (status !== 'expired' && (status === 'open' || !row.heldByRelay || row.published < state.seq))
      sendCopy(step, link, state, recordOf(step, state))
  }
}

function sendCopy(step: Step, link: RelayLink, state: InviteState, record: Uint8Array): void {
  const { crypto, random } = step.context
  const keys = inviteKeys(crypto, state)
  const value = sealInviteCopy(crypto, keys, record, random.bytes(sizes.aeadNonce))
  const edit = inviteEditKey(crypto, state.editSeed)
  const { inviteId } = state
  const expiresAtMs = Math.min(state.expiresAtMs, step.nowMs + (link.session?.terms.recordMs ?? 0))
  ask(step, link, { kind: 'record', inviteId }, (session, id) =>
    recordRequest(crypto, session, id, edit, { locator: keys.locator, value, expiresAtMs }),
  )
}

/** A relay holds a record. */
export function recordHeld(step: Step, inviteId: Uint8Array): void {
  const row = step.tx.get(inviteRows, inviteId)
  if (row === undefined) return
  noteHeld(step, { ...row, heldByRelay: true, published: stateOfInvite(row).seq })
}

/** DHT nodes took a record. */
export function inviteInDht(step: Step, inviteId: Uint8Array, nodes: number): void {
  const row = step.tx.get(inviteRows, inviteId)
  if (row !== undefined && nodes > 0) noteHeld(step, { ...row, heldByDht: true })
}

function noteHeld(step: Step, row: Invite): void {
  const before = step.tx.get(inviteRows, row.inviteId)
  step.tx.put(inviteRows, row.inviteId, row)
  if (before?.heldByRelay !== row.heldByRelay || before.heldByDht !== row.heldByDht)
    emit(step, { type: 'invite', invite: inviteView(step, row) })
}

/** Answers who holds a link and asks this device itself; says as little to everyone else. */
export function answerInvite(step: Step, channel: number, input: Uint8Array): void {
  const { crypto, random } = step.context
  const question = inviteQuestion.decode(input)
  if (!question.ok) {
    step.effects.push({ kind: 'close', channel })
    return
  }
  const found = step.tx
    .all(inviteRows)
    .map(stateOfInvite)
    .find((state) => equalBytes(inviteKeys(crypto, state).locator, question.value.locator))
  const copy =
    found === undefined
      ? null
      : sealInviteCopy(
          crypto,
          inviteKeys(crypto, found),
          recordOf(step, found),
          random.bytes(sizes.aeadNonce),
        )
  step.effects.push({ kind: 'write', channel, frame: inviteAnswer.encode({ version: 1, copy }) })
}
