/** Operations as a device writes them, and sets of them as devices hold and exchange them. */
import { expect } from 'chai'
import {
  addMembershipOps,
  dropParked,
  emptyOpSet,
  groupHeads,
  inviteStanding,
  issueOp,
  membershipAt,
  missingOpsFrom,
  newestOps,
  opsOf,
  resolveMembership,
  restoreOpSet,
  writeOp,
  type KnownOpArgs,
  type MembershipOp,
  type OpSet,
} from '../../../packages/core/src/group/index.ts'
import { standsAbove } from '../../../packages/core/src/group/delegation.ts'
import { limits } from '../../../packages/core/src/limits.ts'
import { compareBytes } from '../../../packages/core/src/wire/index.ts'
import { crypto, Group, groupOfThree, laterMs, seedOf, startMs } from './support.ts'

const timer: KnownOpArgs = { kind: 'policy', change: { kind: 'timer', ms: 1 } }
const idsOf = (ops: readonly MembershipOp[]): readonly Uint8Array[] =>
  ops.map(({ id }) => id as Uint8Array).sort(compareBytes)

/** The next operation of a device that holds a set. */
const next = (
  group: Group,
  name: string,
  set: OpSet,
  args: KnownOpArgs = timer,
  device = '1',
): MembershipOp =>
  writeOp(
    crypto,
    set,
    group.author(name, device),
    { cap: group.grants.get(name)!.id, accountHeads: group.account(name).heads, tsMs: laterMs },
    args,
  )
const add = (
  group: Group,
  set: OpSet,
  ...ops: readonly MembershipOp[]
): ReturnType<typeof addMembershipOps> =>
  addMembershipOps(
    crypto,
    set,
    ops.map((op) => op.bytes),
    group.logs,
    laterMs,
  )

