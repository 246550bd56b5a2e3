import { expect } from 'chai'
import { Town, type Person } from '../support/devices.ts'
import { acquainted, groupOf } from '../support/friends.ts'
import { accountOf } from '../support/liar.ts'

const rolesOf = async (person: Person, conversationId: string): Promise<readonly string[]> =>
  (await person.device.view('members', { conversationId })).map(({ name, role }) => `${name} ${role}`)

const codeOf = (doing: Promise<unknown>): Promise<unknown> =>
  doing.then(
    () => 'done',
    (error: unknown) => (error as { readonly code: string }).code,
  )

/** Ada owns the group, Bob is an admin, Cy and Dee are members. */
async function stage() {
  const town = await Town.found()
  const [ada, bob, cy, dee] = await acquainted(town, ['Ada', 'Bob', 'Cy', 'Dee'])
  const [bobs, cys, dees] = [await accountOf(bob), await accountOf(cy), await accountOf(dee)]
  const conversationId = await groupOf(town, ada, [bob, cy, dee], 'Heirs')
  await ada.device.dispatch('group-role', { conversationId, accountId: bobs, role: 'admin' })
  await town.pass(30_000)
  return { town, ada, bob, cy, dee, conversationId, bobs, cys, dees }
}

describe('072: the last owner', () => {
  it('cannot leave before naming another one, and then can', async () => {
    const { town, ada, bob, cy, conversationId, bobs } = await stage()
    expect(await codeOf(ada.device.dispatch('group-leave', { conversationId }))).to.equal('E_LAST_OWNER')
    await town.pass(30_000)
    expect(await rolesOf(cy, conversationId)).to.include('Ada owner')
    await ada.device.dispatch('group-role', { conversationId, accountId: bobs, role: 'owner' })
    await town.pass(30_000)
    await ada.device.dispatch('group-leave', { conversationId })
    await town.pass(60_000)
    for (const person of [bob, cy])
      expect(await rolesOf(person, conversationId), person.name).to.deep.equal([
        'Bob owner',
        'Cy member',
        'Dee member',
      ])
  })

  it('who never comes back has no heir: admins keep their powers, and have no more', async () => {
    const { town, ada, bob, cy, dee, conversationId, bobs, cys, dees } = await stage()
    await ada.close()
    town.clock.advance(60 * 24 * 60 * 60 * 1_000)
    await town.pass(60_000)
    for (const role of ['owner', 'admin'] as const)
      expect(
        await codeOf(bob.device.dispatch('group-role', { conversationId, accountId: cys, role })),
        role,
      ).not.to.equal('done')
    expect(
      await codeOf(bob.device.dispatch('group-role', { conversationId, accountId: bobs, role: 'owner' })),
    ).not.to.equal('done')
    await bob.device.dispatch('group-remove', { conversationId, accountId: dees })
    await town.pass(120_000)
    await bob.device.dispatch('send', { conversationId, text: 'we go on' })
    await town.pass(60_000)
    for (const person of [bob, cy]) {
      expect(await rolesOf(person, conversationId), person.name).to.deep.equal([
        'Ada owner',
        'Bob admin',
        'Cy member',
      ])
      expect(await person.texts(conversationId), person.name).to.include('we go on')
    }
    expect(await dee.texts(conversationId)).not.to.include('we go on')
  })
})
