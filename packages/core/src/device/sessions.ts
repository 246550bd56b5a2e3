import {
  decodePairwise,
  encodePairwise,
  initiateEntropyBytes,
  needsHandshake,
  newSession,
  noSessions,
  sealEntropyBytes,
  sealTo,
  type Pairwise,
} from '../session/index.ts'
import { pad } from '../crypto/index.ts'
import { invariant } from '../errors.ts'
import { judgeBundle, readBundle, type DeviceId, type KeyBundle } from '../identity/index.ts'
import type { Step } from './context.ts'
import { idHex } from '../wire/index.ts'
import { encodeLog, headsOf, stateOf, storedLog } from './logs.ts'
import { sureNow } from './timers.ts'
import { bootOf } from './boots.ts'
import { requireMe } from './me.ts'
import { payloadFrame, payloadHeads, type PayloadItem } from './payload.ts'
import { contactStates, pairwiseRows, peerRows, type Contact, type Peer } from './tables.ts'

/** Sessions with a device. */
export function sessionsWith(step: Step, device: DeviceId): Pairwise {
  const row = step.tx.get(pairwiseRows, device)
  if (row === undefined) return noSessions
  const pairwise = decodePairwise(row)
  invariant(pairwise, 'E_SESSION', 'a session row does not decode')
  return pairwise
}

export const putSessions = (step: Step, device: DeviceId, pairwise: Pairwise): void =>
  step.tx.put(pairwiseRows, device, encodePairwise(pairwise))

/**
 * Seals items for a device, on a new session when one is due. Undefined when there is none and no bundle to
 * begin one with. The moved state is in the step's batch, so the frame leaves only once that is durable.
 */
export function sealItems(
  step: Step,
  peer: Peer,
  contact: Contact,
  items: readonly PayloadItem[],
): Uint8Array | undefined {
  const { crypto, random } = step.context
  const me = requireMe(step)
  const payload = payloadFrame.encode({
    version: 1,
    boot: bootOf(step),
    bootSeen: peer.boot,
    sentAtMs: step.nowMs,
    myLogHeads: headsOf(storedLog(step, me.self.account)).slice(0, payloadHeads),
    yourLogHeads: headsOf(storedLog(step, peer.account)).slice(0, payloadHeads),
    items,
  })
  const pairwise = currentSessions(step, peer, contact)
  const sealed = sealTo(crypto, pairwise, pad(payload), random.bytes(sealEntropyBytes), sureNow(step))
  if (!sealed.ok) return undefined
  putSessions(step, peer.device, sealed.peer)
  step.spent.push(...sealed.spent)
  return sealed.frame
}

/** The sessions, with a new one in front when a handshake is due and a bundle is known. */
function currentSessions(step: Step, peer: Peer, contact: Contact): Pairwise {
  const { crypto, random } = step.context
  const held = sessionsWith(step, peer.device)
  const need = needsHandshake(held, sureNow(step), peer.renew ? 'state-lost' : undefined)
  if (need === undefined || peer.bundle === null) return held
  const bundle = readBundle(crypto, peer.bundle, sureNow(step), peer)
  if (bundle.verdict !== 'accepted' || !mayShakeHands(step, peer, bundle.value)) return held
  const me = requireMe(step)
  const log = storedLog(step, me.self.account)
  invariant(log, 'E_SELF', 'the own device log is missing')
  const own = { certificate: me.certificate, keys: { identity: me.identity, agreement: me.agreement } }
  // Whoever has not spoken yet may not know this account, or this device of it.
  const stranger = contact.state === contactStates.pending || peer.heardAtMs === 0
  const options = {
    logHeads: headsOf(log),
    invite: contact.invitePsk?.expose(),
    introduction: stranger ? { genesis: me.self.genesis, log: encodeLog(log) } : undefined,
  }
  const entropy = random.bytes(initiateEntropyBytes)
  const begun = newSession(crypto, held, { own, bundle: bundle.value, options }, entropy, sureNow(step))
  if (!begun.ok) return held
  step.tx.put(peerRows, peer.device, { ...peer, renew: false })
  step.context.live.begun.add(idHex(begun.session))
  return begun.peer
}

/** Whether the bundle's device is active and neither has expired; an expired one is looked for anew. */
function mayShakeHands(step: Step, peer: Peer, bundle: KeyBundle): boolean {
  const log = storedLog(step, peer.account)
  if (log === undefined) return false
  const judged = judgeBundle(stateOf(step, log), bundle, sureNow(step))
  if (judged.verdict === 'accepted') return true
  step.context.live.lookups.add(idHex(peer.device))
  return judged.verdict === 'rejected' && judged.reason !== 'not-active' && step.context.live.clockDoubted
}
