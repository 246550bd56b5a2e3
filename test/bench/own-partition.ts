/** A group of 64 accounts that was two for a while: what each side changed meanwhile, and how they become one again. */
import { payloadFrame, type PayloadItem } from '../../packages/core/src/device/payload.ts'
import {
  addMembershipOps,
  groupHeads,
  missingOpsFrom,
  resolveMembership,
  type AccountLogs,
  type MembershipOp,
  type OpSet,
} from '../../packages/core/src/group/index.ts'
import { logHeads } from '../../packages/core/src/identity/index.ts'
import { crypto, digestOf, freshAccount, Group, laterMs } from '../core/group/support.ts'

const accounts = 64
const changes = 16

const name = (i: number): string => `P${String(i)}`

/** Sixteen changes of one side, one after the other: eight members go and eight accounts come. */
function changeApart(
  group: Group,
  by: string,
  side: number,
  base: readonly MembershipOp[],
): readonly MembershipOp[] {
  const written: MembershipOp[] = []
  const after = (): { readonly after: readonly MembershipOp[] } => ({
    after: group.tips([...base, ...written]),
  })
  for (let i = 0; i < changes; i += 2) {
    // Both sides begin with the same member.
    const gone = i === 0 ? 2 : 3 + side * changes + i
    written.push(group.revoke(by, name(gone), after()))
    written.push(group.grant(by, `N${String(side)}.${String(i)}`, 'member', after()))
  }
  return written
}

/** What a device says on meeting one whose heads before the partition it remembers. */
function greeting(group: Group, set: OpSet, theirs: OpSet, own: readonly MembershipOp[]): Uint8Array {
  const newcomers = own.flatMap(({ args }) => (args.kind === 'grant' ? [group.nameOf(args.account)] : []))
  const items: PayloadItem[] = newcomers.map((one) => {
    const { scene } = group.account(one)
    return {
      kind: 'account',
      genesis: scene.account.bytes,
      name: one,
      ops: scene.ops.map(({ bytes }) => bytes),
      bundles: [],
    }
  })
  items.push({
    kind: 'group',
    conversation: group.create.conversation,
    accounts: [],
    heads: groupHeads(set),
    // What both agreed on before the partition is named by its digest: only the newcomers' logs are said.
    since: group.create.conversation,
    logs: newcomers.map((one) => {
      const { scene } = group.account(one)
      return { account: scene.account.id, heads: logHeads(scene.log()) }
    }),
    ops: missingOpsFrom(set, groupHeads(theirs)).ops.map(({ bytes }) => bytes),
  })
  return payloadFrame.encode({
    version: 1,
    boot: 1,
    bootSeen: 1,
    sentAtMs: laterMs,
    myLogHeads: [],
    yourLogHeads: [],
    items,
  })
}

const size = (list: readonly { readonly bytes: Uint8Array }[]): number =>
  list.reduce((sum, { bytes }) => sum + bytes.length, 0)

/** Both sides after the partition, ready to hear of each other. */
export function partition() {
  const group = new Group(name(0), freshAccount)
  group.grant(name(0), name(1), 'admin')
  for (let i = 2; i < accounts; i++) group.grant(name(0), name(i), 'member')
  const base = [...group.ops]
  const [first, second] = [0, 1].map((side) => changeApart(group, name(side), side, base))
  if (first === undefined || second === undefined) throw new Error('a partition has two sides')
  const logs: AccountLogs = group.logs
  const [before, left, right] = [base, [...base, ...first], [...base, ...second]].map((ops) => group.set(ops))
  if (before === undefined || left === undefined || right === undefined) throw new Error('no sets')
  const greetings = [greeting(group, left, before, first), greeting(group, right, before, second)]
  /** One side takes in what the other said, and resolves who is a member now. */
  const heal = (set: OpSet, said: Uint8Array | undefined): string => {
    const heard = payloadFrame.decode(said ?? new Uint8Array(0))
    const item = heard.ok ? heard.value.items.find(({ kind }) => kind === 'group') : undefined
    if (item?.kind !== 'group') throw new Error('a greeting did not decode')
    const merged = addMembershipOps(crypto, set, item.ops, logs, laterMs)
    if (merged.added.length !== changes || merged.set.parked.size > 0)
      throw new Error('an operation was lost')
    return digestOf(resolveMembership(merged.set, logs))
  }
  if (heal(left, greetings[1]) !== heal(right, greetings[0])) throw new Error('the sides disagree')
  const newcomers = [...group.accounts].filter(([one]) => one.startsWith('N'))
  const union =
    size([...first, ...second]) +
    newcomers.reduce((sum, [, { scene }]) => sum + size(scene.ops) + scene.account.bytes.length, 0)
  return {
    union,
    exchanged: greetings.reduce((sum, said) => sum + said.length, 0),
    heal: () => {
      heal(left, greetings[1])
      heal(right, greetings[0])
    },
  }
}
