import { expect } from 'chai'
import {
  devicesOf,
  isSpokenOf,
  issueOp,
  mayCount,
  membershipAt,
  recordCounts,
  resolveMembership,
  type KnownOpArgs,
  type LastSeen,
  type MembershipOp,
} from '../../../packages/core/src/group/index.ts'
import { crypto, freshAccount, Group, seedOf, setOf, type TestAccount } from './support.ts'

/** Records of one device as the caller would know them: by name, each after the one before. */
const record = (name: string, n: number): Uint8Array => seedOf(`record ${name} ${n}`)

/** Whether a named id is the n-th record or a later one, of ten. */
const reachesFrom =
  (name: string, n: number) =>
  (named: Uint8Array): boolean =>
    Array.from({ length: 10 }, (_, i) => record(name, i)).findIndex(
      (id) => Buffer.compare(id, named) === 0,
    ) >= n

/** The verdict on the n-th record of a device, written at these heads. */
function verdict(
  group: Group,
  name: string,
  n: number,
  heads: readonly MembershipOp[],
  device = '1',
): string {
  const { account, device: id } = group.author(name, device)
  const found = recordCounts(group.now(), group.at(heads), { account, device: id }, reachesFrom(name, n))
  return found.counts ? 'counts' : found.reason
}

/** Names the n-th record of a device as the newest seen. */
const seen = (group: Group, name: string, n: number, device = '1'): LastSeen => ({
  device: group.author(name, device).device,
  record: { aseq: n, id: record(name, n) },
  op: null,
})

function base(own?: string): Group {
  const fresh = new Map<string, TestAccount>()
  const group = new Group('A', (name) => {
    if (name === own && !fresh.has(name)) fresh.set(name, freshAccount(name))
    return fresh.get(name) ?? freshAccount(name)
  })
  group.grant('A', 'B', 'admin')
  group.grant('A', 'C', 'admin')
  group.grant('B', 'D', 'member')
  return group
}

