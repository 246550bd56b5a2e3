import { expect } from 'chai'
import { Town, type Person } from '../../support/devices.ts'
import { acquainted, groupOf } from '../../support/friends.ts'

describe('device: who was let in before the first word of a group', () => {
  it('is given all of it by others, also after a device was linked', async () => {
    const town = await Town.found()
    const [ada, bob, cy] = await acquainted(town, ['Ada', 'Bob', 'Cy'])
    const conversationId = await groupOf(town, ada, [bob, cy], 'Lake')
    town.part([[ada, bob], [cy]])
    const say = (person: Person) =>
      person.device.dispatch('send', { conversationId, text: `by ${person.name}` })
    for (const person of [ada, bob]) await say(person)
    const laptop = await town.link(ada, 'laptop', 'all', [cy])
    await say(laptop)
    await town.pass(10_000)
    await ada.close()
    await laptop.close()
    town.join([[bob], [cy]])
    await town.pass(120_000)
    const said = ['by Ada', 'by Bob', 'by laptop']
    for (const person of [bob, cy])
      expect([...(await person.texts(conversationId))].sort()).to.deep.equal(said)
  })
})
