import { expect } from 'chai'
import { limits } from '@sotto/core'
import { topicTown, type TopicTown } from '../../support/topic-town.ts'
import type { Person } from '../../support/devices.ts'

describe('device: verdicts on topics', () => {
  let scene: TopicTown
  let ada: Person
  let bob: Person
  /** One message of Ada's as it was published, and its topic. */
  let spoken: { readonly topic: string; readonly data: Uint8Array }

  before(async function () {
    this.timeout(120_000)
    scene = await topicTown(['Ada', 'Bob', 'Cy', 'Dee', 'Eve'])
    ;[ada, bob] = scene.people as [Person, Person]
    const { published } = scene.said(ada)
    published.length = 0
    await ada.device.dispatch('send', { conversationId: scene.conversationId, text: 'once' })
    await scene.town.settle()
    spoken = published[0]!
  })

  it('a genuine message goes on', () => {
    expect(scene.said(bob).verdicts.at(-1)?.verdict).to.equal('accept')
  })

  it('the same again is dropped and held against nobody', async () => {
    expect(await scene.inject(bob, spoken.topic, spoken.data)).to.equal('ignore')
  })

  it('what is not sealed under the topic’s key is held against whoever passed it on', async () => {
    const forged = spoken.data.slice()
    forged[forged.length - 1]! ^= 1
    expect(await scene.inject(bob, spoken.topic, forged)).to.equal('reject')
  })

  it('what is no envelope at all is dropped: a later version may know it', async () => {
    expect(await scene.inject(bob, spoken.topic, Uint8Array.of(1, 2, 3))).to.equal('ignore')
  })

  it('a topic that is not listened on is nobody’s fault', async () => {
    expect(await scene.inject(bob, 'elsewhere', spoken.data)).to.equal('ignore')
  })

  it('a neighbour who brings nothing but refusable things is not looked at after a while; others are', async () => {
    const looked = (): number =>
      bob.log.lines.filter((line) => JSON.stringify(line).includes('envelope-refused')).length
    const before = looked()
    for (let n = 0; n < limits.topicBurst + 50; n++)
      await scene.inject(bob, spoken.topic, spoken.data, 'a flooder')
    expect(looked() - before).to.equal(limits.topicBurst)
    await scene.inject(bob, spoken.topic, spoken.data, 'somebody else')
    expect(looked() - before).to.equal(limits.topicBurst + 1)
    await scene.town.pass(1_000)
    for (let n = 0; n < 50; n++) await scene.inject(bob, spoken.topic, spoken.data, 'a flooder')
    expect(looked() - before).to.be.at.most(limits.topicBurst + 1 + 2 * limits.topicPerSecond)
  })

  it('the devices of the conversation are those expected on its topics', () => {
    const others = scene.people.filter((person) => person !== bob).map(({ peerId }) => peerId)
    expect(scene.said(bob).topics.get(spoken.topic)).to.deep.equal(others.sort())
  })
})
