import { expect } from 'chai'
import type { Town } from '../../support/devices.ts'
import { Town as Place, type Person } from '../../support/devices.ts'

const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'none',
    (error: unknown) => (error as { code: string }).code,
  )

async function add(town: Town, person: Person, link: string): Promise<string> {
  const adding = codeOf(person.device.dispatch('add', { link }))
  await town.pass(20_000)
  return adding
}

describe('device: invites', () => {
  let town: Town
  let ada: Person
  let bob: Person
  let eve: Person

  beforeEach(async () => {
    town = await Place.found()
    ada = await town.person('Ada')
    bob = await town.person('Bob')
    eve = await town.person('Eve')
    await town.pass(3_000)
  })

  it('refuse a second person once they are used', async () => {
    const { link } = await ada.device.dispatch('create-invite', { direct: true })
    await town.pass(3_000)
    expect(await add(town, bob, link)).to.equal('none')
    expect(await add(town, eve, link)).to.equal('E_INVITE_USED')
    expect(await ada.device.view('contacts', {})).to.have.length(1)
  })

  it('serve as many people as they say', async () => {
    const { link } = await ada.device.dispatch('create-invite', { direct: true, uses: 2 })
    await town.pass(3_000)
    expect(await add(town, bob, link)).to.equal('none')
    expect(await add(town, eve, link)).to.equal('none')
    expect((await ada.device.view('contacts', {})).map((contact) => contact.name)).to.have.members([
      'Bob',
      'Eve',
    ])
    const [invite] = await ada.device.view('invites', {})
    expect(invite).to.include({ used: 2, state: 'used' })
  })

  it('end when they are revoked', async () => {
    const { link, inviteId } = await ada.device.dispatch('create-invite', { direct: true })
    await town.pass(3_000)
    expect((await ada.device.dispatch('revoke-invite', { inviteId })).state).to.equal('revoked')
    await town.pass(3_000)
    expect(await add(town, bob, link)).to.equal('E_INVITE_REVOKED')
  })

  it('end when their time has come', async () => {
    const { link } = await ada.device.dispatch('create-invite', { direct: true, expiresInMs: 60_000 })
    await town.pass(120_000)
    expect(await add(town, bob, link)).to.equal('E_INVITE_EXPIRED')
  })

  it('are not for their maker', async () => {
    const { link } = await ada.device.dispatch('create-invite', { direct: true })
    expect(await add(town, ada, link)).to.equal('E_INVITE_OWN')
  })

  it('are told from everything else', async () => {
    for (const link of [
      '',
      'hello',
      'https://relay.example/i#abc',
      'sotto:i#!!!!',
      `sotto:i#${'A'.repeat(63)}`,
    ])
      expect(await add(town, bob, link)).to.equal('E_INVITE_MALFORMED')
  })

  it('whose maker nobody can reach may be tried again', async () => {
    const { link } = await ada.device.dispatch('create-invite', { direct: true })
    await ada.close()
    const other = await Place.found()
    const zoe = await other.person('Zoe')
    const adding = zoe.device.dispatch('add', { link })
    const failed = adding.catch((error: unknown) => error as { code: string; retryable: boolean })
    await other.pass(30_000)
    expect(await failed).to.include({ code: 'E_INVITE_UNREACHABLE', retryable: true })
  })

  it('used up while both were on their way leave one contact and one refusal', async () => {
    const { link } = await ada.device.dispatch('create-invite', { direct: true })
    await town.pass(3_000)
    town.hub.cut(ada.peerId, bob.peerId)
    town.hub.cut(ada.peerId, eve.peerId)
    const both = Promise.all([
      codeOf(bob.device.dispatch('add', { link })),
      codeOf(eve.device.dispatch('add', { link })),
    ])
    await town.pass(20_000)
    expect(await both).to.deep.equal(['none', 'none'])
    town.hub.heal(ada.peerId, bob.peerId)
    town.hub.heal(ada.peerId, eve.peerId)
    await town.pass(120_000)
    const [contact] = await ada.device.view('contacts', {})
    expect(await ada.device.view('contacts', {})).to.have.length(1)
    const loser = contact?.name === 'Bob' ? eve : bob
    const refused = loser.events.filter((event) => event.type === 'contact' && event.change === 'refused')
    expect(refused.map((event) => event.type === 'contact' && event.code)).to.deep.equal(['E_INVITE_USED'])
  })
})
