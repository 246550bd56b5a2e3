/** What enters the set of operations and what is refused, one by one (docs/protocol/group.md §3). */
import { expect } from 'chai'
import {
  addMembershipOps,
  emptyOpSet,
  issueOp,
  readMembershipOp,
  resolveMembership,
  type Conversation,
  type KnownOpArgs,
  type LastSeen,
  type MembershipOp,
  type OpPlace,
} from '../../../packages/core/src/group/index.ts'
import { encodeOp, encodeOpBody, type OpBody } from '../../../packages/core/src/group/op.ts'
import { limits } from '../../../packages/core/src/limits.ts'
import { compareBytes } from '../../../packages/core/src/wire/index.ts'
import { crypto, Group, groupOfThree, laterMs, seedOf, setOf, startMs } from './support.ts'

const idOf = (group: Group, name: string) => group.account(name).scene.account.id

/** What becomes of an operation on top of a group. */
function fate(group: Group, op: MembershipOp, logs = group.logs): string {
  const before = group.set(group.ops.filter((one) => one !== op))
  const { set, added, rejected } = addMembershipOps(crypto, before, [op.bytes], logs, laterMs)
  const [refused] = rejected
  if (refused !== undefined) return refused.reason
  return added.length > 0 ? 'added' : ([...set.parked.values()].at(-1)?.awaiting ?? 'gone')
}

/** An operation after everything, with every field to choose. */
function forged(
  group: Group,
  name: string,
  args: KnownOpArgs,
  place: Partial<OpPlace> = {},
  device = '1',
): MembershipOp {
  const last = group.last.get(name + device)
  const deps = new Set([...group.tips(), ...(last === undefined ? [] : [last])])
  const whole = {
    conversation: group.create.conversation,
    deps: [...deps].map((op) => op.id),
    cap: group.grants.get(name)?.id ?? null,
    accountHeads: group.account(name).heads,
    oseq: (last?.oseq ?? 0) + 1,
    tsMs: startMs + 100,
  }
  return issueOp(crypto, group.author(name, device), { ...whole, ...place }, args)
}

const meta = (after: readonly MembershipOp['id'][] = []): KnownOpArgs => ({
  kind: 'meta',
  intent: seedOf('intent'),
  after,
})

describe('group: what is an operation at all', () => {
  it('what names things in byte order, each once, and a conversation unless it begins one', () => {
    const group = new Group('A')
    const { scene } = group.account('B')
    const heads = scene.ops.map((op) => op.id).sort(compareBytes)
    const author = group.author('A', '1')
    const body: OpBody = {
      conversation: group.create.conversation,
      args: { kind: 'grant', account: scene.account.id, role: 'member', heads },
      deps: [seedOf('a'), seedOf('b')].sort(compareBytes) as MembershipOp['id'][],
      cap: group.create.id,
      ...{ account: author.account, device: author.device },
      accountHeads: heads,
      ...{ oseq: 2, tsMs: startMs },
    }
    const reads = (change: Partial<OpBody>): boolean => {
      const bytes = encodeOp(encodeOpBody({ ...body, ...change }), new Uint8Array(64) as never)
      return readMembershipOp(crypto, bytes) !== undefined
    }
    expect(reads({})).to.equal(true)
    const grant = body.args as Extract<KnownOpArgs, { kind: 'grant' }>
    for (const disorder of [
      <T>(list: readonly T[]) => list.toReversed(),
      <T>(list: readonly T[]) => [list[0]!, list[0]!],
    ]) {
      expect(reads({ deps: disorder(body.deps) })).to.equal(false)
      expect(reads({ accountHeads: disorder(heads) })).to.equal(false)
      expect(reads({ args: { ...grant, heads: disorder(heads) } })).to.equal(false)
    }
    const invite = seedOf('invite') as MembershipOp['id']
    const admit = {
      kind: 'admit',
      invite,
      account: grant.account,
      proof: new Uint8Array(64) as never,
    } as const
    expect(reads({ args: { ...admit, heads } })).to.equal(true)
    expect(reads({ args: { ...admit, heads: heads.toReversed() } })).to.equal(false)
    expect(reads({ conversation: null })).to.equal(false)
    const create = { kind: 'create', nonce: seedOf('nonce') } as const
    expect([reads({ args: create }), reads({ args: create, conversation: null })]).to.deep.equal([
      false,
      true,
    ])
  })

  it('a beginning cites no grant', () => {
    const group = new Group()
    const begin = (cap: MembershipOp['id'] | null): string => {
      const place = {
        conversation: null,
        deps: [],
        cap,
        accountHeads: group.account('A').heads,
        oseq: 1,
        tsMs: 5,
      }
      const op = issueOp(crypto, group.author('A', '1'), place, { kind: 'create', nonce: seedOf('nonce') })
      const conversation: Conversation = { kind: 'group', id: op.conversation }
      const { rejected } = addMembershipOps(crypto, emptyOpSet(conversation), [op.bytes], group.logs, laterMs)
      return rejected[0]?.reason ?? 'added'
    }
    expect([begin(null), begin(group.create.id)]).to.deep.equal(['added', 'bad-terms'])
  })
})

