import { limits } from '../limits.ts'
import { toHex } from '../wire/index.ts'
import type { DeviceLog, LogEntry } from './device-log.ts'
import {
  canonicalOrder,
  chainsByAuthor,
  firstFork,
  structuralIn,
  type Fork,
  type Frontier,
} from './log-graph.ts'
import { hits, revokeOf, standing, type AddIndex, type Revoke } from './log-revokes.ts'

/**
 * What a causally closed set of admitted operations means (docs/protocol/identity.md §5): a function of the
 * set, without clocks. Every operation in it is well-formed, for admission asked this same procedure about
 * each one's past.
 */

/** The meaning of a set. */
export interface Resolution {
  /** Hexadecimal ids of the active devices, best position first. */
  readonly active: readonly string[]
  /** The counting adds of each device that has any, best position first. */
  readonly adds: ReadonlyMap<string, readonly LogEntry[]>
  /** Components of revokes that stand; more than one in a component accuse each other. */
  readonly standing: readonly (readonly Revoke[])[]
  readonly forks: ReadonlyMap<string, Fork>
  readonly contest: Fork | undefined
  /** Whether an operation of the set counts. */
  readonly counts: (entry: LogEntry) => boolean
}

/** Resolves the set that a frontier tells. */
export function resolveSlice(log: DeviceLog, frontier: Frontier): Resolution {
  const structural = structuralIn(log, frontier)
  const { contest, forks } = forksIn(log, frontier)
  const severed = (entry: LogEntry): boolean => isSevered(entry, contest, forks)
  const pardoned = pardonedBy(structural, severed)
  const adds = indexAdds(log, structural, severed)
  const revokes = structural.flatMap((entry) =>
    pardoned.has(entry.op.key) ? [] : (revokeOf(entry, adds) ?? []),
  )
  const stood = standing(revokes)
  const verdict = judge(stood.flat())
  const live = [...adds.of.values()].flat().filter((add) => !verdict.struck(add))
  const lasting = withinQuota(live)
  const eligible = (device: string): boolean => !verdict.out.has(device) && !forks.has(device)
  const supported = support(lasting, adds, eligible)
  const counts = (entry: LogEntry): boolean => {
    if (entry.op.args.kind === 'revoke') return verdict.standing.has(entry)
    if (severed(entry) || verdict.struck(entry)) return false
    if (entry.op.args.kind === 'add') return supported.adds.has(entry)
    return entry.op.by === null || supported.byDevice.has(entry.op.by)
  }
  return { active: supported.active, adds: supported.byDevice, standing: stood, forks, contest, counts }
}

/** Rules 1 and 6: the first shared number of the recovery chain, and of each device. */
function forksIn(
  log: DeviceLog,
  frontier: Frontier,
): { readonly contest: Fork | undefined; readonly forks: ReadonlyMap<string, Fork> } {
  let contest: Fork | undefined
  const forks = new Map<string, Fork>()
  for (const [author, chains] of chainsByAuthor(log)) {
    if (chains.length < 2) continue
    const fork = firstFork(log, frontier, chains)
    if (fork === undefined) continue
    if (author === null) contest = fork
    else forks.set(author, fork)
  }
  return { contest, forks }
}

/** Void from a fork or contest on, revokes excepted: they fail closed. */
function isSevered(entry: LogEntry, contest: Fork | undefined, forks: ReadonlyMap<string, Fork>): boolean {
  if (entry.op.args.kind === 'revoke') return false
  const fork = entry.op.by === null ? contest : forks.get(entry.op.by)
  return fork !== undefined && entry.op.seq >= fork.seq
}

/** Rule 1: the revokes that counting `unrevoke`s name. */
function pardonedBy(
  structural: readonly LogEntry[],
  severed: (entry: LogEntry) => boolean,
): ReadonlySet<string> {
  const pardoned = new Set<string>()
  for (const entry of structural) {
    const { args } = entry.op
    if (args.kind === 'unrevoke' && !severed(entry)) pardoned.add(toHex(args.revoke))
  }
  return pardoned
}

