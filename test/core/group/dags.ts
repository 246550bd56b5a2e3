/** Random conversations: accounts of several devices that grant, remove, demote, leave, invite, admit, cut and fork. */
import {
  addMembershipOps,
  admitProof,
  emptyOpSet,
  issueCreate,
  issueOp,
  type AccountLogs,
  type Conversation,
  type KnownOpArgs,
  type LastSeen,
  type MembershipOp,
  type OpSet,
} from '../../../packages/core/src/group/index.ts'
import type { CryptoProvider } from '../../../packages/core/src/crypto/index.ts'
import { logHeads, type DeviceLog } from '../../../packages/core/src/identity/index.ts'
import { toHex } from '../../../packages/core/src/wire/index.ts'
import { crypto, freshAccount, laterMs, seedOf, startMs, type TestAccount } from './support.ts'

type Random = (n: number) => number

/** Signatures are checked by the tests of admission; here orders are what is asked. */
export const trusting: CryptoProvider = { ...crypto, verify: () => true }

const names = 'ABCDEFGH'.split('')

/** What may have become of an account's log since its devices wrote. */
const fates: readonly ((account: TestAccount) => void)[] = [
  () => undefined,
  ({ scene }) => scene.revoke('1', '2', 9, [...scene.ops]),
  ({ scene }) => scene.revoke(null, '1', 9, [...scene.ops]),
  ({ scene }) => {
    const known = [...scene.ops]
    scene.revoke('1', '2', 9, known)
    scene.revoke('2', '1', 9, known)
  },
  ({ scene }) => {
    const from = scene.ops[0]!
    const known = [...scene.ops]
    scene.renew(null, '1', startMs + 1, known, { from })
    scene.renew(null, '2', startMs + 2, known, { from })
  },
]

const pool = new Map<string, { readonly account: TestAccount; readonly log: DeviceLog }>()

function accountWith(name: string, fate: number): { readonly account: TestAccount; readonly log: DeviceLog } {
  const key = `${name}${fate}`
  const known = pool.get(key)
  if (known !== undefined) return known
  const account = freshAccount(name)
  fates[fate]?.(account)
  const made = { account, log: account.scene.log() }
  pool.set(key, made)
  return made
}

/** A drawn conversation. */
export interface Dag {
  readonly conversation: Conversation
  readonly logs: AccountLogs
  readonly ops: readonly MembershipOp[]
  readonly set: OpSet
}

interface Drawing {
  readonly random: Random
  readonly accounts: ReadonlyMap<string, { readonly account: TestAccount; readonly log: DeviceLog }>
  readonly logs: AccountLogs
  readonly create: MembershipOp
  readonly lost: boolean
  readonly ops: MembershipOp[]
  readonly pasts: Map<string, ReadonlySet<MembershipOp>>
  readonly invites: Map<string, ReturnType<typeof crypto.signKeyPair>>
  set: OpSet
}

const pick = <T>(list: readonly T[], random: Random): T => list[random(list.length)]!

/**
 * Draws a conversation of up to `size` operations. The same numbers give the same bytes. `lost`: of few accounts
 * that all lost devices, most of whose operations say how far these reach.
 */
export function drawDag(random: Random, size: number, lost = false): Dag {
  const accounts = new Map(
    (lost ? names.slice(0, 3) : names).map((name) => [
      name,
      accountWith(name, lost ? 1 + random(3) : random(3) === 0 ? 1 + random(fates.length - 1) : 0),
    ]),
  )
  const logs = new Map([...accounts.values()].map(({ account, log }) => [account.key, log]))
  const { account } = accounts.get('A')!
  const author = authorOf(account, '1')
  const create = issueCreate(crypto, author, account.heads, seedOf(`dag ${random(2 ** 30)}`), startMs)
  const conversation: Conversation = { kind: 'group', id: create.conversation }
  const { set } = addMembershipOps(trusting, emptyOpSet(conversation), [create.bytes], logs, laterMs)
  const drawing: Drawing = {
    ...{ random, accounts, logs, create, set, ops: [create], lost },
    pasts: new Map([[create.key, new Set<MembershipOp>()]]),
    invites: new Map(),
  }
  const count = 5 + random(size - 5)
  for (let tries = 0; drawing.ops.length < count && tries < 3 * size; tries++) drawOp(drawing)
  return { conversation, logs, ops: drawing.ops, set: drawing.set }
}

function authorOf(
  { scene }: TestAccount,
  device: string,
): {
  account: typeof scene.account.id
  device: ReturnType<typeof scene.device>['device']
  identity: ReturnType<typeof scene.device>['identity']
} {
  const own = scene.device(device)
  return { account: scene.account.id, device: own.device, identity: own.identity }
}

/** Account that a grant of any kind is for, by hexadecimal id. */
const holderOf = ({ args, byAccount }: MembershipOp): string | undefined =>
  args.kind === 'create'
    ? byAccount
    : args.kind === 'grant' || args.kind === 'admit' || args.kind === 'demote'
      ? toHex(args.account)
      : undefined

function pastOf(drawing: Drawing, deps: readonly MembershipOp[]): ReadonlySet<MembershipOp> {
  const past = new Set<MembershipOp>(deps)
  for (const dep of deps) for (const op of drawing.pasts.get(dep.key)!) past.add(op)
  return past
}

