/** Which operations count where several words meet (docs/protocol/group.md §4), and why one does not. */
import { expect } from 'chai'
import {
  resolveMembership,
  type Fault,
  type LastSeen,
  type MembershipOp,
} from '../../../packages/core/src/group/index.ts'
import { accountOf, digestOf, freshAccount, Group, setOf, type TestAccount } from './support.ts'

/** A: owner; B, C: admins by A; D: member by B. `own`: an account whose log a test writes on. */
function base(own?: string, role: 'admin' | 'owner' = 'admin'): Group {
  const fresh: TestAccount | undefined = own === undefined ? undefined : freshAccount(own)
  const group = new Group('A', (name) => (name === own && fresh !== undefined ? fresh : accountOf(name)))
  group.grant('A', 'B', role)
  group.grant('A', 'C', 'admin')
  group.grant('B', 'D', 'member')
  return group
}

/** Its account says that a device of it is out; nobody has said how far it reached. */
function lose(group: Group, name: string, device = '2'): void {
  const { scene } = group.account(name)
  scene.revoke(device === '1' ? '2' : '1', device, 9, [...scene.ops])
}

const faultOf = (group: Group, op: MembershipOp): Fault | undefined => group.now().faults.get(op.key)

/** Up to here of a device, and no further. */
const upTo = (group: Group, name: string, op: MembershipOp, device = '1'): LastSeen => ({
  device: group.author(name, device).device,
  record: null,
  op: { oseq: op.oseq, id: op.id },
})

/** The same whether the operations came in this order or the other way round. */
function sameEitherWay(group: Group): void {
  const [one, other] = [group.ops, group.ops.toReversed()].map((ops) =>
    digestOf(resolveMembership(setOf(group, ops).set, group.logs)),
  )
  expect(one).to.equal(other)
}

describe('group: why an operation does not count', () => {
  it('of several removals the one of the highest authority is named, before all a leave', () => {
    const group = base()
    group.grant('A', 'O', 'owner')
    const before = group.tips()
    group.revoke('O', 'B', { after: before })
    const high = group.revoke('A', 'B', { after: before })
    const word = group.policy('B', { kind: 'timer', ms: 1 }, { after: before })
    expect(faultOf(group, word)).to.deep.equal({ reason: 'author-removed', by: high.id })
    const leave = group.leave('B', { device: '2', after: before })
    const aware = group.policy('B', { kind: 'timer', ms: 2 }, { device: '2', after: [leave] })
    expect(faultOf(group, aware)).to.deep.equal({ reason: 'author-removed', by: leave.id })
    sameEitherWay(group)
  })

  it('of equal ones the first, and only one that undoes it', () => {
    const group = base()
    const before = group.tips()
    const word = group.policy('B', { kind: 'timer', ms: 1 }, { after: before })
    group.revoke('A', 'B', { after: [word], frontier: [upTo(group, 'B', word)] })
    expect(faultOf(group, word)).to.equal(undefined)
    const second = group.revoke('A', 'B', { device: '2', after: [word], frontier: [] })
    expect(faultOf(group, word)).to.deep.equal({ reason: 'author-removed', by: second.id })
    const third = group.revoke('A', 'B', { device: '3', after: [word], frontier: [] })
    const [low] = [second, third].map(({ id }) => id).sort((a, b) => Buffer.compare(a, b))
    expect(faultOf(group, word)).to.deep.equal({ reason: 'author-removed', by: low })
    sameEitherWay(group)
  })

  it('what is named on one branch of a device that contradicts itself lets nothing stand on another', () => {
    const group = base()
    const from = group.last.get('B1')!
    const one = group.policy('B', { kind: 'timer', ms: 1 }, { from, after: [from] })
    const two = group.policy('B', { kind: 'timer', ms: 2 }, { from: one, after: [one] })
    const other = group.policy('B', { kind: 'retention', ms: 3 }, { from, after: [from] })
    group.revoke('A', 'B', { frontier: [upTo(group, 'B', two)] })
    expect([one, two, other].map((op) => faultOf(group, op)?.reason)).to.deep.equal([
      ...[undefined, undefined, 'author-removed'],
    ])
  })

  it('of equal roles whoever stands higher in the line of grants speaks', () => {
    for (const later of [false, true]) {
      const group = new Group()
      const gO = group.grant('A', 'O', 'owner')
      const gP = group.grant('O', 'P', 'owner')
      const words = ['A', 'O', 'P'].map(
        (name, i) => () => group.policy(name, { kind: 'timer', ms: i }, { after: [gO, gP] }),
      )
      for (const word of later ? words.toReversed() : words) word()
      expect(group.now().policy.timerMs).to.equal(0)
    }
  })

  it('the word with the lowest id holds among equals, whichever came first', () => {
    const group = base()
    const before = group.tips()
    const words = ['B', 'C'].map((name, i) => group.policy(name, { kind: 'timer', ms: i }, { after: before }))
    const low = words[0]!.key < words[1]!.key ? 0 : 1
    for (const ops of [group.ops, group.ops.toReversed()])
      expect(resolveMembership(setOf(group, ops).set, group.logs).policy.timerMs).to.equal(low)
  })
})

