import { missingFrom, type DeviceLog, type LogOpId } from '../identity/index.ts'
import { equalBytes, idHex, toHex } from '../wire/index.ts'
import type { ToldView } from './api.ts'
import type { Step } from './context.ts'
import { activeRemotes } from './conversations.ts'
import { saidHeads } from './group-standing.ts'
import { stateOf, storedLog } from './logs.ts'
import { requireMe } from './me.ts'
import { contactRows, contactStates, conversationRows } from './tables.ts'

/** Whose devices are told who is in this account; strangers and blocked contacts are not. */
const hearing: ReadonlySet<number> = new Set([
  contactStates.connected,
  contactStates.own,
  contactStates.member,
])

/**
 * How many of the devices this account talks with hold the word that put a device of its out: own ones, those of
 * contacts and of members. Counted by the heads of the own device log that each said it holds.
 */
export function toldOfRemoval(step: Step, removed: Uint8Array): ToldView | null {
  const { self } = requireMe(step)
  const log = storedLog(step, self.account)
  const revokes = log === undefined ? undefined : stateOf(step, log).revoked.get(toHex(removed))
  if (log === undefined || revokes === undefined) return null
  const told = new Map<string, boolean>()
  for (const conversation of step.tx.all(conversationRows))
    for (const remote of activeRemotes(conversation)) {
      const { state } = step.tx.get(contactRows, remote.account) ?? {}
      if (state === undefined || !hearing.has(state)) continue
      const key = idHex(remote.device)
      const said = saidHeads(step, conversation, remote, self.account)
      told.set(key, told.get(key) === true || (said !== undefined && holdsAny(log, said, revokes)))
    }
  return { devices: [...told.values()].filter(Boolean).length, of: told.size }
}

/** Whether whoever holds a log up to these heads holds one of these operations. */
function holdsAny(log: DeviceLog, heads: readonly Uint8Array[], ops: readonly LogOpId[]): boolean {
  const lacking = new Set(missingFrom(log, heads as readonly LogOpId[]).ops)
  return log.entries.some(({ op }) => ops.some((one) => equalBytes(one, op.id)) && !lacking.has(op.bytes))
}
