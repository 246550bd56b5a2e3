/**
 * A conversation of 32 devices in one process, all connected over libp2p's memory transport with Noise and Yamux, in
 * which 50 messages are sent a second, by one device after another. Ours seals each record under an epoch, opens and
 * verifies it at every device, and judges it before it goes on; stock gossipsub signs and carries as many bytes.
 * From the call that sends to the moment it is read; nothing is stored.
 */
import { createHash, randomBytes } from 'node:crypto'
import { loadavg } from 'node:os'
import { noise } from '@chainsafe/libp2p-noise'
import { gossipsub } from '@libp2p/gossipsub'
import { identify } from '@libp2p/identify'
import type { Libp2p } from '@libp2p/interface'
import { memory } from '@libp2p/memory'
import { yamux } from '@libp2p/yamux'
import { createLibp2p, type Libp2pOptions } from 'libp2p'
import { createNodeProvider } from '@sotto/core/crypto-node'
import { AddressGate, createLibp2pNetwork, nodeLibp2pOptions } from '@sotto/core/libp2p'
import { open } from '../../packages/core/src/group/index.ts'
import { utf8 } from '../../packages/core/src/wire/index.ts'
import { judgeWith } from '../support/group-world.ts'
import { plainRules, transportKey } from '../support/libp2p-world.ts'
import { startMs } from '../support/session-world.ts'
import { conversation, join, makeGroup, sender } from './own-group.ts'

const devices = Number(process.env['SOTTO_LIVE_DEVICES'] ?? 32)
const perSecond = Number(process.env['SOTTO_LIVE_RATE'] ?? 50)
const seconds = Number(process.env['SOTTO_LIVE_SECONDS'] ?? 20)
const warmSeconds = 4
const topic = 'a topic'
/** The last eight bytes of an envelope are those of a tag: as good as a name. */
const nameOf = (data: Uint8Array): string => Buffer.from(data.subarray(-8)).toString('hex')

/** One way to talk: each node says something, and every arrival is told by the name of the bytes. */
interface Talk {
  readonly nodes: readonly Libp2p[]
  readonly say: (from: number) => Promise<Uint8Array>
  readonly onArrival: (told: (data: Uint8Array) => void) => void
  readonly stop: () => Promise<unknown>
}

const common = (name: string, at: number): Libp2pOptions => ({
  addresses: { listen: [`/memory/${name}-${String(at)}`] },
  transports: [memory()],
  connectionEncrypters: [noise()],
  streamMuxers: [yamux()],
  connectionManager: { inboundConnectionThreshold: 1e6, maxIncomingPendingConnections: 1e4 },
  connectionGater: { denyDialMultiaddr: () => false },
})

/** Gossipsub as it comes. */
async function stock(bytes: number): Promise<Talk> {
  const nodes = await Promise.all(
    Array.from({ length: devices }, (_, at) =>
      createLibp2p({ ...common('stock', at), services: { identify: identify(), pubsub: gossipsub() } }),
    ),
  )
  const pubsubs = nodes.map((node) => node.services.pubsub)
  for (const pubsub of pubsubs) pubsub.subscribe(topic)
  return {
    nodes,
    say: async (from) => {
      const data = randomBytes(bytes)
      void pubsubs[from]?.publish(topic, data)
      return data
    },
    onArrival: (told) => {
      for (const pubsub of pubsubs) pubsub.addEventListener('message', ({ detail }) => told(detail.data))
    },
    stop: () => Promise.all(nodes.map(async (node) => node.stop())),
  }
}

const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash('sha256').update(bytes).digest())