function indexAdds(
  log: DeviceLog,
  structural: readonly LogEntry[],
  severed: (entry: LogEntry) => boolean,
): AddIndex {
  const of = new Map<string, LogEntry[]>()
  const by = new Map<string | null, LogEntry[]>()
  for (const entry of structural) {
    const device = log.added.get(entry.op.key)?.device
    if (device === undefined || severed(entry)) continue
    append(of, device, entry)
    append(by, entry.op.by, entry)
  }
  return { of, by, deviceOf: (add) => log.added.get(add.op.key)?.device ?? '' }
}

function append<K>(map: Map<K, LogEntry[]>, key: K, entry: LogEntry): void {
  const list = map.get(key)
  if (list === undefined) map.set(key, [entry])
  else list.push(entry)
}

/** Rule 5: what the standing revokes strike out. */
function judge(stood: readonly Revoke[]): {
  readonly standing: ReadonlySet<LogEntry>
  readonly out: ReadonlySet<string>
  readonly struck: (entry: LogEntry) => boolean
} {
  const byReach = new Map<string, Revoke[]>()
  for (const revoke of stood) {
    for (const device of revoke.line) {
      const list = byReach.get(device)
      if (list === undefined) byReach.set(device, [revoke])
      else list.push(revoke)
    }
  }
  return {
    standing: new Set(stood.map((revoke) => revoke.entry)),
    out: new Set(byReach.keys()),
    struck: (entry) => (byReach.get(entry.op.by ?? '') ?? []).some((revoke) => hits(revoke, entry)),
  }
}

/** Rule 7, first half: of each adder the first adds by number; the recovery key is no adder. */
function withinQuota(live: readonly LogEntry[]): readonly LogEntry[] {
  const byAdder = new Map<string | null, LogEntry[]>()
  for (const add of live) append(byAdder, add.op.by, add)
  return [...byAdder].flatMap(([adder, adds]) =>
    adder === null
      ? adds
      : adds.sort((a, b) => a.op.seq - b.op.seq || canonicalOrder(a, b)).slice(0, limits.addsPerAdder),
  )
}

interface Support {
  readonly adds: ReadonlySet<LogEntry>
  readonly byDevice: ReadonlyMap<string, readonly LogEntry[]>
  readonly active: readonly string[]
}

/**
 * An add counts only if its author has a counting add itself; the recovery key needs none. Rule 7, second
 * half: of the devices so supported the first by position are active, and what rests on the others alone
 * falls with them.
 */
function support(
  lasting: readonly LogEntry[],
  index: AddIndex,
  eligible: (device: string) => boolean,
): Support {
  const all = supportedAdds(lasting, index, new Set())
  const ranked = byPosition(all).filter(eligible)
  if (ranked.length <= limits.activeDevices) return { ...all, active: ranked }
  const excess = new Set(ranked.slice(limits.activeDevices))
  const rest = supportedAdds(lasting, index, excess)
  return { ...rest, active: byPosition(rest).filter(eligible) }
}

type Supported = Omit<Support, 'active'>

function supportedAdds(
  lasting: readonly LogEntry[],
  index: AddIndex,
  excess: ReadonlySet<string>,
): Supported {
  const adds = new Set<LogEntry>()
  const byDevice = new Map<string, LogEntry[]>()
  const byAuthor = new Map<string | null, LogEntry[]>()
  for (const add of lasting) if (!excess.has(index.deviceOf(add))) append(byAuthor, add.op.by, add)
  const waiting: (string | null)[] = [null]
  for (let author = waiting.pop(); author !== undefined; author = waiting.pop()) {
    for (const add of byAuthor.get(author) ?? []) {
      const device = index.deviceOf(add)
      adds.add(add)
      if (!byDevice.has(device)) waiting.push(device)
      append(byDevice, device, add)
    }
  }
  for (const list of byDevice.values()) list.sort(position)
  return { adds, byDevice }
}

/** Adds by the recovery key come first, then by depth and hash. */
const position = (a: LogEntry, b: LogEntry): number =>
  Number(a.op.by !== null) - Number(b.op.by !== null) || canonicalOrder(a, b)

const byPosition = ({ byDevice }: Supported): string[] =>
  [...byDevice]
    .flatMap(([device, [best]]) => (best === undefined ? [] : [{ device, best }]))
    .sort((a, b) => position(a.best, b.best))
    .map(({ device }) => device)
