import { expect } from 'chai'
import { Town } from '../../support/devices.ts'
import { acquainted, groupOf } from '../../support/friends.ts'
import { accountOf } from '../../support/liar.ts'

describe('device: somebody whose role was changed', () => {
  it('is shown nothing from before it came, by a device that came later still', async () => {
    const town = await Town.found()
    const [ada, bob, cy] = await acquainted(town, ['Ada', 'Bob', 'Cy'])
    const conversationId = await groupOf(town, ada, [bob], 'Choir')
    for (const person of [ada, bob]) {
      await person.device.dispatch('send', { conversationId, text: `old, by ${person.name}` })
      await town.pass(10_000)
    }
    const accountId = await accountOf(cy)
    await ada.device.dispatch('group-add', { conversationId, accountId })
    await town.pass(20_000)
    await ada.device.dispatch('group-role', { conversationId, accountId, role: 'admin' })
    await ada.device.dispatch('send', { conversationId, text: 'new' })
    await town.pass(20_000)
    await cy.close()
    const laptop = await town.link(bob, 'laptop', 'all')
    await town.pass(20_000)
    expect(await laptop.texts(conversationId)).to.deep.equal(['old, by Ada', 'old, by Bob', 'new'])
    for (const person of [ada, bob]) await person.close()
    await cy.open(true)
    await laptop.device.dispatch('send', { conversationId, text: 'newer' })
    await town.pass(120_000)
    expect(await cy.texts(conversationId)).to.deep.equal(['new', 'newer'])
  })

  it('is still to have what was written for it before its author was out for a while', async () => {
    const town = await Town.found()
    const [ada, bob, cy] = await acquainted(town, ['Ada', 'Bob', 'Cy'])
    const laptop = await town.link(bob, 'laptop', 'all')
    const conversationId = await groupOf(town, ada, [bob, cy], 'Choir')
    await town.pass(20_000)
    town.part([[laptop], [ada, bob, cy]])
    const { messageId } = await laptop.device.dispatch('send', { conversationId, text: 'for all of you' })
    await bob.device.dispatch('group-leave', { conversationId })
    await town.pass(20_000)
    town.join([[laptop], [bob]])
    await town.pass(60_000)
    await ada.device.dispatch('group-role', { conversationId, accountId: await accountOf(cy), role: 'admin' })
    await ada.device.dispatch('group-add', { conversationId, accountId: await accountOf(bob) })
    await town.pass(20_000)
    await cy.close()
    town.join([[laptop], [ada, cy]])
    await town.pass(60_000)
    const state = async () => (await laptop.device.view('message', { messageId })).state
    expect(await ada.texts(conversationId)).to.deep.equal(['for all of you'])
    expect(await state(), 'Cy has it not').to.equal('waiting')
    await cy.open(true)
    await town.pass(60_000)
    expect(await cy.texts(conversationId)).to.deep.equal(['for all of you'])
    expect(await state()).to.equal('delivered')
  })

  it('is sent nothing that was written while it was out, whoever demoted it and whoever put it out', async () => {
    const town = await Town.found()
    const [ada, bea, cy] = await acquainted(town, ['Ada', 'Bea', 'Cy'])
    const conversationId = await groupOf(town, ada, [bea], 'Choir')
    const say = async (text: string): Promise<void> => {
      await ada.device.dispatch('send', { conversationId, text })
      await town.pass(20_000)
    }
    const [beas, cys] = [await accountOf(bea), await accountOf(cy)]
    const role = async (accountId: string, to: 'admin' | 'member'): Promise<void> => {
      await ada.device.dispatch('group-role', { conversationId, accountId, role: to })
      await town.pass(20_000)
    }
    await role(beas, 'admin')
    await say('before Cy ever came')
    await ada.device.dispatch('group-add', { conversationId, accountId: cys })
    await town.pass(20_000)
    await role(cys, 'admin')
    await role(cys, 'member')
    for (const n of [1, 2]) {
      await bea.device.dispatch('group-remove', { conversationId, accountId: cys })
      await town.pass(20_000)
      await say(`while out ${n}`)
      await ada.device.dispatch('group-add', { conversationId, accountId: cys })
      await town.pass(20_000)
      await say(`back ${n}`)
    }
    expect(await cy.texts(conversationId)).to.deep.equal(['back 1', 'back 2'])
    const laptop = await town.link(bea, 'laptop', 'all')
    await town.pass(20_000)
    for (const person of [ada, bea]) await person.close()
    await laptop.device.dispatch('send', { conversationId, text: 'newer' })
    await town.pass(120_000)
    expect(await cy.texts(conversationId)).to.deep.equal(['back 1', 'back 2', 'newer'])
  })
})
