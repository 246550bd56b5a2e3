import { expect } from 'chai'
import { inviteStanding, type MembershipOp } from '../../../packages/core/src/group/index.ts'
import { Group } from './support.ts'

/** A: owner; B, C: admins by A; D: member by B; all know of all. */
function base(): Group & { readonly gB: MembershipOp; readonly gC: MembershipOp; readonly gD: MembershipOp } {
  const group = new Group()
  const gB = group.grant('A', 'B', 'admin')
  const gC = group.grant('A', 'C', 'admin')
  const gD = group.grant('B', 'D', 'member')
  return Object.assign(group, { gB, gC, gD })
}

describe('group: who is in', () => {
  it('starts with its creator', () => {
    const group = new Group()
    expect(group.members()).to.equal('A:owner')
    expect([...group.now().members.values()][0]?.via).to.equal('create')
  })

  it('says how a member came in', () => {
    const group = base()
    const member = group.now().members.get(group.account('D').key)
    expect(member?.via).to.equal('grant')
    expect(member?.by?.account).to.deep.equal(group.account('B').scene.account.id)
    expect(member?.grant).to.deep.equal(group.gD.id)
  })

  it('mutual removal by sibling admins: neither counts, both are told', () => {
    const group = base()
    group.revoke('B', 'C', { after: [group.gD] })
    group.revoke('C', 'B', { after: [group.gD] })
    expect(group.members()).to.equal('A:owner B:admin C:admin D:member')
    expect(group.conflicts()).to.deep.equal(['removal-incomplete', 'removal-incomplete'])
  })

  it('co-owner and creator remove each other: the one above wins', () => {
    const group = new Group()
    const gO = group.grant('A', 'O', 'owner')
    group.revoke('O', 'A', { after: [gO] })
    group.revoke('A', 'O', { after: [gO] })
    expect(group.members()).to.equal('A:owner')
    expect(group.conflicts()).to.deep.equal(['void', 'removal-undone'])
  })

  it('circular demotion: who stands above demotes, nobody demotes upward', () => {
    const group = new Group()
    group.grant('A', 'O', 'owner')
    const gP = group.grant('O', 'P', 'owner')
    group.demote('A', 'O', 'member', { after: [gP] })
    group.demote('O', 'P', 'member', { after: [gP] })
    expect(group.members()).to.equal('A:owner O:member P:owner')
    expect(group.conflicts()).to.include('removal-undone')
    const upward = group.demote('P', 'A', 'member', { after: [gP] })
    expect(group.set().byId.has(upward.key)).to.be.false
  })

  it('a demotion leaves the account in, with the lesser role', () => {
    const group = base()
    const demotion = group.demote('A', 'B', 'member')
    expect(group.members()).to.equal('A:owner B:member C:admin D:member')
    expect(group.now().members.get(group.account('B').key)?.via).to.equal('demote')
    group.grant('B', 'E', 'member', { after: [demotion] })
    expect(group.members()).to.equal('A:owner B:member C:admin D:member')
  })

  it('an account joined by the grant that let it in, whatever its role was since, until it is let in anew', () => {
    const group = base()
    const joined = () => group.now().members.get(group.account('D').key)?.joined
    expect(joined()).to.deep.equal(group.gD.id)
    group.grant('A', 'D', 'admin')
    expect(joined(), 'promoted').to.deep.equal(group.gD.id)
    group.demote('A', 'D', 'member')
    expect(joined(), 'demoted').to.deep.equal(group.gD.id)
    group.revoke('A', 'D')
    expect(joined(), 'put out').to.equal(undefined)
    const again = group.grant('A', 'D', 'member')
    group.grant('A', 'D', 'admin')
    expect(joined(), 'let in anew').to.deep.equal(again.id)
  })

  it('also where those who demoted it and who put it out were not the same', () => {
    const group = base()
    group.grant('A', 'D', 'admin')
    group.demote('A', 'D', 'member')
    group.revoke('B', 'D')
    expect(group.members()).to.equal('A:owner B:admin C:admin')
    const again = group.grant('A', 'D', 'member')
    expect(group.now().members.get(group.account('D').key)?.joined).to.deep.equal(again.id)
  })

  it('concurrent re-add loses', () => {
    const group = base()
    group.revoke('B', 'D', { after: [group.gD] })
    group.grant('C', 'D', 'member', { after: [group.gD] })
    expect(group.members()).to.equal('A:owner B:admin C:admin')
  })

  it('causal re-add wins', () => {
    const group = base()
    const removal = group.revoke('B', 'D')
    group.grant('C', 'D', 'member', { after: [removal] })
    expect(group.members()).to.equal('A:owner B:admin C:admin D:member')
    expect(group.conflicts()).to.deep.equal([])
  })

  it('removal against a concurrent add by the removed: who was added is out, and offered again', () => {
    const group = base()
    const removal = group.revoke('A', 'B', { after: [group.gD] })
    const added = group.grant('B', 'E', 'member', { after: [group.gD] })
    expect(group.members()).to.equal('A:owner C:admin D:member')
    const ejected = group.now().conflicts.find(({ kind }) => kind === 'ejected')
    expect(ejected).to.deep.equal({
      kind: 'ejected',
      account: group.account('E').scene.account.id,
      grant: added.id,
      cause: removal.id,
    })
  })

  it('what the removed had added before stays', () => {
    const group = base()
    group.grant('B', 'E', 'member')
    group.revoke('A', 'B')
    expect(group.members()).to.equal('A:owner C:admin D:member E:member')
  })

  it('owner removes B, B removes D: D stays, is back, and by whose word', () => {
    const group = base()
    const above = group.revoke('A', 'B', { after: [group.gD] })
    const removal = group.revoke('B', 'D', { after: [group.gD] })
    expect(group.members()).to.equal('A:owner C:admin D:member')
    const notice = group.now().conflicts.find(({ kind }) => kind === 'removal-undone')
    expect(notice).to.deep.include({
      removal: removal.id,
      account: group.account('D').scene.account.id,
      undoneBy: above.id,
      undoneByAccount: group.account('A').scene.account.id,
      back: true,
    })
  })

  it('nobody removes upward', () => {
    const group = base()
    group.revoke('B', 'A')
    expect(group.members()).to.equal('A:owner B:admin C:admin D:member')
  })

  it('leaving ends a concurrent promotion too', () => {
    const group = base()
    group.leave('D', { after: [group.gD] })
    group.grant('A', 'D', 'admin', { after: [group.gD] })
    expect(group.members()).to.equal('A:owner B:admin C:admin')
  })

  it('the owner leaves from a tablet that knows only the beginning: the group stands', () => {
    const group = base()
    group.leave('A', { device: '2', after: [group.create] })
    expect(group.members()).to.equal('B:admin C:admin D:member')
  })

  it('the last owner is gone: admins keep what they may, and the group says so', () => {
    const group = base()
    const leave = group.leave('A')
    expect(group.conflicts()).to.deep.equal(['no-owner'])
    group.grant('B', 'E', 'member', { after: [leave] })
    expect(group.members()).to.equal('B:admin C:admin D:member E:member')
  })

  it('leaving undoes nothing: B removes D and leaves from a laptop that has not seen it', () => {
    const group = base()
    group.revoke('B', 'D', { after: [group.gD] })
    group.leave('B', { device: '2', after: [group.gD] })
    expect(group.members()).to.equal('A:owner C:admin')
  })

  it('what the leaver writes knowing that it left is void', () => {
    const group = base()
    const leave = group.leave('B')
    group.grant('B', 'E', 'member', { after: [leave] })
    expect(group.members()).to.equal('A:owner C:admin D:member')
  })

  it('a frontier below the vandalism undoes what the remover has seen', () => {
    const group = base()
    group.grant('B', 'E', 'member')
    const v0 = group.revoke('B', 'D')
    group.revoke('B', 'E', { after: [v0] })
    const device = group.account('B').scene.device('1').device
    const good = group.gD
    expect(group.members()).to.equal('A:owner B:admin C:admin')
    group.revoke('A', 'B', {
      frontier: [{ device, record: null, op: { oseq: good.oseq + 1, id: group.ops[4]!.id } }],
    })
    expect(group.members()).to.equal('A:owner C:admin D:member E:member')
  })
})

