import { noise } from '@chainsafe/libp2p-noise'
import { circuitRelayServer, circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { privateKeyFromRaw } from '@libp2p/crypto/keys'
import { dcutr } from '@libp2p/dcutr'
import { gossipsub } from '@libp2p/gossipsub'
import { identify, identifyPush } from '@libp2p/identify'
import { FaultTolerance } from '@libp2p/interface'
import type {
  ComponentLogger,
  Logger,
  PeerDiscovery,
  PeerInfo,
  PrivateKey,
  Transport,
} from '@libp2p/interface'
import { kadDHT, passthroughMapper } from '@libp2p/kad-dht'
import type { KadDHT, KadDHTComponents } from '@libp2p/kad-dht'
import { ping } from '@libp2p/ping'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import type { Libp2pOptions } from 'libp2p'
import { limits } from '../../src/limits.ts'
import { toHex, utf8, concat } from '../../src/wire/index.ts'
import { BoundedDatastore } from './datastore.ts'
import type { AddressGate } from './gate.ts'

/** The DHT's rules for `/sotto/…` keys, as the discovery room makes them. */
export interface RecordRules {
  /** Why the value may not be stored; undefined when it may. */
  validate(key: Uint8Array, value: Uint8Array): string | undefined
  /** The index of the value to keep. */
  select(key: Uint8Array, values: readonly Uint8Array[]): number
}

/** What every recipe needs. */
export interface RecipeOptions {
  /** 32 bytes of the transport key, never a device's identity key, and its Ed25519 public key. */
  readonly seed: Uint8Array
  readonly publicKey: Uint8Array
  readonly gate: AddressGate
  readonly records: RecordRules
  /** SHA-256, for the message ids of topics. */
  readonly sha256: (bytes: Uint8Array) => Uint8Array
}

/** What a desktop or server peer chooses. */
export interface NodeRecipeOptions extends RecipeOptions {
  /** Multiaddrs to listen on; circuits and WebRTC are added. */
  readonly listen: readonly string[]
  /** Announce and look for peers on the local network. */
  readonly mdns: boolean
  /** Try to load WebRTC. Default true; without it browsers reach this node over WebSocket or a circuit. */
  readonly webrtc?: boolean
}

/** What a relay chooses. */
export interface RelayRecipeOptions extends RecipeOptions {
  readonly listen: readonly string[]
  /** Addresses to announce in place of the listening ones, such as that of a TLS proxy. */
  readonly announce?: readonly string[]
  /** Reserved slots. Default 1,024. */
  readonly reservations?: number
  /** Bytes and milliseconds one relayed connection may use. Default 16 MiB and 30 minutes. */
  readonly circuitBytes?: number
  readonly circuitMs?: number
}

type Options = Libp2pOptions
type Components = Parameters<NonNullable<Options['transports']>[number]>[0]

/** Protocol prefix of our DHT: nodes of other networks are no part of it. */
export const dhtProtocol = '/sotto/kad/1.0.0'
const namespace = 'sotto'

const mebibyte = 1024 * 1024
const minute = 60_000

/** The libp2p private key of a transport seed (32 bytes) and its public key (32 bytes). */
const transportKey = (options: RecipeOptions): PrivateKey =>
  privateKeyFromRaw(concat(options.seed, options.publicKey))

/**
 * A paused stream holds at most its window, which stays below the muxer's own read buffer of 4 MiB. Whoever dials may
 * open all its channels, and libp2p's own streams, before the other end has taken the connection up: with more of these
 * than `maxEarlyStreams` (10 unless said) the whole connection is aborted.
 */
const muxer = {
  maxInboundStreams: 256,
  maxOutboundStreams: 256,
  maxEarlyStreams: 2 * limits.channelsPerPeer,
  streamOptions: { initialStreamWindowSize: mebibyte / 4, maxStreamWindowSize: mebibyte },
}

const security = () => ({ connectionEncrypters: [noise()], streamMuxers: [yamux(muxer)] })

/** Says the same in every node, so that nothing is told about the machine. */
const nodeInfo = { name: 'sotto', version: '1', userAgent: 'sotto/1' }

function dht(options: RecipeOptions, clientMode: boolean) {
  const { records } = options
  const create = kadDHT({
    protocol: dhtProtocol,
    clientMode,
    // The gate, not the mapper, decides what is dialled: relays and peers on a local network stay reachable.
    peerInfoMapper: passthroughMapper,
    validators: {
      [namespace]: (key, value) => {
        const fault = value.length > limits.recordBytes ? 'too-long' : records.validate(key, value)
        if (fault !== undefined) throw new RefusedRecord(fault)
      },
    },
    selectors: { [namespace]: (key, values) => records.select(key, values) },
  })
  // Every recipe brings the ping service it needs.
  return (components: unknown): KadDHT => create(components as KadDHTComponents)
}

class RefusedRecord extends Error {
  override readonly name = 'RefusedRecord'
}

/**
 * Topics without author or signature: an id is the hash of topic and data. Whoever publishes sends to everybody it
 * is connected with who listens; two or three expected peers pass on to those it is not connected with, and nobody is
 * told of what not to send, which costs as much as sending it. Peers behind one relay share an address, so the score
 * for many peers at one address is off; the gate's standing takes its place.
 */
function topics(options: RecipeOptions) {
  const idOf = (topic: string, data: Uint8Array): Uint8Array =>
    options.sha256(concat(utf8(topic), data)).subarray(0, 20)
  return gossipsub({
    globalSignaturePolicy: 'StrictNoSign',
    msgIdFn: (message) => idOf(message.topic, message.data),
    msgIdToStrFn: toHex,
    asyncValidation: true,
    allowPublishToZeroTopicPeers: true,
    ignoreDuplicatePublishError: true,
    runOnLimitedConnection: true,
    fallbackToFloodsub: false,
    floodPublish: true,
    batchPublish: true,
    ...mesh,
    idontwantMinDataSize: Infinity,
    maxInboundDataLength: limits.streamFrameBytes + 1024,
    maxTopicBytesPerPeer: limits.topicBytesPerPeer,
    scoreParams: {
      IPColocationFactorWeight: 0,
      appSpecificWeight: 1,
      appSpecificScore: (peer) => options.gate.standing?.(peer) ?? 0,
    },
  })
}

/** Peers that pass on to each other; measured in docs/benchmarks.md. */
const mesh = { D: 2, Dlo: 2, Dhi: 4, Dscore: 2, Dout: 0, Dlazy: 4 }

/**
 * The circuit transport, which asks for reservations only where the network tells it to: its own search
 * would walk the DHT and reserve at any relay it meets.
 */
function circuits(gate: AddressGate) {
  return (components: Components): Transport => {
    const transport = circuitRelayTransport({ discoveryFilter: nobody })(
      without(components, {
        randomWalk: noWalk,
        peerStore: without(components.peerStore, { all: async () => [] }),
      }),
    )
    const store = reservationsOf(transport)
    gate.reserve = async (relay) => {
      try {
        await store.addRelay(relay, 'discovered')
      } catch (failure) {
        // Not a relay, or three are enough: the connection alone is what there is to keep.
        const name = failure instanceof Error ? failure.name : ''
        if (name !== 'UnsupportedProtocolError' && name !== 'HadEnoughRelaysError') throw failure
      }
    }
    return transport
  }
}

/** The same object with these properties in place of its own. */
function without<T extends object>(target: T, replaced: Readonly<Record<string, unknown>>): T {
  return new Proxy(target, {
    get: (from, name) => {
      if (typeof name === 'string' && name in replaced) return replaced[name]
      const value: unknown = Reflect.get(from, name)
      return typeof value === 'function' ? (value.bind(from) as unknown) : value
    },
  })
}

const nobody = { has: () => true, add: () => undefined, remove: () => undefined }
const noWalk = { walk: async function* () {} }

interface Reservations {
  addRelay(relay: unknown, type: 'discovered'): Promise<unknown>
}

function reservationsOf(transport: Transport): Reservations {
  return (transport as Transport & { readonly reservationStore: Reservations }).reservationStore
}

/** One bare circuit address for each relay a bundle may name; each is filled by a reservation. */
const circuitSlots = Array.from({ length: limits.bundleRelays }, () => '/p2p-circuit')

const connectionManager = {
  dialTimeout: limits.dialMs,
  addressDialTimeout: limits.dialMs / 2,
  maxConnections: 300,
  maxIncomingPendingConnections: 50,
  // Per address and second. The default of 5 would shut out people behind one NAT or relay.
  inboundConnectionThreshold: 100,
}

const webrtcDialMs = { ...connectionManager, addressDialTimeout: limits.dialMs }

/** Options of a desktop or server peer: TCP, WebSocket, circuits, DHT server, topics; WebRTC and mDNS as asked. */
export async function nodeLibp2pOptions(options: NodeRecipeOptions): Promise<Libp2pOptions> {
  const { gate } = options
  const [{ tcp }, rtc, local] = await Promise.all([
    import('@libp2p/tcp'),
    options.webrtc === false ? undefined : loadWebRtc(),
    options.mdns ? localDiscovery(gate) : undefined,
  ])
  const listen = [...options.listen, ...circuitSlots, ...(rtc === undefined ? [] : ['/webrtc'])]
  return {
    ...common(options),
    addresses: { listen },
    transports: [tcp(), webSockets(), circuits(gate), ...(rtc === undefined ? [] : [rtc])],
    connectionManager: webrtcDialMs,
    ...(local === undefined ? {} : { peerDiscovery: [local] }),
    services: {
      identify: identify(),
      identifyPush: identifyPush(),
      ping: ping(),
      dcutr: dcutr(),
      dht: dht(options, false),
      pubsub: topics(options),
    },
  }
}

/** Options of a relay: TCP and WebSocket, circuit slots for others, DHT server. No WebRTC listener. */
export async function relayLibp2pOptions(options: RelayRecipeOptions): Promise<Libp2pOptions> {
  const { tcp } = await import('@libp2p/tcp')
  const maxReservations = options.reservations ?? 1_024
  return {
    ...common(options),
    addresses: {
      listen: [...options.listen],
      ...(options.announce ? { announce: [...options.announce] } : {}),
    },
    transports: [tcp(), webSockets()],
    connectionManager: {
      ...connectionManager,
      maxConnections: 4 * maxReservations,
      maxIncomingPendingConnections: 200,
      inboundConnectionThreshold: 1_000,
    },
    services: {
      identify: identify(),
      identifyPush: identifyPush(),
      ping: ping(),
      dht: dht(options, false),
      circuit: circuitRelayServer({
        maxInboundHopStreams: 64,
        maxOutboundStopStreams: 64,
        reservations: {
          maxReservations,
          defaultDataLimit: BigInt(options.circuitBytes ?? 16 * mebibyte),
          defaultDurationLimit: options.circuitMs ?? 30 * minute,
        },
      }),
    },
  }
}

/** Options of a browser peer: WebSocket, WebRTC and circuits; it asks the DHT and stores nothing for it. */
export async function tabLibp2pOptions(options: RecipeOptions): Promise<Libp2pOptions> {
  const { webRTC } = await import('@libp2p/webrtc')
  return {
    ...common(options),
    addresses: { listen: ['/webrtc', ...circuitSlots] },
    transports: [webSockets(), webRTC({ rtcConfiguration: { iceServers: [] } }), circuits(options.gate)],
    connectionManager: { ...webrtcDialMs, maxConnections: 100 },
    services: {
      identify: identify(),
      identifyPush: identifyPush(),
      ping: ping(),
      dht: dht(options, true),
      pubsub: topics(options),
    },
  }
}

function common(options: RecipeOptions): Libp2pOptions {
  return {
    ...security(),
    privateKey: transportKey(options),
    nodeInfo,
    datastore: new BoundedDatastore(limits.dhtRecords),
    connectionGater: options.gate.connectionGater(),
    logger: silent,
    // A node may start while a relay or an interface is away.
    transportManager: { faultTolerance: FaultTolerance.NO_FATAL },
  }
}

/** The WebRTC transport; undefined where its native part is missing, and the node serves TCP and WebSocket. */
async function loadWebRtc() {
  try {
    const { webRTC } = await import('@libp2p/webrtc')
    return webRTC({ rtcConfiguration: { iceServers: [] } })
  } catch {
    return undefined
  }
}

/** mDNS, whose findings the gate permits before libp2p hears of them. */
async function localDiscovery(gate: AddressGate) {
  const { mdns } = await import('@libp2p/mdns')
  return (components: Components): PeerDiscovery => {
    const discovery = mdns({ serviceTag: '_sotto._udp.local' })(components)
    discovery.addEventListener('peer', ({ detail }: CustomEvent<PeerInfo>) => {
      for (const address of detail.multiaddrs) gate.permit(address)
      gate.seenLocally?.({ peer: detail.id.toString(), addresses: detail.multiaddrs.map(String) })
    })
    return discovery
  }
}

/** libp2p's own log names peers and addresses; ours says only what the allow-list holds. */
const silent: ComponentLogger = { forComponent: () => quiet }
const quiet: Logger = Object.assign(() => undefined, {
  error: () => undefined,
  trace: () => undefined,
  newScope: () => quiet,
  enabled: false,
})
