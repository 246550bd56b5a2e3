import { expect } from 'chai'
import { equalBytes, fromBase32, fromHex } from '../../packages/core/src/wire/index.ts'
import { opRows } from '../../packages/core/src/device/tables.ts'
import { limits } from '../../packages/core/src/limits.ts'
import type { KnownOpArgs, MembershipOp } from '../../packages/core/src/group/index.ts'
import { Town, type Person } from '../support/devices.ts'
import { acquainted, befriend, groupOf } from '../support/friends.ts'
import { accountOf } from '../support/liar.ts'
import { OpenedHome } from '../support/opened-home.ts'
import { Puppet } from '../support/puppet.ts'
import { PuppetGroup } from '../support/puppet-group.ts'

const dayMs = 24 * 60 * 60 * 1_000

/** A group whose admin Mallory is somebody's puppet from here on; Cy is a member all speak of. */
async function stage() {
  const town = await Town.found()
  const [ada, bob, cy, mallory] = await acquainted(town, ['Ada', 'Bob', 'Cy', 'Mallory'])
  for (const other of [bob, cy]) await befriend(town, mallory, other)
  const members = [await accountOf(bob), await accountOf(cy), await accountOf(mallory)]
  const conversationId = await groupOf(town, ada, [bob, cy, mallory], 'Two words')
  const admin = { conversationId, accountId: members[2]!, role: 'admin' } as const
  await ada.device.dispatch('group-role', admin)
  await town.pass(30_000)
  for (const person of [ada, bob, cy, mallory]) {
    await person.device.dispatch('send', { conversationId, text: `I am ${person.name}` })
    await town.pass(5_000)
  }
  const puppet = await Puppet.possess(town, mallory)
  const group = new PuppetGroup(puppet, fromBase32(conversationId)!)
  return { town, ada, bob, cy, mallory, puppet, group, conversationId, members }
}

const rolesOf = async (person: Person, conversationId: string): Promise<readonly string[]> =>
  (await person.device.view('members', { conversationId })).map(({ name, role }) => `${name} ${role}`)

const auditOf = async (person: Person, conversationId: string): Promise<readonly string[]> =>
  (await person.device.view('audit', { conversationId })).map(({ kind }) => kind)

describe('063: an admin who says two things under one number', () => {
  it('is seen through by everybody: both words are kept, all end alike, and it is said whose they are', async () => {
    const { town, ada, bob, cy, group, conversationId } = await stage()
    const nowMs = town.clock.nowMs()
    const said = (ms: number): KnownOpArgs => ({ kind: 'policy', change: { kind: 'timer', ms } })
    const [one, other] = [group.write(said(3 * dayMs), nowMs), group.write(said(2 * dayMs), nowMs)]
    expect([one.oseq, one.deps]).to.deep.equal([other.oseq, other.deps])
    town.hub.cut(ada.peerId, bob.peerId)
    await group.tell(ada, [one])
    await group.tell(bob, [other])
    town.hub.heal(ada.peerId, bob.peerId)
    for (const person of [ada, bob, cy]) {
      await person.device.dispatch('send', { conversationId, text: `${person.name} goes on` })
      await town.pass(90_000)
    }
    const exports = []
    for (const person of [ada, bob, cy]) {
      expect(await auditOf(person, conversationId), person.name).to.include('conflict-equivocation')
      exports.push((await person.device.view('export', { conversationId })).json)
      expect(await rolesOf(person, conversationId)).to.deep.equal(await rolesOf(ada, conversationId))
      for (const name of ['Ada', 'Bob', 'Cy'])
        expect(await person.texts(conversationId), person.name).to.include(`${name} goes on`)
    }
    expect(new Set(exports).size).to.equal(1)
  })

  it('cannot keep a removal from half of the group', async () => {
    const { town, ada, bob, cy, group, conversationId, members } = await stage()
    const nowMs = town.clock.nowMs()
    const cysAccount = fromBase32(members[1]!)! as never
    const removal = group.write({ kind: 'revoke', account: cysAccount, frontier: [] }, nowMs)
    const harmless = group.write({ kind: 'policy', change: { kind: 'timer', ms: 3 * dayMs } }, nowMs)
    town.hub.cut(ada.peerId, bob.peerId)
    await group.tell(ada, [removal])
    await group.tell(bob, [harmless])
    expect(await rolesOf(bob, conversationId)).to.include('Cy member')
    town.hub.heal(ada.peerId, bob.peerId)
    for (const person of [ada, bob]) {
      await person.device.dispatch('send', { conversationId, text: `${person.name} goes on` })
      await town.pass(90_000)
    }
    for (const person of [ada, bob]) {
      expect(await rolesOf(person, conversationId), person.name).not.to.include('Cy member')
      expect(await auditOf(person, conversationId), person.name).to.include('conflict-equivocation')
      expect(await person.texts(conversationId)).to.include.members(['Ada goes on', 'Bob goes on'])
    }
    expect(await cy.texts(conversationId)).not.to.include('Bob goes on')
  })
})

describe('069: membership operations without end', () => {
  it('are taken from a member up to what a day holds, and talk goes on', async function () {
    this.timeout(180_000)
    const { town, ada, bob, group, conversationId } = await stage()
    const nowMs = town.clock.nowMs()
    const before = group.set.entries.length
    const flood: MembershipOp[] = []
    while (flood.length < limits.groupOpsPerDay + 20) {
      const intent = fromHex(flood.length.toString(16).padStart(8, '0'))
      const last = flood.at(-1)
      flood.push(group.write({ kind: 'meta', intent, after: [] }, nowMs, last))
    }
    await group.tell(ada, flood)
    expect(ada.log.count('group-op-rejected')).to.be.greaterThan(0)
    await town.pass(60_000)
    for (const person of [ada, bob]) {
      const home = await OpenedHome.of(town.crypto, person, nowMs)
      const held = home.rows.all(opRows).filter(({ conversation }) => equalBytes(conversation, group.id))
      expect(held.length - before, person.name).to.be.at.most(limits.groupOpsPerDay)
    }
    for (const person of [ada, bob]) {
      await person.device.dispatch('send', { conversationId, text: `${person.name} goes on` })
      await town.pass(60_000)
    }
    for (const person of [ada, bob])
      expect(await person.texts(conversationId)).to.include.members(['Ada goes on', 'Bob goes on'])
    expect(await rolesOf(bob, conversationId)).to.deep.equal(await rolesOf(ada, conversationId))
  })
})
