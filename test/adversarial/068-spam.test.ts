import { expect } from 'chai'
import { limits } from '@sotto/core'
import { topicTown } from '../support/topic-town.ts'
import type { Person } from '../support/devices.ts'

const spam = limits.topicBurst + 144

describe('068: a member who speaks without end', () => {
  it('is passed on at a bounded rate, holds nobody else up, and is heard in the end', async function () {
    this.timeout(240_000)
    const { town, people, conversationId, said } = await topicTown(['Ada', 'Bob', 'Cy', 'Dee', 'Eve'])
    const [ada, bob, , , eve] = people as [Person, Person, Person, Person, Person]
    const { verdicts } = said(bob)
    verdicts.length = 0
    await Promise.all(
      Array.from({ length: spam }, (_, at) =>
        eve.device.dispatch('send', { conversationId, text: `buy ${String(at)}` }),
      ),
    )
    await town.settle()
    const passed = verdicts.filter(({ verdict }) => verdict === 'accept').length
    expect(passed).to.be.within(1, limits.topicBurst)
    expect(verdicts.filter(({ verdict }) => verdict === 'reject')).to.have.length(0)
    verdicts.length = 0
    await ada.device.dispatch('send', { conversationId, text: 'hello' })
    await town.settle()
    expect(verdicts.map(({ verdict }) => verdict)).to.include('accept')
    expect(await bob.texts(conversationId)).to.include('hello')
    await town.pass(180_000)
    const heard = new Set(await bob.texts(conversationId))
    expect(
      Array.from({ length: spam }, (_, at) => `buy ${String(at)}`).filter((text) => !heard.has(text)),
    ).to.deep.equal([])
  })
})