describe('group: rules said meanwhile', () => {
  it('an admission by a member falls by whoever forbade it meanwhile, not by a word that fell or came before', () => {
    const group = base()
    const forbidden = group.policy('B', { kind: 'membersAdmit', allowed: false })
    group.policy('B', { kind: 'membersAdmit', allowed: true }, { after: [forbidden] })
    const invite = group.invite('A', 5)
    const before = group.tips()
    const admission = group.admit('D', 'E', invite, { after: before })
    group.policy('A', { kind: 'membersAdmit', allowed: true }, { after: before })
    expect(faultOf(group, admission), 'allowed before and meanwhile').to.equal(undefined)
    const closing = group.policy('C', { kind: 'membersAdmit', allowed: false }, { after: before })
    expect(faultOf(group, admission)).to.deep.equal({ reason: 'policy', by: closing.id })
    group.revoke('A', 'C', { device: '2', after: before, frontier: [] })
    expect(faultOf(group, closing)?.reason).to.equal('author-removed')
    expect(faultOf(group, admission)?.reason, 'every removal closes invites').to.equal('invite-closed')
  })

  it('the first of several that forbid is named, and one that fell is none', () => {
    const group = base()
    group.grant('A', 'O', 'owner')
    group.policy('A', { kind: 'adminsGrantAdmin', allowed: true })
    const before = group.tips()
    const grant = group.grant('B', 'E', 'admin', { after: before })
    const one = group.policy('A', { kind: 'adminsGrantAdmin', allowed: false }, { after: before })
    const two = group.policy('O', { kind: 'adminsGrantAdmin', allowed: false }, { after: before })
    const [low] = [one, two].map(({ id }) => id).sort((a, b) => Buffer.compare(a, b))
    expect(faultOf(group, grant)).to.deep.equal({ reason: 'policy', by: low })
    sameEitherWay(group)
    const other = base()
    other.grant('A', 'O', 'owner')
    other.policy('A', { kind: 'adminsGrantAdmin', allowed: true })
    const then = other.tips()
    const stays = other.grant('B', 'E', 'admin', { after: then })
    other.policy('O', { kind: 'adminsGrantAdmin', allowed: false }, { after: then })
    other.revoke('A', 'O', { after: then })
    expect(faultOf(other, stays)).to.equal(undefined)
  })

  it('of a link the users are counted in one order, however they came; unaware is who missed any of them', () => {
    const group = base()
    const invite = group.invite('B', 2)
    const first = group.admit('A', 'E', invite, { after: [invite] })
    group.admit('C', 'F', invite, { after: [invite] })
    const third = group.admit('A', 'G', invite, { after: [first] })
    expect(faultOf(group, third)).to.deep.equal({ reason: 'invite-used-up', by: invite.id, unaware: true })
    sameEitherWay(group)
    const many = base()
    const link = many.invite('B', 1)
    for (const [by, name] of ['AE', 'CF', 'BG']) many.admit(by!, name!, link, { after: [link] })
    sameEitherWay(many)
  })
})

