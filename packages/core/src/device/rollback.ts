import type { AccountId } from '../identity/index.ts'
import { retire } from '../session/index.ts'
import { equalBytes, idHex, toBase32, utf8 } from '../wire/index.ts'
import { limits } from '../limits.ts'
import { noteDevice } from './audit.ts'
import { bootBeyond, bootOf } from './boots.ts'
import type { Step } from './context.ts'
import { conversationNow, putConversation, remoteOf, withRemote } from './conversations.ts'
import { emit } from './events.ts'
import { rowKey } from './outbox-rows.ts'
import type { Payload, PayloadItem } from './payload.ts'
import { putSessions, sessionsWith } from './sessions.ts'
import {
  conversationRows,
  outboxRows,
  pairwiseRows,
  peerRows,
  warningRows,
  type Conversation,
  type Peer,
  type Remote,
} from './tables.ts'
import { clearWarning, warn } from './warnings.ts'

/** How far a contact may say we are behind; more is no mistake anybody makes. */
export const jumpLimit = 100_000

/**
 * Boot numbers only grow. A peer whose number fell, by its own clock after it had said a higher one, runs on an
 * older copy of its home; a peer that has seen a higher one of ours tells us that we do. Either way the session
 * is made anew before the next send.
 */
export function noteBoot(step: Step, peer: Peer, payload: Payload): void {
  if (payload.bootSeen > bootOf(step) && payload.bootSeen - bootOf(step) <= jumpLimit) {
    ownRollback(step, peer.account)
    bootBeyond(step, payload.bootSeen)
  }
  const behind = payload.boot < peer.boot && payload.sentAtMs > peer.bootAtMs
  if (behind && payload.boot !== peer.bootNow) peerRolledBack(step, peer)
  const held = step.tx.get(peerRows, peer.device) ?? peer
  if (payload.boot > held.boot)
    step.tx.put(peerRows, peer.device, {
      ...held,
      boot: payload.boot,
      bootNow: payload.boot,
      bootAtMs: payload.sentAtMs,
    })
  else if (behind) step.tx.put(peerRows, peer.device, { ...held, bootNow: payload.boot })
}

/** A contact's device goes on from an older copy of itself: said once, and the session is made anew. */
export function peerRolledBack(step: Step, peer: Peer): void {
  const accountId = toBase32(peer.account)
  const said = step.events.some(
    (event) => event.type === 'device' && event.accountId === accountId && event.change === 'rolled-back',
  )
  if (!said && !peer.renew) {
    emit(step, { type: 'device', accountId, deviceId: toBase32(peer.device), change: 'rolled-back' })
    noteDevice(step, peer.account, peer.device, 'rolled-back')
  }
  const held = step.tx.get(peerRows, peer.device) ?? peer
  step.tx.put(peerRows, peer.device, { ...held, renew: true })
}

/**
 * This home is an older copy of itself: say so, and send nothing more under the sessions it holds. What was
 * sealed and not acknowledged is sealed again on the new ones. Where nothing but an account's word says it, that
 * concerns the sessions with its devices alone; the others say it themselves.
 */
export function ownRollback(step: Step, by?: AccountId): void {
  const code = 'E_STORE_ROLLED_BACK'
  const before = step.tx.get(warningRows, utf8(code))
  const again = before !== undefined && Math.abs(step.nowMs - before.atMs) < limits.rehandshakeMs
  if (!again) clearWarning(step, code)
  warn(
    step,
    code,
    'This home was restored from an older copy. Messages sent since are kept by your contacts.',
  )
  for (const peer of step.tx.all(peerRows)) {
    if (by !== undefined && !equalBytes(peer.account, by)) continue
    step.tx.put(peerRows, peer.device, { ...peer, renew: true })
    if (step.tx.get(pairwiseRows, peer.device) === undefined) continue
    const { begun } = step.context.live
    const held = retire(sessionsWith(step, peer.device), ({ id }) => begun.has(idHex(id)))
    // The handshake remembered here may be long gone: the first one after a rollback waits for no limit.
    putSessions(step, peer.device, again ? held : { ...held, handshakeAtMs: 0 })
  }
  for (const conversation of step.tx.all(conversationRows)) {
    if (by === undefined) sealAgain(step, conversation)
    else
      for (const { account, device } of conversation.remotes)
        if (equalBytes(account, by)) sealAgain(step, conversationNow(step, conversation), device)
  }
}

/** Frames on their way are dropped; their records go into new ones. */
function sealAgain(step: Step, conversation: Conversation, device?: Uint8Array): void {
  for (const row of step.tx.all(outboxRows))
    if (
      row.conversation !== null &&
      equalBytes(row.conversation, conversation.conversation) &&
      (device === undefined || equalBytes(row.device, device))
    )
      step.tx.delete(outboxRows, rowKey(row.seq))
  const remotes = conversation.remotes.map((remote) =>
    device === undefined || equalBytes(remote.device, device)
      ? { ...remote, sealedUpTo: unsealed(remote) }
      : remote,
  )
  putConversation(step, { ...conversation, remotes })
}

/** From where on a device is sent everything again. */
const unsealed = ({ from, sealedUpTo, got }: Remote): number =>
  Math.max(from, Math.min(sealedUpTo, got.upTo, ...got.holes))

type Got = Extract<PayloadItem, { readonly kind: 'got' }>

/** Whether an acknowledgement that says less than before comes from a later opening: then it has forgotten. */
export const hasForgotten = (remote: Remote, payload: Payload): boolean =>
  payload.boot !== remote.gotBoot && payload.sentAtMs > remote.gotAtMs

/** What the peer no longer has is sent again. */
export function forgetAcknowledged(
  step: Step,
  conversation: Conversation,
  peer: Peer,
  item: Got,
  payload: Payload,
): void {
  const remote = remoteOf(conversation, peer)
  const got = { upTo: item.upTo, holes: item.holes }
  const said = { gotBoot: payload.boot, gotAtMs: payload.sentAtMs }
  sealAgain(step, withRemote(conversation, { ...remote, ...said, got }), peer.device)
}
