import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createNodeProvider } from '@sotto/core/crypto-node'
import { createValidator } from '@sotto/core/discovery'
import { openLevelMailboxStore } from '@sotto/core/level'
import { AddressGate, createLibp2pNetwork, relayLibp2pOptions } from '@sotto/core/libp2p'
import { createMailboxServer, mailboxProtocol, type MailboxServer } from '@sotto/core/mailbox'
import type { Clock, Log, MailboxStore, Network, NetworkEvent } from '@sotto/core/ports'
import { createLibp2p } from 'libp2p'
import type { Config } from './config.ts'
import { RelayFailure, codeOf, exits } from './failure.ts'
import { loadSeed, makeHome } from './identity.ts'
import { chooseAddresses, defaultHttp, freePort, linkHostOf, readHostPort } from './listen.ts'
import { openWeb, type Web } from './web.ts'

/** What a relay is started with. */
export interface RelayOptions {
  /** Directory of the identity key and the store; made when missing. */
  readonly data: string
  readonly config: Config
  readonly clock: Clock
  readonly log: Log
  /** Told in one line when a default port was taken and another one is used. */
  readonly notice: (line: string) => void
}

/** A running relay. */
export interface Relay {
  readonly peerId: string
  /** Multiaddrs with `/p2p`. */
  readonly listen: readonly string[]
  /** URL of the HTTP server. */
  readonly http: string
  /** Answers what was taken in, tells others to come back, stops. Idempotent. */
  stop(): Promise<void>
}

/** Opens the store, whose lock is the directory's: the system frees it when the process ends, however it ends. */
async function openStore(directory: string): Promise<MailboxStore> {
  try {
    return await openLevelMailboxStore(join(directory, 'mailbox'))
  } catch (cause) {
    if (codeOf(cause) === 'E_STORE_LOCKED') {
      const hint = 'stop it first, or give this one another --data directory'
      throw new RelayFailure('E_LOCKED', exits.locked, 'another relay runs in this directory', hint, cause)
    }
    const code = codeOf(cause) ?? 'E_STORE_IO'
    throw new RelayFailure(code, exits.storage, 'cannot open the store', 'check space and owner', cause)
  }
}

const builtApp = fileURLToPath(new URL('../../packages/web/dist', import.meta.url))

function appOf(config: Config): string | undefined {
  const chosen = config['http.app'] === '' ? builtApp : config['http.app']
  return existsSync(join(chosen, 'index.html')) ? chosen : undefined
}

/** Joins the network's events to the mailbox. */
export function connect(network: Network, server: MailboxServer): void {
  network.listen((event: NetworkEvent) => {
    switch (event.type) {
      case 'opened':
        server.opened(event.channel, event.peer)
        return undefined
      case 'frame':
        return server.frame(event.channel, event.frame)
      case 'closed':
        server.closed(event.channel)
        return undefined
      default:
        return undefined
    }
  })
}

function mailboxOf(
  parts: Pick<RelayOptions, 'config' | 'clock' | 'log'> & {
    readonly crypto: Awaited<ReturnType<typeof createNodeProvider>>
    readonly store: MailboxStore
    readonly network: Network
    readonly peerId: string
    readonly web: () => string | null
  },
): MailboxServer {
  const { config, network } = parts
  return createMailboxServer({
    crypto: parts.crypto,
    store: parts.store,
    random: { bytes: (length) => new Uint8Array(randomBytes(length)) },
    clock: parts.clock,
    log: parts.log,
    relayPeerId: parts.peerId,
    web: parts.web,
    terms: {
      ttlMs: config['mailbox.ttl'],
      queueItems: config['mailbox.queue_items'],
      queueBytes: config['mailbox.queue_bytes'],
      introItems: config['mailbox.intro_items'],
      workBits: config['mailbox.work_bits'],
    },
    caps: {
      queues: config['mailbox.max_queues'],
      records: config['mailbox.max_records'],
      requests: { perSecond: config['limits.requests_per_second'], burst: config['limits.request_burst'] },
      bytes: { perSecond: config['limits.bytes_per_second'], burst: config['limits.byte_burst'] },
    },
    // A channel that cannot be written is closing, and its end is an event of its own.
    out: (channel, frame) =>
      void network.write(channel, frame).catch(() => network.close(channel).catch(ignore)),
    close: (channel) => void network.close(channel).catch(ignore),
  })
}

const ignore = (): undefined => undefined

/** Handshakes under way at once; who stalls in one is cut off by libp2p, and others go on meanwhile. */
const halfOpenConnections = 2_000

