import { UsageError } from '../errors.ts'
import { equalBytes, toHex } from '../wire/index.ts'
import type { DeviceLog, LogEntry } from './device-log.ts'
import type { DeviceId } from './ids.ts'
import { canonicalOrder, everything, pastOf, within, type Frontier } from './log-graph.ts'
import { resolveSlice } from './log-resolve.ts'

/** Bytes a string in a list takes beside its own. */
const headBytes = 3

/** Bytes of strings in lists, at most. */
export const listBytes = (list: readonly Uint8Array[]): number =>
  list.reduce((sum, one) => sum + one.length + headBytes, 0)

/** The fewest operations that prove a device active; none when it is not. */
export function provingOps(log: DeviceLog, device: DeviceId): readonly Uint8Array[] {
  const by = toHex(device)
  const part = isActive(log, everything(log), by) ? smallestPart(log, by, measure(log)) : []
  return opsIn(log, part)
}

const opsIn = (log: DeviceLog, part: Frontier): readonly Uint8Array[] =>
  log.entries
    .filter((entry) => within(part, entry))
    .sort(canonicalOrder)
    .map((entry) => entry.op.bytes)

/** What of a log and of the bundles goes into an invite record. */
export interface InvitePack {
  readonly ops: readonly Uint8Array[]
  readonly bundles: readonly Uint8Array[]
}

/**
 * Chooses what fits into `room` bytes: first the add of the signing device with its past and the device's
 * bundle, without which the record is worth nothing; then the rest of the log, in parts that each carry
 * their past, newest revokes first, then renewals of the device, then everything, newest first; then other
 * bundles. A part under which the device would not be active stays out.
 */
export function packInvite(
  log: DeviceLog,
  device: DeviceId,
  bundles: readonly Uint8Array[],
  room: number,
): InvitePack {
  const by = toHex(device)
  const [first, ...others] = bundles
  const sizeOf = measure(log)
  const forOps = room - (first === undefined ? 0 : first.length + headBytes)
  const part = grow(log, by, provingPart(log, by, sizeOf, forOps), sizeOf, forOps)
  let left = forOps - sizeOf(part)
  const more = others.filter((bundle) => {
    const fits = bundle.length + headBytes <= left
    if (fits) left -= bundle.length + headBytes
    return fits
  })
  return { ops: opsIn(log, part), bundles: first === undefined ? [] : [first, ...more] }
}

/** Bytes of a part of the log in a record. */
type Measure = (part: Frontier) => number

/** Sums each chain once, so that measuring a part of a long log costs one addition a chain. */
function measure(log: DeviceLog): Measure {
  const sums = log.chains.map(({ entries }) => {
    let sum = 0
    return [0, ...entries.map((index) => (sum += (log.entries[index]?.op.bytes.length ?? 0) + headBytes))]
  })
  return (part) => part.reduce((total, count, chain) => total + (sums[chain]?.[count] ?? 0), 0)
}

/** The smallest part that proves the device active. */
function provingPart(log: DeviceLog, by: string, sizeOf: Measure, room: number): Frontier {
  if (!isActive(log, everything(log), by))
    throw new UsageError('E_DEVICE_NOT_ACTIVE', 'only an active device signs an invite')
  const part = smallestPart(log, by, sizeOf)
  if (sizeOf(part) > room)
    throw new UsageError('E_INVITE_TOO_LARGE', 'device log and bundle leave no room for an invite record', {
      detail: { bytes: sizeOf(part), limit: Math.max(room, 0) },
    })
  return part
}

function smallestPart(log: DeviceLog, by: string, sizeOf: Measure): Frontier {
  const parts = log.entries
    .filter((entry) => adds(log, entry, by))
    .map((entry) => pastOf([entry]))
    .sort((a, b) => sizeOf(a) - sizeOf(b))
  return parts.find((one) => isActive(log, one, by)) ?? everything(log)
}

/** Adds parts while there is room and the device stays active. */
function grow(log: DeviceLog, by: string, base: Frontier, sizeOf: Measure, room: number): Frontier {
  if (sizeOf(everything(log)) <= room) return everything(log)
  let part = base
  for (const entry of preferred(log, by)) {
    if (within(part, entry)) continue
    const larger = union(part, pastOf([entry]))
    if (sizeOf(larger) <= room && isActive(log, larger, by)) part = larger
  }
  return part
}

/** Operations by how much a reader wants them, newest first within a rank. */
function preferred(log: DeviceLog, by: string): readonly LogEntry[] {
  const rank = ({ op }: LogEntry): number => {
    if (op.args.kind === 'revoke') return 0
    return op.args.kind === 'renew' && toHex(op.args.device) === by ? 1 : 2
  }
  const ranked = log.entries.map((entry) => ({ entry, rank: rank(entry) }))
  return ranked.sort((a, b) => a.rank - b.rank || canonicalOrder(b.entry, a.entry)).map(({ entry }) => entry)
}

/** Whether an operation adds the device. */
function adds(log: DeviceLog, { op }: LogEntry, by: string): boolean {
  const certificate = log.certificates.get(by)
  return (
    certificate !== undefined && op.args.kind === 'add' && equalBytes(op.args.certificate, certificate.bytes)
  )
}

const isActive = (log: DeviceLog, part: Frontier, by: string): boolean =>
  resolveSlice(log, part).active.includes(by)

const union = (a: Frontier, b: Frontier): Frontier =>
  Array.from({ length: Math.max(a.length, b.length) }, (_, chain) => Math.max(a[chain] ?? 0, b[chain] ?? 0))
