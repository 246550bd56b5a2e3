import { randomBytes } from 'node:crypto'
import { memory } from '@libp2p/memory'
import { createLibp2p, type Libp2p, type Libp2pOptions } from 'libp2p'
import {
  createDevice,
  directProtocol,
  initCrdt,
  inviteProtocol,
  linkProtocol,
  type Device,
} from '@sotto/core'
import { Secret, type CryptoProvider } from '@sotto/core/crypto'
import { createNodeProvider } from '@sotto/core/crypto-node'
import { createValidator } from '@sotto/core/discovery'
import { documentLibrary } from '@sotto/core/host-node'
import { AddressGate, createLibp2pNetwork, nodeLibp2pOptions, relayLibp2pOptions } from '@sotto/core/libp2p'
import { createMailboxServer, mailboxProtocol } from '@sotto/core/mailbox'
import { CollectingLog, CollectingNotifier, MemoryMailboxStore } from '@sotto/core/memory'
import type { Clock, Network } from '@sotto/core/ports'
import { healedWithinMs } from '../../simulations/scenarios/run.ts'
import { connect } from '../../relay/src/relay.ts'
import { FaultyStore } from '../support/faulty-store.ts'
import type { Place } from './place.ts'
import { relayName } from './script.ts'
import type { Tally } from './tally.ts'

/** What carries connections. */
export type Transport = 'memory' | 'tcp'

const clock: Clock = { nowMs: () => Date.now(), monotonicMs: () => performance.now() }
const random = { bytes: (length: number) => new Uint8Array(randomBytes(length)) }

interface Home {
  readonly key: Secret
  store: FaultyStore
  device: Device | undefined
  node: Libp2p | undefined
  alarm: NodeJS.Timeout | undefined
}

/** The product's own libp2p nodes in one process, over memory or loopback TCP, with a gate that can cut them apart. */
export async function libp2pPlace(transport: Transport, tally: Tally): Promise<Place> {
  const place = new Libp2pPlace(transport, tally, await createNodeProvider())
  await place.begin()
  return place
}

/** One host with an address of its own: a relay, or nothing but the devices that are opened there. */
export async function libp2pHost(address: string, isRelay: boolean, tally: Tally): Promise<Place> {
  const place = new Libp2pPlace('tcp', tally, await createNodeProvider(), address)
  if (isRelay) await place.begin()
  return place
}

let places = 0

class Libp2pPlace implements Place {
  readonly #transport: Transport
  readonly #tally: Tally
  readonly #crypto: CryptoProvider
  readonly #address: string
  readonly #number = ++places
  readonly #homes = new Map<string, Home>()
  readonly #hosts = new Map<string, string>()
  #side: readonly string[] = []
  #relay: { readonly node: Libp2p; readonly network: Network } | undefined

  constructor(transport: Transport, tally: Tally, crypto: CryptoProvider, address = '127.0.0.1') {
    this.#address = address
    this.#transport = transport
    this.#tally = tally
    this.#crypto = crypto
  }

  get relayAddress(): string {
    return this.#relay?.node.getMultiaddrs()[0]?.toString() ?? ''
  }