describe('group: which messages count', () => {
  it('a member’s do, a stranger’s do not, those before joining do not', () => {
    const group = base()
    const [, gB] = group.ops
    expect(verdict(group, 'D', 0, group.tips())).to.equal('counts')
    expect(verdict(group, 'E', 0, group.tips())).to.equal('not-a-member')
    expect(verdict(group, 'D', 0, [gB!])).to.equal('not-a-member')
  })

  it('sent while being removed: up to the frontier it counts, beyond it is kept and marked', () => {
    const group = base()
    const before = group.tips()
    group.revoke('B', 'D', { frontier: [seen(group, 'D', 3)] })
    expect(verdict(group, 'D', 2, before)).to.equal('counts')
    expect(verdict(group, 'D', 3, before)).to.equal('counts')
    expect(verdict(group, 'D', 4, before)).to.equal('sent-while-removed')
    expect(verdict(group, 'D', 0, before, '2'), 'a device nobody named').to.equal('sent-while-removed')
    expect(verdict(group, 'D', 5, group.tips()), 'aware of its removal').to.equal('not-a-member')
  })

  it('of several removals the highest authority speaks; among equals the farthest', () => {
    const group = base()
    const before = group.tips()
    group.revoke('B', 'D', { after: before, frontier: [seen(group, 'D', 7)] })
    expect(verdict(group, 'D', 6, before)).to.equal('counts')
    group.revoke('A', 'D', { after: before, frontier: [seen(group, 'D', 2)] })
    expect(verdict(group, 'D', 6, before)).to.equal('sent-while-removed')
    group.revoke('A', 'D', { device: '2', after: before, frontier: [seen(group, 'D', 4)] })
    expect(verdict(group, 'D', 4, before)).to.equal('counts')
    expect(verdict(group, 'D', 5, before)).to.equal('sent-while-removed')
  })

  it('who was let in by somebody removed meanwhile has no counting word', () => {
    const group = base()
    const before = group.tips()
    group.revoke('A', 'B', { after: before })
    const grant = group.grant('B', 'E', 'member', { after: before })
    expect(verdict(group, 'E', 0, [grant])).to.equal('sent-while-removed')
  })

  it('leaving and demotion take no word back', () => {
    const group = base()
    const before = group.tips()
    group.leave('D', { after: before })
    group.demote('A', 'B', 'member', { after: before })
    expect(verdict(group, 'D', 5, before)).to.equal('counts')
    expect(verdict(group, 'B', 5, before)).to.equal('counts')
  })

  it('who was let in again counts from there, and before as far as the frontier says', () => {
    const group = base()
    const before = group.tips()
    group.revoke('B', 'D', { frontier: [seen(group, 'D', 1)] })
    const again = group.grant('C', 'D', 'member')
    expect(verdict(group, 'D', 5, [again])).to.equal('counts')
    expect(verdict(group, 'D', 5, before)).to.equal('sent-while-removed')
  })

  it('of several grants that were held one that is left is enough', () => {
    const group = base()
    group.grant('A', 'D', 'admin')
    const before = group.tips()
    group.revoke('B', 'D', { after: before, frontier: [] })
    expect(group.members()).to.include('D:admin')
    expect(verdict(group, 'D', 5, before)).to.equal('counts')
  })

  it('where the removal of who let somebody in undid that, it speaks, and no lower one; of others it says nothing', () => {
    const group = base()
    group.policy('A', { kind: 'adminsGrantAdmin', allowed: true })
    const before = group.tips()
    const second = group.grant('B', 'F', 'admin', { after: before })
    const third = group.grant('F', 'G', 'member', { after: [second] })
    expect(verdict(group, 'G', 0, [third])).to.equal('counts')
    group.revoke('C', 'G', { after: [third], frontier: [seen(group, 'G', 4)] })
    expect(verdict(group, 'G', 4, [third])).to.equal('counts')
    group.revoke('A', 'B', { after: [third], frontier: [seen(group, 'G', 9)] })
    expect(group.members()).to.not.include('G:')
    expect(verdict(group, 'G', 0, [third])).to.equal('sent-while-removed')
    group.revoke('A', 'G', { after: [third], device: '3', frontier: [seen(group, 'G', 2)] })
    expect(verdict(group, 'G', 2, [third]), 'who speaks of it as highly').to.equal('counts')
    expect(verdict(group, 'G', 3, [third])).to.equal('sent-while-removed')
  })

  it('who left while being removed counts as far as the removal says', () => {
    const group = base()
    const before = group.tips()
    group.revoke('B', 'D', { after: before, frontier: [seen(group, 'D', 3)] })
    group.leave('D', { device: '3', after: before })
    expect(verdict(group, 'D', 3, before)).to.equal('counts')
    expect(verdict(group, 'D', 4, before)).to.equal('sent-while-removed')
  })

  it('an undone removal marks nothing', () => {
    const group = base()
    const before = group.tips()
    group.revoke('B', 'D', { after: before, frontier: [seen(group, 'D', 1)] })
    group.revoke('A', 'B', { after: before })
    expect(verdict(group, 'D', 5, before)).to.equal('counts')
  })
})