describe('group: who may write what', () => {
  it('a member, granted or admitted, neither removes nor demotes nor invites nor grants', () => {
    const group = groupOfThree()
    group.admit('B', 'E', group.invite('B', 1))
    const { publicKey } = crypto.signKeyPair(seedOf('key'))
    const grant = { kind: 'grant', role: 'member' } as const
    const attempts = (account: MembershipOp['account']): readonly KnownOpArgs[] => [
      { kind: 'revoke', account, frontier: [] },
      { kind: 'demote', account, role: 'member' },
      { kind: 'invite', key: publicKey, uses: 1, expiresAtMs: laterMs },
      { ...grant, account: idOf(group, 'F'), heads: group.account('F').heads },
      { kind: 'policy', change: { kind: 'membersAdmit', allowed: true } },
    ]
    for (const name of ['D', 'E'])
      for (const args of attempts(idOf(group, 'B')))
        expect(fate(group, forged(group, name, args)), `${name} ${args.kind}`).to.equal('bad-cap')
    expect(fate(group, forged(group, 'E', meta()))).to.equal('added')
    expect(fate(group, forged(group, 'E', { kind: 'seg', depth: 1 }))).to.equal('added')
    for (const args of attempts(idOf(group, 'D')).filter(({ kind }) => kind !== 'demote'))
      expect(fate(group, forged(group, 'B', args)), args.kind).to.equal('added')
  })

  it('a demotion ends a grant that its author stands above, of several at least one', () => {
    const group = groupOfThree()
    group.grant('A', 'O', 'owner')
    group.grant('A', 'D', 'owner')
    const demote = (by: string, name: string, role: 'admin' | 'member'): string =>
      fate(group, forged(group, by, { kind: 'demote', account: idOf(group, name), role }))
    expect(demote('A', 'D', 'admin'), 'a member too').to.equal('added')
    expect(demote('O', 'D', 'admin'), 'not above').to.equal('bad-terms')
    expect(demote('A', 'B', 'member')).to.equal('added')
    expect(demote('A', 'B', 'admin')).to.equal('bad-terms')
  })

  it('an invite has uses, a grant and an admission pin heads, and an admission comes by the end', () => {
    const group = groupOfThree()
    const { publicKey } = crypto.signKeyPair(seedOf('key'))
    const invite = (uses: number): KnownOpArgs => ({
      kind: 'invite',
      key: publicKey,
      uses,
      expiresAtMs: laterMs,
    })
    expect([0, 1].map((uses) => fate(group, forged(group, 'B', invite(uses))))).to.deep.equal([
      ...['bad-terms', 'added'],
    ])
    const grant = { kind: 'grant', account: idOf(group, 'F'), role: 'member' } as const
    expect(fate(group, forged(group, 'B', { ...grant, heads: [] }))).to.equal('bad-terms')
    const link = group.invite('B', 1, {}, startMs + 1_000)
    const good = group.admit('B', 'E', link)
    group.ops.pop()
    group.last.set('B1', link)
    const at = (tsMs: number): string => fate(group, forged(group, 'B', good.args as KnownOpArgs, { tsMs }))
    expect([at(startMs + 1_000), at(startMs + 1_001)]).to.deep.equal(['added', 'bad-terms'])
  })

  it('an edit names edits that its author has seen', () => {
    const group = groupOfThree()
    const seen = group.meta('D')
    const [grant] = group.ops
    expect(fate(group, forged(group, 'B', meta([seen.id])))).to.equal('added')
    expect(fate(group, forged(group, 'B', meta([grant!.id])))).to.equal('bad-terms')
    expect(fate(group, forged(group, 'B', meta([seedOf('unknown') as typeof seen.id])))).to.equal('bad-terms')
    const blind = { deps: [group.ops[2]!.id] }
    expect(fate(group, forged(group, 'B', meta([seen.id]), blind)), 'not seen').to.equal('bad-terms')
  })

  it('a word on devices pins heads of an account that was granted something, and names what is theirs', () => {
    const group = groupOfThree()
    const own = group.meta('D')
    const account = idOf(group, 'D')
    const { heads } = group.account('D')
    const named = (name: string, device: string, op = own): readonly LastSeen[] => [
      { device: group.author(name, device).device, record: null, op: { oseq: op.oseq, id: op.id } },
    ]
    const word = (change: object): string =>
      fate(group, forged(group, 'B', { kind: 'deviceset', account, heads, last: named('D', '1'), ...change }))
    expect(word({})).to.equal('added')
    expect(word({ heads: [] })).to.equal('bad-terms')
    expect(word({ last: named('D', '2') }), 'another device’s').to.equal('bad-terms')
    expect(word({ last: named('B', '1', group.ops[2]) }), 'another account’s').to.equal('bad-terms')
    const stranger = { account: idOf(group, 'F'), heads: group.account('F').heads, last: [] }
    expect(word(stranger)).to.equal('bad-terms')
  })

  it('a device follows one operation of its own, not two branches of itself', () => {
    const group = groupOfThree()
    const from = group.last.get('B1')!
    const branches = [1, 2].map((ms) => group.policy('B', { kind: 'timer', ms }, { from, after: [from] }))
    const deps = branches.map(({ id }) => id)
    const oseq = from.oseq + 2
    expect(fate(group, forged(group, 'B', meta(), { deps, oseq }))).to.equal('broken-chain')
    expect(fate(group, forged(group, 'B', meta(), { deps: deps.slice(1), oseq }))).to.equal('added')
  })

  it('branches of a device are counted within one delivery too', () => {
    const group = groupOfThree()
    const from = group.last.get('B1')!
    for (let ms = 0; ms <= limits.groupForkBranches; ms++)
      group.policy('B', { kind: 'timer', ms }, { from, after: [from] })
    const { rejected } = setOf(group, group.ops)
    expect(rejected.map(({ reason }) => reason)).to.deep.equal(['forked-too-often'])
  })
})

