import { expect } from 'chai'
import { Town } from '../../support/devices.ts'
import { befriend } from '../../support/friends.ts'
import { accountOf } from '../../support/liar.ts'

describe('device: a group whose founder’s device is removed', () => {
  it('loses nothing of what was on its way: everybody goes on where they were', async () => {
    const town = await Town.found()
    const people = [await town.person('Ada'), await town.person('Bob'), await town.person('Cy')] as const
    const [ada, bob, cy] = people
    for (const other of [bob, cy]) await befriend(town, ada, other)
    const laptop = await town.link(ada, 'laptop', 'all')
    const members = await Promise.all([bob, cy].map(accountOf))
    const { conversationId } = await ada.device.dispatch('create-group', { name: 'Choir', members })
    await town.pass(20_000)
    const say = (person: typeof ada, text: string) => person.device.dispatch('send', { conversationId, text })
    for (const person of [...people, laptop]) {
      await say(person, `I am ${person.name}`)
      await town.pass(10_000)
    }
    await cy.close()
    await say(bob, 'for Cy')
    await cy.open(false)
    await say(cy, 'meanwhile')
    await cy.close()
    const { deviceId } = (await ada.device.view('self', {}))!
    await laptop.device.dispatch('remove-device', { deviceId })
    await town.pass(60_000)
    await ada.close()
    await cy.open(true)
    await town.pass(5 * 60_000)
    const texts = [...people.map(({ name }) => `I am ${name}`), `I am ${laptop.name}`, 'for Cy', 'meanwhile']
    for (const person of [bob, cy, laptop]) {
      expect(await person.texts(conversationId), person.name).to.have.members(texts)
      expect(await person.device.view('members', { conversationId }), person.name).to.have.length(3)
    }
  })
})
