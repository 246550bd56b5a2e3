import type { SignPublicKey } from '../crypto/index.ts'
import { accepted, rejected, type Verdict } from '../errors.ts'
import { equalBytes, toHex } from '../wire/index.ts'
import { expiredBundle, type KeyBundle } from './bundle.ts'
import { lapsedAt } from './certificate.ts'
import type {
  Accusation,
  ActiveDevice,
  Contest,
  DeviceLog,
  ForkProof,
  LogEntry,
  LogState,
} from './device-log.ts'
import type { DeviceId, LogOpId } from './ids.ts'
import { logHeads } from './log-add.ts'
import { forkProofOf } from './log-fork.ts'
import { canonicalOrder, everything, inPast, pastOf, within, type Frontier } from './log-graph.ts'
import { resolveSlice, type Resolution } from './log-resolve.ts'
import { effectiveTerms } from './log-terms.ts'

/** What the whole log says (docs/protocol/identity.md §5): a function of the set of operations alone. */
export const resolveLog = (log: DeviceLog): LogState => stateOf(log, everything(log), logHeads(log))

/**
 * What these heads and their past say: the account as a record or an operation that pins the heads saw it.
 * Undefined while a head is not here.
 */
export function resolveAt(log: DeviceLog, heads: readonly LogOpId[]): LogState | undefined {
  const entries: LogEntry[] = []
  for (const head of heads) {
    const entry = log.entries[log.byId.get(toHex(head)) ?? -1]
    if (entry === undefined) return undefined
    entries.push(entry)
  }
  return stateOf(log, pastOf(entries), heads)
}

function stateOf(log: DeviceLog, frontier: Frontier, heads: readonly LogOpId[]): LogState {
  const resolution = resolveSlice(log, frontier)
  const inside = log.entries.filter((entry) => within(frontier, entry))
  const counting = inside.filter(resolution.counts).sort(canonicalOrder)
  const terms = effectiveTerms(log, resolution, counting)
  const active: [string, ActiveDevice][] = [...resolution.active]
    .sort()
    .flatMap((device) => terms(device).map((found): [string, ActiveDevice] => [device, found]))
  return {
    account: log.account.id,
    heads,
    active: new Map(active),
    revoked: revokedBy(resolution),
    forked: forkProofs(log, resolution),
    contested: contestOf(resolution),
    accusations: accusationsOf(resolution, counting),
    everKnown: everKnown(log, inside),
    updateNeeded: inside.some((entry) => entry.op.args.kind === 'unknown'),
  }
}

function revokedBy(resolution: Resolution): ReadonlyMap<string, readonly LogOpId[]> {
  const by = new Map<string, LogOpId[]>()
  const stood = resolution.standing.flat().sort((a, b) => canonicalOrder(a.entry, b.entry))
  for (const revoke of stood) {
    for (const device of revoke.line) by.set(device, [...(by.get(device) ?? []), revoke.entry.op.id])
  }
  return sorted(by)
}

function forkProofs(log: DeviceLog, resolution: Resolution): readonly ForkProof[] {
  return [...sorted(resolution.forks)].flatMap(([device, fork]) => {
    const certificate = log.certificates.get(device)
    return certificate === undefined ? [] : [forkProofOf(certificate, fork.first.op, fork.second.op)]
  })
}

function contestOf({ contest }: Resolution): Contest | null {
  if (contest === undefined) return null
  return { rseq: contest.seq, first: contest.first.op.bytes, second: contest.second.op.bytes }
}

/** Components of more than one standing revoke, and whether anyone unaccused has spoken since. */
function accusationsOf(resolution: Resolution, counting: readonly LogEntry[]): readonly Accusation[] {
  const active = new Set(resolution.active)
  const mutual = resolution.standing.filter((component) => component.length > 1)
  return mutual
    .map((component): Accusation => {
      const revokes = component.map((revoke) => revoke.entry).sort(canonicalOrder)
      return {
        revokes: revokes.map((entry) => entry.op.id),
        accused: [...new Set(component.flatMap((revoke) => [...revoke.line]))].sort(),
        answered: counting.some(
          (entry) =>
            (entry.op.by === null || active.has(entry.op.by)) && revokes.every((one) => inPast(entry, one)),
        ),
      }
    })
    .sort((a, b) => (idKey(a) < idKey(b) ? -1 : 1))
}

const idKey = (accusation: Accusation): string => accusation.revokes.map(toHex).join()

function everKnown(log: DeviceLog, inside: readonly LogEntry[]): ReadonlyMap<string, DeviceId> {
  const known = new Map<string, DeviceId>()
  for (const entry of inside) {
    const added = log.added.get(entry.op.key)
    if (added !== undefined) known.set(added.device, added.certificate.device)
  }
  return sorted(known)
}

const sorted = <V>(map: ReadonlyMap<string, V>): ReadonlyMap<string, V> =>
  new Map([...map].sort(([a], [b]) => (a < b ? -1 : 1)))

/** Whether an active device speaks under this transport key: a peer of another key is another device. */
export function speaksUnder(state: LogState, device: DeviceId, transportKey: SignPublicKey): boolean {
  const found = state.active.get(toHex(device))
  return found !== undefined && equalBytes(found.transportKey, transportKey)
}

/**
 * Whether a bundle may be used now: its device is active on the log, has not lapsed, and the bundle has not
 * expired. A refused one is asked for again; the log's word on the device's life overrides the certificate's.
 */
export function judgeBundle(
  state: LogState,
  bundle: KeyBundle,
  nowMs: number,
): Verdict<ActiveDevice, 'not-active' | 'lapsed' | 'expired'> {
  const found = state.active.get(toHex(bundle.certificate.device))
  if (found === undefined || !equalBytes(bundle.certificate.account, state.account))
    return rejected('not-active')
  if (lapsedAt(found.notAfterMs, nowMs)) return rejected('lapsed')
  return expiredBundle(bundle, nowMs) ? rejected('expired') : accepted(found)
}
