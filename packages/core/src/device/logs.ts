import {
  addOps,
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
import { bytesBetween, frame, list, toHex } from '../wire/index.ts'
import { limits } from '../limits.ts'
import type { Step } from './context.ts'
import { logRows } from './tables.ts'

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
  if (row === undefined) return undefined
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

export const putLog = (step: Step, log: DeviceLog): void =>
  step.tx.put(logRows, log.account.id, { genesis: log.account.bytes, ops: logOps(log) })

/** An active device of an account, by id. */
export const activeDevice = (step: Step, log: DeviceLog, device: Uint8Array): ActiveDevice | undefined =>
  stateOf(step, log).active.get(toHex(device))

/** Adds what a peer said to a log it may extend; the log as it is then, stored when it grew. */
export function extendLog(step: Step, log: DeviceLog, ops: readonly Uint8Array[]): DeviceLog {
  const result = addOps(step.context.crypto, log, ops, step.nowMs)
  if (result.added.length > 0) putLog(step, result.log)
  return result.log
}

export const encodeLog = (log: DeviceLog): Uint8Array => logFrame.encode(logOps(log))

/** The ops of an introduction; undefined when they are none. */
export function decodeLog(input: Uint8Array): readonly Uint8Array[] | undefined {
  const decoded = logFrame.decode(input)
  return decoded.ok ? decoded.value : undefined
}

export const headsOf = (log: DeviceLog | undefined): readonly LogOpId[] =>
  log === undefined ? [] : logHeads(log)
