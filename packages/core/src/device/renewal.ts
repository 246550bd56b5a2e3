import {
  lapsed,
  mayRenew,
  ownRenewDue,
  writeDeviceOp,
  type DeviceId,
  type LogState,
} from '../identity/index.ts'
import { limits } from '../limits.ts'
import { equalBytes, toBase32, toHex } from '../wire/index.ts'
import { extendLog } from './accounts.ts'
import { noteDevice } from './audit.ts'
import type { Step } from './context.ts'
import { conversationsWith, refreshRemotes } from './conversations.ts'
import { emit } from './events.ts'
import { activeDevice, stateOf, storedLog } from './logs.ts'
import { requireMe } from './me.ts'
import { peerRows } from './tables.ts'
import { clearWarning, warn } from './warnings.ts'

/**
 * Keeps the certificates of this account's devices alive: alone a device renews itself; with siblings each renews
 * those it has heard from, so that a lost one ends by itself.
 */
export function renewDevices(step: Step): void {
  const me = requireMe(step)
  const log = storedLog(step, me.self.account)
  if (log === undefined) return
  const state = stateOf(step, log)
  const heardAtMs = siblingHeardAtMs(step)
  const presence = { onlineDays: 0, justSynced: false, siblingHeardAtMs: heardAtMs }
  const own = ownRenewDue(state, me.self.device, presence, step.nowMs)
  if (own.kind === 'renew') renew(step, me.self.device, own.notAfterMs)
  for (const sibling of state.active.values()) {
    if (equalBytes(sibling.device, me.self.device)) continue
    const heard = step.tx.get(peerRows, sibling.device)?.heardAtMs ?? 0
    const advice = mayRenew(sibling, heard === 0 ? undefined : heard, step.nowMs)
    if (advice.kind === 'renew') renew(step, sibling.device, advice.notAfterMs)
  }
  warnOfExpiry(step, state)
}

function siblingHeardAtMs(step: Step): number | undefined {
  const { self } = requireMe(step)
  const heard = step.tx
    .all(peerRows)
    .filter((peer) => equalBytes(peer.account, self.account) && peer.heardAtMs > 0)
    .map((peer) => peer.heardAtMs)
  return heard.length === 0 ? undefined : Math.max(...heard)
}

function renew(step: Step, device: DeviceId, notAfterMs: number): void {
  const me = requireMe(step)
  const log = storedLog(step, me.self.account)
  if (log === undefined) return
  const own = { identity: me.identity, device: me.self.device }
  const op = writeDeviceOp(step.context.crypto, log, own, { kind: 'renew', device, notAfterMs }, step.nowMs)
  extendLog(step, log, [op.bytes])
}

/** Says in time that no other device of the account has renewed this one. */
function warnOfExpiry(step: Step, state: LogState): void {
  const code = 'E_DEVICE_EXPIRES'
  const me = state.active.get(toHex(requireMe(step).self.device))
  if (me === undefined || me.notAfterMs - step.nowMs > limits.expiryWarningMs) return clearWarning(step, code)
  warn(
    step,
    code,
    'No other device of yours has renewed this one for a month. Bring one online, or this device must be linked again.',
  )
}

/** Devices whose certificate ran out, or was renewed after that: told once, and given nothing while it lasts. */
export function watchExpiry(step: Step): void {
  for (const peer of step.tx.all(peerRows)) {
    const log = storedLog(step, peer.account)
    const device = log === undefined ? undefined : activeDevice(step, log, peer.device)
    if (device === undefined || lapsed(device, step.nowMs) === peer.expired) continue
    step.tx.put(peerRows, peer.device, { ...peer, expired: !peer.expired })
    for (const conversation of conversationsWith(step, peer.device)) refreshRemotes(step, conversation)
    if (peer.expired) continue
    const [accountId, deviceId] = [toBase32(peer.account), toBase32(peer.device)]
    emit(step, { type: 'device', accountId, deviceId, change: 'expired' })
    noteDevice(step, peer.account, peer.device, 'expired')
  }
}