describe('group: policy', () => {
  it('an admin makes admins only where the owners said so', () => {
    const group = base()
    group.grant('B', 'E', 'admin')
    expect(group.members()).to.not.include('E')
    group.policy('A', { kind: 'adminsGrantAdmin', allowed: true })
    group.grant('B', 'F', 'admin')
    expect(group.members()).to.include('F:admin').and.not.include('E:')
    const own = group.policy('B', { kind: 'adminsGrantAdmin', allowed: true })
    expect(group.set().byId.has(own.key), 'not an admin’s to say').to.be.false
  })

  it('the concurrent word of somebody above forbids', () => {
    const group = base()
    const open = group.policy('A', { kind: 'adminsGrantAdmin', allowed: true })
    group.policy('A', { kind: 'adminsGrantAdmin', allowed: false }, { after: [open] })
    group.grant('B', 'E', 'admin', { after: [open] })
    expect(group.members()).to.not.include('E')
  })

  it('of concurrent words the highest authority holds, the other is told', () => {
    const group = base()
    group.policy('A', { kind: 'timer', ms: 1_000 }, { after: [group.gD] })
    group.policy('B', { kind: 'timer', ms: 2_000 }, { after: [group.gD] })
    expect(group.now().policy.timerMs).to.equal(1_000)
    expect(group.conflicts()).to.deep.equal(['policy-overruled'])
  })

  it('the later word holds; other settings stand beside it', () => {
    const group = base()
    group.policy('A', { kind: 'timer', ms: 1_000 })
    group.policy('B', { kind: 'timer', ms: null })
    group.policy('B', { kind: 'retention', ms: 5_000 })
    group.policy('C', { kind: 'history', days: null })
    group.policy('C', { kind: 'adminsRedact', allowed: true })
    expect(group.now().policy).to.deep.equal({
      historyDays: null,
      retentionMs: 5_000,
      timerMs: null,
      adminsGrantAdmin: false,
      membersAdmit: false,
      adminsRedact: true,
    })
  })

  it('an undone word holds no more', () => {
    const group = base()
    group.policy('B', { kind: 'timer', ms: 2_000 }, { after: [group.gD] })
    group.revoke('A', 'B', { after: [group.gD] })
    expect(group.now().policy.timerMs).to.equal(null)
  })
})