describe('group: what an operation waits for', () => {
  it('heads of its author’s log and of the account it is about', () => {
    const group = groupOfThree()
    const grant = group.grant('B', 'E', 'member')
    for (const name of ['B', 'E']) {
      const { scene, key } = group.account(name)
      const part = new Map([...group.logs, [key, scene.log(scene.ops.slice(0, 2))]])
      expect(fate(group, grant, part), name).to.equal('account-logs')
    }
  })

  it('and no membership is read where a log that it pins is not given', () => {
    const group = groupOfThree()
    const without = new Map([...group.logs].filter(([key]) => key !== group.account('D').key))
    expect(() => resolveMembership(group.set(), without))
      .to.throw()
      .with.property('code', 'E_ACCOUNT_LOG_MISSING')
  })
})

describe('group: what enters a direct conversation', () => {
  const group = new Group()
  const [a, b] = ['A', 'B'].map((name) => idOf(group, name))
  const id = seedOf('direct') as Group['create']['conversation']
  idOf(group, 'C')
  const place = {
    conversation: id,
    deps: [],
    cap: null,
    accountHeads: group.account('A').heads,
    oseq: 1,
    tsMs: 0,
  }
  const outcome = (args: KnownOpArgs, change: Partial<OpPlace> = {}): string => {
    const op = issueOp(crypto, group.author('A', '1'), { ...place, ...change }, args)
    const direct = emptyOpSet({ kind: 'direct', id, accounts: [a!, b!] })
    return addMembershipOps(crypto, direct, [op.bytes], group.logs, laterMs).rejected[0]?.reason ?? 'added'
  }

  it('rules, words on devices, segments and edits, citing nothing', () => {
    const timer: KnownOpArgs = { kind: 'policy', change: { kind: 'timer', ms: 1 } }
    const word = (name: string): KnownOpArgs => ({
      ...{ kind: 'deviceset', account: idOf(group, name) },
      ...{ heads: group.account(name).heads, last: [] },
    })
    for (const args of [timer, word('A'), word('B'), { kind: 'seg', depth: 1 } as const, meta()])
      expect(outcome(args), args.kind).to.equal('added')
    expect(outcome(word('C')), 'of neither').to.equal('bad-terms')
    expect(outcome(timer, { cap: group.create.id })).to.equal('not-in-direct')
    expect(outcome({ kind: 'revoke', account: b!, frontier: [] })).to.equal('not-in-direct')
  })

  it('its two are in the order of their ids, whichever is named first', () => {
    for (const accounts of [
      [a!, b!],
      [b!, a!],
    ] as const) {
      const { members } = resolveMembership(emptyOpSet({ kind: 'direct', id, accounts }), group.logs)
      expect([...members.keys()]).to.deep.equal([...members.keys()].toSorted())
    }
  })
})
