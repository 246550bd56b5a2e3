/** What a group reports of words that were resolved against somebody's (docs/protocol/group.md §6). */
import { expect } from 'chai'
import {
  addMembershipOps,
  resolveMembership,
  type Conflict,
  type MembershipOp,
} from '../../../packages/core/src/group/index.ts'
import { toHex } from '../../../packages/core/src/wire/index.ts'
import {
  accountOf,
  crypto,
  freshAccount,
  Group,
  laterMs,
  setOf,
  startMs,
  type TestAccount,
} from './support.ts'

interface Base extends Group {
  readonly gB: MembershipOp
  readonly gC: MembershipOp
  readonly gD: MembershipOp
}

/** A: owner; B, C: admins by A; D: member by B; all know of all. `own`: an account whose log a test writes on. */
function base(own?: string): Base {
  const fresh = own === undefined ? undefined : freshAccount(own)
  const group = new Group('A', (name) => (name === own && fresh !== undefined ? fresh : accountOf(name)))
  const gB = group.grant('A', 'B', 'admin')
  const gC = group.grant('A', 'C', 'admin')
  const gD = group.grant('B', 'D', 'member')
  return Object.assign(group, { gB, gC, gD })
}

const idOf = (group: Group, name: string) => group.account(name).scene.account.id
const by = (group: Group, name: string, device = '1') => {
  const { account, device: id } = group.author(name, device)
  return { account, device: id }
}
const report = <K extends Conflict['kind']>(
  group: Group,
  kind: K,
): readonly Extract<Conflict, { readonly kind: K }>[] =>
  group.now().conflicts.filter((one): one is Extract<Conflict, { readonly kind: K }> => one.kind === kind)

