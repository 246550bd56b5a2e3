import { signAs, type CryptoProvider, type SignKeyPair } from '../crypto/index.ts'
import { UsageError } from '../errors.ts'
import { addressKey, type DeviceAddress, type LogOpId } from '../identity/index.ts'
import { limits } from '../limits.ts'
import { compareBytes, toHex } from '../wire/index.ts'
import {
  encodeOp,
  encodeOpBody,
  opIdOf,
  opSignatureType,
  readMembershipOp,
  type ConversationId,
  type KnownOpArgs,
  type LastSeen,
  type MembershipOp,
  type OpId,
} from './op.ts'
import type { OpEntry } from './op-graph.ts'
import { headEntries, type OpSet } from './op-set.ts'

/** Writing operations. */

/** The device that writes, with its identity key. */
export interface OpAuthor extends DeviceAddress {
  readonly identity: SignKeyPair
}

/** Where an operation goes. */
export interface OpPlace {
  /** Null for a `create` alone. */
  readonly conversation: ConversationId | null
  readonly deps: readonly OpId[]
  readonly cap: OpId | null
  readonly accountHeads: readonly LogOpId[]
  readonly oseq: number
  readonly tsMs: number
}

/** Signs an operation. Throws a UsageError when ids repeat themselves. */
export function issueOp(
  crypto: CryptoProvider,
  author: OpAuthor,
  place: OpPlace,
  args: KnownOpArgs,
): MembershipOp {
  const { account, device } = author
  const deps = place.deps.toSorted(compareBytes)
  const accountHeads = place.accountHeads.toSorted(compareBytes)
  const body = encodeOpBody({ ...place, deps, accountHeads, args: sortedArgs(args), account, device })
  const context = place.conversation ?? opIdOf(crypto, body)
  const op = readMembershipOp(
    crypto,
    encodeOp(body, signAs(crypto, author.identity, opSignatureType, context, body)),
  )
  if (op === undefined) throw new UsageError('E_MEMBERSHIP_OP', 'an id is named twice')
  return op
}

/** What an operation names goes into byte order, so that one set has one encoding. */
function sortedArgs(args: KnownOpArgs): KnownOpArgs {
  const byDevice = (list: readonly LastSeen[]): readonly LastSeen[] =>
    list.toSorted((a, b) => compareBytes(a.device, b.device))
  switch (args.kind) {
    case 'grant':
    case 'admit':
      return { ...args, heads: args.heads.toSorted(compareBytes) }
    case 'deviceset':
      return { ...args, heads: args.heads.toSorted(compareBytes), last: byDevice(args.last) }
    case 'revoke':
      return { ...args, frontier: byDevice(args.frontier) }
    default:
      return args
  }
}

/** Opens a group: its `create`, whose id is the conversation's and its owner's capability. */
export const issueCreate = (
  crypto: CryptoProvider,
  author: OpAuthor,
  accountHeads: readonly LogOpId[],
  nonce: Uint8Array,
  tsMs: number,
): MembershipOp =>
  issueOp(
    crypto,
    author,
    { conversation: null, deps: [], cap: null, accountHeads, oseq: 1, tsMs },
    { kind: 'create', nonce },
  )

/**
 * The device's next operation: after everything in the set, and never dated before its last one. The caller
 * adds it with `addMembershipOps`, as a peer would.
 */
export function writeOp(
  crypto: CryptoProvider,
  set: OpSet,
  author: OpAuthor,
  terms: { readonly cap: OpId | null; readonly accountHeads: readonly LogOpId[]; readonly tsMs: number },
  args: KnownOpArgs,
): MembershipOp {
  const last = lastOf(set, addressKey(author))
  const place = {
    ...terms,
    conversation: set.conversation.id,
    deps: depsToName(set, last),
    oseq: (last?.op.oseq ?? 0) + 1,
    tsMs: Math.max(terms.tsMs, last?.op.tsMs ?? 0),
  }
  return issueOp(crypto, author, place, args)
}

/** A device's operation with the highest number; of a forked one's the lowest id among these. */
function lastOf(set: OpSet, by: string): OpEntry | undefined {
  let last: OpEntry | undefined
  for (const chain of set.chains) {
    const tip = chain.by === by ? chain.entries.at(-1) : undefined
    if (tip === undefined) continue
    const ahead = tip.op.oseq - (last?.op.oseq ?? 0)
    if (last === undefined || ahead > 0 || (ahead === 0 && tip.op.key < last.op.key)) last = tip
  }
  return last
}

/** Its own last and the other heads; of a flood the deepest, as many as an operation may name. */
function depsToName(set: OpSet, own: OpEntry | undefined): readonly OpId[] {
  const rest = headEntries(set)
    .filter((entry) => entry.op.by !== own?.op.by)
    .sort((a, b) => b.depth - a.depth)
  const named = [...(own === undefined ? [] : [own]), ...rest].slice(0, limits.groupOpDeps)
  return named.map((entry) => entry.op.id)
}

/**
 * The newest operation seen of each device of an account, for a frontier or a cut; the caller adds the newest
 * records, and names less of a device whose work it wants undone.
 */
export function newestOps(set: OpSet, account: Uint8Array): readonly LastSeen[] {
  const key = toHex(account)
  const tips = new Map<string, MembershipOp>()
  for (const chain of set.chains) {
    const op = chain.entries.at(-1)?.op
    if (op?.byAccount !== key) continue
    const known = tips.get(op.byDevice)
    if (known === undefined || op.oseq > known.oseq || (op.oseq === known.oseq && op.key < known.key))
      tips.set(op.byDevice, op)
  }
  return [...tips.values()].map((op) => ({
    ...{ device: op.device, record: null },
    op: { oseq: op.oseq, id: op.id },
  }))
}
