import { expect } from 'chai'
import {
  addMembershipOps,
  dropParked,
  emptyOpSet,
  groupHeads,
  issueOp,
  missingOpsFrom,
  opsOf,
  readMembershipOp,
  restoreOpSet,
  resolveMembership,
  writeOp,
  type KnownOpArgs,
  type MembershipOp,
  type OpId,
  type OpPlace,
  type OpSet,
} from '../../../packages/core/src/group/index.ts'
import { signAs } from '../../../packages/core/src/crypto/index.ts'
import { limits } from '../../../packages/core/src/limits.ts'
import { encodeCbor } from '../../../packages/core/src/wire/index.ts'
import {
  crypto,
  dayMs,
  digestOf,
  Group,
  groupOfThree,
  laterMs,
  randomOf,
  seedOf,
  setOf,
  shuffled,
  startMs,
} from './support.ts'

/** What becomes of an operation on top of the group: why it is refused, or that it waits or counts. */
function fate(group: Group, op: MembershipOp | Uint8Array, nowMs = laterMs): string {
  const bytes = op instanceof Uint8Array ? op : op.bytes
  const rest = group.ops.filter((one) => one !== op)
  const before = group.set(rest)
  const { set, added, rejected } = addMembershipOps(crypto, before, [bytes], group.logs, nowMs)
  if (rejected.length > 0) {
    expect(set.entries, 'nothing entered').to.deep.equal(before.entries)
    expect(digestOf(resolveMembership(set, group.logs))).to.equal(
      digestOf(resolveMembership(before, group.logs)),
    )
    return rejected[0]!.reason
  }
  return added.length > 0 ? 'added' : ([...set.parked.values()].at(-1)?.awaiting ?? 'gone')
}

/** An operation of a device with every field to choose. */
function forged(group: Group, name: string, place: Partial<OpPlace>, args: KnownOpArgs): MembershipOp {
  const last = group.last.get(`${name}1`)
  return issueOp(
    crypto,
    group.author(name, '1'),
    {
      conversation: group.create.conversation,
      deps: [...new Set([...group.tips(), ...(last === undefined ? [] : [last])])].map((op) => op.id),
      cap: group.grants.get(name)?.id ?? null,
      accountHeads: group.account(name).heads,
      oseq: (last?.oseq ?? 0) + 1,
      tsMs: startMs + 100,
      ...place,
    },
    args,
  )
}

const leave: KnownOpArgs = { kind: 'leave' }
const timer: KnownOpArgs = { kind: 'policy', change: { kind: 'timer', ms: 1 } }

