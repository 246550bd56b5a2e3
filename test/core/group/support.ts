/** Conversations for the tests of the group room: real accounts, real logs, signed operations, by name. */
import {
  admitProof,
  addMembershipOps,
  emptyOpSet,
  issueCreate,
  issueOp,
  membershipAt,
  newestOps,
  resolveMembership,
  type AccountLogs,
  type Conversation,
  type KnownOpArgs,
  type LastSeen,
  type Membership,
  type MembershipOp,
  type OpAuthor,
  type OpSet,
  type PolicyChange,
  type Role,
} from '../../../packages/core/src/group/index.ts'
import { logHeads, type DeviceLog, type LogOpId } from '../../../packages/core/src/identity/index.ts'
import { toHex } from '../../../packages/core/src/wire/index.ts'
import { crypto, dayMs, laterMs, Scene, seedOf, startMs } from '../identity/support.ts'

export { crypto, dayMs, laterMs, seedOf, startMs }
export { randomOf, shuffled } from '../identity/support.ts'

/** An account with its log as it was, and as it became. */
export interface TestAccount {
  readonly name: string
  readonly scene: Scene
  /** Heads that operations pin unless told otherwise: before anybody was revoked. */
  readonly heads: readonly LogOpId[]
  readonly key: string
}

const made = new Map<string, TestAccount>()

/** An account of devices 1, 2 and 3, the same in every test; tests never write to its log. */
export function accountOf(name: string): TestAccount {
  const known = made.get(name)
  if (known !== undefined) return known
  const account = freshAccount(name)
  made.set(name, account)
  return account
}

/** An account of devices 1, 2 and 3 whose log a test may go on writing. */
export function freshAccount(name: string): TestAccount {
  const scene = new Scene(`group ${name}`)
  const first = scene.add(null, '1', [])
  const second = scene.add('1', '2', [first])
  scene.add('1', '3', [second])
  return { name, scene, heads: logHeads(scene.log()), key: toHex(scene.account.id) }
}

/** Where an operation goes, when not after everything its author's name implies. */
export interface Where {
  /** Number of the account's device; 1 unless told. */
  readonly device?: string
  /** The grant it cites; the author's first unless told. */
  readonly cap?: MembershipOp | null
  /** What it follows, beside its author's own last; everything written so far unless told. */
  readonly after?: readonly MembershipOp[]
  readonly heads?: readonly LogOpId[]
  readonly tsMs?: number
  /** Continue the device's chain from here: a fork. Null: from its beginning. */
  readonly from?: MembershipOp | null
}

/** A group being written by hand: accounts by letter, operations with chosen pasts. */
export class Group {
  readonly accounts = new Map<string, TestAccount>()
  readonly ops: MembershipOp[] = []
  readonly last = new Map<string, MembershipOp>()
  /** First grant of each account. */
  readonly grants = new Map<string, MembershipOp>()
  readonly create: MembershipOp
  readonly invites = new Map<string, ReturnType<typeof crypto.signKeyPair>>()
  readonly #account: (name: string) => TestAccount

  constructor(owner = 'A', account: (name: string) => TestAccount = accountOf, nonce = 'group') {
    this.#account = account
    const { scene, heads } = this.account(owner)
    this.create = issueCreate(crypto, this.author(owner, '1'), heads, seedOf(nonce), startMs)
    this.ops.push(this.create)
    this.last.set(`${owner}1`, this.create)
    this.grants.set(owner, this.create)
    this.grants.set(toHex(scene.account.id), this.create)
  }

  account(name: string): TestAccount {
    const known = this.accounts.get(name)
    if (known !== undefined) return known
    const found = this.#account(name)
    this.accounts.set(name, found)
    return found
  }

  author(name: string, device: string): OpAuthor {
    const { scene } = this.account(name)
    const own = scene.device(device)
    return { account: scene.account.id, device: own.device, identity: own.identity }
  }

