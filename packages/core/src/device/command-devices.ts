import type { DeviceId } from '../identity/index.ts'
import { UsageError } from '../errors.ts'
import { equalBytes, idHex, toBase32 } from '../wire/index.ts'
import type { Commands } from './api.ts'
import type { Step } from './context.ts'
import { revokeOwn } from './cut-devices.ts'
import { readId } from './lookup.ts'
import { stateOf, storedLog } from './logs.ts'
import { requireMe } from './me.ts'
import { toldOfRemoval } from './told.ts'

/** Puts another device of this account out. */
export async function commandRemoveDevice(
  step: Step,
  input: Commands['remove-device']['in'],
): Promise<Commands['remove-device']['out']> {
  const { self } = requireMe(step)
  const device = readId(input.deviceId, 'a device id') as DeviceId
  if (equalBytes(device, self.device))
    throw new UsageError('E_OWN_DEVICE', 'this is the device in use; remove it on another one')
  const log = storedLog(step, self.account)
  if (log === undefined || !stateOf(step, log).active.has(idHex(device)))
    throw new UsageError('E_NOT_FOUND', 'this account has no such device')
  await revokeOwn(step, log, device)
  const told = toldOfRemoval(step, device) ?? { devices: 0, of: 0 }
  return { deviceId: toBase32(device), told }
}
