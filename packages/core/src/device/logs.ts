import {
  logHeads,
  logOps,
  resolveLog,
  restoreLog,
  type AccountId,
  type ActiveDevice,
  type DeviceLog,
  type LogOpId,
  type LogState,
} from '../identity/index.ts'
import type { SignPublicKey } from '../crypto/index.ts'
import { bytesBetween, frame, idHex, list } from '../wire/index.ts'
import { limits } from '../limits.ts'
import type { Step } from './context.ts'
import { logRows, type StoredLog } from './tables.ts'

const parsed = new WeakMap<object, DeviceLog>()
const resolved = new WeakMap<DeviceLog, LogState>()

/** Ops as they ride in a first flight. */
const logFrame = frame(
  'device-log',
  list(bytesBetween(1, limits.deviceLogOpBytes), limits.deviceLogOps),
  limits.strangerLogBytes,
)

/** A stored device log, or undefined for an account nobody introduced. */
export function storedLog(step: Step, account: AccountId): DeviceLog | undefined {
  const row = step.tx.get(logRows, account)
  return row === undefined ? undefined : parsedLog(step, row)
}

/** The log of a row; parsed once for each. */
export function parsedLog(step: Step, row: StoredLog): DeviceLog {
  const known = parsed.get(row)
  if (known !== undefined) return known
  const log = restoreLog(step.context.crypto, row.genesis, row.ops)
  parsed.set(row, log)
  return log
}

/** What a log says; computed once for each set of ops. */
export function stateOf(step: Step, log: DeviceLog): LogState {
  const known = resolved.get(log)
  if (known !== undefined) return known
  const state = resolveLog(log)
  resolved.set(log, state)
  return state
}

/** Stores a log; whoever depends on what it says asks again. `learnLog` does more where it may have grown. */
export function putLog(step: Step, log: DeviceLog): void {
  step.tx.put(logRows, log.account.id, { genesis: log.account.bytes, ops: logOps(log) })
  step.context.live.logsVersion += 1
}

/** An active device of an account, by id. */
export const activeDevice = (step: Step, log: DeviceLog, device: Uint8Array): ActiveDevice | undefined =>
  stateOf(step, log).active.get(idHex(device))

export const encodeLog = (log: DeviceLog): Uint8Array => logFrame.encode(logOps(log))

/** The ops of an introduction; undefined when they are none. */
export function decodeLog(input: Uint8Array): readonly Uint8Array[] | undefined {
  const decoded = logFrame.decode(input)
  return decoded.ok ? decoded.value : undefined
}

export const headsOf = (log: DeviceLog | undefined): readonly LogOpId[] =>
  log === undefined ? [] : logHeads(log)

/** Identity key of a device that is on the account's log, or was. */
export function identityKeyOf(
  step: Step,
  account: Uint8Array,
  device: Uint8Array,
): SignPublicKey | undefined {
  const log = storedLog(step, account as AccountId)
  return log?.certificates.get(idHex(device))?.identityKey
}
