import { expect } from 'chai'
import { limits } from '@sotto/core'
import type { TopicVerdict } from '@sotto/core/ports'
import { gossipRpc } from '../../support/gossip-rpc.ts'
import { Standing } from '../../../packages/core/bindings/libp2p/standing.ts'
import type { JudgedGossip } from '../../../packages/core/bindings/libp2p/topics.ts'
import {
  meshOf,
  startNode,
  untilNode,
  type TestNode,
  type TestNodeOptions,
} from '../../support/libp2p-world.ts'
import { codeOf, Heard } from '../../support/network-compliance.ts'

const topic = 'topic'
const idOf = ({ node }: TestNode): string => node.peerId.toString()

describe('libp2p: topics', () => {
  const nodes: TestNode[] = []
  afterEach(() => Promise.all(nodes.splice(0).map(({ network }) => network.stop())))

  async function node(bounds: TestNodeOptions['bounds'] = {}): Promise<TestNode> {
    const started = await startNode({ bounds })
    nodes.push(started)
    return started
  }

  /** Connects the two. */
  async function join(a: TestNode, b: TestNode): Promise<void> {
    await a.network.attach((await b.network.addresses())[0]!)
    await untilNode(a.node, () => a.node.getConnections(b.node.peerId).length > 0)
  }

  /** Three in a row: what the first says reaches the last only through the middle. */
  async function row(bounds: TestNodeOptions['bounds'] = {}): Promise<[TestNode, TestNode, TestNode]> {
    const [first, middle, last] = [await node(), await node(bounds), await node()]
    await join(first, middle)
    await join(last, middle)
    const all = [first, middle, last]
    for (const one of all) await one.network.subscribe(topic, all.filter((other) => other !== one).map(idOf))
    for (const end of [first, last])
      await untilNode(middle.node, () => meshOf(middle.node, topic).has(idOf(end)))
    for (const end of [first, last])
      await untilNode(end.node, () => meshOf(end.node, topic).has(idOf(middle)))
    return [first, middle, last]
  }

  it('only what was accepted goes on, and what was not is dropped for good', async () => {
    const [first, middle, last] = await row()
    const [atMiddle, atLast] = [new Heard(middle.network), new Heard(last.network)]
    const verdicts: TopicVerdict[] = ['ignore', 'accept', 'ignore', 'accept']
    for (const [at, verdict] of verdicts.entries()) {
      await first.network.publish(topic, Uint8Array.of(at))
      const { message } = await atMiddle.next('message', () => true, at + 1)
      await middle.network.judge(message, verdict)
    }
    await atLast.next('message', () => true, 2)
    expect(atLast.of('message').map(({ data }) => data[0])).to.deep.equal([1, 3])
    expect(atLast.of('message').map(({ peer }) => peer)).to.deep.equal([idOf(middle), idOf(middle)])
  })

  it('a verdict that comes too late is none', async () => {
    const [first, middle, last] = await row({ topicVerdictMs: 1 })
    const [atMiddle, atLast] = [new Heard(middle.network), new Heard(last.network)]
    await first.network.publish(topic, Uint8Array.of(0))
    const { message } = await atMiddle.next('message')
    await new Promise((resolve) => setTimeout(resolve, 50))
    await middle.network.judge(message, 'accept')
    await middle.network.publish(topic, Uint8Array.of(1))
    expect([...(await atLast.next('message')).data]).to.deep.equal([1])
  })

  it('messages wait for their verdicts up to the bounds of a neighbour and of all; more are dropped unseen', async () => {
    for (const bounds of [{ topicWaitingPerPeer: 3 }, { topicWaiting: 3 }]) {
      const [first, middle, last] = [
        await node(),
        await node({ ...bounds, topicVerdictMs: 60_000 }),
        await node(),
      ]
      await join(first, middle)
      await join(last, middle)
      const atMiddle = new Heard(middle.network)
      await middle.network.subscribe(topic, [idOf(first), idOf(last)])
      for (const other of [first, last]) await untilNode(other.node, () => subscribersOf(other, topic) === 1)
      for (let at = 0; at < 6; at++) await first.network.publish(topic, Uint8Array.of(at))
      await untilNode(middle.node, () => seenBy(middle) === 6)
      const waiting = atMiddle.of('message')
      expect(waiting).to.have.length(3)
      const others = 'topicWaitingPerPeer' in bounds
      // A neighbour that waits for nothing has room of its own; where all share it, a verdict makes some.
      if (!others) await middle.network.judge(waiting[0]!.message, 'accept')
      await (others ? last : first).network.publish(topic, Uint8Array.of(100))
      await atMiddle.next('message', ({ data }) => data[0] === 100)
      expect(atMiddle.of('message')).to.have.length(4)
    }
  })

  it('nothing of a topic that is not listened on is kept, and who sends much of it is heard no more', async () => {
    const [sender, receiver] = [await node(), await node()]
    await join(sender, receiver)
    const heard = new Heard(receiver.network)
    await receiver.network.subscribe(topic, [idOf(sender)])
    await untilNode(sender.node, () => subscribersOf(sender, topic) === 1)
    const pubsub = receiver.node.services['pubsub'] as { mcache: { size: number } }
    believes(sender, receiver, 'elsewhere')
    const standing = (): number => receiver.gate.standing!(idOf(sender))
    for (let at = 0; standing() > -80 && at < 200; at++)
      await sender.network.publish('elsewhere', Uint8Array.of(at))
    await untilNode(receiver.node, () => standing() < -80)
    expect(pubsub.mcache.size).to.equal(0)
    expect(heard.of('message')).to.have.length(0)
  })

  it('nobody who is not expected is made to pass anything on', async () => {
    const [known, stranger, receiver] = [await node(), await node(), await node()]
    await join(known, receiver)
    await join(stranger, receiver)
    await receiver.network.subscribe(topic, [idOf(known)])
    for (const other of [known, stranger]) await other.network.subscribe(topic, [idOf(receiver)])
    await untilNode(receiver.node, () => meshOf(receiver.node, topic).has(idOf(known)))
    await untilNode(receiver.node, () => subscribersOf(receiver, topic) === 2)
    expect([...meshOf(receiver.node, topic)]).to.deep.equal([idOf(known)])
    const atStranger = new Heard(stranger.network)
    await receiver.network.publish(topic, Uint8Array.of(7))
    expect([...(await atStranger.next('message')).data], 'but it hears what is published').to.deep.equal([7])
  })

  it('a name that somebody put on a message is not passed on with it', async () => {
    const [first, middle, last] = await row()
    const [atMiddle, atLast] = [new Heard(middle.network), new Heard(last.network)]
    const [connection] = first.node.getConnections(middle.node.peerId)
    const stream = await connection!.newStream('/meshsub/1.2.0')
    const from = first.node.peerId.toMultihash().bytes
    stream.send(gossipRpc({ messages: [{ topic, data: Uint8Array.of(1), from }] }))
    await middle.network.judge((await atMiddle.next('message')).message, 'accept')
    await atLast.next('message')
    const { msgs } = (last.node.services['pubsub'] as JudgedGossip).mcache
    expect([...msgs.values()].map(({ message }) => message.from)).to.deep.equal([undefined])
  })

  it('a node without topics says so', async () => {
    const { startRelay } = await import('../../support/libp2p-world.ts')
    const relay = await startRelay()
    nodes.push(relay)
    expect(await codeOf(relay.network.subscribe(topic, []))).to.equal('E_NET_NO_GOSSIP')
  })
})

