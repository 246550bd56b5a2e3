import { spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { createLibp2p } from 'libp2p'
import { multiaddr } from '@multiformats/multiaddr'
import { createNodeProvider } from '../../packages/core/bindings/crypto-node/index.ts'
import {
  AddressGate,
  createLibp2pNetwork,
  nodeLibp2pOptions,
} from '../../packages/core/bindings/libp2p/index.ts'
import { createValidator } from '../../packages/core/src/discovery/index.ts'
import {
  mailboxProtocol,
  newQueueKeys,
  readHello,
  readReply,
  type ClientSession,
  type MailboxReply,
  type QueueKeys,
} from '../../packages/core/src/mailbox/index.ts'
import type { Network } from '../../packages/core/src/ports/index.ts'

export const crypto = await createNodeProvider()

const launcher = fileURLToPath(new URL('../../relay/bin/sotto-relay.mjs', import.meta.url))
const readyWithinMs = 30_000

/** The first line of a running relay. */
export interface Ready {
  readonly event: 'ready'
  readonly peerId: string
  readonly listen: readonly string[]
  readonly http: string
}

/** A relay in a process of its own. */
export interface RelayProcess {
  readonly ready: Ready
  /** Everything it has printed so far, both streams. */
  output(): string
  /** Sends a signal and gives the exit code, or null when the signal ended it. */
  end(signal: NodeJS.Signals): Promise<number | null>
}

const loopback = ['--listen', '/ip4/127.0.0.1/tcp/0', '/ip4/127.0.0.1/tcp/0/ws', '--http', '127.0.0.1:0']

function launch(args: readonly string[], env: Readonly<Record<string, string>>): ChildProcess {
  return spawn(process.execPath, [launcher, ...args], {
    env: { ...process.env, NODE_OPTIONS: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

/** Runs the command to its end. */
export async function runToEnd(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  const child = launch(args, env)
  let stdout = ''
  let stderr = ''
  child.stdout?.on('data', (chunk) => (stdout += String(chunk)))
  child.stderr?.on('data', (chunk) => (stderr += String(chunk)))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stdout, stderr }
}

/** Starts a relay on loopback and waits for its first line. */
export async function startProcess(
  data: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<RelayProcess> {
  const child = launch(['run', '--data', data, ...loopback, ...args], env)
  const closed = once(child, 'close') as Promise<[number | null]>
  let output = ''
  child.stderr?.on('data', (chunk) => (output += String(chunk)))
  const lines = createInterface({ input: child.stdout ?? process.stdin })
  lines.on('line', (line) => (output += `${line}\n`))
  const first = await Promise.race([
    once(lines, 'line', { signal: AbortSignal.timeout(readyWithinMs) }) as Promise<[string]>,
    closed.then(() => Promise.reject(new Error(`the relay ended: ${output}`))),
  ])
  return {
    ready: JSON.parse(first[0]) as Ready,
    output: () => output,
    end: async (signal) => {
      child.kill(signal)
      return (await closed)[0]
    },
  }
}

/** A fresh directory, removed by `after`. */
export async function temporary(): Promise<{ readonly path: string; after(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'sotto-relay-'))
  return { path, after: () => rm(path, { recursive: true, force: true }) }
}

/** A libp2p peer that dials out. */
export async function newPeer(): Promise<{ readonly network: Network; readonly gate: AddressGate }> {
  const seed = new Uint8Array(randomBytes(32))
  const gate = new AddressGate()
  const options = await nodeLibp2pOptions({
    seed,
    publicKey: crypto.signKeyPair(seed.slice()).publicKey,
    gate,
    records: createValidator(crypto, () => Date.now()),
    sha256: (bytes) => crypto.sha256(bytes),
    listen: [],
    mdns: false,
    webrtc: false,
  })
  const node = await createLibp2p({ ...options, start: false })
  const network = createLibp2pNetwork(node, { protocols: [], gate })
  await node.start()
  return { network, gate }
}

/** A mailbox client over real libp2p. */
export interface RelayClient {
  readonly peerId: string
  readonly session: ClientSession
  ask(build: (id: number) => Uint8Array): Promise<MailboxReply>
  /** The next push. */
  pushed(): Promise<Extract<MailboxReply, { readonly kind: 'push' }>>
  stop(): Promise<void>
}

/** A queue of values somebody may wait for. */
class Inbox<T> {
  readonly #values: T[] = []
  readonly #waiting: ((value: T) => void)[] = []

  give(value: T): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#values.push(value)
    else next(value)
  }

  take(): Promise<T> {
    const value = this.#values.shift()
    return value === undefined
      ? new Promise((resolve) => this.#waiting.push(resolve))
      : Promise.resolve(value)
  }
}

/** Opens a channel to a relay at one of its addresses and reads its hello. */
export async function connectTo(ready: Ready, address = ready.listen[0] ?? ''): Promise<RelayClient> {
  const { network, gate } = await newPeer()
  gate.permit(multiaddr(address))
  const hello = new Inbox<Uint8Array>()
  const pushes = new Inbox<Extract<MailboxReply, { readonly kind: 'push' }>>()
  const asked = new Map<number, (reply: MailboxReply) => void>()
  let greeted = false
  network.listen((event) => {
    if (event.type !== 'frame') return
    if (!greeted) {
      greeted = true
      hello.give(event.frame)
      return
    }
    const decoded = readReply(event.frame)
    if (!decoded.ok) return
    const { id, reply } = decoded.value
    if (reply.kind === 'push') pushes.give(reply)
    else if (id !== null) asked.get(id)?.(reply)
  })
  const { channel } = await network.open(ready.peerId, [address], mailboxProtocol)
  const session = readHello(ready.peerId, await hello.take())
  if (session === undefined) throw new Error('no hello')
  let lastId = 0
  return {
    peerId: await network.peerId(),
    session,
    ask: async (build) => {
      const id = ++lastId
      const reply = new Promise<MailboxReply>((resolve) => asked.set(id, resolve))
      await network.write(channel, build(id))
      return reply
    },
    pushed: () => pushes.take(),
    stop: () => network.stop(),
  }
}

export const freshKeys = (): QueueKeys => newQueueKeys(crypto, new Uint8Array(randomBytes(64)))
