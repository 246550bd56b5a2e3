import { resolveAt, resolveLog, type DeviceLog, type LogOpId, type LogState } from '../identity/index.ts'
import { toHex } from '../wire/index.ts'

/** Device logs as operations pin them. */

/** States kept of one log; conversations name few different heads. */
const remembered = 64
const states = new WeakMap<DeviceLog, Map<string, LogState>>()

/**
 * What a device log says at these heads; undefined while one is missing. Most operations of an account pin the
 * same heads, so the last answers are remembered: the result is a function of the arguments alone.
 */
export function accountAt(log: DeviceLog, heads: readonly LogOpId[]): LogState | undefined {
  const known = states.get(log) ?? new Map<string, LogState>()
  states.set(log, known)
  const key = heads.map(toHex).join()
  const found = known.get(key)
  if (found !== undefined) return found
  const state = resolveAt(log, heads)
  if (state === undefined) return undefined
  if (known.size >= remembered) known.clear()
  known.set(key, state)
  return state
}

const current = new WeakMap<DeviceLog, LogState>()

/** What the whole log says. */
export function accountNow(log: DeviceLog): LogState {
  const known = current.get(log)
  if (known !== undefined) return known
  const state = resolveLog(log)
  current.set(log, state)
  return state
}