async function openNetwork(
  options: RelayOptions,
  seed: Uint8Array,
  crypto: Awaited<ReturnType<typeof createNodeProvider>>,
) {
  const { config, clock, log } = options
  const { addresses, moved } = await chooseAddresses(config['listen.addresses'])
  for (const { from, to } of moved) options.notice(`port ${from} is in use; listening on ${to}`)
  const gate = new AddressGate()
  const announce = config['listen.announce']
  const recipe = await relayLibp2pOptions({
    seed,
    publicKey: crypto.signKeyPair(seed.slice()).publicKey,
    gate,
    records: createValidator(crypto, () => clock.nowMs()),
    sha256: (bytes) => crypto.sha256(bytes),
    listen: addresses,
    ...(announce.length > 0 ? { announce } : {}),
    reservations: config['circuit.reservations'],
    circuitBytes: config['circuit.data'],
    circuitMs: config['circuit.duration'],
  })
  const connectionManager = {
    ...recipe.connectionManager,
    maxConnections: config['limits.connections'],
    maxIncomingPendingConnections: halfOpenConnections,
  }
  const node = await createLibp2p({ ...recipe, connectionManager, start: false })
  const bounds = { channelsTotal: config['limits.channels'] }
  const network = createLibp2pNetwork(node, { protocols: [mailboxProtocol], gate, log, bounds })
  const ports = new Set(addresses.map((address) => Number(/\/tcp\/(\d+)/.exec(address)?.[1])))
  return { node, network, ports }
}

async function openPages(
  options: RelayOptions,
  relay: Omit<Parameters<typeof openWeb>[0], 'host' | 'port' | 'app' | 'metrics'>,
  taken: ReadonlySet<number>,
): Promise<Web> {
  const { config } = options
  const asked = config['http.address']
  const { host, port } = readHostPort(asked === '' ? defaultHttp : asked)
  const chosen = asked === '' ? await freePort(host, port, taken) : port
  if (chosen !== port) options.notice(`port ${port} is in use; serving HTTP on ${chosen}`)
  try {
    return await openWeb({
      ...relay,
      host,
      port: chosen,
      app: appOf(config),
      metrics: config['http.metrics'],
    })
  } catch (cause) {
    throw new RelayFailure(
      'E_LISTEN',
      exits.network,
      `cannot serve HTTP on port ${chosen}`,
      'is it in use?',
      cause,
    )
  }
}

/** Ticks the mailbox when it wants to be; a failed sweep is tried again at the next. */
function keepTime(server: MailboxServer, clock: Clock, log: Log): { stop(): void } {
  const retryMs = 60_000
  let timer: NodeJS.Timeout | undefined
  let stopped = false
  const tick = async (): Promise<void> => {
    const wakeAtMs = await server.tick().catch(() => {
      log.event('relay.sweep-failed')
      return clock.nowMs() + retryMs
    })
    if (stopped) return
    timer = setTimeout(() => void tick(), Math.max(1_000, wakeAtMs - clock.nowMs()))
  }
  void tick()
  return {
    stop: () => {
      stopped = true
      clearTimeout(timer)
    },
  }
}

/** Starts a relay: lock, key, mailbox, network, pages. What fails is undone and thrown as a RelayFailure. */
export async function startRelay(options: RelayOptions): Promise<Relay> {
  const { data, config, clock, log } = options
  await makeHome(data)
  const store = await openStore(data)
  const undo: (() => Promise<unknown>)[] = [() => store.close()]
  try {
    const [seed, crypto] = await Promise.all([loadSeed(data), createNodeProvider()])
    const { node, network, ports } = await openNetwork(options, seed, crypto)
    undo.unshift(() => network.stop())
    const peerId = node.peerId.toString()
    let host: string | null = null
    const web = () => host
    const server = mailboxOf({ config, clock, log, crypto, store, network, peerId, web })
    connect(network, server)
    let draining = false
    const addresses = () => node.getMultiaddrs().map(String)
    // Before the network: the first greeting already names the host.
    const about = { peerId, server, web, addresses, draining: () => draining }
    const pages = await openPages(options, about, ports)
    undo.unshift(() => pages.close())
    host = appOf(config) === undefined ? null : linkHostOf(config['http.host'], pages.url)
    await node.start()
    for (const address of config['listen.bootstrap']) await network.attach(address)
    const listen = addresses()
    if (listen.length === 0)
      throw new RelayFailure(
        'E_LISTEN',
        exits.network,
        'cannot listen on any address',
        'are the ports in use?',
      )
    const time = keepTime(server, clock, log)
    let stopping: Promise<void> | undefined
    const stop = async (): Promise<void> => {
      draining = true
      time.stop()
      await within(server.drain(), config['shutdown.drain'])
      for (const step of undo) await step()
      log.event('relay.stopped')
    }
    log.event('relay.started', { listening: listen.length, app: appOf(config) !== undefined })
    return { peerId, listen, http: pages.url, stop: () => (stopping ??= stop()) }
  } catch (thrown) {
    for (const step of undo) await step().catch(ignore)
    throw thrown
  }
}

async function within(work: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)))
  await Promise.race([work, timeout])
  clearTimeout(timer)
}