/** Our recipe and port, with a group's epoch at each end. */
async function ours(): Promise<Talk> {
  const crypto = await createNodeProvider()
  const { devices: members, view, a, b, begun } = makeGroup(crypto, devices)
  for (const member of members)
    if (member !== a && member !== b) member.state = join(crypto, member, a, begun, view).state
  const ends = await Promise.all(
    members.map(async (_, at) => {
      const gate = new AddressGate()
      const records = plainRules
      const recipe = await nodeLibp2pOptions({
        ...transportKey(randomBytes(32)),
        ...{ gate, records, sha256, listen: [], mdns: false, webrtc: false },
      })
      const { identify: named, pubsub } = recipe.services as Record<string, never>
      const node = await createLibp2p({
        ...recipe,
        ...common('ours', at),
        services: { identify: named, pubsub } as never,
      })
      return { node, network: createLibp2pNetwork(node, { protocols: [], gate }) }
    }),
  )
  const ids = ends.map(({ node }) => node.peerId.toString())
  for (const [at, { network }] of ends.entries())
    await network.subscribe(
      topic,
      ids.filter((_, other) => other !== at),
    )
  const text = utf8('a message of one hundred bytes or so'.padEnd(100, '.'))
  const senders = members.map((member) => sender(crypto, text, member, view))
  return {
    nodes: ends.map(({ node }) => node),
    say: async (from) => {
      const envelope = senders[from]?.() ?? new Uint8Array()
      await ends[from]?.network.publish(topic, envelope)
      return envelope
    },
    onArrival: (told) => {
      for (const [at, { network }] of ends.entries())
        network.listen((event) => {
          const member = members[at]
          if (event.type !== 'message' || member === undefined) return
          const input = [{ envelope: event.data, route: begun.seed.epoch }]
          const opened = open(crypto, member.state, input, judgeWith(crypto, conversation), startMs)
          if (opened.verdicts[0]?.verdict !== 'accepted') throw new Error('an envelope did not open')
          member.state = opened.state
          for (const secret of opened.spent) secret.wipe()
          told(event.data)
          void network.judge(event.message, 'accept')
        })
    },
    stop: () => Promise.all(ends.map(({ network }) => network.stop())),
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Connects everybody with everybody, and waits until each knows that all listen. */
async function meet(nodes: readonly Libp2p[]): Promise<void> {
  for (const [at, node] of nodes.entries())
    for (const other of nodes.slice(0, at)) await node.dial(other.getMultiaddrs())
  const listeners = (node: Libp2p): number =>
    (node.services['pubsub'] as { getSubscribers(topic: string): unknown[] }).getSubscribers(topic).length
  while (!nodes.every((node) => listeners(node) === nodes.length - 1)) await pause(200)
  await pause(3_000)
}

interface Measured {
  readonly delivered: number
  readonly p50: number
  readonly p99: number
  readonly cpuUs: number
  readonly bytes: number
}

async function measure(talk: Talk): Promise<Measured> {
  await meet(talk.nodes)
  const sentAt = new Map<string, number>()
  const early = new Map<string, number[]>()
  const taken: number[] = []
  talk.onArrival((data) => {
    const name = nameOf(data)
    const at = sentAt.get(name)
    if (at !== undefined) taken.push(performance.now() - at)
    else early.set(name, [...(early.get(name) ?? []), performance.now()])
  })
  let bytes = 0
  const speak = async (total: number): Promise<void> => {
    const begunMs = performance.now()
    for (let n = 0; n < total; n++) {
      await pause(Math.max(0, begunMs + (n * 1_000) / perSecond - performance.now()))
      const sentMs = performance.now()
      const data = await talk.say(n % devices)
      bytes = data.length
      sentAt.set(nameOf(data), sentMs)
      for (const arrivedMs of early.get(nameOf(data)) ?? []) taken.push(arrivedMs - sentMs)
      early.delete(nameOf(data))
    }
  }
  // Code that the engine has yet to compile is nobody's.
  await speak(perSecond * warmSeconds)
  await pause(2_000)
  taken.length = 0
  const { user, system } = process.cpuUsage()
  const total = perSecond * seconds
  await speak(total)
  for (let quiet = 0; quiet < 10;) {
    const before = taken.length
    await pause(300)
    quiet = taken.length === before ? quiet + 1 : 0
  }
  const spent = process.cpuUsage()
  const sorted = taken.toSorted((x, y) => x - y)
  const at = (q: number): number => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? NaN
  await talk.stop()
  return {
    delivered: taken.length / (total * (devices - 1)),
    p50: at(0.5),
    p99: at(0.99),
    cpuUs: (spent.user - user + spent.system - system) / taken.length,
    bytes,
  }
}

const mine = await measure(await ours())
const theirs = await measure(await stock(mine.bytes))
const line = (name: string, { delivered, p50, p99, cpuUs }: Measured, ratio: string): string =>
  `| ${name} | ${(100 * delivered).toFixed(1)} % | ${p50.toFixed(1)} ms | ${p99.toFixed(1)} ms | ${cpuUs.toFixed(0)} µs | ${ratio} |`
const ratio = theirs.p99 / mine.p99
console.log(
  `### live: ${String(devices)} devices, ${String(perSecond)} messages of ${String(mine.bytes)} B a second for ${String(seconds)} s, load ${loadavg()[0]?.toFixed(1) ?? '?'}\n`,
)
console.log(
  '| | delivered | p50 | p99 | CPU a delivery | p99 against stock |\n| --- | ---: | ---: | ---: | ---: | --- |',
)
console.log(
  line(
    'Sotto: sealed, opened, verified, judged',
    mine,
    `${ratio.toFixed(1)}× better, ≥ 3× ${ratio >= 3 ? 'met' : 'MISSED'}`,
  ),
)
console.log(line('gossipsub, default parameters, StrictSign', theirs, ''))