  async begin(): Promise<void> {
    const gate = new AddressGate()
    const seed = random.bytes(32)
    const recipe = await relayLibp2pOptions({ ...this.#recipe(relayName, gate, seed) })
    const node = await createLibp2p({ ...this.#over(recipe, relayName), start: false })
    const network = createLibp2pNetwork(node, { protocols: [mailboxProtocol], gate })
    const server = createMailboxServer({
      crypto: this.#crypto,
      store: new MemoryMailboxStore(),
      clock,
      random,
      log: new CollectingLog(),
      relayPeerId: node.peerId.toString(),
      out: (channel, frame) => void network.write(channel, frame).catch(() => undefined),
      close: (channel) => void network.close(channel).catch(() => undefined),
    })
    connect(network, server)
    await node.start()
    this.#hosts.set(node.peerId.toString(), relayName)
    this.#relay = { node, network }
  }

  async open(name: string, person?: string): Promise<Device> {
    const known = this.#homes.get(name)
    const home: Home = {
      key: known?.key ?? new Secret(random.bytes(32)),
      store: known === undefined ? new FaultyStore() : await known.store.reopen(),
      device: undefined,
      node: undefined,
      alarm: undefined,
    }
    this.#homes.set(name, home)
    const device = await createDevice({
      crypto: this.#crypto,
      clock,
      random,
      store: home.store,
      key: new Secret(home.key.expose().slice()),
      log: new CollectingLog(),
      notifier: new CollectingNotifier(),
      documents: async () => initCrdt(await documentLibrary()),
      connect: async (seed) => this.#connect(name, home, seed.expose().slice()),
      wake: (delayMs) => {
        clearTimeout(home.alarm)
        home.alarm = setTimeout(() => {
          if (home.device === device) device.tick()
        }, delayMs)
      },
    })
    home.device = device
    if (person !== undefined) await device.dispatch('create-account', { name: person })
    await device.start()
    return device
  }

  async close(name: string): Promise<void> {
    const home = this.#homes.get(name)
    const device = home?.device
    if (home !== undefined) home.device = undefined
    await device?.stop()
    clearTimeout(home?.alarm)
  }

  split(side: readonly string[]): void {
    this.#side = side
    for (const [host, node] of this.#nodes())
      for (const connection of node.getConnections())
        if (this.#apart(host, connection.remotePeer.toString()))
          connection.abort(new Error('the network is cut'))
  }

  heal(): void {
    this.#side = []
  }

  run = <T>(work: Promise<T>): Promise<T> => work

  async until(left: () => Promise<string | undefined>): Promise<void> {
    const endMs = performance.now() + healedWithinMs
    for (let still = await left(); still !== undefined; still = await left()) {
      if (performance.now() > endMs) throw new Error(`nothing comes of it: ${still}`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  async end(): Promise<void> {
    for (const name of this.#homes.keys()) await this.close(name)
    await this.#relay?.network.stop()
  }

  async #connect(name: string, home: Home, seed: Uint8Array): Promise<Network> {
    const gate = new AddressGate()
    const recipe = await nodeLibp2pOptions({ ...this.#recipe(name, gate, seed), mdns: false, webrtc: false })
    const node = await createLibp2p({ ...this.#over(recipe, name), start: false })
    const protocols = [directProtocol, inviteProtocol, linkProtocol]
    const network = createLibp2pNetwork(node, { protocols, gate })
    this.#hosts.set(node.peerId.toString(), name)
    home.node = node
    await node.start()
    return this.#tally.watch(network)
  }

  #recipe(name: string, gate: AddressGate, seed: Uint8Array) {
    const listen =
      this.#transport === 'tcp' ? [`/ip4/${this.#address}/tcp/0`] : [`/memory/${this.#number}-${name}`]
    return {
      seed,
      publicKey: this.#crypto.signKeyPair(seed.slice()).publicKey,
      gate,
      records: createValidator(this.#crypto, () => clock.nowMs()),
      sha256: (bytes: Uint8Array) => this.#crypto.sha256(bytes),
      listen,
    }
  }

  /** The product's recipe over the transport asked for, and closed to whom this host is cut off from. */
  #over(recipe: Libp2pOptions, host: string): Libp2pOptions {
    const inner = recipe.connectionGater ?? {}
    return {
      ...recipe,
      ...(this.#transport === 'memory' ? { transports: [memory()] } : {}),
      ...(this.#transport === 'memory' ? { addresses: { listen: [`/memory/${this.#number}-${host}`] } } : {}),
      connectionGater: {
        ...inner,
        denyDialPeer: async (peer) =>
          this.#apart(host, peer.toString()) || ((await inner.denyDialPeer?.(peer)) ?? false),
        denyInboundEncryptedConnection: async (peer, connection) =>
          this.#apart(host, peer.toString()) ||
          ((await inner.denyInboundEncryptedConnection?.(peer, connection)) ?? false),
      },
    }
  }

  #apart(host: string, peer: string): boolean {
    const other = this.#hosts.get(peer)
    return other !== undefined && this.#side.includes(host) !== this.#side.includes(other)
  }

  *#nodes(): Iterable<readonly [string, Libp2p]> {
    if (this.#relay !== undefined) yield [relayName, this.#relay.node]
    for (const [name, { node }] of this.#homes) if (node !== undefined) yield [name, node]
  }
}
