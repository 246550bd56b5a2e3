import { Secret, sizes } from '../crypto/index.ts'
import { publishingDays, recordExpiry, sealRecord } from '../discovery/index.ts'
import { UsageError } from '../errors.ts'
import {
  createInvite,
  decodeInvite,
  encodeInvite,
  formatInvite,
  inviteEditKey,
  inviteKeys,
  inviteStatus,
  renewInvite,
  revokeInvite,
  sealInviteCopy,
  writeInviteRecord,
  type InviteState,
} from '../identity/index.ts'
import { invariant } from '../errors.ts'
import { limits } from '../limits.ts'
import { recordRequest } from '../mailbox/index.ts'
import { bytes, bytesBetween, equalBytes, fields, frame, literal, nullable, toBase32 } from '../wire/index.ts'
import type { Commands, InviteView } from './api.ts'
import type { RelayLink, Step } from './context.ts'
import { sureNow } from './timers.ts'
import { emit } from './events.ts'
import { readId } from './lookup.ts'
import { storedLog } from './logs.ts'
import { requireMe } from './me.ts'
import { currentBundle } from './prekeys.ts'
import { introTarget } from './queues.ts'
import { ask } from './relay-link.ts'
import { inviteRows, relayRows, type Invite } from './tables.ts'

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
export function inviteView(row: Invite, nowMs: number): InviteView {
  const state = stateOfInvite(row)
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
    state: inviteStatus(state, nowMs),
    heldBy,
  }
}

/** Makes an invite and hands its record to the relays and the DHT. */
export function commandCreateInvite(step: Step, input: Commands['create-invite']['in']): InviteView {
  const { crypto, random, live } = step.context
  const { self } = requireMe(step)
  const open = step.tx
    .all(inviteRows)
    .filter((row) => inviteStatus(stateOfInvite(row), sureNow(step)) === 'open')
  if (open.length >= limits.openInvites)
    throw new UsageError('E_INVITES_FULL', 'too many invites are open', { hint: 'sotto invite revoke ID' })
  const host = step.tx.all(relayRows).find((relay) => relay.web !== null)?.web ?? null
  const direct = input.direct ?? host === null
  const state = createInvite(crypto, {
    account: self.account,
    secret: new Secret(random.bytes(16)),
    editSeed: new Secret(random.bytes(sizes.seed)),
    host,
    addresses: direct ? directHints(live.addresses) : [],
    nowMs: step.nowMs,
    ...(input.expiresInMs === undefined ? {} : { lifeMs: input.expiresInMs }),
    ...(input.uses === undefined ? {} : { uses: input.uses }),
  })
  const row: Invite = {
    inviteId: state.inviteId,
    state: encodeInvite(state),
    link: formatInvite(state),
    heldByRelay: false,
    heldByDht: false,
    published: 0,
  }
  step.tx.put(inviteRows, row.inviteId, row)
  publishInvite(step, row)
  return inviteView(row, sureNow(step))
}

/** Two addresses at most: one that is not loopback if there is one, and a WebSocket one for tabs. */
function directHints(addresses: readonly string[]): readonly string[] {
  const plain = addresses.filter(
    (address) => !address.includes('/p2p-circuit') && !address.includes('/webrtc'),
  )
  const far = plain.filter((address) => !address.includes('/127.0.0.1/') && !address.includes('/::1/'))
  const pool = far.length > 0 ? far : plain
  const tcp = pool.find((address) => !address.includes('/ws'))
  const ws = pool.find((address) => address.includes('/ws'))
  return [tcp, ws].filter((address) => address !== undefined).slice(0, limits.inviteAddresses)
}

/** Revokes an invite for good; its record says so from now on. */
export function commandRevokeInvite(step: Step, input: Commands['revoke-invite']['in']): InviteView {
  const row = step.tx.get(inviteRows, readId(input.inviteId, 'an invite id'))
  if (row === undefined) throw new UsageError('E_NOT_FOUND', 'there is no such invite')
  return inviteView(putInviteState(step, revokeInvite(stateOfInvite(row))), sureNow(step))
}

/** Stores a changed invite and publishes what its record says now. */
export function putInviteState(step: Step, state: InviteState): Invite {
  const row = step.tx.get(inviteRows, state.inviteId)
  invariant(row, 'E_INVITE', 'a used invite is not held')
  const changed = { ...row, state: encodeInvite(state) }
  if (equalBytes(changed.state, row.state)) return row
  step.tx.put(inviteRows, row.inviteId, changed)
  emit(step, { type: 'invite', invite: inviteView(changed, sureNow(step)) })
  publishInvite(step, changed)
  return changed
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
    conversation: null,
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

/** A relay's word on a record: it holds it, or not. */
export function recordAnswered(step: Step, inviteId: Uint8Array, held: boolean): void {
  const row = step.tx.get(inviteRows, inviteId)
  if (row === undefined || !held) return
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
    emit(step, { type: 'invite', invite: inviteView(row, sureNow(step)) })
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
