import { expect } from 'chai'
import { befriend } from '../../support/friends.ts'
import { Town, type Person } from '../../support/devices.ts'

/** A group of these people, the first of whom opens it; all know the first. */
async function groupOf(town: Town, owner: Person, others: readonly Person[]): Promise<string> {
  const members: string[] = []
  for (const other of others) {
    await befriend(town, owner, other)
    members.push((await other.device.view('self', {}))!.accountId)
  }
  const { conversationId } = await owner.device.dispatch('create-group', { name: 'Walkers', members })
  await town.pass(10_000)
  return conversationId
}

const accountOf = async (person: Person): Promise<string> => (await person.device.view('self', {}))!.accountId

const rolesOf = async (person: Person, conversationId: string): Promise<readonly string[]> =>
  (await person.device.view('members', { conversationId })).map(({ name, role }) => `${name} ${role}`)

async function exportsOf(people: readonly Person[], conversationId: string): Promise<readonly string[]> {
  const found: string[] = []
  for (const person of people) found.push((await person.device.view('export', { conversationId })).json)
  return found
}

describe('device: groups', () => {
  it('bring what anybody says to everybody, also between those who never met', async () => {
    const town = await Town.found()
    const ada = await town.person('Ada')
    const bob = await town.person('Bob')
    const cy = await town.person('Cy')
    const conversationId = await groupOf(town, ada, [bob, cy])
    expect(await rolesOf(cy, conversationId)).to.deep.equal(['Ada owner', 'Bob member', 'Cy member'])
    await bob.device.dispatch('send', { conversationId, text: 'from Bob' })
    await town.pass(5_000)
    await cy.device.dispatch('send', { conversationId, text: 'from Cy' })
    await town.pass(5_000)
    await ada.device.dispatch('send', { conversationId, text: 'from Ada' })
    await town.pass(10_000)
    for (const person of [ada, bob, cy])
      expect(await person.texts(conversationId), person.name).to.deep.equal([
        'from Bob',
        'from Cy',
        'from Ada',
      ])
    const [first] = (await bob.device.view('history', { conversationId })).messages
    expect(first).to.include({ state: 'delivered' })
    const views = await cy.device.view('conversations', {})
    expect(views.find((one) => one.conversationId === conversationId)).to.include({
      name: 'Walkers',
      kind: 'group',
    })
    const [a, b, c] = await exportsOf([ada, bob, cy], conversationId)
    expect(b).to.equal(a)
    expect(c).to.equal(a)
  })

  it('answers, edits, deletes and reactions read the same everywhere', async () => {
    const town = await Town.found()
    const ada = await town.person('Ada')
    const bob = await town.person('Bob')
    const cy = await town.person('Cy')
    const conversationId = await groupOf(town, ada, [bob, cy])
    const said = await bob.device.dispatch('send', { conversationId, text: 'half past ten' })
    const wrong = await bob.device.dispatch('send', { conversationId, text: 'at the wrong door' })
    await town.pass(5_000)
    await cy.device.dispatch('send', { conversationId, text: 'I come', replyTo: said.messageId })
    await ada.device.dispatch('react', { messageId: said.messageId, emoji: '👍' })
    await bob.device.dispatch('edit', { messageId: said.messageId, text: 'half past nine' })
    await bob.device.dispatch('delete', { messageId: wrong.messageId })
    await town.pass(10_000)
    for (const person of [ada, bob, cy]) {
      const { messages } = await person.device.view('history', { conversationId })
      const seen = messages.map(({ text, edited, deleted, reactions, replyTo }) => ({
        text,
        edited,
        deleted,
        to: replyTo,
        by: reactions.map(({ emoji }) => emoji),
      }))
      expect(seen, person.name).to.deep.equal([
        { text: 'half past nine', edited: true, deleted: false, to: null, by: ['👍'] },
        { text: null, edited: false, deleted: true, to: null, by: [] },
        { text: 'I come', edited: false, deleted: false, to: said.messageId, by: [] },
      ])
    }
    const refusal = await cy.device
      .dispatch('edit', { messageId: said.messageId, text: 'never' })
      .catch((e: unknown) => e)
    expect(refusal).to.include({ code: 'E_NOT_AUTHOR' })
  })

  it('whoever is removed hears nothing more and knows it; the others go on', async () => {
    const town = await Town.found()
    const ada = await town.person('Ada')
    const bob = await town.person('Bob')
    const cy = await town.person('Cy')
    const conversationId = await groupOf(town, ada, [bob, cy])
    await bob.device.dispatch('send', { conversationId, text: 'before' })
    await town.pass(5_000)
    await ada.device.dispatch('group-remove', { conversationId, accountId: await accountOf(bob) })
    await town.pass(5_000)
    await ada.device.dispatch('send', { conversationId, text: 'after' })
    await cy.device.dispatch('send', { conversationId, text: 'after that' })
    await town.pass(10_000)
    expect(await bob.texts(conversationId)).to.deep.equal(['before'])
    expect(await cy.texts(conversationId)).to.deep.equal(['before', 'after', 'after that'])
    expect(await rolesOf(bob, conversationId)).to.deep.equal(['Ada owner', 'Cy member'])
    const refusal = await bob.device
      .dispatch('send', { conversationId, text: 'hey' })
      .catch((e: unknown) => e)
    expect(refusal).to.include({ code: 'E_NOT_MEMBER' })
    const lines = await cy.device.view('audit', { conversationId })
    expect(lines.map(({ kind }) => kind)).to.include('member-removed')
  })

  it('a newcomer reads what is written from then on', async () => {
    const town = await Town.found()
    const ada = await town.person('Ada')
    const bob = await town.person('Bob')
    const cy = await town.person('Cy')
    await befriend(town, ada, cy)
    const conversationId = await groupOf(town, ada, [bob])
    await bob.device.dispatch('send', { conversationId, text: 'before' })
    await town.pass(5_000)
    await ada.device.dispatch('group-add', { conversationId, accountId: await accountOf(cy) })
    await town.pass(5_000)
    await bob.device.dispatch('send', { conversationId, text: 'welcome' })
    await town.pass(5_000)
    await cy.device.dispatch('send', { conversationId, text: 'thanks' })
    await town.pass(10_000)
    expect(await cy.texts(conversationId)).to.deep.equal(['welcome', 'thanks'])
    expect(await bob.texts(conversationId)).to.deep.equal(['before', 'welcome', 'thanks'])
    expect((await cy.device.view('history', { conversationId })).missing).to.equal(0)
  })
})