describe('group: a lost device', () => {
  /** B loses device 2, which has written `op` and then more; device 1 revokes it. */
  function lost(): { group: Group; good: MembershipOp; bad: MembershipOp } {
    const group = base('B')
    const good = group.grant('B', 'E', 'member', { device: '2' })
    const bad = group.grant('B', 'F', 'member', { device: '2' })
    const { scene } = group.account('B')
    scene.revoke('1', '2', 9, [...scene.ops])
    return { group, good, bad }
  }

  it('goes on counting until somebody says how far it reached', () => {
    const { group } = lost()
    expect(group.members()).to.equal('A:owner B:admin C:admin D:member E:member F:member')
    group.deviceset('C', 'B', { 2: null })
    expect(group.members()).to.equal('A:owner B:admin C:admin D:member')
    expect(group.conflicts()).to.deep.equal(['void', 'ejected', 'void', 'ejected'])
  })

  it('whom it put out stays out until its account has spoken or has lost its part, whoever else speaks', () => {
    const group = base('B')
    group.grant('A', 'E', 'member')
    const before = group.tips()
    group.revoke('B', 'E', { device: '2' })
    const { scene } = group.account('B')
    scene.revoke('1', '2', 9, [...scene.ops])
    group.deviceset('E', 'B', { 2: null }, { after: before })
    const removed = group.tips()
    expect(group.members(), 'who was put out speaks').to.equal('A:owner B:admin C:admin D:member')
    const ops = [...group.ops]
    const cap = group.grants.get('B')!
    group.deviceset('B', 'B', { 2: null }, { cap, after: removed })
    expect(group.members(), 'its account').to.equal('A:owner B:admin C:admin D:member E:member')
    const end = group.demote('A', 'B', 'member', { after: removed })
    expect(group.members([...ops, end]), 'above').to.equal('A:owner B:member C:admin D:member E:member')
  })

  it('a role it took is not had back, nor a link it closed open again, until its account has spoken', () => {
    const group = base('B')
    const link = group.invite('B', 1)
    const before = group.tips()
    group.write('B', { kind: 'close', invite: link.id }, { device: '2' })
    group.admit('A', 'E', link, { after: before })
    const { scene } = group.account('B')
    scene.revoke('1', '2', 9, [...scene.ops])
    group.deviceset('C', 'B', { 2: null }, { after: before })
    expect(group.members()).to.equal('A:owner B:admin C:admin D:member')
    group.deviceset('B', 'B', { 2: null }, { cap: group.grants.get('B')! })
    expect(group.members()).to.equal('A:owner B:admin C:admin D:member E:member')
  })

  it('what an account without a device left took away is for others to say', () => {
    const group = base('B')
    const before = group.tips()
    group.revoke('B', 'D', { device: '2' })
    const { scene } = group.account('B')
    for (const name of ['1', '2', '3']) scene.revoke(null, name, 9, [...scene.ops])
    expect(group.members()).to.equal('A:owner B:admin C:admin')
    group.deviceset('C', 'B', { 2: null }, { after: before })
    expect(group.members()).to.equal('A:owner B:admin C:admin D:member')
  })

  it('what anybody saw of it counts as long as the account has not spoken', () => {
    const { group, bad } = lost()
    group.deviceset('C', 'B', { 2: bad })
    expect(group.members()).to.include('E:member F:member')
  })

  it('the account’s own cut replaces it, and a later cut an earlier one', () => {
    const { group, good, bad } = lost()
    group.deviceset('C', 'B', { 2: bad })
    const cap = group.grants.get('B')!
    const cut = group.deviceset('B', 'B', { 2: good }, { cap })
    expect(group.members()).to.include('E:member').and.not.include('F:')
    group.deviceset('B', 'B', { 2: null }, { cap, after: [cut] })
    expect(group.members()).to.not.include('E:').and.not.include('F:')
  })

  it('of concurrent cuts the lowest speaks', () => {
    const { group, good, bad } = lost()
    const after = group.tips()
    const cap = group.grants.get('B')!
    group.deviceset('B', 'B', { 2: good }, { cap, after })
    group.deviceset('B', 'B', { 2: bad }, { cap, after, device: '3' })
    expect(group.members()).to.include('E:member').and.not.include('F:')
  })

  it('a cut without a grant no lower undoes no act of authority', () => {
    const { group, bad } = lost()
    group.deviceset('C', 'B', { 2: bad })
    group.deviceset('B', 'B', { 2: null })
    expect(group.members()).to.include('E:member F:member')
  })

  it('who was removed or has left undoes nothing by a cut', () => {
    const { group, bad } = lost()
    group.deviceset('C', 'B', { 2: bad })
    const after = group.tips()
    const cap = group.grants.get('B')!
    group.leave('B', { after })
    group.deviceset('B', 'B', { 2: null }, { cap, after, device: '3' })
    expect(group.members()).to.include('E:member F:member')
  })

  it('a revoked device cuts nobody', () => {
    const { group, bad } = lost()
    group.deviceset('C', 'B', { 2: bad })
    group.deviceset('B', 'B', { 1: null }, { device: '2', cap: group.grants.get('B')! })
    expect(group.members()).to.include('B:admin').and.include('E:member')
  })

  it('its messages count up to the account’s cut, whoever would stretch them', () => {
    const { group, bad } = lost()
    const heads = group.tips()
    expect(verdict(group, 'B', 9, heads, '2')).to.equal('counts')
    group.deviceset('C', 'B', { 2: { record: record('B', 5), op: bad } })
    expect(verdict(group, 'B', 6, heads, '2')).to.equal('device-out')
    expect(verdict(group, 'B', 2, heads, '2')).to.equal('counts')
    group.deviceset('B', 'B', { 2: { record: record('B', 3) } })
    expect(verdict(group, 'B', 3, heads, '2')).to.equal('counts')
    expect(verdict(group, 'B', 4, heads, '2')).to.equal('device-out')
    expect(verdict(group, 'B', 4, heads, '1'), 'another device of the account').to.equal('counts')
  })

  it('of a word that names no record none counts, and of a number only one that is reached', () => {
    const { group } = lost()
    const heads = group.tips()
    const author = group.author('B', '2')
    const may = (aseq: number): boolean => mayCount(group.now(), author, aseq)
    expect([may(0), may(9), isSpokenOf(group.now(), author)]).to.deep.equal([true, true, false])
    group.deviceset('C', 'B', { 2: null })
    expect(isSpokenOf(group.now(), author)).to.equal(true)
    expect([may(0), verdict(group, 'B', 0, heads, '2')]).to.deep.equal([false, 'device-out'])
    group.deviceset('D', 'B', { 2: { record: record('B', 5), aseq: 5 } })
    expect([4, 5, 6].map(may)).to.deep.equal([true, true, false])
    expect(isSpokenOf(group.now(), group.author('B', '1'))).to.equal(false)
    expect(mayCount(group.now(), group.author('B', '1'), 99), 'it stands').to.equal(true)
  })

  it('of concurrent cuts each has to reach a message, of what others saw any', () => {
    const { group } = lost()
    const heads = group.tips()
    const to = (n: number) => ({ 2: { record: record('B', n), aseq: n } })
    group.deviceset('C', 'B', to(2), { after: heads })
    group.deviceset('D', 'B', to(6), { after: heads })
    expect([5, 7].map((n) => verdict(group, 'B', n, heads, '2'))).to.deep.equal(['counts', 'device-out'])
    group.deviceset('B', 'B', to(3), { after: heads })
    group.deviceset('B', 'B', to(8), { after: heads, device: '3' })
    expect([3, 5].map((n) => verdict(group, 'B', n, heads, '2'))).to.deep.equal(['counts', 'device-out'])
  })

  it('is no reader once the group knows', () => {
    const { group } = lost()
    const before = group.tips()
    const names = (heads: readonly MembershipOp[]): string[] =>
      devicesOf(group.at(heads))
        .filter(({ account }) => Buffer.compare(account, group.account('B').scene.account.id) === 0)
        .map(({ device }) => group.account('B').scene.names([Buffer.from(device).toString('hex')]))
        .sort()
    const told = group.deviceset('C', 'B', { 2: null })
    expect(names(before)).to.deep.equal(['1', '2', '3'])
    expect(names([told])).to.deep.equal(['1', '3'])
  })

  it('a contested account is shown, and stays in', () => {
    const group = base('B')
    const { scene } = group.account('B')
    const first = scene.ops[0]!
    scene.renew(null, '1', group.create.tsMs + 1, [...scene.ops], { from: first })
    scene.renew(null, '2', group.create.tsMs + 2, [...scene.ops], { from: first })
    expect(group.members()).to.include('B:admin')
    expect(group.conflicts()).to.deep.equal(['account-contested'])
  })

  it('devices that accuse each other are both out, and the group says so', () => {
    const group = base('B')
    const { scene } = group.account('B')
    const known = [...scene.ops]
    scene.revoke('1', '2', 9, known)
    scene.revoke('2', '1', 9, known)
    expect(group.conflicts()).to.include('account-accused')
    expect(
      devicesOf(group.now()).filter(({ account }) => Buffer.compare(account, scene.account.id) === 0),
    ).to.have.length(1)
  })

  it('an owner without a device left is no owner to count on', () => {
    const group = base('A')
    const { scene } = group.account('A')
    for (const name of ['1', '2', '3']) scene.revoke(null, name, 0, [...scene.ops])
    expect(group.members()).to.include('A:owner')
    expect(group.conflicts()).to.include('no-owner')
  })
})

