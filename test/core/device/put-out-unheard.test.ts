import { expect } from 'chai'
import { Town } from '../../support/devices.ts'
import { befriend } from '../../support/friends.ts'

describe('device: what somebody wrote who was put out meanwhile', () => {
  it('is called delivered once everybody who was to read it has it, and not because nobody else is left', async () => {
    const town = await Town.found()
    const people = [await town.person('Ada'), await town.person('Bob'), await town.person('Cy')] as const
    const [ada, bob, cy] = people
    const members: string[] = []
    for (const other of [bob, cy]) {
      await befriend(town, ada, other)
      members.push((await other.device.view('self', {}))!.accountId)
    }
    const { conversationId } = await ada.device.dispatch('create-group', { name: 'Choir', members })
    await town.pass(10_000)
    for (const person of people) {
      await person.device.dispatch('send', { conversationId, text: person.name })
      await town.pass(10_000)
    }
    await bob.close()
    await bob.open(false)
    const { messageId } = await bob.device.dispatch('send', { conversationId, text: 'on its way' })
    await bob.close()
    await ada.device.dispatch('group-remove', { conversationId, accountId: members[0]! })
    await town.pass(10_000)
    await ada.close()
    await bob.open(true)
    await town.pass(60_000)
    const state = async () => (await bob.device.view('message', { messageId })).state
    expect(await bob.device.view('members', { conversationId })).to.have.length(2)
    expect(await state()).to.equal('waiting')
  })
})
