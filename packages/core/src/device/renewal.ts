import { ownRenewDue, writeDeviceOp } from '../identity/index.ts'
import type { Step } from './context.ts'
import { extendLog, stateOf, storedLog } from './logs.ts'
import { requireMe } from './me.ts'

/**
 * Renews this device's certificate in its own log when it is due. An account with one device renews itself; with
 * siblings, presence would have to be known, and they renew each other.
 */
export function renewOwn(step: Step): void {
  const me = requireMe(step)
  const log = storedLog(step, me.self.account)
  if (log === undefined) return
  const presence = { onlineDays: 0, justSynced: false, siblingHeardAtMs: step.nowMs }
  const due = ownRenewDue(stateOf(step, log), me.self.device, presence, step.nowMs)
  if (due.kind !== 'renew') return
  const { device } = me.self
  const own = { identity: me.identity, device }
  const op = writeDeviceOp(
    step.context.crypto,
    log,
    own,
    { kind: 'renew', device, notAfterMs: due.notAfterMs },
    step.nowMs,
  )
  extendLog(step, log, [op.bytes])
}
