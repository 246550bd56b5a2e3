import { toHex } from '../wire/index.ts'
import type { ActiveDevice, DeviceLog, LogEntry } from './device-log.ts'
import { canonicalOrder, chainsByAuthor, inPast, structureKey } from './log-graph.ts'
import { resolveSlice, type Resolution } from './log-resolve.ts'

/** Until when an active device's certificate lives, and its keys in force (docs/protocol/identity.md §6). */

/** A word on a device's life: its certificate's, or a renewal's. */
interface Term {
  readonly entry: LogEntry
  readonly notAfterMs: number
  readonly renewedBy: ActiveDevice['renewedBy']
}

/** The terms of each active device: one value, or none for a device that is not active. */
export function effectiveTerms(
  log: DeviceLog,
  resolution: Resolution,
  counting: readonly LogEntry[],
): (device: string) => readonly ActiveDevice[] {
  const renewals = groupBy(counting, ({ op }) =>
    op.args.kind === 'renew' ? toHex(op.args.device) : undefined,
  )
  const rotations = groupBy(counting, ({ op }) =>
    op.args.kind === 'rotate' ? (op.by ?? undefined) : undefined,
  )
  return (device) => {
    const own = newestCertificate(log, resolution.adds.get(device) ?? [])
    if (own === undefined) return []
    const term = newestTerm(log, resolution, device, own, renewals.get(device) ?? [])
    return [{ ...keysInForce(own, rotations.get(device) ?? []), ...term }]
  }
}

function groupBy(
  entries: readonly LogEntry[],
  keyOf: (entry: LogEntry) => string | undefined,
): ReadonlyMap<string, readonly LogEntry[]> {
  const groups = new Map<string, LogEntry[]>()
  for (const entry of entries) {
    const key = keyOf(entry)
    if (key === undefined) continue
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [entry])
    else group.push(entry)
  }
  return groups
}

interface OwnWord {
  readonly entry: LogEntry
  readonly certificate: ActiveDevice['certificate']
}

/**
 * Of several counting adds the certificate that the device itself dated last: its proof of possession is
 * public, so an old one could be added again by anyone, to shorten its life.
 */
function newestCertificate(log: DeviceLog, adds: readonly LogEntry[]): OwnWord | undefined {
  const words = adds.flatMap((entry): OwnWord[] => {
    const certificate = log.added.get(entry.op.key)?.certificate
    return certificate === undefined ? [] : [{ entry, certificate }]
  })
  return words.reduce<OwnWord | undefined>((best, word) => {
    if (best === undefined) return word
    const { certificate: a } = best
    const { certificate: b } = word
    const later =
      b.notBeforeMs - a.notBeforeMs || b.notAfterMs - a.notAfterMs || canonicalOrder(best.entry, word.entry)
    return later > 0 ? word : best
  }, undefined)
}

/** The deepest counting word on the device's life; of equals the longest, then by id. */
function newestTerm(
  log: DeviceLog,
  resolution: Resolution,
  device: string,
  own: OwnWord,
  renewals: readonly LogEntry[],
): Pick<ActiveDevice, 'notAfterMs' | 'renewedBy'> {
  const given: Term = { entry: own.entry, notAfterMs: own.certificate.notAfterMs, renewedBy: 'certificate' }
  const terms = [given, ...renewals.flatMap((entry) => termOf(entry, device))].sort(
    (a, b) =>
      b.entry.depth - a.entry.depth || b.notAfterMs - a.notAfterMs || canonicalOrder(a.entry, b.entry),
  )
  const counts = (term: Term): boolean =>
    term.renewedBy !== 'self' || renewedAlone(log, resolution, device, term.entry)
  const { notAfterMs, renewedBy } = terms.find(counts) ?? given
  return { notAfterMs, renewedBy }
}

function termOf(entry: LogEntry, device: string): Term[] {
  const { args, by } = entry.op
  if (args.kind !== 'renew') return []
  const renewedBy = by === null ? 'recovery' : by === device ? 'self' : 'other'
  return [{ entry, notAfterMs: args.notAfterMs, renewedBy }]
}

/**
 * Whether a device that renewed itself was alone: no other was active in the renewal's past, and no other
 * active one was added outside its future.
 */
function renewedAlone(log: DeviceLog, resolution: Resolution, device: string, renewal: LogEntry): boolean {
  const key = structureKey(log, renewal.past, chainsByAuthor(log))
  const then = log.resolved.get(key) ?? new Set(resolveSlice(log, renewal.past).active)
  if ([...then].some((other) => other !== device)) return false
  return resolution.active.every(
    (other) => other === device || (resolution.adds.get(other) ?? []).every((add) => inPast(add, renewal)),
  )
}

/** Keys and suites of the certificate, overridden by the device's own rotations; `minSuite` never falls. */
function keysInForce(
  { certificate }: OwnWord,
  rotations: readonly LogEntry[],
): Omit<ActiveDevice, 'notAfterMs' | 'renewedBy'> {
  let { transportKey, suite, minSuite } = certificate
  for (const { op } of rotations) {
    if (op.args.kind !== 'rotate') continue
    ;({ transportKey, suite } = op.args)
    minSuite = Math.max(minSuite, op.args.minSuite)
  }
  const { account, device } = certificate
  return { account, device, certificate, transportKey, suite: Math.max(suite, minSuite), minSuite }
}
