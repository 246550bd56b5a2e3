import { expect } from 'chai'
import type { Network, NetworkListener } from '@sotto/core/ports'
import { topicTown } from '../support/topic-town.ts'
import type { Person } from '../support/devices.ts'

const messages = 20

describe('065: a seed that comes after what was sealed under its epoch', () => {
  it('every message shows, in order, once the seed is there', async function () {
    this.timeout(180_000)
    const held: (() => void)[] = []
    let holding = false
    /** Frames wait at Eve’s door while `holding`; topics go on. */
    const late = (network: Network): Network =>
      new Proxy(network, {
        get: (target, key) => {
          const value: unknown = Reflect.get(target, key)
          if (key === 'listen')
            return (listener: NetworkListener): void =>
              target.listen((event) => {
                if (!holding || event.type !== 'frame') return listener(event)
                held.push(() => void listener(event))
                return undefined
              })
          return typeof value === 'function' ? (value.bind(target) as unknown) : value
        },
      })
    const scene = await topicTown(['Ada', 'Bob', 'Cy', 'Dee', 'Eve'], (network, name) =>
      name === 'Eve' ? late(network) : network,
    )
    const { town, conversationId, said, inject } = scene
    const [ada, bob, , , eve] = scene.people as [Person, Person, Person, Person, Person]
    await bob.device.dispatch('send', { conversationId, text: 'before' })
    await town.pass(200_000)
    holding = true
    town.hub.cut(bob.peerId, eve.peerId)
    // A turn: Ada begins an epoch whose seed does not reach Eve; Bob answers under it.
    await ada.device.dispatch('send', { conversationId, text: 'a turn' })
    await town.pass(2_000)
    const { published } = said(bob)
    published.length = 0
    const texts = Array.from({ length: messages }, (_, at) => `answer ${String(at)}`)
    for (const text of texts) await bob.device.dispatch('send', { conversationId, text })
    await town.settle()
    expect(published).to.have.length(messages)
    for (const { topic, data } of published) expect(await inject(eve, topic, data)).to.equal('ignore')
    expect((await eve.texts(conversationId)).at(-1)).to.equal('before')
    holding = false
    for (const release of held.splice(0)) release()
    await town.settle()
    expect((await eve.texts(conversationId)).slice(-messages)).to.deep.equal(texts)
  })
})