/** How many listen on a topic, as the node has heard. */
const subscribersOf = ({ node }: TestNode, name: string): number =>
  (node.services['pubsub'] as { getSubscribers(topic: string): unknown[] }).getSubscribers(name).length

/** How many messages have reached a node, dropped ones too. */
const seenBy = ({ node }: TestNode): number =>
  (node.services['pubsub'] as { seenCache: { size: number } }).seenCache.size

/** Makes the sender send to the receiver whatever it publishes on a topic. */
function believes(sender: TestNode, receiver: TestNode, name: string): void {
  const { topics } = sender.node.services['pubsub'] as { topics: Map<string, Set<string>> }
  topics.set(name, new Set([idOf(receiver)]))
}

describe('libp2p: how neighbours stand', () => {
  it('a stranger stands below zero, the expected above, as long as one topic expects them', () => {
    const standing = new Standing(() => 0)
    expect(standing.of('a')).to.equal(-1)
    standing.expect('a')
    standing.expect('a')
    standing.unexpect('a')
    expect(standing.of('a')).to.equal(1)
    standing.unexpect('a')
    expect(standing.of('a')).to.equal(-1)
  })

  it('one rejected message is below every threshold of the library, and is forgiven in time', () => {
    let nowMs = 0
    const standing = new Standing(() => nowMs)
    standing.expect('a')
    standing.rejected('a')
    expect(standing.of('a')).to.be.below(-80)
    for (let more = 0; more < 3; more++) standing.rejected('a')
    nowMs += limits.topicFaultHalfMs
    expect(standing.of('a'), 'four are not forgiven in a minute').to.be.below(-80)
    nowMs += 5 * limits.topicFaultHalfMs
    expect(standing.of('a')).to.equal(1)
  })

  it('few messages on a topic just left do not count, many do', () => {
    const standing = new Standing(() => 0)
    for (let stray = 0; stray < 12; stray++) standing.strayed('a')
    expect(standing.of('a')).to.equal(-1)
    for (let stray = 0; stray < 52; stray++) standing.strayed('a')
    expect(standing.of('a')).to.be.below(-80)
  })

  it('remembers so many who did wrong, and forgets the one of longest ago first', () => {
    const standing = new Standing(() => 0)
    for (let peer = 0; peer < limits.topicFaults; peer++) standing.rejected(String(peer))
    expect(standing.of('0')).to.equal(-101)
    standing.rejected('one more')
    expect(standing.of('0')).to.equal(-1)
    expect(standing.of('1')).to.equal(-101)
  })
})