describe('group: hostile operations', () => {
  it('bytes that are none', () => {
    const group = groupOfThree()
    expect(fate(group, seedOf('noise'))).to.equal('malformed')
    const op = group.meta('A')
    expect(fate(group, op.bytes.slice(0, -1))).to.equal('malformed')
    expect(fate(group, new Uint8Array(limits.groupOpBytes + 1))).to.equal('malformed')
  })

  it('forged authors', () => {
    const group = groupOfThree()
    const own = group.author('D', '1')
    const { account, device } = group.author('A', '1')
    const last = group.ops[1]!
    const place: OpPlace = {
      conversation: group.create.conversation,
      deps: group.tips().map((op) => op.id),
      cap: group.create.id,
      accountHeads: group.account('A').heads,
      oseq: last.oseq + 1,
      tsMs: startMs + 100,
    }
    const asOwner = issueOp(crypto, { account, device, identity: own.identity }, place, timer)
    expect(fate(group, asOwner)).to.equal('bad-signature')
    const elsewhere = issueOp(crypto, { ...own, account }, place, timer)
    expect(fate(group, elsewhere), 'a device of another account').to.equal('author-not-active')
  })

  it('a signature for one conversation is none in another', () => {
    const group = groupOfThree()
    const other = new Group('A', (name) => group.account(name), 'other')
    const op = other.meta('A', { after: [other.create] })
    expect(fate(group, op)).to.equal('wrong-conversation')
    expect(fate(group, other.create)).to.equal('wrong-conversation')
  })

  it('a device that was not active at the heads it pins', () => {
    const group = groupOfThree()
    const first = group.account('B').scene.ops[0]!
    expect(fate(group, group.meta('B', { device: '3', heads: [first.id] }))).to.equal('author-not-active')
    const none = new Group('A', (name) => group.account(name))
    expect(fate(none, none.meta('A', { heads: [] }))).to.equal('author-not-active')
  })

  it('who was never granted anything', () => {
    const group = groupOfThree()
    expect(fate(group, group.leave('E'))).to.equal('author-not-known')
    const before = groupOfThree()
    const { id } = before.account('A').scene.account
    const args: KnownOpArgs = { kind: 'deviceset', account: id, heads: before.account('A').heads, last: [] }
    expect(fate(before, before.write('E', args))).to.equal('author-not-known')
  })

  it('grants that are another’s, not seen, no grant, or too low', () => {
    const group = groupOfThree()
    const grant: KnownOpArgs = {
      kind: 'grant',
      account: group.account('E').scene.account.id,
      role: 'member',
      heads: group.account('E').heads,
    }
    expect(fate(group, forged(group, 'D', { cap: group.create.id }, grant))).to.equal('bad-cap')
    expect(fate(group, forged(group, 'D', { cap: null }, grant))).to.equal('bad-cap')
    expect(fate(group, forged(group, 'B', { cap: group.account('E').heads[0]! as never }, grant))).to.equal(
      'bad-cap',
    )
    expect(fate(group, forged(group, 'D', {}, grant)), 'a member’s').to.equal('bad-cap')
    expect(fate(group, forged(group, 'B', {}, { ...grant, role: 'owner' }))).to.equal('bad-cap')
    expect(fate(group, forged(group, 'B', {}, leave)), 'leaving cites none').to.equal('bad-cap')
    expect(fate(group, forged(group, 'D', {}, timer))).to.equal('bad-cap')
  })

  it('numbers and times that do not follow', () => {
    const group = groupOfThree()
    const [last] = group.tips()
    expect(fate(group, forged(group, 'B', { oseq: 3 }, timer)), 'a gap').to.equal('broken-chain')
    expect(fate(group, forged(group, 'B', { oseq: 1 }, timer)), 'a repeat that names the first').to.equal(
      'broken-chain',
    )
    expect(fate(group, forged(group, 'B', { tsMs: startMs }, timer)), 'back-dated').to.equal('broken-chain')
    expect(fate(group, forged(group, 'A', { deps: [last!.id] }, timer)), 'its own last unnamed').to.equal(
      'broken-chain',
    )
  })

  it('a time ahead of every clock waits for it', () => {
    const group = groupOfThree()
    const op = group.meta('A', { tsMs: startMs + 10 * dayMs })
    expect(fate(group, op, startMs + 8 * dayMs - 1)).to.equal('time')
    expect(fate(group, op, startMs + 8 * dayMs)).to.equal('added')
  })

  it('frontiers and cuts that name what is not theirs, not seen, twice, or without order', () => {
    const group = groupOfThree()
    const { id } = group.account('D').scene.account
    const device = group.author('D', '1').device
    const alien = { oseq: group.ops[1]!.oseq, id: group.ops[1]!.id }
    const revoke = (frontier: Extract<KnownOpArgs, { kind: 'revoke' }>['frontier']): MembershipOp =>
      forged(group, 'B', {}, { kind: 'revoke', account: id, frontier })
    expect(fate(group, revoke([{ device, record: null, op: alien }]))).to.equal('bad-terms')
    const twice = { device, record: null, op: null }
    expect(fate(group, revoke([twice, twice]))).to.equal('bad-terms')
    const [last] = group.tips()
    const own = group.meta('D')
    const unseen = { device, record: null, op: { oseq: own.oseq, id: own.id } }
    const without = [last!, group.ops[1]!, group.last.get('B1')!].map((op) => op.id)
    const blind = forged(
      group,
      'B',
      { deps: [...new Set(without)] },
      { kind: 'revoke', account: id, frontier: [unseen] },
    )
    expect(fate(group, blind)).to.equal('bad-terms')
    expect(fate(group, revoke([unseen]))).to.equal('added')
    expect(fate(group, revoke([{ ...unseen, op: { oseq: 7, id: own.id } }]))).to.equal('bad-terms')
  })

  it('removals and demotions of who was never there, promotions dressed as demotions', () => {
    const group = groupOfThree()
    const { id } = group.account('E').scene.account
    expect(fate(group, forged(group, 'B', {}, { kind: 'revoke', account: id, frontier: [] }))).to.equal(
      'bad-terms',
    )
    const member = group.account('D').scene.account.id
    const demote = (role: 'owner' | 'admin' | 'member'): string =>
      fate(group, forged(group, 'A', {}, { kind: 'demote', account: member, role }))
    expect([demote('owner'), demote('admin'), demote('member')]).to.deep.equal(Array(3).fill('bad-terms'))
  })

  it('admissions with another’s proof, of no invite, or after its end', () => {
    const group = groupOfThree()
    const invite = group.invite('B', 1, {}, startMs + 1_000)
    const good = group.admit('B', 'E', invite)
    expect(fate(group, good)).to.equal('added')
    const args = good.args as Extract<KnownOpArgs, { kind: 'admit' }>
    const other = { ...args, account: group.account('F').scene.account.id, heads: group.account('F').heads }
    const after = { deps: [invite.id], oseq: invite.oseq + 1, tsMs: startMs + 500 }
    expect(fate(group, forged(group, 'B', after, other))).to.equal('bad-proof')
    expect(fate(group, forged(group, 'B', after, { ...args, invite: group.create.id }))).to.equal('bad-terms')
    expect(fate(group, forged(group, 'B', { ...after, tsMs: startMs + 1_001 }, args))).to.equal('bad-terms')
    expect(fate(group, forged(group, 'B', after, { ...args, heads: [] }))).to.equal('bad-terms')
  })

  it('revocations by a member, or of what is no invite', () => {
    const group = groupOfThree()
    group.grant('A', 'C', 'admin')
    const invite = group.invite('B', 1)
    const close = (by: string, id: OpId): string =>
      fate(group, forged(group, by, { deps: [invite.id] }, { kind: 'close', invite: id }))
    expect(close('D', invite.id)).to.equal('bad-cap')
    expect(close('C', group.create.id)).to.equal('bad-terms')
    expect(close('C', invite.id)).to.equal('added')
  })

  it('what a newer version wrote is kept, counts for nothing, and is said', () => {
    const group = groupOfThree()
    const author = group.author('B', '1')
    const raw = readMembershipOp(crypto, group.meta('B').bytes)!
    const body = encodeCbor([
      ...[raw.conversation, [99, 'news'], raw.deps, raw.cap, raw.account, raw.device],
      ...[raw.accountHeads, raw.oseq, raw.tsMs],
    ])
    group.ops.pop()
    const bytes = encodeCbor([body, signAs(crypto, author.identity, 'membership-op', raw.conversation, body)])
    const { set, added } = addMembershipOps(crypto, group.set(), [bytes], group.logs, laterMs)
    expect(added).to.have.length(1)
    const membership = resolveMembership(set, group.logs)
    expect(group.say(membership)).to.equal(group.members())
    expect(membership.conflicts.map(({ kind }) => kind)).to.deep.equal(['update-needed'])
    expect([...membership.faults.values()]).to.deep.equal([{ reason: 'unknown-kind' }])
  })

  it('two operations with one number are told, and what was back-dated around a removal is void', () => {
    const group = groupOfThree()
    const before = group.last.get('B1')!
    const first = group.meta('B')
    group.revoke('A', 'B')
    const branch = group.grant('B', 'E', 'member', { from: before, after: [before] })
    expect(group.members()).to.equal('A:owner D:member')
    const found = group.now().conflicts.find(({ kind }) => kind === 'equivocation')
    expect(found).to.deep.include({
      oseq: first.oseq,
      ops: [first, branch].map((op) => op.id).sort((a, b) => Buffer.compare(a, b)),
    })
    expect(group.now().faults.get(branch.key)?.reason).to.equal('author-removed')
  })
})

