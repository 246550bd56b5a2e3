import { expect } from 'chai'
import { Town, type Person } from '../../support/devices.ts'
import { befriend } from '../../support/friends.ts'

/** Bob is told by Ada's phone that a message of hers is gone; Ada, who has not heard of that, puts the phone out. */
async function stage() {
  const town = await Town.found()
  const [ada, bob] = [await town.person('Ada'), await town.person('Bob')]
  const conversationId = await befriend(town, ada, bob)
  const phone = await town.link(ada, 'phone', 'all')
  const { messageId } = await ada.device.dispatch('send', { conversationId, text: 'to be kept' })
  await ada.device.dispatch('react', { messageId, emoji: '👍' })
  await town.pass(20_000)
  town.part([[ada], [phone, bob]])
  await phone.device.dispatch('delete', { messageId })
  await town.pass(20_000)
  const shown = () => bob.device.view('message', { messageId })
  expect(await shown()).to.include({ deleted: true, text: null })
  const { deviceId } = (await phone.device.view('self', {}))!
  await ada.device.dispatch('remove-device', { deviceId })
  await phone.close()
  return { town, ada, bob, messageId, shown }
}

describe('device: a deletion that comes to count for nothing', () => {
  it('leaves the text to be had again, from whoever still has it', async () => {
    const { town, ada, bob, messageId, shown } = await stage()
    town.join([[ada], [bob]])
    await town.pass(60_000)
    expect(await shown()).to.include({ deleted: false })
    await town.pass(60_000)
    const { text, reactions, textMissing } = await shown()
    expect({ text, textMissing }).to.deep.equal({ text: 'to be kept', textMissing: null })
    expect(reactions.map(({ emoji }) => emoji)).to.deep.equal(['👍'])
    const told = (person: Person) =>
      person.events.filter((event) => event.type === 'message' && event.message.messageId === messageId)
    expect(told(bob)).to.have.length(1)
  })
})
