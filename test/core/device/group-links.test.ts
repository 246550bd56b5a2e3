import { expect } from 'chai'
import { Town, type Person } from '../../support/devices.ts'
import { befriend } from '../../support/friends.ts'

const accountOf = async (person: Person): Promise<string> => (await person.device.view('self', {}))!.accountId

const namesIn = async (person: Person, conversationId: string): Promise<readonly string[]> =>
  (await person.device.view('members', { conversationId })).map(({ name }) => name).sort()

const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'none',
    (error: unknown) => (error as { code: string }).code,
  )

/** A group of Ada, who owns it, and Bob, whom she knows. */
async function adasGroup(town: Town): Promise<{ ada: Person; bob: Person; conversationId: string }> {
  const ada = await town.person('Ada')
  const bob = await town.person('Bob')
  await befriend(town, ada, bob)
  const members = [await accountOf(bob)]
  const { conversationId } = await ada.device.dispatch('create-group', { name: 'Walkers', members })
  await town.pass(10_000)
  return { ada, bob, conversationId }
}

async function linkInto(
  town: Town,
  by: Person,
  conversationId: string,
  terms: { readonly uses?: number; readonly expiresInMs?: number } = {},
): Promise<{ readonly link: string; readonly inviteId: string }> {
  const invite = await by.device.dispatch('create-invite', { direct: true, conversationId, ...terms })
  await town.pass(5_000)
  return invite
}

async function add(town: Town, person: Person, link: string) {
  const adding = person.device.dispatch('add', { link }).catch((error: unknown) => error as { code: string })
  await town.pass(20_000)
  return adding
}

const requestsOf = async (person: Person) =>
  (await person.device.view('requests', {})).map(({ name, group }) => `${name} → ${group?.name ?? ''}`)

const standsIn = async (person: Person, conversationId: string) => {
  const all = await person.device.view('conversations', {})
  const one = all.find((view) => view.conversationId === conversationId)
  return one === undefined ? undefined : { state: one.contactState, refused: one.join?.refused ?? null }
}

async function accept(town: Town, person: Person): Promise<void> {
  const [request] = await person.device.view('requests', {})
  await person.device.dispatch('accept-request', { requestId: request!.requestId })
  await town.pass(20_000)
}