describe('group: writing operations', () => {
  it('names what it names in byte order, whatever order it is given', () => {
    const group = groupOfThree()
    const { scene } = group.account('E')
    const heads = [scene.ops[0]!.id, scene.ops[1]!.id, scene.ops[2]!.id].sort(compareBytes)
    const account = scene.account.id
    const invite = group.invite('B', 1)
    const devices = ['1', '2', '3'].map((name) => scene.device(name).device).sort(compareBytes)
    const seen = devices.map((device) => ({ device, record: null, op: null }))
    const write = (args: KnownOpArgs): MembershipOp => next(group, 'A', group.set(), args)
    for (const args of [
      { kind: 'grant', account, role: 'member', heads },
      { kind: 'admit', invite: invite.id, account, heads, proof: new Uint8Array(64) as never },
      { kind: 'deviceset', account, heads, last: seen },
      { kind: 'revoke', account, frontier: seen },
    ] as const) {
      const mixed: KnownOpArgs = {
        ...args,
        ...('heads' in args ? { heads: args.heads.toReversed() } : {}),
        ...('last' in args ? { last: args.last.toReversed() } : {}),
        ...('frontier' in args ? { frontier: args.frontier.toReversed() } : {}),
      }
      expect(write(mixed).args, args.kind).to.deep.equal(args)
      expect(write(mixed).bytes, args.kind).to.deep.equal(write(args).bytes)
    }
  })

  it('names nothing twice', () => {
    const group = groupOfThree()
    const [tip] = group.tips()
    const place = {
      conversation: group.create.conversation,
      ...{ deps: [tip!.id, tip!.id], cap: group.create.id },
      accountHeads: group.account('A').heads,
      ...{ oseq: 2, tsMs: laterMs },
    }
    expect(() => issueOp(crypto, group.author('A', '1'), place, timer))
      .to.throw()
      .with.property('code', 'E_MEMBERSHIP_OP')
  })

  it('follows the device’s own last and everything else that nothing follows', () => {
    const group = groupOfThree()
    const own = group.meta('B')
    const tips = ['A', 'D'].map((name) => group.meta(name, { after: [group.ops[2]!] }))
    const op = next(group, 'B', group.set())
    expect(op.deps).to.deep.equal(idsOf([own, ...tips]))
    expect(op.oseq).to.equal(own.oseq + 1)
    const first = next(group, 'B', group.set(), timer, '3')
    expect([first.oseq, first.deps]).to.deep.equal([1, idsOf([own, ...tips])])
  })

  it('of more than it may name follows the deepest', () => {
    const group = groupOfThree()
    const start = group.tips()
    const names = 'EFGHIJKLMNOP'.split('')
    const grants = names.map((name) => group.grant('A', name, 'member'))
    const own = group.meta('B', { after: grants.slice(-1) })
    // More devices than there is room for write at once; the later ones know of more.
    const tips = names.flatMap((name) =>
      ['1', '2', '3'].map((device, i) =>
        group.meta(name, { device, after: i === 0 ? grants.slice(-1) : [own] }),
      ),
    )
    expect(start).to.have.length(1)
    const { set } = add(group, emptyOpSet(group.conversation), ...group.ops)
    const heads = groupHeads(set)
    expect(heads.length).to.be.greaterThan(limits.groupOpDeps)
    const op = next(group, 'B', set)
    expect(op.deps).to.have.length(limits.groupOpDeps)
    const named = new Set(op.deps.map(String))
    expect(named.has(String(own.id))).to.equal(true)
    const deeper = tips.filter((_, i) => i % 3 !== 0)
    expect(deeper.every(({ id }) => named.has(String(id)))).to.equal(true)
  })

  it('goes on from the highest number of a device that contradicted itself, of equal ones the lowest id', () => {
    const group = groupOfThree()
    const from = group.last.get('B1')!
    const branches = [1, 2].map((ms) => group.policy('B', { kind: 'timer', ms }, { from, after: [from] }))
    const [low, high] = branches.toSorted((a, b) => (a.key < b.key ? -1 : 1))
    for (const order of [branches, branches.toReversed()]) {
      const { set } = add(group, group.set(group.ops.slice(0, 3)), ...order)
      expect(next(group, 'B', set).deps).to.deep.equal([low!.id])
      const { id } = group.account('B').scene.account
      expect(newestOps(set, id).map(({ op }) => op?.id)).to.deep.equal([low!.id])
    }
    const longer = group.policy('B', { kind: 'timer', ms: 3 }, { from: high!, after: [high!] })
    for (const order of [
      [...branches, longer],
      [high!, longer, low!],
    ]) {
      const { set } = add(group, group.set(group.ops.slice(0, 3)), ...order)
      const op = next(group, 'B', set)
      expect([op.oseq, op.deps]).to.deep.equal([longer.oseq + 1, [longer.id]])
      expect(newestOps(set, group.account('B').scene.account.id).map((seen) => seen.op)).to.deep.equal([
        { oseq: longer.oseq, id: longer.id },
      ])
    }
  })

  it('names of an account the newest operation of each of its devices, and of no other', () => {
    const group = groupOfThree()
    const one = group.meta('B')
    const two = group.meta('B', { device: '2' })
    const seen = newestOps(group.set(), group.account('B').scene.account.id)
    const byDevice = (device: string) => group.author('B', device).device
    expect(seen).to.have.deep.members([
      { device: byDevice('1'), record: null, op: { oseq: one.oseq, id: one.id } },
      { device: byDevice('2'), record: null, op: { oseq: two.oseq, id: two.id } },
    ])
    expect(newestOps(group.set(), group.account('E').scene.account.id)).to.deep.equal([])
  })
})