describe('group: invites', () => {
  it('an admin admits who proves to hold the link', () => {
    const group = base()
    const invite = group.invite('B', 1)
    group.admit('C', 'E', invite)
    expect(group.members()).to.equal('A:owner B:admin C:admin D:member E:member')
    expect(group.now().members.get(group.account('E').key)?.via).to.equal('admit')
  })

  it('a member admits only where policy says so', () => {
    const group = base()
    const invite = group.invite('B', 2)
    group.admit('D', 'E', invite)
    expect(group.members()).to.not.include('E')
    group.policy('B', { kind: 'membersAdmit', allowed: true })
    group.admit('D', 'F', invite)
    expect(group.members()).to.include('F:member')
  })

  it('a link used twice at once: the first by depth and id is in, the other is flagged until granted', () => {
    const group = base()
    const invite = group.invite('B', 1)
    group.admit('A', 'E', invite, { after: [invite] })
    group.admit('C', 'F', invite, { after: [invite] })
    const inside = group.members().match(/[EF]:member/g)
    expect(inside).to.have.length(1)
    const twice = group.now().conflicts.find(({ kind }) => kind === 'link-used-twice')
    const outsider = inside![0] === 'E:member' ? 'F' : 'E'
    expect(twice).to.deep.include({ account: group.account(outsider).scene.account.id, invite: invite.id })
    group.grant('C', outsider, 'member')
    expect(group.members()).to.include('E:member F:member')
  })

  it('one account by one link counts once, whoever admits it', () => {
    const group = base()
    const invite = group.invite('B', 1)
    group.admit('A', 'E', invite, { after: [invite] })
    group.admit('C', 'E', invite, { after: [invite] })
    expect(group.conflicts()).to.deep.equal([])
  })

  it('every removal closes the invites it found, not those after it', () => {
    const group = base()
    const before = group.invite('B', 5)
    group.admit('C', 'E', before)
    const removal = group.revoke('A', 'D')
    group.admit('C', 'F', before)
    expect(group.members()).to.equal('A:owner B:admin C:admin E:member')
    expect(group.now().conflicts.map(({ kind }) => kind)).to.deep.equal(['void', 'ejected'])
    group.admit('C', 'F', group.invite('B', 1, { after: [removal] }))
    expect(group.members()).to.include('F:member')
  })

  it('a revoked link admits nobody more, also not who was being admitted; who was seen inside stays', () => {
    const group = base()
    const invite = group.invite('B', 5)
    const seen = group.admit('C', 'E', invite)
    const standing = () => inviteStanding(group.now(), invite.id)?.state
    expect(standing()).to.equal('open')
    const close = group.write('A', { kind: 'close', invite: invite.id })
    expect(standing()).to.equal('closed')
    const unseen = group.admit('B', 'F', invite, { after: [seen] })
    expect(group.members()).to.equal('A:owner B:admin C:admin D:member E:member')
    expect(group.now().faults.get(unseen.key)).to.deep.equal({ reason: 'invite-closed', by: close.id })
    const next = group.invite('B', 1)
    group.admit('C', 'F', next)
    expect(group.members()).to.include('F:member')
    expect(inviteStanding(group.now(), next.id)).to.include({ state: 'used', uses: 1 })
  })

  it('the invite of who was removed meanwhile admits nobody', () => {
    const group = base()
    const invite = group.invite('B', 5, { after: [group.gD] })
    group.revoke('A', 'B', { after: [group.gD] })
    group.admit('C', 'E', invite)
    expect(group.members()).to.not.include('E')
  })
})
