import { verifyAs, type CryptoProvider } from '../crypto/index.ts'
import { limits } from '../limits.ts'
import { equalBytes, toHex } from '../wire/index.ts'
import { verifyAdmitProof } from './invite-proof.ts'
import { namedHeads, opSignatureType, rankOf, type MembershipOp } from './op.ts'
import { clockOf, within, type Clock, type Grant, type OpChain, type OpEntry } from './op-graph.ts'
import type { AccountLogs, OpRefusal, OpSet, ParkedOp } from './op-set.ts'
import { accountAt } from './pins.ts'
import { standsAbove } from './delegation.ts'

/**
 * Admission (docs/protocol/group.md §3): an operation enters the set once everything it names and pins is
 * here. What is asked of it then is a function of its bytes and its past, so every replica answers alike.
 * Whether it counts is another question, put to the whole set by the resolver.
 */

/** A set being added to. */
export interface Draft extends OpSet {
  readonly entries: OpEntry[]
  readonly chains: Run[]
  readonly byId: Map<string, OpEntry>
  readonly grants: Map<string, OpEntry[]>
  readonly parked: Map<string, ParkedOp>
  /** Chains of each device. */
  readonly branches: Map<string, number>
}

interface Run extends OpChain {
  readonly entries: OpEntry[]
}

/** Copies a set for adding. */
export function draftOf(set: OpSet): Draft {
  const branches = new Map<string, number>()
  for (const { by } of set.chains) branches.set(by, (branches.get(by) ?? 0) + 1)
  return {
    conversation: set.conversation,
    entries: [...set.entries],
    chains: set.chains.map(({ by, entries }) => ({ by, entries: [...entries] })),
    byId: new Map(set.byId),
    grants: new Map([...set.grants].map(([account, list]) => [account, [...list]])),
    parked: new Map(set.parked),
    branches,
  }
}

/** The set of a draft. */
export const setOf = ({ conversation, entries, chains, byId, grants, parked }: Draft): OpSet => ({
  ...{ conversation, entries, chains, byId, grants, parked },
})

/** What admission is given beside the operation. */
export interface Admission {
  readonly crypto: CryptoProvider
  readonly logs: AccountLogs
  /** Signatures were verified when the operation was first admitted. */
  readonly trusted: boolean
}

/** An operation with everything it names. */
interface Candidate {
  readonly op: MembershipOp
  readonly deps: readonly OpEntry[]
  readonly past: Uint32Array
  readonly before: OpEntry | undefined
  readonly cap: OpEntry | undefined
}

/**
 * Admits an operation whose operations and pinned heads are all here, or says why never. `wanted`: an operation
 * by somebody else names it.
 */
export function admit(
  how: Admission,
  draft: Draft,
  op: MembershipOp,
  deps: readonly OpEntry[],
  wanted: boolean,
): OpRefusal | undefined {
  const refusal = wrongPlace(draft, op) ?? wrongAuthor(how, op)
  if (refusal !== undefined) return refusal
  const before = predecessor(op, deps)
  if (before === 'broken') return 'broken-chain'
  const cap = op.cap === null ? undefined : draft.byId.get(toHex(op.cap))
  const candidate: Candidate = { op, deps, past: clockOf(deps), before, cap }
  const fault = wrongTerms(how, draft, candidate)
  if (fault !== undefined) return fault
  const grant = grantOf(candidate)
  if (grant !== undefined && grant.level > limits.delegationDepth) return 'too-deep'
  const today = countToday(candidate)
  if (today > limits.groupOpsPerDay) return 'too-many'
  const branch = startsBranch(draft, before)
  if (branch && !wanted && (draft.branches.get(op.by) ?? 0) >= limits.groupForkBranches)
    return 'forked-too-often'
  place(draft, candidate, grant, today, branch)
  return undefined
}

function wrongPlace({ conversation }: Draft, op: MembershipOp): OpRefusal | undefined {
  if (conversation.kind === 'group') return undefined
  if (!conversation.accounts.some((account) => equalBytes(account, op.account))) return 'author-not-known'
  const kinds: readonly MembershipOp['args']['kind'][] = ['policy', 'deviceset', 'seg', 'meta', 'unknown']
  return kinds.includes(op.args.kind) && op.cap === null ? undefined : 'not-in-direct'
}

