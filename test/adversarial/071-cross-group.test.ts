import { expect } from 'chai'
import { groupOf } from '../support/friends.ts'
import { greet, topicTown } from '../support/topic-town.ts'
import type { Person } from '../support/devices.ts'

describe('071: a message of one group put into another', () => {
  it('shows in neither, on whichever topic it is put, and the one who forwards it pays where it must be a lie', async function () {
    this.timeout(180_000)
    const { town, people, conversationId, said, inject } = await topicTown(['Ada', 'Bob', 'Cy', 'Dee', 'Eve'])
    const [ada, bob] = people as [Person, Person]
    const second = await groupOf(town, ada, people.slice(1), 'Orchestra')
    const groups = [conversationId, second]
    await greet(town, people, second)
    const { published } = said(ada)
    const topicOf = async (group: string, text: string) => {
      published.length = 0
      await ada.device.dispatch('send', { conversationId: group, text })
      await town.settle()
      return published[0]!
    }
    const [choir, orchestra] = [await topicOf(conversationId, 'choir'), await topicOf(second, 'orchestra')]
    expect(choir.topic).to.not.equal(orchestra.topic)
    expect(await inject(bob, orchestra.topic, choir.data)).to.equal('reject')
    expect(await inject(bob, choir.topic, orchestra.data)).to.equal('reject')
    for (const [at, group] of groups.entries()) {
      const texts = await bob.texts(group)
      expect(texts.filter((text) => text === ['choir', 'orchestra'][at])).to.have.length(1)
      expect(texts).to.not.include(['orchestra', 'choir'][at])
    }
  })
})
