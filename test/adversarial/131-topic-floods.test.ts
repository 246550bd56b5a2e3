import type { Stream } from '@libp2p/interface'
import { expect } from 'chai'
import { limits } from '@sotto/core'
import { gossipRpc, varint } from '../support/gossip-rpc.ts'
import { meshOf, startNode, untilNode, type TestNode } from '../support/libp2p-world.ts'
import { Heard } from '../support/network-compliance.ts'

const topic = 'a topic'
const idOf = ({ node }: TestNode): string => node.peerId.toString()

/** What the library keeps, by name. */
interface Kept {
  readonly topics: Map<string, Set<string>>
  readonly mcache: { readonly size: number }
  readonly seenCache: { readonly size: number }
  readonly peerhave: Map<string, number>
  readonly iasked: Map<string, number>
  readonly backoff: Map<string, Map<string, number>>
}
const keptBy = ({ node }: TestNode): Kept => node.services['pubsub'] as Kept

describe('131 floods on topics', () => {
  let victim: TestNode
  let honest: TestNode
  let attacker: TestNode
  let stream: Stream
  let atVictim: Heard
  let unhandled: unknown[] = []
  const note = (failure: unknown): void => void unhandled.push(failure)

  beforeEach(async () => {
    unhandled = []
    process.on('unhandledRejection', note)
    ;[victim, honest, attacker] = [await startNode(), await startNode(), await startNode()]
    atVictim = new Heard(victim.network)
    // The attacker is a member: what an outsider can do is less.
    await victim.network.subscribe(topic, [idOf(honest), idOf(attacker)])
    await honest.network.subscribe(topic, [idOf(victim)])
    for (const other of [honest, attacker]) await other.network.attach((await victim.network.addresses())[0]!)
    await untilNode(victim.node, () => meshOf(victim.node, topic).has(idOf(honest)))
    await untilNode(attacker.node, () => attacker.node.getConnections(victim.node.peerId).length > 0)
    stream = await attacker.node.getConnections(victim.node.peerId)[0]!.newStream('/meshsub/1.2.0')
  })
  afterEach(async () => {
    await Promise.all([victim, honest, attacker].map(({ network }) => network.stop()))
    process.off('unhandledRejection', note)
    expect(unhandled).to.deep.equal([])
  })

  const send = (rpc: Uint8Array): void => {
    if (stream.status === 'open') stream.send(rpc)
  }

  /** The victim has worked off what was sent, and an honest peer is heard. */
  async function isAlive(marker: number): Promise<void> {
    await honest.network.publish(topic, Uint8Array.of(marker))
    const { message } = await atVictim.next('message', ({ data }) => data[0] === marker)
    await victim.network.judge(message, 'accept')
  }

  it('131 subscriptions without end fill the budget of their peer and no more', async () => {
    const each = 500
    for (let batch = 0; batch < 6; batch++) {
      const names = Array.from({ length: each }, (_, at) => `t${String(batch * each + at)}`)
      send(gossipRpc({ subscriptions: names.map((name) => ({ name, subscribe: true })) }))
    }
    const held = (): number =>
      [...keptBy(victim).topics.values()].filter((peers) => peers.has(idOf(attacker))).length
    await untilNode(victim.node, () => held() >= 1_000)
    await isAlive(1)
    expect(held()).to.be.at.most(limits.topicBytesPerPeer / 1_024)
    expect(limits.topicBytesPerPeer / 1_024).to.be.below(6 * each)
  })

  it('131 IHAVE without end is asked about up to the library’s cap', async () => {
    const ids = (n: number): Uint8Array[] =>
      Array.from({ length: 200 }, (_, at) => new Uint8Array(20).fill(n).fill(at, 10))
    for (let n = 0; n < 100; n++) send(gossipRpc({ ihave: [{ topic, ids: ids(n) }] }))
    await untilNode(victim.node, () => (keptBy(victim).peerhave.get(idOf(attacker)) ?? 0) > 0)
    await isAlive(2)
    expect(keptBy(victim).iasked.get(idOf(attacker)) ?? 0).to.be.at.most(5_000)
  })

  it('131 IWANT and IDONTWANT without end cost nobody else anything', async () => {
    const ids = Array.from({ length: 400 }, (_, at) => new Uint8Array(20).fill(at))
    for (let n = 0; n < 100; n++) send(gossipRpc({ iwant: [{ ids }], idontwant: [{ ids }] }))
    await isAlive(3)
  })

  it('131 a GRAFT again and again, against the backoff, ends below zero and out of the mesh', async () => {
    send(gossipRpc({ subscriptions: [{ name: topic, subscribe: true }], graft: [topic] }))
    await untilNode(victim.node, () => meshOf(victim.node, topic).has(idOf(attacker)))
    send(gossipRpc({ prune: [{ topic, backoff: varint(60n) }] }))
    for (let n = 0; n < 20; n++) send(gossipRpc({ graft: [topic] }))
    const scored = victim.node.services['pubsub'] as { getScore(peer: string): number }
    await untilNode(victim.node, () => scored.getScore(idOf(attacker)) < -80)
    expect(meshOf(victim.node, topic).has(idOf(attacker))).to.equal(false)
    await isAlive(4)
  })

  it('131 a PRUNE with a backoff of 2^64−1 s keeps out none but who sent it', async () => {
    send(gossipRpc({ subscriptions: [{ name: topic, subscribe: true }], graft: [topic] }))
    await untilNode(victim.node, () => meshOf(victim.node, topic).has(idOf(attacker)))
    send(gossipRpc({ prune: [{ topic, backoff: varint(2n ** 64n - 1n) }] }))
    send(gossipRpc({ prune: [{ topic: 'no topic of ours', backoff: varint(2n ** 64n - 1n) }] }))
    send(gossipRpc({ prune: [{ topic, backoff: varint(60n) }] }))
    await untilNode(victim.node, () => !meshOf(victim.node, topic).has(idOf(attacker)))
    await isAlive(5)
    expect(meshOf(victim.node, topic).has(idOf(honest))).to.equal(true)
    expect([...keptBy(victim).backoff.keys()]).to.deep.equal([topic])
    expect(keptBy(victim).backoff.get(topic)!.size).to.be.at.most(1)
  })

  it('131 messages on topics of the attacker’s making are kept nowhere, and then nothing more of it is heard', async () => {
    for (let n = 0; n < 400; n++)
      send(gossipRpc({ messages: [{ topic: `made up ${String(n)}`, data: new Uint8Array(1_000).fill(n) }] }))
    await untilNode(victim.node, () => victim.gate.standing!(idOf(attacker)) < -80)
    expect(keptBy(victim).mcache.size).to.equal(0)
    await isAlive(6)
    expect(atVictim.of('message').filter(({ peer }) => peer === idOf(attacker))).to.have.length(0)
  })

  it('131 frames that are no RPC, or claim a length without end, leave the node alive', async () => {
    for (const bytes of [[0xff], [4, 1, 2, 3, 4], [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10]])
      send(Uint8Array.from(bytes))
    await isAlive(7)
  })
})
