import { verifyAs, type CryptoProvider } from '../crypto/index.ts'
import type { AccountId } from '../identity/index.ts'
import { limits } from '../limits.ts'
import { equalBytes, toHex } from '../wire/index.ts'
import { admit, draftOf, setOf, type Admission, type Draft } from './op-admit.ts'
import { opSignatureType, pinsOf, readMembershipOp, type MembershipOp, type OpId } from './op.ts'
import {
  emptyOpSet,
  type AccountLogs,
  type Conversation,
  type OpRefusal,
  type OpSet,
  type ParkedOp,
} from './op-set.ts'

/** What came of a delivery. */
export interface AddedMembershipOps {
  readonly set: OpSet
  /** Those that entered the set, each after the ones it names; also such as were parked before. */
  readonly added: readonly MembershipOp[]
  readonly rejected: readonly { readonly bytes: Uint8Array; readonly reason: OpRefusal }[]
}

interface Delivery {
  readonly added: MembershipOp[]
  readonly rejected: { readonly bytes: Uint8Array; readonly reason: OpRefusal }[]
}

/**
 * Adds operations, in any order, and tries again those that were waiting. What names operations or heads of
 * device logs that are not here, or is dated more than `limits.clockSkewMs` after `nowMs`, is parked in the
 * set: it is not judged. Each signature is verified once. The given set is left as it was; repeats are no event.
 */
export function addMembershipOps(
  crypto: CryptoProvider,
  set: OpSet,
  ops: readonly Uint8Array[],
  logs: AccountLogs,
  nowMs: number,
): AddedMembershipOps {
  return deliver({ crypto, logs, trusted: false }, set, ops, nowMs + limits.clockSkewMs)
}

/**
 * The set of operations this device has admitted before and kept sealed: no signature is verified again. Where some of
 * them were lost, those that name them wait.
 */
export function restoreOpSet(
  crypto: CryptoProvider,
  conversation: Conversation,
  ops: readonly Uint8Array[],
  logs: AccountLogs,
): OpSet {
  return deliver({ crypto, logs, trusted: true }, emptyOpSet(conversation), ops, Infinity).set
}

function deliver(
  how: Admission,
  set: OpSet,
  inputs: readonly Uint8Array[],
  latestMs: number,
): AddedMembershipOps {
  const out: Delivery = { added: [], rejected: [] }
  const fresh = decodeFresh(how.crypto, set, inputs, out)
  if (fresh.length === 0 && set.parked.size === 0) return { set, ...out }
  const draft = draftOf(set)
  const candidates = [...[...set.parked.values()].map(({ op }) => op), ...fresh]
  admitReady(how, draft, candidates, latestMs, out)
  const refused = new Set(out.rejected.map(({ bytes }) => bytes))
  draft.parked.clear()
  for (const op of candidates) {
    if (draft.byId.has(op.key) || refused.has(op.bytes)) continue
    const reason = set.parked.has(op.key) ? undefined : notWorthParking(how, draft, op)
    if (reason === undefined) draft.parked.set(op.key, parkedOp(how, draft, op, latestMs))
    else out.rejected.push({ bytes: op.bytes, reason })
  }
  return { set: setOf(draft), ...out }
}

function decodeFresh(
  crypto: CryptoProvider,
  set: OpSet,
  inputs: readonly Uint8Array[],
  out: Delivery,
): readonly MembershipOp[] {
  const fresh = new Map<string, MembershipOp>()
  for (const bytes of inputs) {
    const op = readMembershipOp(crypto, bytes)
    if (op === undefined) out.rejected.push({ bytes, reason: 'malformed' })
    else if (!equalBytes(op.conversation, set.conversation.id))
      out.rejected.push({ bytes, reason: 'wrong-conversation' })
    else if (!set.byId.has(op.key) && !set.parked.has(op.key)) fresh.set(op.key, op)
  }
  return [...fresh.values()]
}

/** Admits what it can, each operation after those it names. */
function admitReady(
  how: Admission,
  draft: Draft,
  candidates: readonly MembershipOp[],
  latestMs: number,
  out: Delivery,
): void {
  const open = new Map<string, number>()
  const after = new Map<string, MembershipOp[]>()
  const ready: MembershipOp[] = []
  for (const op of candidates) {
    const missing = missingOps(draft, op).map(toHex)
    for (const key of missing) append(after, key, op)
    open.set(op.key, missing.length)
    if (missing.length === 0) ready.push(op)
  }
  for (let op = ready.pop(); op !== undefined; op = ready.pop()) {
    if (op.tsMs > latestMs || missingLogs(how.logs, op).length > 0) continue
    const { by, deps, key } = op
    const entries = deps.flatMap((dep) => draft.byId.get(toHex(dep)) ?? [])
    const next = after.get(key) ?? []
    const wanted = next.some((waiting) => waiting.by !== by)
    const reason = admit(how, draft, op, entries, wanted)
    if (reason !== undefined) {
      out.rejected.push({ bytes: op.bytes, reason })
      continue
    }
    out.added.push(op)
    for (const waiting of next) {
      const left = (open.get(waiting.key) ?? 0) - 1
      open.set(waiting.key, left)
      if (left === 0) ready.push(waiting)
    }
  }
}

function append<V>(map: Map<string, V[]>, key: string, value: V): void {
  const list = map.get(key)
  if (list === undefined) map.set(key, [value])
  else list.push(value)
}

const missingOps = (draft: Draft, op: MembershipOp): readonly OpId[] =>
  op.deps.filter((dep) => !draft.byId.has(toHex(dep)))

/** Accounts whose logs lack something the operation pins. */
function missingLogs(logs: AccountLogs, op: MembershipOp): readonly AccountId[] {
  return pinsOf(op).flatMap(({ account, heads }) => {
    const log = logs.get(toHex(account))
    return log !== undefined && heads.every((head) => log.byId.has(toHex(head))) ? [] : [account]
  })
}

function parkedOp(how: Admission, draft: Draft, op: MembershipOp, latestMs: number): ParkedOp {
  const lacking = { missingOps: missingOps(draft, op), missingLogs: missingLogs(how.logs, op) }
  if (op.tsMs > latestMs) return { op, awaiting: 'time', ...lacking }
  return { op, awaiting: lacking.missingLogs.length > 0 ? 'account-logs' : 'operations', ...lacking }
}

/** Bounds, and as much of a check as can be made: a device that is known must have signed. */
function notWorthParking(
  { crypto, logs, trusted }: Admission,
  draft: Draft,
  op: MembershipOp,
): OpRefusal | undefined {
  const key = logs.get(op.byAccount)?.certificates.get(op.byDevice)?.identityKey
  if (
    key !== undefined &&
    !trusted &&
    !verifyAs(crypto, key, opSignatureType, op.conversation, op.body, op.signature)
  )
    return 'bad-signature'
  if (draft.parked.size >= limits.groupParkedOps) return 'parked-full'
  let own = 0
  for (const parked of draft.parked.values()) if (parked.op.by === op.by) own += 1
  return own >= limits.groupParkedPerAuthor ? 'parked-full' : undefined
}

/** The set without the waiting operations that `keep` gives up; a peer may send them again. */
export function dropParked(set: OpSet, keep: (parked: ParkedOp) => boolean): OpSet {
  return { ...set, parked: new Map([...set.parked].filter(([, parked]) => keep(parked))) }
}
