/**
 * A second, naive reading of docs/protocol/group.md §4: sets and recursion, no clocks, no caches of reach. It
 * shares no code with the room but the decoded operations, and is what the room is compared with.
 */
import type { MembershipOp } from '../../../packages/core/src/group/index.ts'
import { decodeIntent } from '../../../packages/core/src/history/intent.ts'
import { toHex } from '../../../packages/core/src/wire/index.ts'

export interface ReferenceResult {
  /** "account:role", sorted. */
  readonly members: readonly string[]
  /** Keys of the operations that count for nothing, sorted. */
  readonly void: readonly string[]
  readonly policy: Readonly<Record<string, unknown>>
}

type Op = MembershipOp
const ranks: Readonly<Record<string, number>> = { owner: 0, admin: 1, member: 2 }

export function reference(
  ops: readonly Op[],
  active: (account: string, device?: string) => boolean,
): ReferenceResult {
  const byKey = new Map(ops.map((op) => [op.key, op]))
  const get = (id: Uint8Array | null | undefined): Op | undefined =>
    id === null || id === undefined ? undefined : byKey.get(toHex(id))
  const pasts = new Map<Op, Set<Op>>()
  const past = (op: Op): Set<Op> => {
    const known = pasts.get(op)
    if (known !== undefined) return known
    const set = new Set<Op>()
    for (const dep of op.deps) {
      const before = get(dep)!
      set.add(before)
      for (const one of past(before)) set.add(one)
    }
    pasts.set(op, set)
    return set
  }
  const longest = new Map<Op, number>()
  const depth = (op: Op): number => {
    const known = longest.get(op) ?? op.deps.reduce((most, dep) => Math.max(most, 1 + depth(get(dep)!)), 0)
    longest.set(op, known)
    return known
  }
  const order = (a: Op, b: Op): number => depth(a) - depth(b) || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)

  const isGrant = ({ args }: Op): boolean => ['create', 'grant', 'demote', 'admit'].includes(args.kind)
  const holder = (g: Op): string => ('account' in g.args ? toHex(g.args.account) : g.byAccount)
  const rank = (g: Op): number =>
    g.args.kind === 'create'
      ? 0
      : g.args.kind === 'grant' || g.args.kind === 'demote'
        ? ranks[g.args.role]!
        : 2
  const ancestors = (g: Op): Op[] => {
    const parent = get(g.cap)
    return parent === undefined ? [] : [parent, ...ancestors(parent)]
  }
  const level = (g: Op): number => ancestors(g).length
  const authority = (cap: Op | undefined): readonly [number, number] =>
    cap === undefined ? [-1, -1] : [rank(cap), level(cap)]
  const compare = (a: Op | undefined, b: Op | undefined): number =>
    authority(a)[0] - authority(b)[0] || authority(a)[1] - authority(b)[1]
  const above = (cap: Op, g: Op): boolean =>
    rank(cap) <= 1 && (rank(cap) < rank(g) || ancestors(g).includes(cap))

  /** R has a say over g. */
  const mayKill = (R: Op, g: Op): boolean => {
    if (past(g).has(R)) return false
    if (R.args.kind === 'leave') return R.byAccount === holder(g)
    if (R.args.kind !== 'revoke' && R.args.kind !== 'demote') return false
    if (toHex(R.args.account) !== holder(g) || !above(get(R.cap)!, g)) return false
    return R.args.kind === 'revoke' || rank(g) < ranks[R.args.role]!
  }
  /** What a list of devices leaves of one: an operation, or nothing. */
  const covers = (
    list: readonly { device: Uint8Array; op: { id: Uint8Array } | null }[],
    op: Op,
  ): boolean => {
    const named = get(list.find(({ device }) => toHex(device) === op.byDevice)?.op?.id)
    return named !== undefined && (named === op || past(named).has(op))
  }
  /** R, once it counts, undoes what cites a grant that it kills. */
  const undoes = (R: Op, op: Op): boolean => {
    if (R.args.kind === 'leave') return past(op).has(R)
    if (!past(R).has(op)) return true
    return R.args.kind === 'revoke' && !covers(R.args.frontier, op)
  }
  const killers = (g: Op): Op[] => ops.filter((R) => mayKill(R, g) && counts(R))

  const verdicts = new Map<Op, boolean>()
  const counts = (op: Op): boolean => {
    const known = verdicts.get(op)
    if (known !== undefined) return known
    const verdict = judge(op)
    verdicts.set(op, verdict)
    return verdict
  }
  const judge = (op: Op): boolean => {
    const { args } = op
    if (args.kind === 'create' || args.kind === 'leave' || args.kind === 'deviceset') return true
    const cap = get(op.cap)!
    if (!counts(cap) || killers(cap).some((R) => undoes(R, op)) || !stands(op, cap)) return false
    if (args.kind === 'grant' && rank(cap) === 1 && args.role === 'admin')
      return allowed('adminsGrantAdmin', op, cap)
    if (args.kind !== 'admit') return true
    if (rank(cap) === 2 && !allowed('membersAdmit', op, cap)) return false
    const invite = get(args.invite)!
    if (!counts(invite)) return false
    const open = (R: Op): boolean => past(invite).has(R) || past(R).has(op)
    if (ops.some((R) => R.args.kind === 'revoke' && counts(R) && !open(R))) return false
    const shuts = (C: Op): boolean => C.args.kind === 'close' && get(C.args.invite) === invite
    if (ops.some((C) => shuts(C) && counts(C) && !past(C).has(op))) return false
    const uses = invite.args.kind === 'invite' ? invite.args.uses : 0
    const earlier = ops.filter(
      (one) =>
        one.args.kind === 'admit' && get(one.args.invite) === invite && order(one, op) < 0 && counts(one),
    )
    const accounts = new Set(earlier.map(holder))
    return accounts.has(holder(op)) || accounts.size < uses
  }
  const words = (op: Op): Op[] =>
    ops.filter(
      (D) =>
        D.args.kind === 'deviceset' &&
        toHex(D.args.account) === op.byAccount &&
        D.args.last.some(({ device }) => toHex(device) === op.byDevice) &&
        active(D.byAccount, D.byDevice),
    )
  const covering = (D: Op, op: Op): boolean => D.args.kind === 'deviceset' && covers(D.args.last, op)
  const stands = (op: Op, cap: Op): boolean => {
    if (active(op.byAccount, op.byDevice) || words(op).length === 0) return true
    const reaches = (D: Op): boolean => {
      if (rank(cap) === 2) return true
      const cited = get(D.cap)
      if (cited === undefined || compare(cited, cap) > 0 || !counts(cited)) return false
      return killers(cited).every((R) => (R.args.kind === 'leave' ? past(R).has(D) : !undoes(R, D)))
    }
    const cuts = words(op).filter((D) => D.byAccount === op.byAccount && reaches(D))
    const owed = !words(op).some((D) => D.byAccount === op.byAccount) && active(op.byAccount)
    if (cuts.length === 0 && owed && ['revoke', 'demote', 'close'].includes(op.args.kind))
      if (killers(cap).length === 0) return true
    if (cuts.length === 0) return words(op).some((D) => covering(D, op))
    return cuts.filter((D) => !cuts.some((other) => past(other).has(D))).every((D) => covering(D, op))
  }
  const permits = (P: Op | undefined): boolean =>
    P?.args.kind === 'policy' && 'allowed' in P.args.change && P.args.change.allowed
  const said = (setting: string): Op[] =>
    ops.filter((P) => P.args.kind === 'policy' && P.args.change.kind === setting)
  const holds = (list: readonly Op[]): Op | undefined => {
    const valid = list.filter(counts)
    return valid
      .filter((P) => !valid.some((other) => past(other).has(P)))
      .sort((a, b) => compare(get(a.cap), get(b.cap)) || (a.key < b.key ? -1 : 1))[0]
  }
  const allowed = (setting: string, op: Op, cap: Op): boolean => {
    if (!permits(holds(said(setting).filter((P) => past(op).has(P))))) return false
    const higher = (P: Op): boolean => rank(get(P.cap)!) < rank(cap) || ancestors(cap).includes(get(P.cap)!)
    return !said(setting).some(
      (P) => !permits(P) && !past(op).has(P) && !past(P).has(op) && higher(P) && counts(P),
    )
  }

  const members = new Map<string, string>()
  for (const g of ops.filter(isGrant)) {
    if (!counts(g) || killers(g).length > 0) continue
    const role = Object.keys(ranks)[rank(g)]!
    const known = members.get(holder(g))
    if (known === undefined || ranks[role]! < ranks[known]!) members.set(holder(g), role)
  }
  const value = (setting: string): unknown => {
    const P = holds(said(setting))
    return P?.args.kind === 'policy' ? P.args.change : null
  }
  return {
    members: [...members].map(([account, role]) => `${account}:${role}`).sort(),
    void: ops
      .filter((op) => !counts(op))
      .map(({ key }) => key)
      .sort(),
    policy: Object.fromEntries(
      ['adminsGrantAdmin', 'membersAdmit', 'timer'].map((name) => [name, value(name)]),
    ),
  }
}

/** Names a conversation may have: those of renamings that count and that no other such has in its past. */
export function titlesLeft(ops: readonly Op[], voided: ReadonlySet<string>): readonly string[] {
  const byKey = new Map(ops.map((op) => [op.key, op]))
  const past = (op: Op): ReadonlySet<string> => {
    const seen = new Set<string>()
    const open = op.deps.map(toHex)
    for (let key = open.pop(); key !== undefined; key = open.pop()) {
      if (seen.has(key)) continue
      seen.add(key)
      open.push(...byKey.get(key)!.deps.map(toHex))
    }
    return seen
  }
  const renamings = ops.flatMap((op) => {
    const intent = op.args.kind === 'meta' && !voided.has(op.key) ? decodeIntent(op.args.intent) : undefined
    return intent?.kind === 'set' && intent.field === 0
      ? [{ key: op.key, title: intent.text, past: past(op) }]
      : []
  })
  return renamings
    .filter(({ key }) => !renamings.some((other) => other.past.has(key)))
    .map(({ title }) => title)
}
