import { sizes, verifyAs, type CryptoProvider, type SignPublicKey } from '../crypto/index.ts'
import { limits } from '../limits.ts'
import { equalBytes, toHex } from '../wire/index.ts'
import type { Account } from './account.ts'
import { readCertificate, type DeviceCertificate } from './certificate.ts'
import type { AddedDevice, DeviceLog, LogChain, LogEntry, LogOpRefusal } from './device-log.ts'
import { chainsByAuthor, pastOf, structureKey, within, type Frontier } from './log-graph.ts'
import { logOpSignatureType, type LogOp } from './log-op.ts'
import { resolveSlice } from './log-resolve.ts'

/**
 * Admission: an operation enters the log once everything it names is there, and only if its author was
 * active in its past. That is a question about the past alone, so every replica answers it alike.
 */

/** A log being added to. */
export interface Draft extends DeviceLog {
  readonly entries: LogEntry[]
  readonly chains: Run[]
  readonly byId: Map<string, number>
  readonly certificates: Map<string, DeviceCertificate>
  readonly added: Map<string, AddedDevice>
  readonly resolved: Map<string, ReadonlySet<string>>
  /** Active devices of equal composition, shared between pasts. */
  readonly shared: Map<string, ReadonlySet<string>>
  readonly authors: Map<string | null, number>
}

interface Run extends LogChain {
  readonly entries: number[]
  readonly structural: number[]
}

/** Copies a log for adding. */
export function draftOf(log: DeviceLog): Draft {
  const shared = new Map<string, ReadonlySet<string>>()
  for (const set of log.resolved.values()) shared.set([...set].sort().join(), set)
  const authors = new Map<string | null, number>()
  for (const { author, entries } of log.chains)
    authors.set(author, (authors.get(author) ?? 0) + entries.length)
  return {
    account: log.account,
    entries: [...log.entries],
    chains: log.chains.map((chain) => ({
      ...chain,
      entries: [...chain.entries],
      structural: [...chain.structural],
    })),
    byId: new Map(log.byId),
    certificates: new Map(log.certificates),
    added: new Map(log.added),
    resolved: new Map(log.resolved),
    shared,
    authors,
  }
}

/** The log of a draft, without what only adding needs. */
export const logOf = ({
  account,
  entries,
  chains,
  byId,
  certificates,
  added,
  resolved,
}: Draft): DeviceLog => ({
  account,
  entries,
  chains,
  byId,
  certificates,
  added,
  resolved,
})

/** Hexadecimal ids of the devices active in a causally closed set. */
export function activeIn(log: Draft, frontier: Frontier): ReadonlySet<string> {
  const key = structureKey(log, frontier, chainsByAuthor(log))
  const known = log.resolved.get(key)
  if (known !== undefined) return known
  const active = new Set([...resolveSlice(log, frontier).active].sort())
  const composition = [...active].join()
  const set = log.shared.get(composition) ?? active
  log.shared.set(composition, set)
  log.resolved.set(key, set)
  return set
}

/** Admits an operation whose heads are all in the log, or says why never. `trusted` skips signatures. */
export function admit(
  crypto: CryptoProvider,
  log: Draft,
  op: LogOp,
  heads: readonly LogEntry[],
  trusted: boolean,
): LogOpRefusal | undefined {
  if (!equalBytes(op.account, log.account.id)) return 'wrong-account'
  const past = pastOf(heads)
  const before = predecessor(log, op, past)
  if (before === 'broken') return 'broken-chain'
  const refusal = overQuota(log, op, before) ?? wrongTerms(log, op, past)
  if (refusal !== undefined) return refusal
  const key = op.by === null ? recoveryKeyAfter(log, before) : log.certificates.get(op.by)?.identityKey
  if (key === undefined) return 'author-not-active'
  if (!trusted && !verifyAs(crypto, key, logOpSignatureType, op.account, op.body, op.signature))
    return 'bad-signature'
  const certificate = op.args.kind === 'add' ? readAdd(crypto, log, op) : undefined
  if (op.args.kind === 'add' && certificate === undefined) return 'bad-certificate'
  if (op.by !== null && !activeIn(log, past).has(op.by)) return 'author-not-active'
  if (certificate !== undefined) {
    const device = toHex(certificate.device)
    log.added.set(op.key, { device, certificate })
    if (!log.certificates.has(device)) log.certificates.set(device, certificate)
  }
  place(log, op, heads, past, before)
  return undefined
}

/** The author's operation before this one; undefined for the first, 'broken' when the number does not follow. */
function predecessor(log: DeviceLog, op: LogOp, past: Frontier): LogEntry | undefined | 'broken' {
  const { author } = op
  const prev = author.kind === 'device' ? author.selfPrev : author.rprev
  const first = author.kind === 'device' ? 1 : 0
  if (prev === null)
    return op.seq === first && (author.kind === 'device' || past.length === 0) ? undefined : 'broken'
  const before = entryOf(log, toHex(prev))
  if (before === undefined || !within(past, before)) return 'broken'
  return before.op.by === op.by && before.op.seq === op.seq - 1 ? before : 'broken'
}

/** The entry of an operation by the hexadecimal of its id. */
export function entryOf(log: DeviceLog, key: string): LogEntry | undefined {
  const index = log.byId.get(key)
  return index === undefined ? undefined : log.entries[index]
}

/**
 * Bounds. The revokes of a device are counted along its own chain, so that replicas agree. The others guard
 * memory against a stolen device that writes without end: the recovery key, and whoever is active now, can
 * still add to a full log.
 */
