import { expect } from 'chai'
import { fromBase32, toHex } from '../../../packages/core/src/wire/index.ts'
import { Town } from '../../support/devices.ts'
import { acquainted, groupOf } from '../../support/friends.ts'
import { accountOf } from '../../support/liar.ts'
import { PuppetGroup } from '../../support/puppet-group.ts'
import { Puppet } from '../../support/puppet.ts'

describe('device: words from a group it is not in any more, and never knew', () => {
  for (const speaker of ['a contact', 'somebody it knows from another group'])
    it(`of ${speaker} wait no longer once they say what ended its part, and that is confirmed`, async () => {
      const town = await Town.found()
      const [ada, bob, cy] = await acquainted(town, ['Ada', 'Bob', 'Cy'])
      await groupOf(town, ada, [bob, cy], 'Choir')
      const conversationId = await groupOf(town, ada, [bob], 'Walkers')
      const accountId = await accountOf(cy)
      await cy.close()
      // Cy's device, which is away, is let in and put out again, and is sent a word that was written in between.
      await ada.device.dispatch('group-add', { conversationId, accountId })
      await town.pass(5_000)
      await ada.device.dispatch('group-remove', { conversationId, accountId })
      await town.pass(5_000)
      const others = [ada, bob]
      const puppet = await Puppet.possess(town, speaker === 'a contact' ? ada : bob)
      for (const person of others) if (person.name !== puppet.home.me.self.name) await person.close()
      await cy.open(true)
      await town.pass(10_000)
      const id = fromBase32(conversationId)!
      const { incoming } = puppet.forge(id, {}, 'for Cy too')
      await puppet.say(cy, [{ kind: 'records', from: 0, records: [incoming] }])
      await town.pass(5_000)
      expect(await cy.device.view('status', {})).to.include({ held: 1 })

      const group = new PuppetGroup(puppet, id)
      const ops = group.set.entries.map(({ op }) => op)
      // A part of it does not end the waiting: the rest may say that Cy is in.
      await group.tell(cy, ops.slice(0, 2))
      await town.pass(5_000)
      expect(await cy.device.view('status', {})).to.include({ held: 1 })
      await group.tell(cy, ops)
      await town.pass(5_000)
      expect(await cy.device.view('status', {})).to.include({ held: 0 })
      const groups = (await cy.device.view('conversations', {})).filter(({ kind }) => kind === 'group')
      expect(groups.map(({ name }) => name)).to.deep.equal(['Choir'])
      const confirmed = puppet.heard.flatMap(({ payload }) =>
        payload.items.flatMap((item) => (item.kind === 'groupGot' ? [toHex(item.conversation)] : [])),
      )
      expect(confirmed).to.include(toHex(id))
    })
})