describe('group: the report on operations', () => {
  it('says of each that counts for nothing who wrote it, what it was and why', () => {
    const group = base()
    const removal = group.revoke('A', 'B', { after: [group.gD] })
    const timer = group.policy('B', { kind: 'timer', ms: 1 }, { after: [group.gD], device: '2' })
    expect(group.now().conflicts).to.deep.equal([
      {
        kind: 'void',
        op: timer.id,
        what: 'policy',
        author: by(group, 'B', '2'),
        fault: { reason: 'author-removed', by: removal.id },
      },
    ])
  })

  it('names what undid a removal, even where that fell with the grant it rests on', () => {
    const group = base()
    const gE = group.grant('B', 'E', 'admin', { after: [group.gD] })
    group.policy('A', { kind: 'adminsGrantAdmin', allowed: true })
    group.grant('A', 'F', 'member')
    const open = group.tips()
    const made = group.grant('B', 'G', 'admin', { after: open })
    const removed = group.revoke('G', 'F', { after: [made], frontier: [] })
    expect(group.now().faults.has(gE.key), 'made before admins could').to.equal(true)
    const root = group.revoke('A', 'B', { after: open })
    const undone = report(group, 'removal-undone')
    expect(undone).to.deep.equal([
      {
        kind: 'removal-undone',
        removal: removed.id,
        account: idOf(group, 'F'),
        by: by(group, 'G'),
        undoneBy: root.id,
        undoneByAccount: idOf(group, 'A'),
        back: true,
      },
    ])
    expect(report(group, 'ejected')).to.deep.include({
      ...{ kind: 'ejected', account: idOf(group, 'G') },
      ...{ grant: made.id, cause: root.id },
    })
    const fault = group.now().faults.get(removed.key)
    expect(fault).to.deep.equal({ reason: 'cap-void', by: made.id })
  })

  it('says of an undone demotion too, and where the account is out all the same', () => {
    const group = base()
    const demotion = group.demote('B', 'D', 'member', { after: [group.gD] })
    expect(group.set().byId.has(demotion.key), 'nothing to demote').to.equal(false)
    const other = base()
    other.grant('A', 'E', 'owner')
    const gF = other.grant('E', 'F', 'admin')
    const undone = other.demote('E', 'F', 'member', { after: [gF] })
    other.revoke('A', 'E', { after: [gF] })
    other.revoke('A', 'F', { after: [gF], frontier: [] })
    expect(report(other, 'removal-undone').map(({ removal, back }) => [removal, back])).to.deep.equal([
      [undone.id, false],
    ])
  })

  it('says of a removal whose author does not stand above every grant of the account', () => {
    const group = base()
    const second = group.grant('A', 'D', 'admin', { after: [group.gD] })
    const removal = group.revoke('B', 'D', { after: [second] })
    expect(group.members()).to.include('D:admin')
    expect(group.now().conflicts).to.deep.equal([
      { kind: 'removal-incomplete', removal: removal.id, account: idOf(group, 'D'), by: by(group, 'B') },
    ])
  })

  it('and not of one whose account is out, or was let in again afterwards, or was let in by a word that fell', () => {
    const out = base()
    out.revoke('B', 'D')
    expect(out.conflicts()).to.deep.equal([])
    const again = base()
    const removal = again.revoke('B', 'D')
    again.grant('A', 'D', 'admin', { after: [removal] })
    expect(again.members()).to.include('D:admin')
    expect(again.conflicts()).to.deep.equal([])
    const ended = base()
    const raised = ended.grant('A', 'D', 'admin', { after: [ended.gD] })
    const blind = ended.revoke('B', 'D', { after: [ended.gD] })
    const above = ended.revoke('A', 'D', { after: [raised, blind] })
    ended.grant('A', 'D', 'member', { after: [above] })
    expect(ended.members()).to.include('D:member')
    expect(report(ended, 'removal-incomplete'), 'ended otherwise').to.deep.equal([])
    const fell = base()
    const gO = fell.grant('A', 'O', 'owner')
    const word = fell.grant('O', 'D', 'admin', { after: [gO] })
    const gone = fell.revoke('B', 'D', { after: [gO] })
    fell.revoke('A', 'O', { after: [gO] })
    fell.grant('A', 'D', 'member', { device: '2', after: [gone] })
    expect(fell.now().faults.has(word.key)).to.equal(true)
    expect(fell.members()).to.include('D:member')
    expect(report(fell, 'removal-incomplete'), 'by a word that fell').to.deep.equal([])
  })

  it('says who is out because of whoever let them in, and by what; of policy nobody’s word may be the cause', () => {
    const group = base()
    const removal = group.revoke('A', 'B', { after: [group.gD] })
    const invite = group.invite('B', 1, { after: [group.gD] })
    const admission = group.admit('C', 'E', invite, { after: [invite] })
    const grant = group.grant('C', 'F', 'admin', { after: [group.gD] })
    expect(report(group, 'ejected')).to.have.deep.members([
      { kind: 'ejected', account: idOf(group, 'E'), grant: admission.id, cause: removal.id },
      { kind: 'ejected', account: idOf(group, 'F'), grant: grant.id, cause: null },
    ])
    expect(group.now().faults.get(admission.key)).to.deep.equal({ reason: 'invite-void', by: invite.id })
    expect(group.now().faults.get(grant.key)).to.deep.equal({ reason: 'policy', by: null })
    group.grant('A', 'E', 'member')
    expect(report(group, 'ejected').map(({ account }) => account)).to.deep.equal([idOf(group, 'F')])
  })

  it('names the word by which a policy forbade it', () => {
    const group = base()
    const closed = group.policy('A', { kind: 'adminsGrantAdmin', allowed: false })
    const grant = group.grant('C', 'F', 'admin')
    expect(report(group, 'ejected')).to.deep.equal([
      { kind: 'ejected', account: idOf(group, 'F'), grant: grant.id, cause: closed.id },
    ])
  })

  it('says of a link with more users than uses who was too many, and whether anybody knew', () => {
    const group = base()
    const invite = group.invite('B', 1)
    const first = group.admit('A', 'E', invite, { after: [invite] })
    const late = group.admit('C', 'F', invite, { after: [first] })
    expect(group.now().conflicts).to.deep.equal([
      {
        kind: 'void',
        op: late.id,
        what: 'admit',
        author: by(group, 'C'),
        fault: { reason: 'invite-used-up', by: invite.id, unaware: false },
      },
      { kind: 'link-used-twice', invite: invite.id, account: idOf(group, 'F'), admission: late.id },
    ])
    const unaware = base()
    const link = unaware.invite('B', 1)
    for (const [admin, name] of ['AE', 'CF']) unaware.admit(admin!, name!, link, { after: [link] })
    expect(report(unaware, 'void').map(({ fault }) => 'unaware' in fault && fault.unaware)).to.deep.equal([
      true,
    ])
  })

  it('is in an order that follows the past, one account after another', () => {
    const group = base()
    group.revoke('A', 'B', { after: [group.gD] })
    const one = group.policy('B', { kind: 'timer', ms: 1 }, { after: [group.gD] })
    const two = group.policy('B', { kind: 'timer', ms: 2 }, { after: [one] })
    const three = group.policy('B', { kind: 'retention', ms: 2 }, { after: [two] })
    for (const ops of [group.ops, group.ops.toReversed()]) {
      const { conflicts } = resolveMembership(setOf(group, ops).set, group.logs)
      expect(conflicts.map((one) => ('op' in one ? one.op : null))).to.deep.equal([one.id, two.id, three.id])
    }
  })

  it('says what waits, and for what', () => {
    const group = base()
    const meta = group.meta('D')
    const late = group.meta('D', { after: [meta], tsMs: laterMs * 2 })
    const { set } = addMembershipOps(
      crypto,
      group.set(group.ops.slice(0, -2)),
      [late.bytes],
      group.logs,
      laterMs,
    )
    const waiting = (one: typeof set) =>
      resolveMembership(one, group.logs).conflicts.filter(({ kind }) => kind === 'waiting')
    const said = { kind: 'waiting', op: late.id, author: by(group, 'D'), awaiting: 'time' }
    expect(waiting(set)).to.deep.equal([said])
    const whole = addMembershipOps(crypto, set, [meta.bytes], group.logs, laterMs).set
    expect(waiting(whole)).to.deep.equal([said])
    expect(waiting(addMembershipOps(crypto, whole, [], group.logs, laterMs * 2).set)).to.deep.equal([])
    const more = ['B', 'C'].map((name) => group.meta(name, { after: [group.gD], tsMs: laterMs * 2 }))
    const keys = more.map(({ key }) => key).sort()
    for (const ops of [more, more.toReversed()]) {
      const bytes = ops.map((op) => op.bytes)
      const both = addMembershipOps(crypto, group.set(group.ops.slice(0, 4)), bytes, group.logs, laterMs).set
      const found = waiting(both).map((one) => ('op' in one ? toHex(one.op) : ''))
      expect(found, 'in the order of their ids').to.deep.equal(keys)
    }
  })
})

