import { cutBefore, writeDeviceOp, type DeviceId } from '../identity/index.ts'
import { UsageError } from '../errors.ts'
import { equalBytes, idHex, toBase32 } from '../wire/index.ts'
import { extendLog } from './accounts.ts'
import type { Commands } from './api.ts'
import type { Step } from './context.ts'
import { writeCut } from './cut-devices.ts'
import { tellAll } from './group-exchange.ts'
import { readId } from './lookup.ts'
import { stateOf, storedLog } from './logs.ts'
import { requireMe } from './me.ts'
import { conversationRows } from './tables.ts'
import { toldOfRemoval } from './told.ts'

/**
 * Puts another device of this account out. In the same batch the words of the device are cut in every conversation
 * known here, as far as they came.
 */
export async function commandRemoveDevice(
  step: Step,
  input: Commands['remove-device']['in'],
): Promise<Commands['remove-device']['out']> {
  const me = requireMe(step)
  const { self } = me
  const device = readId(input.deviceId, 'a device id') as DeviceId
  if (equalBytes(device, self.device))
    throw new UsageError('E_OWN_DEVICE', 'this is the device in use; remove it on another one')
  const log = storedLog(step, self.account)
  if (log === undefined || !stateOf(step, log).active.has(idHex(device)))
    throw new UsageError('E_NOT_FOUND', 'this account has no such device')
  const { crypto } = step.context
  const own = { identity: me.identity, device: self.device }
  // Everything known of it stands, whatever clocks say: among it may be the removal of a third device.
  const cut = cutBefore(log, device, Infinity)
  const op = writeDeviceOp(crypto, log, own, { kind: 'revoke', device, cut }, step.nowMs)
  extendLog(step, log, [op.bytes])
  for (const conversation of step.tx.all(conversationRows)) {
    await writeCut(step, conversation, device)
    tellAll(step, conversation)
  }
  const told = toldOfRemoval(step, device) ?? { devices: 0, of: 0 }
  return { deviceId: toBase32(device), told }
}