describe('group: words of devices that are out', () => {
  it('the beginning stands, and a leave, whatever becomes of the device that wrote them', () => {
    const group = base('A')
    lose(group, 'A', '1')
    group.deviceset('C', 'A', { 1: null })
    expect(group.members()).to.equal('A:owner')
    const left = base('D')
    left.leave('D', { device: '2' })
    lose(left, 'D')
    left.deviceset('C', 'D', { 2: null })
    expect(left.members()).to.equal('A:owner B:admin C:admin')
  })

  it('what one says of others’ devices is no word once it is out itself', () => {
    const group = base('B')
    const good = group.grant('B', 'E', 'member', { device: '2' })
    group.deviceset('B', 'B', { 2: null }, { device: '3', cap: group.grants.get('B')! })
    lose(group, 'B', '2')
    expect(faultOf(group, good)).to.deep.equal({ reason: 'device-out' })
    const { scene } = group.account('B')
    scene.revoke('1', '3', 9, [...scene.ops])
    expect(faultOf(group, good), 'nobody else spoke').to.equal(undefined)
  })

  it('a demotion, like a removal, stands until its account has spoken, with whatever authority', () => {
    const group = base('B', 'owner')
    group.grant('B', 'E', 'admin')
    const before = group.tips()
    group.demote('B', 'E', 'member', { device: '2' })
    lose(group, 'B')
    group.deviceset('C', 'B', { 2: null }, { after: before })
    expect(group.members()).to.include('E:member')
    for (const withGrant of [false, true]) {
      const other = base('B')
      const then = other.tips()
      other.revoke('B', 'D', { device: '2' })
      lose(other, 'B')
      other.deviceset('C', 'B', { 2: null }, { after: then })
      expect(other.members()).to.not.include('D:')
      const cap = withGrant ? other.grants.get('B')! : null
      other.deviceset('B', 'B', { 2: null }, { after: then, cap })
      expect(other.members()).to.include('D:member')
    }
  })

  it('what was written as a member falls by any word of its account, with a grant or without', () => {
    const group = base('D')
    group.policy('A', { kind: 'membersAdmit', allowed: true })
    const invite = group.invite('A', 1)
    const admission = group.admit('D', 'E', invite, { device: '2' })
    lose(group, 'D')
    group.deviceset('C', 'D', { 2: admission })
    expect(group.members()).to.include('E:member')
    group.deviceset('D', 'D', { 2: null })
    expect(faultOf(group, admission)).to.deep.equal({ reason: 'device-out' })
  })

  /** B2 let somebody in as an admin, and C saw it. */
  function seenByOther(): { group: Group; grant: MembershipOp } {
    const group = base('B')
    const grant = group.grant('B', 'E', 'member', { device: '2' })
    lose(group, 'B')
    group.deviceset('C', 'B', { 2: grant })
    return { group, grant }
  }

  it('what was written with authority falls by a word on a grant no lower, and one that counts', () => {
    const { group, grant } = seenByOther()
    const low = group.grant('A', 'B', 'member')
    group.deviceset('B', 'B', { 2: null }, { cap: low })
    expect(faultOf(group, grant), 'a lower grant').to.equal(undefined)
    const fallen = base('B')
    const word = fallen.grant('B', 'E', 'member', { device: '2' })
    lose(fallen, 'B')
    fallen.deviceset('C', 'B', { 2: word })
    const before = fallen.tips()
    const second = fallen.grant('C', 'B', 'admin', { after: before })
    fallen.deviceset('B', 'B', { 2: null }, { cap: second, after: [second] })
    expect(faultOf(fallen, second)?.reason).to.equal('policy')
    expect(faultOf(fallen, word), 'a grant that does not count').to.equal(undefined)
  })

  it('who was removed meanwhile cuts nothing that the removal did not see cut', () => {
    const { group, grant } = seenByOther()
    const before = group.tips()
    const cut = group.deviceset('B', 'B', { 2: null }, { after: before, cap: group.grants.get('B')! })
    expect(faultOf(group, grant)).to.deep.equal({ reason: 'device-out' })
    const ops = [...group.ops]
    const unaware = group.revoke('A', 'B', { after: before, frontier: [upTo(group, 'B', grant, '2')] })
    const after = resolveMembership(group.set([...ops, unaware]), group.logs)
    expect(after.faults.get(grant.key)).to.equal(undefined)
    const aware = group.revoke('A', 'B', {
      device: '2',
      after: [cut],
      frontier: [upTo(group, 'B', cut), upTo(group, 'B', grant, '2')],
    })
    const seen = resolveMembership(group.set([...ops, aware]), group.logs)
    expect(seen.faults.get(grant.key)).to.deep.equal({ reason: 'device-out' })
  })

  it('who has left and knew it cuts nothing', () => {
    const { group, grant } = seenByOther()
    const before = group.tips()
    const cap = group.grants.get('B')!
    const cut = group.deviceset('B', 'B', { 2: null }, { after: before, cap })
    group.leave('B', { device: '3', after: [cut] })
    expect(faultOf(group, grant), 'the leave came after').to.deep.equal({ reason: 'device-out' })
  })
})