/** The device must be active at the heads of its own log that it pins, and must have signed. */
function wrongAuthor({ crypto, logs, trusted }: Admission, op: MembershipOp): OpRefusal | undefined {
  const log = logs.get(op.byAccount)
  const key = log?.certificates.get(op.byDevice)?.identityKey
  if (log === undefined || key === undefined) return 'author-not-active'
  if (!trusted && !verifyAs(crypto, key, opSignatureType, op.conversation, op.body, op.signature))
    return 'bad-signature'
  return accountAt(log, op.accountHeads)?.active.has(op.byDevice) === true ? undefined : 'author-not-active'
}

/** The author's operation before; undefined for its first, 'broken' when the number does not follow. */
function predecessor(op: MembershipOp, deps: readonly OpEntry[]): OpEntry | undefined | 'broken' {
  const own = deps.filter((dep) => dep.op.by === op.by)
  const [before] = own
  if (before === undefined) return op.oseq === 1 ? undefined : 'broken'
  if (own.length > 1 || before.op.oseq + 1 !== op.oseq || before.op.tsMs > op.tsMs) return 'broken'
  return before
}

const dayMs = 24 * 60 * 60 * 1000
const dayOf = (op: MembershipOp): number => Math.floor(op.tsMs / dayMs)

const countToday = ({ op, before }: Candidate): number =>
  before !== undefined && dayOf(before.op) === dayOf(op) ? before.today + 1 : 1

/** The grant it cites is its author's and in its past, and it may be written on such a grant. */
function wrongTerms(how: Admission, draft: Draft, candidate: Candidate): OpRefusal | undefined {
  const { op, past, cap } = candidate
  // It names nothing and is the first of its device: nothing of its conversation was there before it.
  if (op.args.kind === 'create') return op.cap === null ? undefined : 'bad-terms'
  if (draft.conversation.kind === 'group') {
    if (!grantedIn(draft, past, op.byAccount)) return 'author-not-known'
    const mustCite = op.args.kind !== 'leave' && op.args.kind !== 'deviceset'
    if (op.cap === null ? mustCite : op.args.kind === 'leave') return 'bad-cap'
    if (op.cap !== null && (cap?.grant?.account !== op.byAccount || !within(past, cap))) return 'bad-cap'
    if ((cap?.grant?.rank ?? 0) > leastRank(op)) return 'bad-cap'
  }
  return wrongArgs(how, draft, candidate)
}

/** The least role that may write an operation: 0 owner, 1 admin, 2 member. */
function leastRank({ args }: MembershipOp): number {
  switch (args.kind) {
    case 'grant':
      return Math.min(1, rankOf(args.role))
    case 'policy':
      return args.change.kind === 'adminsGrantAdmin' ? 0 : 1
    case 'revoke':
    case 'demote':
    case 'invite':
    case 'close':
      return 1
    default:
      return 2
  }
}

function wrongArgs({ crypto }: Admission, draft: Draft, candidate: Candidate): OpRefusal | undefined {
  const { op, past } = candidate
  const { args } = op
  const bad = (sound: boolean): OpRefusal | undefined => (sound ? undefined : 'bad-terms')
  switch (args.kind) {
    case 'grant':
      return bad(args.heads.length > 0)
    case 'revoke':
      return bad(grantedIn(draft, past, toHex(args.account)) && seenBy(draft, candidate, args))
    case 'demote':
      return bad(demotes(draft, candidate, toHex(args.account), rankOf(args.role)))
    case 'invite':
      return bad(args.uses > 0)
    case 'close': {
      const invite = draft.byId.get(toHex(args.invite))
      return bad(invite?.op.args.kind === 'invite' && within(past, invite))
    }
    case 'admit': {
      const invite = draft.byId.get(toHex(args.invite))
      if (invite?.op.args.kind !== 'invite' || !within(past, invite) || args.heads.length === 0)
        return 'bad-terms'
      if (op.tsMs > invite.op.args.expiresAtMs) return 'bad-terms'
      const { proof, account } = args
      const about = { conversation: op.conversation, invite: args.invite, account }
      return verifyAdmitProof(crypto, invite.op.args.key, about, proof) ? undefined : 'bad-proof'
    }
    case 'deviceset':
      return bad(
        namedHeads(args).length > 0 &&
          grantedIn(draft, past, toHex(args.account)) &&
          seenBy(draft, candidate, args),
      )
    case 'meta':
      return bad(
        args.after.every((id) => {
          const seen = draft.byId.get(toHex(id))
          return seen?.op.args.kind === 'meta' && within(past, seen)
        }),
      )
    default:
      return undefined
  }
}