  get conversation(): Conversation {
    return { kind: 'group', id: this.create.conversation }
  }

  get logs(): AccountLogs {
    return new Map(
      [...this.accounts.values()].map(({ key, scene }): [string, DeviceLog] => [key, scene.log()]),
    )
  }

  /** Operations that no other of these names. */
  tips(ops: readonly MembershipOp[] = this.ops): readonly MembershipOp[] {
    const named = new Set(ops.flatMap((op) => op.deps.map(toHex)))
    return ops.filter((op) => !named.has(op.key))
  }

  write(name: string, args: KnownOpArgs, where: Where = {}): MembershipOp {
    const device = where.device ?? '1'
    const own = where.from === undefined ? this.last.get(name + device) : (where.from ?? undefined)
    const after = (where.after ?? this.tips()).filter((op) => op.by !== own?.by || op === own)
    const deps = new Map([...after, ...(own === undefined ? [] : [own])].map((op) => [op.key, op.id]))
    const bare = args.kind === 'leave' || args.kind === 'deviceset'
    const cap =
      where.cap === undefined ? (bare ? null : (this.grants.get(name)?.id ?? null)) : (where.cap?.id ?? null)
    const op = issueOp(
      crypto,
      this.author(name, device),
      {
        conversation: this.create.conversation,
        deps: [...deps.values()],
        cap,
        accountHeads: where.heads ?? this.account(name).heads,
        oseq: (own?.oseq ?? 0) + 1,
        tsMs: where.tsMs ?? Math.max(startMs + this.ops.length, own?.tsMs ?? 0),
      },
      args,
    )
    this.ops.push(op)
    this.last.set(name + device, op)
    if ((args.kind === 'grant' || args.kind === 'admit') && !this.grants.has(this.nameOf(args.account)))
      this.grants.set(this.nameOf(args.account), op)
    return op
  }

  nameOf(account: Uint8Array): string {
    const key = toHex(account)
    return [...this.accounts.values()].find((one) => one.key === key)?.name ?? '?'
  }

  grant(by: string, name: string, role: Role, where?: Where): MembershipOp {
    const { scene, heads } = this.account(name)
    return this.write(by, { kind: 'grant', account: scene.account.id, role, heads }, where)
  }

  /** A removal; its frontier is everything its author has seen of the account, or what is given. */
  revoke(
    by: string,
    name: string,
    where: Where & { readonly frontier?: readonly LastSeen[] } = {},
  ): MembershipOp {
    const { id } = this.account(name).scene.account
    const seen = where.frontier ?? newestOps(this.set(this.pastOf(where.after ?? this.tips(), by, where)), id)
    return this.write(by, { kind: 'revoke', account: id, frontier: seen }, where)
  }

  demote(by: string, name: string, role: Role, where?: Where): MembershipOp {
    return this.write(by, { kind: 'demote', account: this.account(name).scene.account.id, role }, where)
  }

  leave(by: string, where?: Where): MembershipOp {
    return this.write(by, { kind: 'leave' }, where)
  }

  policy(by: string, change: PolicyChange, where?: Where): MembershipOp {
    return this.write(by, { kind: 'policy', change }, where)
  }

  invite(by: string, uses: number, where?: Where, expiresAtMs = laterMs): MembershipOp {
    const key = crypto.signKeyPair(seedOf(`invite ${this.ops.length}`))
    const op = this.write(by, { kind: 'invite', key: key.publicKey, uses, expiresAtMs }, where)
    this.invites.set(op.key, key)
    return op
  }

  admit(by: string, name: string, invite: MembershipOp, where?: Where): MembershipOp {
    const { scene, heads } = this.account(name)
    const about = { conversation: this.create.conversation, invite: invite.id, account: scene.account.id }
    const proof = admitProof(crypto, this.invites.get(invite.key)!, about)
    return this.write(
      by,
      { kind: 'admit', invite: invite.id, account: scene.account.id, heads, proof },
      where,
    )
  }