describe('group: sets of operations', () => {
  it('have for heads what no other names, in byte order', () => {
    const group = groupOfThree()
    const tips = ['A', 'B', 'D'].map((name) => group.meta(name, { after: [group.ops[2]!] }))
    for (const ops of [group.ops, [...group.ops.slice(0, 3), ...tips.toReversed()]]) {
      const set = group.set(ops)
      expect(groupHeads(set)).to.deep.equal(idsOf(tips))
      expect(group.now(ops).heads).to.deep.equal(idsOf(tips))
    }
    const at = membershipAt(group.set(), group.logs, idsOf(tips).toReversed() as never)!
    expect(at.heads).to.deep.equal(idsOf(tips))
  })

  it('say of heads nothing while one is not here, and no more where one is in another’s past', () => {
    const group = groupOfThree()
    const [first, , last] = group.ops
    const unknown = seedOf('unknown') as MembershipOp['id']
    expect(membershipAt(group.set(), group.logs, [last!.id, unknown])).to.equal(undefined)
    for (const heads of [
      [first!, last!],
      [last!, first!],
    ])
      expect(group.say(group.at(heads))).to.equal(group.members())
  })

  it('give a peer what it lacks in one order, however it came', () => {
    const group = groupOfThree()
    const rest = ['A', 'B', 'D'].map((name) => group.meta(name, { after: [group.ops[2]!] }))
    const last = group.meta('A')
    const known = group.set(group.ops.slice(0, 3))
    const orders = [rest, rest.toReversed()].map(
      (order) => missingOpsFrom(add(group, known, ...order, last).set, groupHeads(known)).ops,
    )
    expect(orders[0]!.map(({ id }) => id)).to.deep.equal([...idsOf(rest), last.id])
    expect(orders[1]!.map(({ id }) => id)).to.deep.equal(orders[0]!.map(({ id }) => id))
  })

  it('take repeats for no event, waiting ones too', () => {
    const group = groupOfThree()
    const meta = group.meta('D')
    const late = group.meta('D', { after: [meta] })
    const set = group.set(group.ops.slice(0, 3))
    const again = add(group, set, ...group.ops.slice(0, 3))
    expect(again).to.deep.equal({ set, added: [], rejected: [] })
    expect(again.set, 'as it was').to.equal(set)
    const waiting = add(group, set, late, late).set
    expect(
      [...waiting.parked.values()].map(({ awaiting, missingOps }) => [awaiting, missingOps]),
    ).to.deep.equal([['operations', [meta.id]]])
    const twice = add(group, waiting, late, late)
    expect([twice.added, twice.rejected]).to.deep.equal([[], []])
    expect(twice.set.parked.size).to.equal(1)
    const whole = add(group, twice.set, meta, ...group.ops.slice(0, 3))
    expect(whole.added.map(({ key }) => key)).to.deep.equal([meta.key, late.key])
    expect(whole.set.entries).to.have.length(5)
  })

  it('come back without a signature being verified again', () => {
    const group = groupOfThree()
    const never = {
      ...crypto,
      verify: (): never => {
        throw new Error('verified')
      },
    }
    const stored = opsOf(group.set())
    expect(opsOf(restoreOpSet(never, group.conversation, stored, group.logs))).to.deep.equal(stored)
    const torn = restoreOpSet(never, group.conversation, stored.slice(1), group.logs)
    expect(torn.parked.size).to.equal(stored.length - 1)
  })

  it('keep what waits of a device that is not known yet, unverified', () => {
    const group = groupOfThree()
    const op = group.meta('B', { device: '3' })
    const { scene } = group.account('B')
    const logs = new Map([...group.logs, [group.account('B').key, scene.log(scene.ops.slice(0, 1))]])
    const bytes = [...group.ops.slice(0, 3), op].map((one) => one.bytes)
    const { set, rejected } = addMembershipOps(crypto, emptyOpSet(group.conversation), bytes, logs, laterMs)
    expect(rejected).to.deep.equal([])
    expect([...set.parked.values()].at(-1)!.missingLogs).to.deep.equal([scene.account.id])
    expect(addMembershipOps(crypto, set, [], group.logs, laterMs).set.parked.size).to.equal(0)
  })

  it('wait as long as the time of an operation is ahead, and give up what they are told to', () => {
    const group = groupOfThree()
    const missing = group.meta('D')
    const [one, two] = ['D', 'B'].map((name) =>
      group.meta(name, { after: [missing], tsMs: startMs + 1_000 + limits.clockSkewMs }),
    )
    const bytes = [one!, two!].map((op) => op.bytes)
    const known = group.set(group.ops.slice(0, 3))
    const waits = (nowMs: number) => addMembershipOps(crypto, known, bytes, group.logs, nowMs).set
    const reasons = (nowMs: number) => [...waits(nowMs).parked.values()].map(({ awaiting }) => awaiting)
    expect(reasons(startMs + 999)).to.deep.equal(['time', 'time'])
    expect(reasons(startMs + 1_000)).to.deep.equal(['operations', 'operations'])
    const left = dropParked(waits(startMs), ({ op }) => op.by === one!.by)
    expect([...left.parked.keys()]).to.deep.equal([one!.key])
  })
})