function overQuota(log: Draft, op: LogOp, before: LogEntry | undefined): LogOpRefusal | undefined {
  if ((log.authors.get(op.by) ?? 0) >= limits.deviceLogOpsPerAuthor) return 'log-full'
  if (op.by === null) return undefined
  if (op.args.kind === 'revoke' && revokesBefore(log, before) >= limits.revokesPerDevice) return 'log-full'
  if (log.entries.length < limits.deviceLogOps) return undefined
  return activeIn(
    log,
    log.chains.map((chain) => chain.entries.length),
  ).has(op.by)
    ? undefined
    : 'log-full'
}

function revokesBefore(log: DeviceLog, last: LogEntry | undefined): number {
  let count = 0
  for (let entry = last; entry !== undefined; entry = selfBefore(log, entry)) {
    if (entry.op.args.kind === 'revoke') count += 1
  }
  return count
}

/** The author's operation before an admitted one. */
export function selfBefore(log: DeviceLog, entry: LogEntry): LogEntry | undefined {
  const { author } = entry.op
  const prev = author.kind === 'device' ? author.selfPrev : author.rprev
  return prev === null ? undefined : entryOf(log, toHex(prev))
}

/** The key that signs the recovery operation after `last`: the last one set in its own chain, or the genesis's. */
function recoveryKeyAfter(log: DeviceLog, last: LogEntry | undefined): SignPublicKey {
  for (let entry = last; entry !== undefined; entry = selfBefore(log, entry)) {
    if (entry.op.args.kind === 'setRecovery') return entry.op.args.recoveryPublic
  }
  return log.account.genesis.recoveryPublic
}

/** Reads the certificate of an add: of this account, living no longer than its limit from the add's time. */
function readAdd(crypto: CryptoProvider, log: DeviceLog, op: LogOp): DeviceCertificate | undefined {
  if (op.args.kind !== 'add') return undefined
  const certificate = readCertificate(crypto, op.args.certificate)
  if (certificate === undefined || !equalBytes(certificate.account, log.account.id)) return undefined
  // A device that added itself again would renew itself.
  if (toHex(certificate.device) === op.by) return undefined
  return certificate.notAfterMs <= op.tsMs + limits.certificateMs ? certificate : undefined
}

/** Whether the operation may be written by its author at all, and refers to what is in its past. */
function wrongTerms(log: DeviceLog, op: LogOp, past: Frontier): LogOpRefusal | undefined {
  const { args } = op
  if (op.by === null && op.seq === 0 && args.kind !== 'add') return 'bad-terms'
  switch (args.kind) {
    case 'add':
    case 'unknown':
      return undefined
    case 'revoke':
      return addedIn(log, past, toHex(args.device)) ? undefined : 'target-not-added'
    case 'renew':
      if (args.notAfterMs > op.tsMs + limits.certificateMs) return 'bad-terms'
      return addedIn(log, past, toHex(args.device)) ? undefined : 'target-not-added'
    case 'rotate':
      return op.by !== null && soundRotation(log, op.by, args) ? undefined : 'bad-terms'
    case 'setRecovery':
      return op.by === null ? undefined : 'bad-terms'
    case 'unrevoke': {
      const target = entryOf(log, toHex(args.revoke))
      const known = target !== undefined && within(past, target) && target.op.args.kind === 'revoke'
      return op.by === null && known ? undefined : 'bad-terms'
    }
  }
}

function soundRotation(
  log: DeviceLog,
  author: string,
  args: { readonly transportKey: SignPublicKey; readonly suite: number; readonly minSuite: number },
): boolean {
  const certificate = log.certificates.get(author)
  if (certificate === undefined || args.transportKey.length !== sizes.signPublic) return false
  if (equalBytes(args.transportKey, certificate.identityKey)) return false
  return args.minSuite >= certificate.minSuite && args.minSuite <= args.suite
}

function addedIn(log: DeviceLog, past: Frontier, device: string): boolean {
  if (!log.certificates.has(device)) return false
  for (const [key, added] of log.added) {
    if (added.device !== device) continue
    const add = entryOf(log, key)
    if (add !== undefined && within(past, add)) return true
  }
  return false
}

function place(
  log: Draft,
  op: LogOp,
  heads: readonly LogEntry[],
  past: Frontier,
  before: LogEntry | undefined,
): void {
  const index = log.entries.length
  const chain = chainFor(log, op, before)
  const run = log.chains[chain]
  const position = run?.entries.length ?? 0
  log.entries.push({
    ...{ op, index, chain, position, past },
    prev: heads.map((head) => head.index),
    depth: heads.reduce((depth, head) => Math.max(depth, head.depth + 1), 0),
  })
  log.byId.set(op.key, index)
  log.authors.set(op.by, (log.authors.get(op.by) ?? 0) + 1)
  run?.entries.push(index)
  if (isStructural(op)) run?.structural.push(index)
}

/** The chain the operation extends, or a new one: for an author's first, and from a fork on. */
function chainFor(log: Draft, op: LogOp, before: LogEntry | undefined): number {
  if (before !== undefined && log.chains[before.chain]?.entries.length === before.position + 1)
    return before.chain
  return log.chains.push({ author: op.by, firstSeq: op.seq, entries: [], structural: [] }) - 1
}

const isStructural = ({ args }: LogOp): boolean =>
  args.kind === 'add' || args.kind === 'revoke' || args.kind === 'unrevoke'

/** An empty log of an account. */
export const emptyLog = (account: Account): DeviceLog => ({
  account,
  entries: [],
  chains: [],
  byId: new Map(),
  certificates: new Map(),
  added: new Map(),
  resolved: new Map(),
})