  /** What `by` says of the devices of an account: each with its last operation, or null. */
  deviceset(
    by: string,
    name: string,
    last: Readonly<
      Record<
        string,
        | MembershipOp
        | null
        | { readonly record: Uint8Array; readonly aseq?: number; readonly op?: MembershipOp }
      >
    >,
    where?: Where,
  ): MembershipOp {
    const { scene } = this.account(name)
    const named = Object.entries(last).map(([device, seen]): LastSeen => {
      const op = seen !== null && 'record' in seen ? (seen.op ?? null) : seen
      return {
        device: scene.device(device).device,
        record: seen !== null && 'record' in seen ? { aseq: seen.aseq ?? 0, id: seen.record } : null,
        op: op === null ? null : { oseq: op.oseq, id: op.id },
      }
    })
    const heads = logHeads(scene.log())
    return this.write(by, { kind: 'deviceset', account: scene.account.id, heads, last: named }, where)
  }

  meta(by: string, where?: Where): MembershipOp {
    return this.write(by, { kind: 'meta', intent: seedOf('intent'), after: [] }, where)
  }

  /** Everything in the past of these operations and of the author's last. */
  pastOf(after: readonly MembershipOp[], by: string, where: Where = {}): readonly MembershipOp[] {
    const byKey = new Map(this.ops.map((op) => [op.key, op]))
    const own = this.last.get(by + (where.device ?? '1'))
    const open = [...after, ...(own === undefined ? [] : [own])]
    const seen = new Set<MembershipOp>()
    for (let op = open.pop(); op !== undefined; op = open.pop()) {
      if (seen.has(op)) continue
      seen.add(op)
      open.push(...op.deps.flatMap((dep) => byKey.get(toHex(dep)) ?? []))
    }
    return this.ops.filter((op) => seen.has(op))
  }

  set(ops: readonly MembershipOp[] = this.ops): OpSet {
    return setOf(this, ops).set
  }

  now(ops?: readonly MembershipOp[]): Membership {
    return resolveMembership(this.set(ops), this.logs)
  }

  at(heads: readonly MembershipOp[]): Membership {
    return membershipAt(
      this.set(),
      this.logs,
      heads.map((op) => op.id),
    )!
  }

  /** Members as "A:owner B:admin", in the order of names. */
  members(ops?: readonly MembershipOp[]): string {
    return this.say(this.now(ops))
  }

  say(membership: Membership): string {
    return [...membership.members.values()]
      .map(({ account, role }) => `${this.nameOf(account)}:${role}`)
      .sort()
      .join(' ')
  }

  /** Kinds of the conflicts, in order. */
  conflicts(): readonly string[] {
    return this.now().conflicts.map(({ kind }) => kind)
  }
}

/** A group of an owner A, an admin B and a member D. */
export function groupOfThree(): Group {
  const group = new Group()
  group.grant('A', 'B', 'admin')
  group.grant('B', 'D', 'member')
  return group
}

/** What adding these operations to an empty set of the group gives. */
export function setOf(
  group: { readonly conversation: Conversation; readonly logs: AccountLogs },
  ops: readonly MembershipOp[],
): ReturnType<typeof addMembershipOps> {
  const bytes = ops.map((op) => op.bytes)
  return addMembershipOps(crypto, emptyOpSet(group.conversation), bytes, group.logs, laterMs)
}

/** A membership as one comparable string: everything but what it cost. */
export function digestOf(membership: Membership): string {
  const { heads, members, policy, conflicts, faults, accounts } = membership
  return JSON.stringify(
    { heads, members, policy, conflicts, faults, accounts: [...accounts.keys()] },
    (_, value: unknown) => {
      if (value instanceof Uint8Array) return toHex(value)
      return value instanceof Map ? [...(value as Map<string, unknown>)] : value
    },
  )
}
