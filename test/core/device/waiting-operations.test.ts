import { expect } from 'chai'
import { limits } from '../../../packages/core/src/limits.ts'
import { Town } from '../../support/devices.ts'
import { acquainted, groupOf } from '../../support/friends.ts'
import { accountOf } from '../../support/liar.ts'

describe('device: an operation from a clock far ahead', () => {
  for (const writes of [true, false])
    it(`waits for its time, and then enters ${writes ? 'beside what is written here, noticed' : 'by itself'}`, async () => {
      const town = await Town.found()
      const aheadMs = limits.clockSkewMs + 10 * 60_000
      let isAhead = false
      town.clockOf = (clock, name) =>
        name === 'Bob'
          ? {
              nowMs: () => clock.nowMs() + (isAhead ? aheadMs : 0),
              monotonicMs: () => clock.monotonicMs(),
            }
          : clock
      const [ada, bob, cy] = await acquainted(town, ['Ada', 'Bob', 'Cy'])
      const [bobs, cys] = await Promise.all([bob, cy].map(accountOf))
      const conversationId = await groupOf(town, ada, [bob, cy], 'Choir')
      await ada.device.dispatch('group-role', { conversationId, accountId: bobs!, role: 'admin' })
      await town.pass(20_000)
      isAhead = true
      await bob.device.dispatch('group-remove', { conversationId, accountId: cys! })
      await town.pass(60_000)
      const members = ({ device }: typeof ada) => device.view('members', { conversationId })
      expect(await members(ada)).to.have.length(3)
      for (const one of [bob, cy]) await one.close()
      await town.pass(5 * 60_000)
      expect(await members(ada), 'before its time').to.have.length(3)
      await town.pass(15 * 60_000)
      if (writes) await ada.device.dispatch('group-rename', { conversationId, name: 'Band' })
      expect(await members(ada)).to.have.length(2)
      await bob.open(true)
      await town.pass(20_000)
      for (const person of [ada, bob]) {
        expect(await members(person), person.name).to.have.length(2)
        const names = (await person.device.view('conversations', {})).map(({ name }) => name)
        expect(names, person.name).to.include(writes ? 'Band' : 'Choir')
      }
      const told = await ada.device.view('audit', { conversationId })
      expect(told.map(({ kind }) => kind)).to.include('member-removed')
    })
})