function drawOp(drawing: Drawing): void {
  const { random, ops, accounts } = drawing
  // Mostly recent operations, so that branches live and meet again.
  const recent = (): MembershipOp => ops[ops.length - 1 - random(Math.min(7, ops.length))]!
  const known = [...new Set(Array.from({ length: 1 + random(2) }, recent))]
  const cap = pick([...pastOf(drawing, known)].filter(holderOf).concat(known.filter(holderOf)), random) as
    MembershipOp | undefined
  if (cap === undefined) return
  const { account } = [...accounts.values()].find(({ account: one }) => one.key === holderOf(cap))!
  const device = !drawing.lost && random(3) > 0 ? '1' : String(1 + random(3))
  const author = authorOf(account, device)
  const own = ops.filter((op) => toHex(op.device) === toHex(author.device))
  const before = random(14) === 0 && own.length > 0 ? pick(own, random) : own.at(-1)
  const deps = [
    ...known.filter((op) => toHex(op.device) !== toHex(author.device)),
    ...(before === undefined ? [] : [before]),
  ]
  if (deps.length === 0) return
  const past = pastOf(drawing, deps)
  const args = drawArgs(drawing, past, account)
  if (args === undefined) return
  const bare = args.kind === 'leave' || (args.kind === 'deviceset' && random(3) === 0)
  const op = issueOp(
    crypto,
    author,
    {
      conversation: drawing.create.conversation,
      deps: deps.map(({ id }) => id),
      cap: bare ? null : cap.id,
      accountHeads: account.heads,
      oseq: (before?.oseq ?? 0) + 1,
      tsMs: Math.max(startMs + ops.length, before?.tsMs ?? 0),
    },
    args,
  )
  const { set, added } = addMembershipOps(trusting, drawing.set, [op.bytes], drawing.logs, laterMs)
  if (added.length === 0) return
  drawing.set = set
  drawing.ops.push(op)
  drawing.pasts.set(op.key, past)
}

function drawArgs(
  drawing: Drawing,
  past: ReadonlySet<MembershipOp>,
  author: TestAccount,
): KnownOpArgs | undefined {
  const { random, accounts, ops, lost } = drawing
  const others = [...accounts.values()]
  const drawn = pick(others, random)
  const dice = lost && random(2) === 0 ? 39 : random(40)
  const own = lost && dice >= 36 && random(4) > 0
  const target = own ? others.find(({ account }) => account === author)! : drawn
  const { id } = target.account.scene.account
  if (dice < 12) {
    const role = pick(['owner', 'admin', 'admin', 'member', 'member'] as const, random)
    return { kind: 'grant', account: id, role, heads: target.account.heads }
  }
  if (dice < 20) return { kind: 'revoke', account: id, frontier: drawSeen(drawing, target.account, past) }
  if (dice < 23) return { kind: 'demote', account: id, role: pick(['admin', 'member'] as const, random) }
  if (dice < 24) return { kind: 'leave' }
  if (dice < 27) {
    const key = crypto.signKeyPair(seedOf(`dag invite ${ops.length} ${random(1_000)}`))
    drawing.invites.set(toHex(key.publicKey), key)
    return { kind: 'invite', key: key.publicKey, uses: 1 + random(2), expiresAtMs: laterMs }
  }
  if (dice < 32) {
    const invite = pick(
      [...past].filter((op) => op.args.kind === 'invite'),
      random,
    ) as MembershipOp | undefined
    if (invite?.args.kind !== 'invite') return undefined
    const about = { conversation: drawing.create.conversation, invite: invite.id, account: id }
    const proof = admitProof(crypto, drawing.invites.get(toHex(invite.args.key))!, about)
    if (random(6) === 0) return { kind: 'close', invite: invite.id }
    return { kind: 'admit', invite: invite.id, account: id, heads: target.account.heads, proof }
  }
  if (dice < 36) {
    const kind = pick(['adminsGrantAdmin', 'membersAdmit', 'membersAdmit', 'timer'] as const, random)
    return kind === 'timer'
      ? { kind: 'policy', change: { kind, ms: random(3) } }
      : { kind: 'policy', change: { kind, allowed: random(3) > 0 } }
  }
  return {
    kind: 'deviceset',
    ...{ account: id, heads: logHeads(target.log) },
    last: drawSeen(drawing, target.account, past),
  }
}

/** Devices of an account with something they wrote in that past, or nothing. */
function drawSeen(
  { random }: Drawing,
  { scene }: TestAccount,
  past: ReadonlySet<MembershipOp>,
): readonly LastSeen[] {
  return ['1', '2', '3'].flatMap((name): LastSeen[] => {
    const { device } = scene.device(name)
    const own = [...past].filter((op) => toHex(op.device) === toHex(device))
    if (random(6) === 0) return []
    const op =
      own.length === 0 || random(6) === 0 ? undefined : random(3) > 0 ? own.at(-1)! : pick(own, random)
    return [{ device, record: null, op: op === undefined ? null : { oseq: op.oseq, id: op.id } }]
  })
}