describe('group: who stands above whom', () => {
  it('a higher role, and whoever stands above in the line of grants, however far; no member, whoever it let in', () => {
    const group = new Group()
    const owners = ['O', 'P', 'Q', 'R'].reduce<readonly MembershipOp[]>(
      (line, name, i) => [...line, group.grant(i === 0 ? 'A' : 'OPQ'[i - 1]!, name, 'owner')],
      [],
    )
    const sibling = group.grant('A', 'S', 'owner')
    const admin = group.grant('R', 'B', 'admin')
    group.policy('A', { kind: 'membersAdmit', allowed: true })
    const member = group.grant('B', 'D', 'member')
    const admitted = group.admit('D', 'E', group.invite('A', 1))
    expect(group.members()).to.include('E:member')
    const entry = (op: MembershipOp) => group.set().byId.get(op.key)!
    const { byId } = group.set()
    const above = (a: MembershipOp, b: MembershipOp): boolean =>
      standsAbove(byId.get(a.key)!, byId.get(b.key)!)
    const [o, p, , r] = owners
    expect([above(o!, p!), above(o!, r!), above(group.create, r!), above(p!, r!)]).to.deep.equal([
      ...[true, true, true, true],
    ])
    expect([above(r!, o!), above(p!, o!), above(sibling, r!), above(o!, sibling)]).to.deep.equal([
      ...[false, false, false, false],
    ])
    expect([above(sibling, admin), above(admin, sibling), above(admin, member)]).to.deep.equal([
      ...[true, false, true],
    ])
    expect([above(member, admitted), above(admin, admitted), above(o!, o!)]).to.deep.equal([
      false,
      true,
      false,
    ])
    const invite = group.invites.keys().next().value!
    expect(standsAbove(entry(o!), byId.get(invite)!), 'no grant').to.equal(false)
    expect(standsAbove(byId.get(invite)!, entry(member)), 'no grant').to.equal(false)
  })
})

describe('group: where an invite stands', () => {
  it('open, used up, closed by a removal, or void with whoever made it; nothing for what is none', () => {
    const group = groupOfThree()
    group.grant('A', 'C', 'admin')
    const invite = group.invite('B', 2)
    const standing = () => inviteStanding(resolveMembership(group.set(), group.logs), invite.id)
    const terms = { uses: 2, expiresAtMs: laterMs }
    expect(standing()).to.deep.equal({ ...terms, usedBy: [], state: 'open' })
    group.admit('C', 'F', invite)
    group.admit('C', 'E', invite)
    const usedBy = ['F', 'E'].map((name) => group.account(name).key)
    expect(standing()).to.deep.equal({ ...terms, usedBy, state: 'used' })
    group.revoke('A', 'D')
    expect(standing()).to.deep.equal({ ...terms, usedBy, state: 'closed' })
    group.revoke('A', 'B', { device: '2', after: [group.ops[3]!] })
    expect(standing()).to.deep.equal({ ...terms, usedBy: [], state: 'void' })
    for (const id of [group.create.id, seedOf('unknown') as MembershipOp['id']])
      expect(inviteStanding(group.now(), id)).to.equal(undefined)
  })
})