describe('group: the report on rules, devices and accounts', () => {
  it('says of each setting which concurrent words did not hold against which, by authority and then by id', () => {
    const group = base()
    const words = ['B', 'C'].map((name) =>
      group.policy(name, { kind: 'timer', ms: 1 }, { after: [group.gD] }),
    )
    words.sort((a, b) => (a.key < b.key ? -1 : 1))
    const [low, high] = words
    expect(report(group, 'policy-overruled')).to.deep.equal([
      { kind: 'policy-overruled', setting: 'timer', op: high!.id, by: low!.id },
    ])
    const above = group.policy('A', { kind: 'timer', ms: 2 }, { after: [group.gD] })
    group.policy('A', { kind: 'retention', ms: 2 }, { after: [above] })
    const other = group.policy('B', { kind: 'retention', ms: 3 }, { after: [low!, high!] })
    const overruled = report(group, 'policy-overruled').map(({ setting, op, by: winner }) => [
      setting,
      op,
      winner,
    ])
    expect(overruled).to.deep.equal([
      ['retention', other.id, group.ops.at(-2)!.id],
      ['timer', low!.id, above.id],
      ['timer', high!.id, above.id],
    ])
    group.policy('A', { kind: 'timer', ms: 4 })
    expect(
      report(group, 'policy-overruled').map(({ setting }) => setting),
      'settled',
    ).to.deep.equal(['retention'])
  })

  it('passes over words that fell: the last one of a device that counts is its word', () => {
    const group = base()
    const one = group.policy('B', { kind: 'timer', ms: 1 }, { after: [group.gD] })
    group.policy('B', { kind: 'timer', ms: 2 }, { after: [one] })
    group.policy('C', { kind: 'timer', ms: 3 }, { after: [group.gD] })
    group.revoke('A', 'B', {
      after: [one],
      frontier: [{ device: group.author('B', '1').device, record: null, op: { oseq: one.oseq, id: one.id } }],
    })
    const [low, high] = [one, group.ops.at(-2)!].sort((a, b) => (a.key < b.key ? -1 : 1))
    expect(report(group, 'policy-overruled')).to.deep.equal([
      { kind: 'policy-overruled', setting: 'timer', op: high!.id, by: low!.id },
    ])
  })

  it('says of each device that contradicts itself the first number it gave twice, once', () => {
    const group = base()
    const from = group.last.get('B1')!
    const branches = [group.meta('B', { from }), group.meta('B', { from, after: [from] })]
    const [one, other] = branches
    group.meta('B', { from: one!, after: [one!] })
    group.meta('B', { from: other!, after: [other!] })
    expect(report(group, 'equivocation')).to.deep.equal([
      {
        kind: 'equivocation',
        device: by(group, 'B'),
        oseq: from.oseq + 1,
        ops: branches.map(({ id }) => id).sort((a, b) => Buffer.compare(a, b)),
      },
    ])
    for (const ms of [1, 2]) group.policy('C', { kind: 'timer', ms }, { from: null, after: [group.gD] })
    const devices = report(group, 'equivocation').map(({ device }) => toHex(device.account))
    expect(devices, 'in the order of their ids')
      .to.deep.equal([...devices].sort())
      .and.have.length(2)
    const honest = base()
    honest.meta('B', { device: '2' })
    honest.meta('B')
    expect(honest.conflicts()).to.deep.equal([])
  })

  it('says so once no owner is left, or none with a device; of a group that is empty nothing', () => {
    const group = base('A')
    expect(group.conflicts()).to.deep.equal([])
    group.demote('A', 'B', 'member')
    expect(group.conflicts()).to.deep.equal([])
    const { scene } = group.account('A')
    for (const name of ['1', '2']) scene.revoke(null, name, 9, [...scene.ops])
    expect(report(group, 'no-owner')).to.deep.equal([])
    scene.revoke(null, '3', 9, [...scene.ops])
    expect(report(group, 'no-owner')).to.deep.equal([{ kind: 'no-owner' }])
    const more = base('A')
    more.grant('A', 'E', 'owner')
    for (const name of ['1', '2', '3'])
      more.account('A').scene.revoke(null, name, 9, [...more.account('A').scene.ops])
    expect(report(more, 'no-owner'), 'another has one').to.deep.equal([])
    const empty = new Group()
    empty.leave('A')
    expect(empty.members()).to.equal('')
    expect(empty.conflicts()).to.deep.equal([])
  })

  it('names accounts that are contested or accuse themselves, as long as they are members', () => {
    const contest = ({ scene }: TestAccount): void => {
      const from = scene.ops[0]!
      scene.renew(null, '1', startMs + 1, [...scene.ops], { from })
      scene.renew(null, '2', startMs + 2, [...scene.ops], { from })
    }
    const accuse = ({ scene }: TestAccount): void => {
      const known = [...scene.ops]
      scene.revoke('1', '2', 9, known)
      scene.revoke('2', '1', 9, known)
    }
    const cases = [
      ['account-contested', contest],
      ['account-accused', accuse],
    ] as const
    for (const [kind, trouble] of cases) {
      const group = base('D')
      trouble(group.account('D'))
      expect(group.now().conflicts).to.deep.equal([{ kind, account: idOf(group, 'D') }])
      group.revoke('A', 'D')
      expect(report(group, kind), 'out').to.deep.equal([])
    }
    const answered = base('D')
    accuse(answered.account('D'))
    const { scene } = answered.account('D')
    scene.renew('3', '3', startMs + 3, [...scene.ops])
    expect(report(answered, 'account-accused')).to.deep.equal([])
  })
})