describe('group: floods', () => {
  it('2,000 operations of a device and day, not one more; the next day again', () => {
    const group = groupOfThree()
    let last: MembershipOp | undefined
    for (let i = group.last.get('B1')!.oseq; i < limits.groupOpsPerDay; i++)
      last = group.meta('B', { after: last === undefined ? group.tips() : [last], tsMs: startMs + 1_000 + i })
    const over = group.meta('B', { after: [last!], tsMs: startMs + dayMs - 1 })
    const result = setOf(group, group.ops)
    expect(result.rejected.map(({ reason }) => reason)).to.deep.equal(['too-many'])
    expect(result.set.byId.has(over.key)).to.be.false
    const next = group.meta('B', { from: last!, after: [last!], tsMs: startMs + dayMs })
    expect(addMembershipOps(crypto, result.set, [next.bytes], group.logs, laterMs).added).to.have.length(1)
  })

  it('grants 64 deep, not one more', () => {
    const group = groupOfThree()
    let cap = group.create
    let by = 'A'
    for (let level = 1; level <= limits.delegationDepth; level++) {
      const to = by === 'A' ? 'B' : 'A'
      cap = group.grant(by, to, 'owner', { cap })
      by = to
    }
    expect(setOf(group, group.ops).rejected).to.deep.equal([])
    const over = group.grant(by, 'E', 'owner', { cap })
    expect(fate(group, over)).to.equal('too-deep')
    expect(group.members()).to.equal('A:owner B:owner D:member')
  })

  it('branches of a forked device: so many unasked, more when others build on them', () => {
    const group = groupOfThree()
    const from = group.last.get('B1')!
    const branches = Array.from({ length: limits.groupForkBranches }, (_, i) =>
      group.policy('B', { kind: 'timer', ms: i }, { from, after: [from] }),
    )
    // The first continues the chain it forks; the others start one each.
    const full = setOf(group, group.ops)
    expect(full.rejected).to.deep.equal([])
    const over = group.policy('B', { kind: 'timer', ms: 999 }, { from, after: [from] })
    const refused = addMembershipOps(crypto, full.set, [over.bytes], group.logs, laterMs)
    expect(refused.rejected[0]?.reason).to.equal('forked-too-often')
    const own = group.policy('B', { kind: 'timer', ms: 7 }, { from: over, after: [over] })
    const alone = addMembershipOps(crypto, full.set, [own.bytes, over.bytes], group.logs, laterMs)
    expect(alone.rejected[0]?.reason, 'its own word does not make it wanted').to.equal('forked-too-often')
    const named = group.meta('A', { after: [over] })
    const wanted = addMembershipOps(crypto, full.set, [named.bytes, over.bytes], group.logs, laterMs)
    expect(wanted.added).to.have.length(2)
    expect(branches).to.have.length(limits.groupForkBranches)
  })

  it('waiting operations: so many an author, so many in all, none unsigned', () => {
    const group = groupOfThree()
    const missing = seedOf('missing') as MembershipOp['id']
    const waiting = (name: string, device: string, n: number): MembershipOp =>
      issueOp(
        crypto,
        group.author(name, device),
        {
          conversation: group.create.conversation,
          deps: [missing],
          cap: group.create.id,
          accountHeads: group.account(name).heads,
          oseq: 1,
          tsMs: startMs + n,
        },
        timer,
      )
    const add = (set: OpSet, ops: readonly MembershipOp[]): ReturnType<typeof addMembershipOps> =>
      addMembershipOps(
        crypto,
        set,
        ops.map((op) => op.bytes),
        group.logs,
        laterMs,
      )
    const authors = ['A', 'B', 'D'].flatMap((name) =>
      ['1', '2', '3'].map((device) => [name, device] as const),
    )
    const own = Array.from({ length: limits.groupParkedPerAuthor + 1 }, (_, n) => waiting('A', '1', n))
    const first = add(group.set(), own)
    expect(first.rejected.map(({ reason }) => reason)).to.deep.equal(['parked-full'])
    expect(first.set.parked.size).to.equal(limits.groupParkedPerAuthor)
    const all = authors.flatMap(([name, device]) =>
      Array.from({ length: limits.groupParkedPerAuthor }, (_, n) => waiting(name, device, n)),
    )
    const full = add(group.set(), all)
    expect(full.set.parked.size).to.equal(limits.groupParkedOps)
    expect(full.rejected).to.have.length(all.length - limits.groupParkedOps)
    expect(digestOf({ ...resolveMembership(full.set, group.logs), conflicts: [] })).to.equal(
      digestOf({ ...group.now(), conflicts: [] }),
    )
    expect(dropParked(full.set, () => false).parked.size).to.equal(0)
    const { account, device } = group.author('A', '1')
    const place = {
      conversation: group.create.conversation,
      deps: [missing],
      cap: null,
      accountHeads: [],
      oseq: 1,
      tsMs: 0,
    }
    const unsigned = issueOp(
      crypto,
      { account, device, identity: group.author('B', '1').identity },
      place,
      leave,
    )
    expect(add(group.set(), [unsigned]).rejected[0]?.reason).to.equal('bad-signature')
  })
})