describe('device: sync', () => {
  it('brings what its author can no longer bring, from whoever holds it', async () => {
    const town = await Town.found()
    const ada = await town.person('Ada')
    const bob = await town.person('Bob')
    const cy = await town.person('Cy')
    const conversationId = await groupOf(town, ada, [bob, cy])
    await ada.device.dispatch('send', { conversationId, text: 'one' })
    await town.pass(5_000)
    await cy.close()
    const said = await ada.device.dispatch('send', { conversationId, text: 'two' })
    await ada.device.dispatch('edit', { messageId: said.messageId, text: 'two, or three' })
    await bob.device.dispatch('react', { messageId: said.messageId, emoji: '🎉' }).catch(() => undefined)
    await town.pass(10_000)
    await ada.close()
    await cy.open(true)
    await town.pass(60_000)
    expect(await cy.texts(conversationId)).to.deep.equal(['one', 'two, or three'])
    const [b, c] = await exportsOf([bob, cy], conversationId)
    expect(c).to.equal(b)
    expect((await cy.device.view('history', { conversationId })).missing).to.equal(0)
  })
})

describe('device: words that were undone', () => {
  it('say who is back, whose removal did not hold and who undid it; whoever was let in meanwhile can be again', async () => {
    const town = await Town.found()
    const [ada, bob, cy, dee] = [
      await town.person('Ada'),
      await town.person('Bob'),
      await town.person('Cy'),
      await town.person('Dee'),
    ]
    const conversationId = await groupOf(town, ada, [bob, cy])
    await befriend(town, bob, dee)
    await ada.device.dispatch('group-role', {
      conversationId,
      accountId: await accountOf(bob),
      role: 'admin',
    })
    await town.pass(10_000)
    town.hub.cut(ada.peerId, bob.peerId)
    town.hub.cut(cy.peerId, bob.peerId)
    await bob.device.dispatch('group-remove', { conversationId, accountId: await accountOf(cy) })
    await bob.device.dispatch('group-add', { conversationId, accountId: await accountOf(dee) })
    await ada.device.dispatch('group-remove', { conversationId, accountId: await accountOf(bob) })
    await town.pass(10_000)
    town.hub.heal(ada.peerId, bob.peerId)
    town.hub.heal(cy.peerId, bob.peerId)
    await town.pass(120_000)
    expect(await rolesOf(ada, conversationId)).to.deep.equal(['Ada owner', 'Cy member'])
    const lines = await ada.device.view('audit', { conversationId })
    const [a, b, c, d] = await Promise.all([ada, bob, cy, dee].map(accountOf))
    const conflicts = lines.filter(({ kind }) => kind.startsWith('conflict-'))
    expect(
      conflicts.map(({ kind, subject, by, detail }) => [kind, subject, by, detail]),
    ).to.have.deep.members([
      ['conflict-removal-undone', c, b, a],
      ['conflict-ejected', d, a, ''],
    ])
    await ada.device.dispatch('group-add', { conversationId, accountId: d! })
    await town.pass(20_000)
    expect(await rolesOf(dee, conversationId)).to.include('Dee member')
  })

  it('whoever is known from a group becomes a contact by a link, as anybody else does', async () => {
    const town = await Town.found()
    const [ada, bob, cy] = [await town.person('Ada'), await town.person('Bob'), await town.person('Cy')]
    const conversationId = await groupOf(town, ada, [bob, cy])
    for (const person of [bob, cy]) await person.device.dispatch('send', { conversationId, text: 'hi' })
    await town.pass(10_000)
    const direct = await befriend(town, bob, cy)
    await town.pass(20_000)
    const contacts = await bob.device.view('contacts', {})
    expect(contacts.find(({ name }) => name === 'Cy')).to.include({ state: 'connected' })
    await cy.device.dispatch('send', { conversationId: direct, text: 'just us' })
    await town.pass(10_000)
    expect(await bob.texts(direct)).to.deep.equal(['just us'])
  })
})
