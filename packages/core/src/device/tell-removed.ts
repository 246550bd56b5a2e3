import { logOps, type DeviceLog } from '../identity/index.ts'
import { limits } from '../limits.ts'
import { withinBytes } from './accounts.ts'
import type { PeerLink, Step } from './context.ts'
import { sealItems } from './sessions.ts'
import { contactStates, type Contact, type Peer } from './tables.ts'

/**
 * The newest operations of the log, in which a removed device of this account finds why nobody answers it: once a
 * channel, and again when it goes on speaking as if it had not heard.
 */
export function tellRemoved(step: Step, peer: Peer, contact: Contact, link: PeerLink, log: DeviceLog): void {
  const { channel } = link
  const isUnaware = link.extras.some(({ kind }) => kind === 'logOps')
  link.extras = []
  if (channel === undefined || contact.state !== contactStates.own) return
  if (link.outTold === channel && !isUnaware) return
  link.met = false
  link.outTold = channel
  const ops = withinBytes(logOps(log).toReversed(), limits.payloadLogOps, logOpsBudget)
  const frame = sealItems(step, peer, contact, [{ kind: 'logOps', ops: ops.slice(0, 64) }])
  if (frame !== undefined) step.effects.push({ kind: 'write', channel, frame })
}

/** Bytes of log operations told to a device that is out. */
const logOpsBudget = 8 * 1024
