import { createHash, createPrivateKey, createPublicKey, randomBytes } from 'node:crypto'
import type { Libp2p } from '@libp2p/interface'
import { createLibp2p } from 'libp2p'
import {
  AddressGate,
  createLibp2pNetwork,
  nodeLibp2pOptions,
  relayLibp2pOptions,
  type NetworkBounds,
  type RecordRules,
} from '@sotto/core/libp2p'
import type { Network } from '@sotto/core/ports'
import type { NetworkWorld } from './network-compliance.ts'

const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash('sha256').update(bytes).digest())

/** A transport key from its seed. */
export function transportKey(seed: Uint8Array): {
  readonly seed: Uint8Array
  readonly publicKey: Uint8Array
} {
  const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
  const key = createPublicKey(createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }))
  return { seed, publicKey: new Uint8Array(Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url')) }
}

/** Accepts every value that does not start with zero; the last byte is its version, and the highest wins. */
export const plainRules: RecordRules = {
  validate: (_key, value) => (value[0] === 0 ? 'zero' : undefined),
  select: (_key, values) =>
    values.reduce((best, value, at) => ((value.at(-1) ?? 0) > (values[best]?.at(-1) ?? 0) ? at : best), 0),
}

export interface TestNode {
  readonly node: Libp2p
  readonly network: Network
  readonly gate: AddressGate
}

export interface TestNodeOptions {
  readonly protocols?: readonly string[]
  readonly listen?: readonly string[]
  readonly rules?: RecordRules
  readonly bounds?: Partial<NetworkBounds>
  readonly seed?: Uint8Array
  readonly gate?: AddressGate
  readonly reservations?: number
}

const loopback = ['/ip4/127.0.0.1/tcp/0']

/** A started desktop node on loopback, without WebRTC and mDNS. */
export async function startNode(options: TestNodeOptions = {}): Promise<TestNode> {
  const gate = options.gate ?? new AddressGate()
  const recipe = await nodeLibp2pOptions({
    ...transportKey(options.seed ?? randomBytes(32)),
    gate,
    records: options.rules ?? plainRules,
    sha256,
    listen: options.listen ?? loopback,
    mdns: false,
    webrtc: false,
  })
  return wrap(await createLibp2p(recipe), gate, options)
}

/** A started relay on loopback. */
export async function startRelay(options: TestNodeOptions = {}): Promise<TestNode> {
  const gate = options.gate ?? new AddressGate()
  const recipe = await relayLibp2pOptions({
    ...transportKey(options.seed ?? randomBytes(32)),
    gate,
    records: options.rules ?? plainRules,
    sha256,
    listen: options.listen ?? loopback,
    ...(options.reservations === undefined ? {} : { reservations: options.reservations }),
  })
  return wrap(await createLibp2p(recipe), gate, options)
}

function wrap(node: Libp2p, gate: AddressGate, options: TestNodeOptions): TestNode {
  const bounds = { retryMinMs: 20, retryMaxMs: 100, ...options.bounds }
  const network = createLibp2pNetwork(node, { protocols: options.protocols ?? [], gate, bounds })
  return { node, network, gate }
}

/** Resolves once the condition holds, asked anew after each event of the node. */
export async function untilNode(node: Libp2p, holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, 25)
      const wake = (): void => {
        clearTimeout(timer)
        resolve()
      }
      node.addEventListener('peer:identify', wake, { once: true })
    })
  }
}

/** A world of real nodes over TCP on loopback. */
export async function libp2pWorld(): Promise<NetworkWorld> {
  const nodes: TestNode[] = []
  const nodeOf = async (network: Network): Promise<Libp2p> => {
    const id = await network.peerId()
    return nodes.find(({ node }) => node.peerId.toString() === id)!.node
  }
  return {
    join: async (protocols) => {
      const started = await startNode({ protocols })
      nodes.push(started)
      return started.network
    },
    introduce: async (a, b) => {
      await a.attach((await b.addresses())[0]!)
      for (const [from, to] of [[a, b] as const, [b, a] as const]) {
        const [node, other] = [await nodeOf(from), await nodeOf(to)]
        await untilNode(node, () => knows(node, other))
      }
    },
    close: async () => {
      await Promise.all(nodes.map(({ network }) => network.stop()))
    },
  }
}

/** Routing table and topics have taken note of the other node. */
export function knows(node: Libp2p, other: Libp2p): boolean {
  const dht = node.services['dht'] as { routingTable: { size: number } }
  const pubsub = node.services['pubsub'] as
    { getPeers(): unknown[]; getSubscribers(topic: string): unknown[]; getTopics(): string[] } | undefined
  const theirs = other.services['pubsub'] as { getTopics(): string[] } | undefined
  const topics = theirs?.getTopics().every((topic) => (pubsub?.getSubscribers(topic).length ?? 0) > 0) ?? true
  return dht.routingTable.size > 0 && topics
}

/** Peers that a node passes a topic's messages on to. */
export const meshOf = (node: Libp2p, topic: string): ReadonlySet<string> =>
  (node.services['pubsub'] as { mesh: Map<string, Set<string>> }).mesh.get(topic) ?? new Set()
