import {
  acceptHandshake,
  adopt,
  openFrom,
  openHandshake,
  type FirstFlight,
  type OpenedHandshake,
} from '../session/index.ts'
import {
  addOps,
  decodeInvite,
  emptyLog,
  findPrekeys,
  inviteKeys,
  peerIdOf,
  readGenesis,
  useInvite,
  type ActiveDevice,
  type DeviceLog,
  type InviteState,
} from '../identity/index.ts'
import { limits } from '../limits.ts'
import { equalBytes, idHex } from '../wire/index.ts'
import { learnLog } from './accounts.ts'
import type { Origin, Step } from './context.ts'
import { receivePayload } from './frame-payload.ts'
import { acknowledgeAll } from './gots.ts'
import { putSessions, sessionsWith } from './sessions.ts'
import { putInviteState } from './invites.ts'
import { tendAllQueues } from './relay-queues.ts'
import { conversationWith } from './conversations.ts'
import { decodeLog, stateOf, storedLog } from './logs.ts'
import { sureNow } from './timers.ts'
import { linkTo } from './lookup.ts'
import { requireMe } from './me.ts'
import { forgetAgreed } from './group-standing.ts'
import { ownPrekeys } from './prekeys.ts'
import {
  contactRows,
  contactStates,
  inviteRows,
  pairwiseRows,
  peerRows,
  replayRows,
  requestRows,
  type Contact,
} from './tables.ts'
import { newContact, newPeer } from './contacts.ts'

/**
 * A first flight: who it is from is known only once its inner part opened, and counts only once that device is
 * on the account's signed log, the transport agrees, and the handshake's own signature holds. Until then
 * nothing is stored.
 */
export async function receiveHandshake(
  step: Step,
  flight: FirstFlight,
  frame: Uint8Array,
  origin: Origin,
): Promise<void> {
  if (await receiveRepeat(step, flight, frame)) return
  const { crypto, log } = step.context
  const prekeys = findPrekeys(ownPrekeys(step), flight.fields.bundleTag)
  if (prekeys === undefined) {
    log.event('handshake-unknown-bundle')
    return
  }
  const opened = openHandshake(crypto, prekeys, flight, sureNow(step))
  if (!opened.ok) {
    log.event('handshake-refused')
    return
  }
  const introduced = introduce(step, opened)
  if (introduced === undefined) {
    log.event('handshake-unknown-device')
    return
  }
  const { device } = introduced
  if (origin.via === 'channel' && peerIdOf(device.transportKey) !== origin.peerId) {
    step.effects.push({ kind: 'close', channel: origin.channel })
    log.event('handshake-wrong-peer')
    return
  }
  const me = requireMe(step)
  const invites = step.tx
    .all(inviteRows)
    .map((row) => decodeInvite(row.state))
    .filter((one) => one !== undefined)
  const psks = invites.map((invite) => inviteKeys(crypto, invite).psk.expose())
  const own = { certificate: me.certificate, keys: { identity: me.identity, agreement: me.agreement } }
  const accepted = acceptHandshake(crypto, own, prekeys, opened, device.certificate, psks, sureNow(step))
  if (!accepted.ok) {
    log.event('handshake-refused')
    return
  }
  const before = step.tx.get(requestRows, device.account)
  if (!admitContact(step, device, accepted.invite === undefined ? undefined : invites[accepted.invite]))
    return
  learnLog(step, introduced.log)
  if (step.tx.get(contactRows, device.account)?.state !== contactStates.member)
    conversationWith(step, device.account)
  const known = step.tx.get(peerRows, device.device)
  step.tx.put(peerRows, device.device, {
    ...(known ?? newPeer(device)),
    peerId: peerIdOf(device.transportKey),
    // A flight that a later copy of this home has answered may come again: it mends nothing here.
    renew: known?.renew === true && sessionsWith(step, device.device).sessions.some(({ retired }) => retired),
  })
  // What was under way on a session that is replaced may be lost, and its other end an older copy: the two compare
  // again, and it is told again what of its own is here.
  if (step.tx.get(pairwiseRows, device.device) !== undefined) {
    linkTo(step, device.device).met = true
    acknowledgeAll(step, device)
    forgetAgreed(step, device.device)
  }
  step.context.live.begun.add(idHex(accepted.session.id))
  putSessions(step, device.device, adopt(sessionsWith(step, device.device), accepted.session))
  step.spent.push(...accepted.spent)
  rememberFlight(step, flight, device)
  tendAllQueues(step)
  await receivePayload(step, device.device, accepted.plaintext, frame, before ?? null)
}