describe('group: the set of operations', () => {
  it('takes operations in any order, one by one or together, and waits for logs', () => {
    const group = groupOfThree()
    group.leave('D')
    group.policy('B', { kind: 'timer', ms: 5 })
    const whole = group.set()
    const random = randomOf(5)
    let set = emptyOpSet(group.conversation)
    for (const op of shuffled(group.ops, random))
      ({ set } = addMembershipOps(crypto, set, [op.bytes], group.logs, laterMs))
    expect(set.parked.size).to.equal(0)
    expect(opsOf(set)).to.deep.equal(opsOf(whole))
    expect(digestOf(resolveMembership(set, group.logs))).to.equal(digestOf(group.now()))

    const partial = new Map([...group.logs].filter(([key]) => key !== group.account('B').key))
    const waiting = addMembershipOps(crypto, emptyOpSet(group.conversation), opsOf(whole), partial, laterMs)
    expect([...waiting.set.parked.values()].map(({ awaiting }) => awaiting)).to.include('account-logs')
    const there = addMembershipOps(crypto, waiting.set, [], group.logs, laterMs)
    expect(opsOf(there.set)).to.deep.equal(opsOf(whole))
  })

  it('comes back from what was stored; what names a lost one waits for it', () => {
    const group = groupOfThree()
    const set = group.set()
    expect(opsOf(restoreOpSet(crypto, group.conversation, opsOf(set), group.logs))).to.deep.equal(opsOf(set))
    const torn = restoreOpSet(crypto, group.conversation, opsOf(set).slice(1), group.logs)
    expect([torn.entries.length, torn.parked.size]).to.deep.equal([0, set.entries.length - 1])
    const whole = addMembershipOps(crypto, torn, opsOf(set).slice(0, 1), group.logs, laterMs)
    expect(opsOf(whole.set)).to.deep.equal(opsOf(set))
    expect(whole.added).to.have.length(set.entries.length)
  })

  it('tells a peer what it lacks', () => {
    const group = groupOfThree()
    const set = group.set()
    const part = group.set(group.ops.slice(0, 2))
    const { ops, unknown } = missingOpsFrom(set, groupHeads(part))
    expect(ops.map(({ bytes }) => bytes)).to.deep.equal([group.ops[2]!.bytes])
    expect(unknown).to.deep.equal([])
    expect(missingOpsFrom(part, groupHeads(set)).unknown).to.deep.equal([group.ops[2]!.id])
  })

  it('a device writes after everything it knows, numbered on, never dated back', () => {
    const group = groupOfThree()
    const set = group.set()
    const author = group.author('B', '1')
    const terms = { cap: group.grants.get('B')!.id, accountHeads: group.account('B').heads, tsMs: 0 }
    const op = writeOp(crypto, set, author, terms, timer)
    expect(op.deps).to.deep.equal(groupHeads(set))
    expect(op.oseq).to.equal(2)
    expect(op.tsMs).to.equal(group.last.get('B1')!.tsMs)
    expect(fate(group, op)).to.equal('added')
  })
})
