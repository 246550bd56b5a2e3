import { expect } from 'chai'
import {
  addMembershipOps,
  emptyOpSet,
  issueOp,
  membershipAt,
  resolveMembership,
  type KnownOpArgs,
  type MembershipOp,
  type OpSet,
} from '../../../packages/core/src/group/index.ts'
import { toHex } from '../../../packages/core/src/wire/index.ts'
import { trusting } from './dags.ts'
import { crypto, Group, laterMs, randomOf, seedOf, startMs } from './support.ts'

/** A conversation written in one line, fast: each operation follows the last, signed, of one device an account. */
class Line {
  readonly group = new Group()
  readonly ops: MembershipOp[] = [this.group.create]
  readonly last = new Map([['A', this.group.create]])
  readonly caps = new Map([['A', this.group.create]])

  write(name: string, args: KnownOpArgs, after = this.ops.at(-1)!): MembershipOp {
    const own = this.last.get(name)
    const deps = new Set([after.by === own?.by ? own : after, ...(own === undefined ? [] : [own])])
    const op = issueOp(
      crypto,
      this.group.author(name, '1'),
      {
        conversation: this.group.create.conversation,
        deps: [...deps].map(({ id }) => id),
        cap: args.kind === 'leave' || args.kind === 'deviceset' ? null : this.caps.get(name)!.id,
        accountHeads: this.group.account(name).heads,
        oseq: (own?.oseq ?? 0) + 1,
        tsMs: startMs + this.ops.length * 60_000,
      },
      args,
    )
    this.ops.push(op)
    this.last.set(name, op)
    return op
  }

  grant(by: string, name: string, role: 'admin' | 'member', after?: MembershipOp): MembershipOp {
    const { scene, heads } = this.group.account(name)
    const op = this.write(by, { kind: 'grant', account: scene.account.id, role, heads }, after)
    this.caps.set(name, op)
    return op
  }

  revoke(by: string, name: string, after?: MembershipOp): MembershipOp {
    const { scene } = this.group.account(name)
    const seen = after === undefined ? this.last.get(name) : undefined
    const op = seen === undefined ? null : { oseq: seen.oseq, id: seen.id }
    const frontier = [{ device: scene.device('1').device, record: null, op }]
    return this.write(by, { kind: 'revoke', account: scene.account.id, frontier }, after)
  }

  set(): OpSet {
    const bytes = this.ops.map((op) => op.bytes)
    const result = addMembershipOps(
      trusting,
      emptyOpSet(this.group.conversation),
      bytes,
      this.group.logs,
      laterMs,
    )
    expect(result.added).to.have.length(this.ops.length)
    return result.set
  }
}

/**
 * The bound of docs/protocol/group.md §4.5, from the set alone: what is looked at once, and the products of what
 * is compared with each other.
 */
function bound({ entries, chains, grants }: OpSet): number {
  const count = (kind: string): number => entries.filter(({ op }) => op.args.kind === kind).length
  const ended = new Map<string, number>()
  let named = 0
  for (const { op } of entries) {
    const { args, byAccount } = op
    if (args.kind === 'revoke' || args.kind === 'demote')
      ended.set(toHex(args.account), (ended.get(toHex(args.account)) ?? 0) + 1)
    if (args.kind === 'leave') ended.set(byAccount, (ended.get(byAccount) ?? 0) + 1)
    if (args.kind === 'deviceset') named += args.last.length
  }
  const runs = new Map<string, number>()
  for (const { by } of chains) runs.set(by.slice(0, 64), (runs.get(by.slice(0, 64)) ?? 0) + 1)
  let pairs = 0
  for (const [account, list] of grants)
    pairs += list.length * (ended.get(account) ?? 0) * (3 + 20 * (runs.get(account) ?? 0))
  const undone = entries.reduce((sum, { op }) => sum + (ended.get(op.byAccount) ?? 0), 0)
  return (
    8 * entries.length +
    named +
    pairs +
    2 * undone +
    count('admit') * (count('revoke') + count('close')) +
    2 * (count('grant') + count('admit') + 8) * (count('policy') + 1)
  )
}

describe('group: work', () => {
  it('10,000 operations of an ordinary conversation take fewer than 20 steps each, at every size alike', () => {
    const line = new Line()
    const random = randomOf(11)
    const names = 'BCDEFGHIJKLMNOPQRST'.split('')
    for (const name of names) line.grant('A', name, random(4) === 0 ? 'admin' : 'member')
    const inside = new Set(names)
    while (line.ops.length < 10_000) {
      const dice = random(100)
      const name = names[random(names.length)]!
      if (dice < 3 && inside.delete(name)) line.revoke('A', name)
      else if (dice < 12 && !inside.has(name)) {
        line.grant('A', name, random(4) === 0 ? 'admin' : 'member')
        inside.add(name)
      } else if (dice < 14) line.write('A', { kind: 'policy', change: { kind: 'timer', ms: random(1_000) } })
      else if (inside.has(name)) line.write(name, { kind: 'meta', intent: seedOf('edit'), after: [] })
    }
    const set = line.set()
    const { steps, members } = resolveMembership(set, line.group.logs)
    expect(members.size).to.equal(inside.size + 1)
    expect(steps)
      .to.be.below(20 * 10_000)
      .and.below(bound(set))
    const half = membershipAt(set, line.group.logs, [line.ops[5_000]!.id])!
    expect(half.steps).to.be.below(20 * 5_001)
  })

  it('a flood of removals and grants of one account stays within the bound', () => {
    const line = new Line()
    line.grant('A', 'B', 'admin')
    line.grant('A', 'D', 'member')
    const base = line.ops.at(-1)!
    for (let i = 0; i < 300; i++) {
      line.grant('B', 'D', 'member', base)
      line.write('D', { kind: 'meta', intent: seedOf('edit'), after: [] })
      line.revoke('A', 'D', base)
      line.revoke('B', 'D', base)
    }
    const set = line.set()
    const { steps } = resolveMembership(set, line.group.logs)
    expect(steps).to.be.above(2 * set.entries.length)
    expect(steps).to.be.below(bound(set))
  })

  it('a flood of policies and of grants that depend on them stays within the bound', () => {
    const line = new Line()
    line.grant('A', 'B', 'admin')
    const base = line.ops.at(-1)!
    for (let i = 0; i < 300; i++)
      line.write('A', { kind: 'policy', change: { kind: 'adminsGrantAdmin', allowed: i % 7 > 0 } }, base)
    for (let i = 0; i < 300; i++) line.grant('B', 'C', 'admin', i % 2 === 0 ? base : line.ops.at(-1)!)
    const set = line.set()
    const { steps, faults } = resolveMembership(set, line.group.logs)
    expect(faults.size).to.be.above(0)
    expect(steps).to.be.below(bound(set))
  })
})