/** A first flight seen before rides on later messages too; it must open on the session it made. */
async function receiveRepeat(step: Step, flight: FirstFlight, frame: Uint8Array): Promise<boolean> {
  const seen = step.tx.get(replayRows, flight.replayKey)
  if (seen === undefined) return false
  const opened = openFrom(step.context.crypto, sessionsWith(step, seen.device), frame, sureNow(step))
  if (!opened.ok) step.context.log.event('handshake-replayed')
  else {
    putSessions(step, seen.device, opened.peer)
    step.spent.push(...opened.spent)
    await receivePayload(step, seen.device, opened.plaintext, frame)
  }
  return true
}

function rememberFlight(step: Step, flight: FirstFlight, { device }: ActiveDevice): void {
  const rows = step.tx.all(replayRows)
  if (rows.length >= limits.replayCacheEntries) {
    const oldest = rows.reduce((a, b) => (b.atMs < a.atMs ? b : a))
    step.tx.delete(replayRows, oldest.tag)
  }
  step.tx.put(replayRows, flight.replayKey, { tag: flight.replayKey, device, atMs: step.nowMs })
}

/** The device a handshake names, if the account's log, as known here or introduced, has it active. */
function introduce(
  step: Step,
  opened: OpenedHandshake,
): { readonly device: ActiveDevice; readonly log: DeviceLog } | undefined {
  const { claims } = opened
  const base = storedLog(step, claims.account) ?? introducedLog(step, opened)
  if (base === undefined) return undefined
  const ops = claims.introduction === null ? [] : (decodeLog(claims.introduction.log) ?? [])
  // Kept only once the whole handshake has been accepted; until then anybody could make it grow.
  const log = ops.length === 0 ? base : addOps(step.context.crypto, base, ops, step.nowMs).log
  const device = [...stateOf(step, log).active.values()].find((one) =>
    equalBytes(one.certificate.bytes, claims.certificate),
  )
  return device === undefined ? undefined : { device, log }
}

function introducedLog(step: Step, { claims }: OpenedHandshake): DeviceLog | undefined {
  if (claims.introduction === null) return undefined
  const account = readGenesis(step.context.crypto, claims.introduction.genesis)
  return account !== undefined && equalBytes(account.id, claims.account) ? emptyLog(account) : undefined
}

/** Contacts whose first flights need no invite. */
const talking: ReadonlySet<number> = new Set([
  contactStates.connected,
  contactStates.pending,
  contactStates.member,
  contactStates.own,
])

/** Decides what the stranger or contact is from now on; false when nothing of the handshake is to be kept. */
function admitContact(step: Step, device: ActiveDevice, invite: InviteState | undefined): boolean {
  const { account } = device
  const known = step.tx.get(contactRows, account)
  if (known?.state === contactStates.blocked) return false
  const connected = known !== undefined && talking.has(known.state)
  if (invite === undefined) return connected || admitRequest(step, account, known)
  const used = useInvite(invite, account, sureNow(step))
  if (used.verdict === 'accepted') putInviteState(step, used.value)
  if (connected && known.state !== contactStates.member) return true
  const base = known ?? newContact(step, account)
  if (used.verdict === 'accepted') {
    step.tx.put(contactRows, account, { ...base, state: contactStates.connected, owed: null })
    step.tx.delete(requestRows, account)
    return true
  }
  if (connected) return true
  if (used.verdict !== 'rejected' || (known === undefined && !mayRefuse(step))) return false
  step.tx.put(contactRows, account, { ...base, state: contactStates.refused, owed: used.reason })
  return true
}

/** Whoever holds a spent link can come under any number of accounts; only so many are answered and remembered. */
const mayRefuse = (step: Step): boolean =>
  step.tx.all(contactRows).filter((one) => one.state === contactStates.refused).length < limits.openRequests

function admitRequest(step: Step, account: ActiveDevice['account'], known: Contact | undefined): boolean {
  if (known !== undefined) return true
  const open = step.tx.all(requestRows).filter((request) => !request.ignored)
  if (open.length >= limits.openRequests) return false
  const request = { requestId: account, account, name: '', atMs: step.nowMs, ignored: false }
  step.tx.put(requestRows, request.requestId, request)
  step.tx.put(contactRows, account, { ...newContact(step, account), state: contactStates.requested })
  return true
}
