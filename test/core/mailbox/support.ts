import { createNodeProvider } from '../../../packages/core/bindings/crypto-node/index.ts'
import type { SignKeyPair } from '../../../packages/core/src/crypto/index.ts'
import {
  createMailboxServer,
  createQueueRequest,
  newQueueKeys,
  readHello,
  readReply,
  type ClientSession,
  type MailboxReply,
  type MailboxServer,
  type MailboxServerOptions,
  type NumberedReply,
  type QueueKeys,
  type QueueKind,
} from '../../../packages/core/src/mailbox/index.ts'
import {
  CollectingLog,
  ManualClock,
  MemoryMailboxStore,
  seededRandom,
} from '../../../packages/core/src/memory/index.ts'
import type { MailboxStore, Random } from '../../../packages/core/src/ports/index.ts'

export const crypto = await createNodeProvider()

/** Noon of a day in 2026. */
export const noonMs = Date.UTC(2026, 2, 10, 12)
export const dayMs = 24 * 60 * 60 * 1_000

/** Bytes that repeat for the same seed. */
export const bytesOf = (seed: string, length: number): Uint8Array => seededRandom(crypto, seed).bytes(length)

export const keysOf = (seed: string): QueueKeys => newQueueKeys(crypto, bytesOf(`queue ${seed}`, 64))
export const signerOf = (seed: string): SignKeyPair => crypto.signKeyPair(bytesOf(`signer ${seed}`, 32))

/** One end of a channel as a test drives it. */
export interface TestClient {
  readonly channel: number
  readonly session: ClientSession
  /** Everything the relay sent, oldest first, the hello included. */
  readonly received: Uint8Array[]
  /** Sends a request built for this session under a fresh id and gives its reply. */
  ask(build: (id: number) => Uint8Array): Promise<MailboxReply>
  /** Sends bytes as they are and gives what came back for them. */
  raw(input: Uint8Array): Promise<readonly NumberedReply[]>
  /** Replies since the last call, without requests' own. */
  pushes(): readonly Extract<MailboxReply, { readonly kind: 'push' }>[]
}

/** A relay's mailbox with a manual clock and any store. */
export interface TestRelay {
  readonly server: MailboxServer
  readonly store: MailboxStore
  readonly clock: ManualClock
  readonly log: CollectingLog
  readonly random: Random
  readonly hungUp: ReadonlySet<number>
  connect(peer?: string): TestClient
}

export function startRelay(
  options: Partial<Pick<MailboxServerOptions, 'terms' | 'caps' | 'relayPeerId' | 'web'>> & {
    readonly store?: MailboxStore
    readonly seed?: string
  } = {},
): TestRelay {
  const clock = new ManualClock(noonMs)
  const log = new CollectingLog()
  const random = seededRandom(crypto, options.seed ?? 'relay')
  const store = options.store ?? new MemoryMailboxStore()
  const inboxes = new Map<number, Uint8Array[]>()
  const hungUp = new Set<number>()
  const relayPeerId = options.relayPeerId ?? 'relay-one'
  const server = createMailboxServer({
    crypto,
    store,
    random,
    clock,
    log,
    relayPeerId,
    ...(options.terms === undefined ? {} : { terms: options.terms }),
    ...(options.caps === undefined ? {} : { caps: options.caps }),
    ...(options.web === undefined ? {} : { web: options.web }),
    out: (channel, frame) => void inboxes.get(channel)?.push(frame),
    close: (channel) => void hungUp.add(channel),
  })
  let channels = 0
  const connect = (peer = 'peer'): TestClient => {
    const channel = ++channels
    const received: Uint8Array[] = []
    inboxes.set(channel, received)
    server.opened(channel, peer)
    return clientOf(server, channel, relayPeerId, received)
  }
  return { server, store, clock, log, random, hungUp, connect }
}

const read = (input: Uint8Array): NumberedReply => {
  const decoded = readReply(input)
  if (!decoded.ok) throw new Error(`the relay sent something else: ${decoded.reason}`)
  return decoded.value
}

function clientOf(server: MailboxServer, channel: number, relay: string, received: Uint8Array[]): TestClient {
  const session = readHello(relay, received[0] ?? new Uint8Array())
  if (session === undefined) throw new Error('no hello')
  let lastId = 0
  let seen = 1
  const raw = async (input: Uint8Array): Promise<readonly NumberedReply[]> => {
    const before = received.length
    void server.frame(channel, input)
    await server.settled()
    return received.slice(before).map(read)
  }
  return {
    channel,
    session,
    received,
    raw,
    ask: async (build) => {
      const id = ++lastId
      const reply = (await raw(build(id))).find((numbered) => numbered.id === id)
      if (reply === undefined) throw new Error('no reply')
      return reply.reply
    },
    pushes: () => {
      const fresh = received.slice(seen).map((frame) => read(frame).reply)
      seen = received.length
      return fresh.filter((reply) => reply.kind === 'push')
    },
  }
}

/** Creates a queue and returns its keys. */
export async function newQueue(
  client: TestClient,
  seed: string,
  kind: QueueKind = 'inbox',
  ttlMs?: number,
): Promise<QueueKeys> {
  const keys = keysOf(seed)
  const reply = await client.ask((id) => createQueueRequest(crypto, client.session, id, keys, kind, ttlMs))
  if (reply.kind !== 'done') throw new Error(`create: ${reply.kind}`)
  return keys
}
