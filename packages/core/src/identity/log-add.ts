import type { CryptoProvider } from '../crypto/index.ts'
import { InvariantError } from '../errors.ts'
import { limits } from '../limits.ts'
import { toHex } from '../wire/index.ts'
import { readGenesis } from './account.ts'
import type { AddedOps, DeviceLog, HeldOp, LogEntry, LogOpRefusal } from './device-log.ts'
import type { LogOpId } from './ids.ts'
import { admit, draftOf, emptyLog, entryOf, logOf, type Draft } from './log-admit.ts'
import { canonicalOrder } from './log-graph.ts'
import { readLogOp, type LogOp } from './log-op.ts'

/** What one delivery does to a draft. */
interface Delivery {
  readonly added: LogOp[]
  readonly held: HeldOp[]
  readonly rejected: { readonly bytes: Uint8Array; readonly reason: LogOpRefusal }[]
}

/**
 * Adds operations, in any order. Those it admits are kept as their exact bytes; those that name operations
 * not here, or whose time is more than `limits.clockSkewMs` ahead of `nowMs`, come back as held for the
 * caller's bounded buffer; the rest are refused for good. Each signature is verified once. The given log is
 * left as it was; repeats are no event.
 */
export function addOps(
  crypto: CryptoProvider,
  log: DeviceLog,
  ops: readonly Uint8Array[],
  nowMs: number,
): AddedOps {
  return deliver(crypto, log, ops, nowMs + limits.clockSkewMs, false)
}

/**
 * The log of operations this device has admitted before and kept sealed: no signature is verified again.
 * Throws an InvariantError when they are not exactly such a set.
 */
export function restoreLog(
  crypto: CryptoProvider,
  genesis: Uint8Array,
  ops: readonly Uint8Array[],
): DeviceLog {
  const account = readGenesis(crypto, genesis)
  const delivery = account === undefined ? undefined : deliver(crypto, emptyLog(account), ops, Infinity, true)
  if (delivery === undefined || delivery.held.length > 0 || delivery.rejected.length > 0)
    throw new InvariantError('E_DEVICE_LOG_CORRUPT', 'the stored device log is not the one that was stored')
  return delivery.log
}

function deliver(
  crypto: CryptoProvider,
  log: DeviceLog,
  inputs: readonly Uint8Array[],
  latestMs: number,
  trusted: boolean,
): AddedOps {
  const draft = draftOf(log)
  const out: Delivery = { added: [], held: [], rejected: [] }
  const fresh = decodeFresh(crypto, log, inputs, out)
  const late = [...fresh.values()].filter((op) => op.tsMs > latestMs)
  for (const op of late) fresh.delete(op.key)
  const waiters = admitReady(crypto, draft, fresh, trusted, out)
  for (const op of late) out.held.push(heldOp(op, 'time', missingOf(draft, op)))
  for (const op of waiters) out.held.push(heldOp(op, 'operations', missingOf(draft, op)))
  return { log: out.added.length === 0 ? log : logOf(draft), ...out }
}

const heldOp = (op: LogOp, awaiting: HeldOp['awaiting'], missing: readonly LogOpId[]): HeldOp => ({
  bytes: op.bytes,
  id: op.id,
  awaiting,
  missing,
})

const missingOf = (log: DeviceLog, op: LogOp): readonly LogOpId[] =>
  op.prevHeads.filter((head) => !log.byId.has(toHex(head)))

function decodeFresh(
  crypto: CryptoProvider,
  log: DeviceLog,
  inputs: readonly Uint8Array[],
  out: Delivery,
): Map<string, LogOp> {
  const fresh = new Map<string, LogOp>()
  for (const bytes of inputs) {
    const op = readLogOp(crypto, bytes)
    if (op === undefined) out.rejected.push({ bytes, reason: 'malformed' })
    else if (!log.byId.has(op.key) && !fresh.has(op.key)) fresh.set(op.key, op)
  }
  return fresh
}

/** Admits what it can, each operation after those it names; gives back the others. */
function admitReady(
  crypto: CryptoProvider,
  draft: Draft,
  fresh: ReadonlyMap<string, LogOp>,
  trusted: boolean,
  out: Delivery,
): readonly LogOp[] {
  const open = new Map<string, number>()
  const after = new Map<string, LogOp[]>()
  const ready: LogOp[] = []
  for (const op of fresh.values()) {
    const missing = missingOf(draft, op).map(toHex)
    open.set(op.key, missing.length)
    for (const key of missing) after.set(key, [...(after.get(key) ?? []), op])
    if (missing.length === 0) ready.push(op)
  }
  for (let op = ready.pop(); op !== undefined; op = ready.pop()) {
    open.delete(op.key)
    const heads = op.prevHeads.flatMap((head) => entryOf(draft, toHex(head)) ?? [])
    const reason = admit(crypto, draft, op, heads, trusted)
    if (reason !== undefined) {
      out.rejected.push({ bytes: op.bytes, reason })
      continue
    }
    out.added.push(op)
    for (const next of after.get(op.key) ?? []) {
      const left = (open.get(next.key) ?? 0) - 1
      open.set(next.key, left)
      if (left === 0) ready.push(next)
    }
  }
  return [...fresh.values()].filter((op) => open.has(op.key))
}

/** The exact bytes of every operation, in canonical order: the same on every replica that holds the set. */
export const logOps = (log: DeviceLog): readonly Uint8Array[] =>
  [...log.entries].sort(canonicalOrder).map((entry) => entry.op.bytes)

/** The ids no other operation names, in byte order. */
export function logHeads(log: DeviceLog): readonly LogOpId[] {
  return headEntries(log).map((entry) => entry.op.id)
}

/** The entries no other names, by id. */
export function headEntries(log: DeviceLog): readonly LogEntry[] {
  const named = new Set(log.entries.flatMap((entry) => entry.prev))
  return log.entries.filter((entry) => !named.has(entry.index)).sort((a, b) => (a.op.key < b.op.key ? -1 : 1))
}

/** What a peer with these heads lacks, and which of its heads are news here. */
export interface LogDifference {
  /** Exact bytes in canonical order; a peer can add them as they come. */
  readonly ops: readonly Uint8Array[]
  readonly unknown: readonly LogOpId[]
}

/** Compares with the heads a peer sent: `ops` is for it, `unknown` is to be asked of it. */
export function missingFrom(log: DeviceLog, theirHeads: readonly LogOpId[]): LogDifference {
  const unknown: LogOpId[] = []
  const held: number[] = []
  for (const head of theirHeads) {
    const entry = entryOf(log, toHex(head))
    if (entry === undefined) {
      unknown.push(head)
      continue
    }
    entry.past.forEach((count, chain) => {
      held[chain] = Math.max(held[chain] ?? 0, count)
    })
    held[entry.chain] = Math.max(held[entry.chain] ?? 0, entry.position + 1)
  }
  const ops = log.entries.filter((entry) => entry.position >= (held[entry.chain] ?? 0)).sort(canonicalOrder)
  return { ops: ops.map((entry) => entry.op.bytes), unknown }
}