/** Whether an account was ever granted anything there; in a direct conversation its two were. */
function grantedIn({ conversation, grants }: Draft, past: Clock, account: string): boolean {
  if (conversation.kind === 'direct') return conversation.accounts.some((one) => toHex(one) === account)
  return (grants.get(account) ?? []).some((entry) => within(past, entry))
}

/** Devices are named once, in byte order, with operations that are theirs and that the author has seen. */
function seenBy(draft: Draft, { past }: Candidate, named: Naming): boolean {
  const list = named.kind === 'revoke' ? named.frontier : named.last
  const account = toHex(named.account)
  let previous = ''
  for (const { device, op } of list) {
    const key = toHex(device)
    if (key <= previous) return false
    previous = key
    if (op === null) continue
    const entry = draft.byId.get(toHex(op.id))
    if (entry === undefined || !within(past, entry)) return false
    const { byAccount, byDevice, oseq } = entry.op
    if (byAccount !== account || byDevice !== key || oseq !== op.oseq) return false
  }
  return true
}

type Naming = Extract<MembershipOp['args'], { readonly kind: 'revoke' | 'deviceset' }>

/** A demotion ends at least one grant that its author has seen and stands above; nothing is above an owner's. */
function demotes(draft: Draft, { past, cap }: Candidate, account: string, rank: number): boolean {
  return (draft.grants.get(account) ?? []).some(
    (entry) =>
      within(past, entry) && (entry.grant?.rank ?? 2) < rank && cap !== undefined && standsAbove(cap, entry),
  )
}

function grantOf({ op, cap }: Candidate): Grant | undefined {
  const { args } = op
  const below = { level: (cap?.grant?.level ?? -1) + 1, parent: cap }
  switch (args.kind) {
    case 'create':
      return { account: op.byAccount, role: 'owner', rank: 0, ...below }
    case 'grant':
    case 'demote':
      return { account: toHex(args.account), role: args.role, rank: rankOf(args.role), ...below }
    case 'admit':
      return { account: toHex(args.account), role: 'member', rank: rankOf('member'), ...below }
    default:
      return undefined
  }
}

const startsBranch = (draft: Draft, before: OpEntry | undefined): boolean =>
  before === undefined || draft.chains[before.chain]?.entries.length !== before.position + 1

function place(
  draft: Draft,
  { op, deps, past, before, cap }: Candidate,
  grant: Grant | undefined,
  today: number,
  branch: boolean,
): void {
  const chain =
    branch || before === undefined ? draft.chains.push({ by: op.by, entries: [] }) - 1 : before.chain
  const run = draft.chains[chain]
  const entry: OpEntry = {
    ...{ op, deps, before, past, chain, today, cap, grant },
    index: draft.entries.length,
    position: run?.entries.length ?? 0,
    depth: deps.reduce((depth, dep) => Math.max(depth, dep.depth + 1), 0),
  }
  if (branch) draft.branches.set(op.by, (draft.branches.get(op.by) ?? 0) + 1)
  run?.entries.push(entry)
  draft.entries.push(entry)
  draft.byId.set(op.key, entry)
  if (grant === undefined) return
  const list = draft.grants.get(grant.account)
  if (list === undefined) draft.grants.set(grant.account, [entry])
  else list.push(entry)
}
