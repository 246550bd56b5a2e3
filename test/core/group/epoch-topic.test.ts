/** Names and keys of an epoch's topic and queue, as the protocol has them (docs/protocol/epochs.md §2). */
import { expect } from 'chai'
import { kdf, noSalt } from '../../../packages/core/src/crypto/index.ts'
import { epochTopics, queueReaderSeed, queueWriterSeed } from '../../../packages/core/src/group/index.ts'
import { toBase32, toHex } from '../../../packages/core/src/wire/index.ts'
import { crypto, dayMs, EpochScene, personOf } from './epoch-scene.ts'

describe('conversation epochs: topic and queue', () => {
  /** Today's topics of a device that holds two epochs, one of them with a topic of its own. */
  function topics(nowMs: number) {
    const scene = new EpochScene()
    const route = scene.keyed('b')
    scene.keyed('c', { after: [route], on: route })
    return { scene, route, found: epochTopics(crypto, scene.state, nowMs) }
  }

  it('a topic is listened on under the names of yesterday, today and tomorrow', () => {
    const { scene, route, found } = topics(20_000 * dayMs + 7)
    const { topic } = scene.state.keys.get(scene.node(route).key)!.route!
    const name = (day: number): string => toBase32(kdf(crypto, noSalt, topic.expose(), 'topic', [day]))
    expect(found.map(({ epoch }) => toHex(epoch))).to.deep.equal([toHex(route.record.id)])
    expect(found[0]!.names).to.deep.equal([name(19_999), name(20_000), name(20_001)])
    const next = epochTopics(crypto, scene.state, 20_001 * dayMs)
    expect(next[0]!.names.slice(0, 2)).to.deep.equal(found[0]!.names.slice(1))
    expect(topics(0).found[0]!.names, 'no day before the first').to.deep.equal([name(0), name(0), name(1)])
  })

  it('a queue is read with one key and written with one of each device', () => {
    const { scene, route } = topics(0)
    const { queue } = scene.state.keys.get(scene.node(route).key)!.route!
    const secret = queue.expose()
    expect(queueReaderSeed(crypto, queue)).to.deep.equal(kdf(crypto, noSalt, secret, 'epoch-queue-read'))
    for (const name of ['a', 'b']) {
      const { account, device } = personOf(name)
      const expected = kdf(crypto, noSalt, secret, 'epoch-queue-write', [account, device])
      expect(queueWriterSeed(crypto, queue, personOf(name)), name).to.deep.equal(expected)
    }
  })
})
