import { createHash, randomBytes } from 'node:crypto'
import { noise } from '@chainsafe/libp2p-noise'
import { TopicValidatorResult, gossipsub, type GossipSub } from '@libp2p/gossipsub'
import { identify } from '@libp2p/identify'
import type { Libp2p } from '@libp2p/interface'
import { memory } from '@libp2p/memory'
import { yamux } from '@libp2p/yamux'
import { createLibp2p, type Libp2pOptions } from 'libp2p'
import { AddressGate, createLibp2pNetwork, nodeLibp2pOptions } from '@sotto/core/libp2p'
import type { Network } from '@sotto/core/ports'
import { plainRules, transportKey } from './libp2p-world.ts'

const topic = 'a topic'
const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash('sha256').update(bytes).digest())

interface Honest {
  readonly node: Libp2p
  readonly network: Network
  readonly got: Set<string>
}

/** Honest members of a topic among Sybils, who know its name, listen, are connected with everybody, and drop all. */
export interface SybilWorld {
  /** One honest node publishes. */
  publish(from: number, data: Uint8Array): Promise<void>
  /** How many deliveries to honest nodes there were. */
  delivered(): number
  /** Sybils in the meshes of honest nodes. */
  meshed(): number
  close(): Promise<void>
}

const memoryNode = (name: string): Libp2pOptions => ({
  addresses: { listen: [`/memory/${name}`] },
  transports: [memory()],
  connectionEncrypters: [noise()],
  streamMuxers: [yamux()],
  connectionManager: { inboundConnectionThreshold: 1e6, maxIncomingPendingConnections: 1e4 },
  connectionGater: { denyDialMultiaddr: () => false },
})

let worlds = 0

async function honestNode(name: string): Promise<Honest> {
  const gate = new AddressGate()
  const recipe = await nodeLibp2pOptions({
    ...transportKey(randomBytes(32)),
    ...{ gate, records: plainRules, sha256, listen: [], mdns: false, webrtc: false },
  })
  const { identify: named, pubsub } = recipe.services as Record<string, never>
  const services = { identify: named, pubsub } as never
  const node = await createLibp2p({ ...recipe, ...memoryNode(name), services })
  const network = createLibp2pNetwork(node, { protocols: [], gate })
  const got = new Set<string>()
  network.listen((event) => {
    if (event.type !== 'message') return
    got.add(Buffer.from(event.data).toString('hex'))
    void network.judge(event.message, 'accept')
  })
  return { node, network, got }
}

/** A node that speaks gossipsub as it should, passes nothing on, and asks into every mesh again and again. */
async function sybilNode(name: string): Promise<Libp2p> {
  const node = await createLibp2p({
    ...memoryNode(name),
    services: {
      identify: identify(),
      pubsub: gossipsub({
        globalSignaturePolicy: 'StrictNoSign',
        msgIdFn: ({ data }) => sha256(data).subarray(0, 20),
      }),
    },
  })
  node.services.pubsub.topicValidators.set(topic, () => TopicValidatorResult.Ignore)
  node.services.pubsub.subscribe(topic)
  return node
}

/**
 * Builds it: each honest node is connected with the next two in a ring, and with every Sybil, who were there first. Done
 * when the honest ones know of each other that they listen.
 */
export async function sybilWorld(honestCount: number, sybilCount: number): Promise<SybilWorld> {
  const world = worlds++
  const sybils: Libp2p[] = []
  for (let at = 0; at < sybilCount; at++) sybils.push(await sybilNode(`sybil-${String(world)}-${String(at)}`))
  const honest: Honest[] = []
  for (let at = 0; at < honestCount; at++)
    honest.push(await honestNode(`honest-${String(world)}-${String(at)}`))
  const ids = honest.map(({ node }) => node.peerId.toString())
  for (const { node } of honest) for (const sybil of sybils) await sybil.dial(node.getMultiaddrs())
  for (const [at, { network }] of honest.entries())
    await network.subscribe(
      topic,
      ids.filter((_, other) => other !== at),
    )
  for (const [at, { node }] of honest.entries())
    for (const step of [1, 2]) {
      const other = honest[(at + step) % honestCount]
      if (other !== undefined && other.node !== node) await node.dial(other.node.getMultiaddrs())
    }
  const pubsubOf = ({ node }: Honest): GossipSub & { readonly mesh: Map<string, Set<string>> } =>
    node.services['pubsub'] as never
  // What is published before anybody is known to listen, or to pass it on, is lost: nobody asks for it later.
  const isReady = (one: Honest, at: number): boolean => {
    const listening = new Set(pubsubOf(one).getSubscribers(topic).map(String))
    const near = [1, 2, honestCount - 1, honestCount - 2].map((step) => ids[(at + step) % honestCount] ?? '')
    return near.every((id) => listening.has(id)) && (pubsubOf(one).mesh.get(topic)?.size ?? 0) > 1
  }
  while (!honest.every(isReady)) await new Promise((resolve) => setTimeout(resolve, 20))
  const expected = new Set(ids)
  return {
    publish: async (from, data) => {
      await honest[from % honestCount]?.network.publish(topic, data)
    },
    delivered: () => honest.reduce((sum, { got }) => sum + got.size, 0),
    meshed: () =>
      honest.reduce(
        (sum, one) =>
          sum + [...(pubsubOf(one).mesh.get(topic) ?? [])].filter((id) => !expected.has(id)).length,
        0,
      ),
    close: async () => {
      await Promise.all([
        ...honest.map(({ network }) => network.stop()),
        ...sybils.map((node) => node.stop()),
      ])
    },
  }
}