describe('group: a direct conversation', () => {
  const group = new Group()
  const accounts = [group.account('A').scene.account.id, group.account('B').scene.account.id] as const
  group.account('C')
  const id = group.create.conversation
  const direct = { conversation: { kind: 'direct' as const, id, accounts }, logs: group.logs }
  const write = (name: string, args: KnownOpArgs, deps: readonly MembershipOp[] = []): MembershipOp => {
    const accountHeads = group.account(name).heads
    const place = {
      conversation: id,
      deps: deps.map((op) => op.id),
      cap: null,
      accountHeads,
      oseq: 1,
      tsMs: 0,
    }
    return issueOp(crypto, group.author(name, '1'), place, args)
  }
  const timer = (ms: number): KnownOpArgs => ({ kind: 'policy', change: { kind: 'timer', ms } })

  it('has its two accounts, both owners, for ever', () => {
    const leave = write('A', { kind: 'leave' })
    const { set, rejected } = setOf(direct, [group.create, leave, write('C', timer(1))])
    expect(rejected.map(({ reason }) => reason).sort()).to.deep.equal([
      'author-not-known',
      'not-in-direct',
      'not-in-direct',
    ])
    const { members } = resolveMembership(set, direct.logs)
    expect([...members.values()].map(({ role, via }) => `${role} ${via}`)).to.deep.equal(
      Array(2).fill('owner direct'),
    )
  })

  it('its rules are either’s to say; of concurrent words the lower id holds', () => {
    const a = write('A', timer(1))
    const b = write('B', timer(2))
    const { policy, conflicts } = resolveMembership(setOf(direct, [a, b]).set, direct.logs)
    expect(policy.timerMs).to.equal(a.key < b.key ? 1 : 2)
    expect(conflicts.map(({ kind }) => kind)).to.deep.equal(['policy-overruled'])
    const later = write('B', timer(3), [a])
    expect(resolveMembership(setOf(direct, [a, later]).set, direct.logs).policy.timerMs).to.equal(3)
  })

  it('its records count without heads to cite', () => {
    const { set } = setOf(direct, [])
    const now = resolveMembership(set, direct.logs)
    const then = membershipAt(set, direct.logs, [])!
    const { account, device } = group.author('B', '1')
    expect(recordCounts(now, then, { account, device }, () => false)).to.deep.equal({ counts: true })
    const stranger = group.author('C', '1')
    expect(recordCounts(now, then, stranger, () => false).counts).to.be.false
    const own = write('A', timer(1))
    const pinned = resolveMembership(setOf(direct, [own]).set, direct.logs)
    expect(recordCounts(pinned, pinned, group.author('A', '2'), () => false).counts).to.be.true
    const unknown = { account: group.author('A', '1').account, device: group.author('B', '1').device }
    expect(recordCounts(pinned, pinned, unknown, () => false).counts, 'no device of its account').to.be.false
  })
})