describe('device: links into groups', () => {
  it('lead in once an admin says so; who came writes and reads, and is nobody’s contact', async () => {
    const town = await Town.found()
    const { ada, bob, conversationId } = await adasGroup(town)
    const eve = await town.person('Eve')
    const { link } = await linkInto(town, ada, conversationId)
    const added = await add(town, eve, link)
    expect(added).to.include({ conversationId, name: 'Ada', group: 'Walkers', state: 'pending' })
    expect(await standsIn(eve, conversationId)).to.deep.equal({ state: 'pending', refused: null })
    expect(await codeOf(eve.device.dispatch('send', { conversationId, text: 'now?' }))).to.equal(
      'E_NOT_ADMITTED',
    )
    expect(await requestsOf(ada)).to.deep.equal(['Eve → Walkers'])
    expect(await requestsOf(bob), 'a member who may not admit is not asked').to.deep.equal([])
    const asked = ada.events.filter((event) => event.type === 'request')
    expect(asked, 'it is one request, and none to write').to.have.length(1)
    await accept(town, ada)
    expect(await requestsOf(ada)).to.deep.equal([])
    expect(await standsIn(eve, conversationId)).to.deep.equal({ state: 'connected', refused: null })
    for (const person of [ada, bob, eve])
      expect(await namesIn(person, conversationId), person.name).to.deep.equal(['Ada', 'Bob', 'Eve'])
    await eve.device.dispatch('send', { conversationId, text: 'here I am' })
    await town.pass(10_000)
    await bob.device.dispatch('send', { conversationId, text: 'welcome' })
    await town.pass(10_000)
    for (const person of [ada, bob, eve])
      expect(await person.texts(conversationId), person.name).to.deep.equal(['here I am', 'welcome'])
    expect(await eve.device.view('contacts', {})).to.deep.equal([])
    const [invite] = await ada.device.view('invites', {})
    expect((await ada.device.view('invites', {})).at(-1)).to.include({ state: 'used', used: 1 })
    expect(invite?.group).to.equal(null)
    expect(eve.events.some((event) => event.type === 'group' && event.change === 'joined')).to.equal(true)
    expect(await add(town, eve, link), 'once in, the link says so').to.include({ state: 'connected' })
  })

  it('work while who made them is away: another admin is asked, and lets in', async () => {
    const town = await Town.found()
    const { ada, bob, conversationId } = await adasGroup(town)
    const eve = await town.person('Eve')
    const accountId = await accountOf(bob)
    await ada.device.dispatch('group-role', { conversationId, accountId, role: 'admin' })
    await town.pass(5_000)
    const { link } = await linkInto(town, ada, conversationId)
    await ada.close()
    expect(await add(town, eve, link)).to.include({ conversationId, state: 'pending' })
    await town.pass(30_000)
    expect(await requestsOf(bob)).to.deep.equal(['Eve → Walkers'])
    await accept(town, bob)
    expect(await standsIn(eve, conversationId)).to.deep.equal({ state: 'connected', refused: null })
    await eve.device.dispatch('send', { conversationId, text: 'hello Bob' })
    await town.pass(10_000)
    expect(await bob.texts(conversationId)).to.deep.equal(['hello Bob'])
    await ada.open(true)
    await town.pass(60_000)
    expect(await namesIn(ada, conversationId)).to.deep.equal(['Ada', 'Bob', 'Eve'])
    expect(await ada.texts(conversationId)).to.deep.equal(['hello Bob'])
  })

  it('let in at once where members may, also by a member while all admins are away', async () => {
    const town = await Town.found()
    const { ada, bob, conversationId } = await adasGroup(town)
    const eve = await town.person('Eve')
    await ada.device.dispatch('group-policy', { conversationId, membersAdmit: true })
    await town.pass(5_000)
    const { link } = await linkInto(town, ada, conversationId)
    await ada.close()
    await add(town, eve, link)
    await town.pass(60_000)
    expect(await namesIn(bob, conversationId)).to.deep.equal(['Ada', 'Bob', 'Eve'])
    expect(await standsIn(eve, conversationId)).to.deep.equal({ state: 'connected', refused: null })
    expect(await requestsOf(bob)).to.deep.equal([])
  })

  it('used by two at once let one in; the other learns it, and everybody sees that it was used twice', async () => {
    const town = await Town.found()
    const { ada, bob, conversationId } = await adasGroup(town)
    const eve = await town.person('Eve')
    const cy = await town.person('Cy')
    const accountId = await accountOf(bob)
    await ada.device.dispatch('group-role', { conversationId, accountId, role: 'admin' })
    await ada.device.dispatch('group-policy', { conversationId, membersAdmit: true })
    await town.pass(5_000)
    const { link } = await linkInto(town, ada, conversationId)
    const both = [eve, cy].map((one) => one.device.dispatch('add', { link }))
    town.hub.cut(ada.peerId, bob.peerId)
    town.hub.cut(ada.peerId, eve.peerId)
    town.hub.cut(bob.peerId, cy.peerId)
    town.hub.cut(eve.peerId, cy.peerId)
    await town.pass(60_000)
    await Promise.allSettled(both)
    const one = await standsIn(cy, conversationId)
    expect(one?.state).to.equal('connected')
    for (const [a, b] of [
      [ada, bob],
      [ada, eve],
      [bob, cy],
      [eve, cy],
    ] as const)
      town.hub.heal(a.peerId, b.peerId)
    await town.pass(300_000)
    const names = await namesIn(ada, conversationId)
    expect(names).to.have.length(3)
    const [first, second] = names.includes('Eve') ? [eve, cy] : [cy, eve]
    for (const person of [bob, first])
      expect(await namesIn(person, conversationId), person.name).to.deep.equal(names)
    expect((await standsIn(second, conversationId))?.state).to.not.equal('connected')
    for (const person of [ada, bob])
      expect(
        (await person.device.view('audit', { conversationId })).map(({ kind }) => kind),
        person.name,
      ).to.include('conflict-link-used-twice')
  })

  it('end with every removal, and whoever was removed does not come back by an old one', async () => {
    const town = await Town.found()
    const { ada, bob, conversationId } = await adasGroup(town)
    const eve = await town.person('Eve')
    const { link } = await linkInto(town, ada, conversationId, { uses: 5 })
    await ada.device.dispatch('group-remove', { conversationId, accountId: await accountOf(bob) })
    await town.pass(10_000)
    expect(await add(town, eve, link)).to.include({ code: 'E_INVITE_REVOKED' })
    expect(await add(town, bob, link)).to.include({ code: 'E_INVITE_REVOKED' })
    expect((await ada.device.view('invites', {})).at(-1)?.state).to.equal('revoked')
    const fresh = await linkInto(town, ada, conversationId)
    expect(await add(town, bob, fresh.link)).to.include({ state: 'pending' })
    await accept(town, ada)
    expect(await standsIn(bob, conversationId)).to.deep.equal({ state: 'connected', refused: null })
    await bob.device.dispatch('send', { conversationId, text: 'back' })
    await town.pass(10_000)
    expect(await ada.texts(conversationId)).to.deep.equal(['back'])
  })

  it('that end while somebody waits say so to them', async () => {
    const town = await Town.found()
    const { ada, conversationId } = await adasGroup(town)
    const eve = await town.person('Eve')
    const { link, inviteId } = await linkInto(town, ada, conversationId)
    await add(town, eve, link)
    expect(await requestsOf(ada)).to.have.length(1)
    expect((await ada.device.dispatch('revoke-invite', { inviteId })).state).to.equal('revoked')
    await town.pass(20_000)
    expect(await requestsOf(ada)).to.deep.equal([])
    expect(await standsIn(eve, conversationId)).to.deep.equal({
      state: 'pending',
      refused: 'E_INVITE_REVOKED',
    })
    expect(await add(town, eve, link)).to.include({ code: 'E_INVITE_REVOKED' })
    await eve.device.dispatch('group-leave', { conversationId })
    expect(await standsIn(eve, conversationId)).to.equal(undefined)
  })

  it('end when their time has come, also for who waits', async () => {
    const town = await Town.found()
    const { ada, conversationId } = await adasGroup(town)
    const eve = await town.person('Eve')
    const cy = await town.person('Cy')
    const { link } = await linkInto(town, ada, conversationId, { uses: 2, expiresInMs: 120_000 })
    await add(town, eve, link)
    await town.pass(180_000)
    expect(await add(town, cy, link)).to.include({ code: 'E_INVITE_EXPIRED' })
    expect(await standsIn(eve, conversationId)).to.deep.equal({
      state: 'pending',
      refused: 'E_INVITE_EXPIRED',
    })
    const [request] = await ada.device.view('requests', {})
    if (request !== undefined)
      expect(await codeOf(ada.device.dispatch('accept-request', request))).to.equal('E_INVITE_EXPIRED')
  })

  it('bring nothing of whom the person has blocked, or whom they do not want', async () => {
    const town = await Town.found()
    const { ada, conversationId } = await adasGroup(town)
    const eve = await town.person('Eve')
    const cy = await town.person('Cy')
    await befriend(town, ada, eve)
    await ada.device.dispatch('block', { accountId: await accountOf(eve) })
    const { link } = await linkInto(town, ada, conversationId, { uses: 2 })
    await add(town, eve, link)
    await town.pass(30_000)
    expect(await requestsOf(ada)).to.deep.equal([])
    await add(town, cy, link)
    const [request] = await ada.device.view('requests', {})
    await ada.device.dispatch('ignore-request', { requestId: request!.requestId })
    await town.pass(60_000)
    expect(await requestsOf(ada)).to.deep.equal([])
    expect(await standsIn(cy, conversationId)).to.deep.equal({ state: 'pending', refused: null })
  })

  it('are made by owners and admins alone, for a group they are in', async () => {
    const town = await Town.found()
    const { ada, bob, conversationId } = await adasGroup(town)
    const make = (person: Person, id: string) =>
      codeOf(person.device.dispatch('create-invite', { conversationId: id }))
    expect(await make(bob, conversationId)).to.equal('E_NOT_ALLOWED')
    const [contact] = await ada.device.view('contacts', {})
    expect(await make(ada, contact!.conversationId)).to.equal('E_NOT_GROUP')
    await ada.device.dispatch('group-remove', { conversationId, accountId: await accountOf(bob) })
    await town.pass(5_000)
    expect(await make(bob, conversationId)).to.equal('E_NOT_MEMBER')
  })
})
