/** The relay's half of `/sotto/relay/1`: one request in, writes and one reply out. docs/protocol/mailbox.md §4. */
import type { CryptoProvider, SignPublicKey, Signature } from '../crypto/index.ts'
import { limits } from '../limits.ts'
import { writersOf, type MailboxItem, type MailboxQueue, type MailboxWrite } from '../ports/index.ts'
import { equalBytes, toHex } from '../wire/index.ts'
import {
  blobHashOf,
  checkWork,
  logIdOf,
  recvIdOf,
  sendIdOf,
  verifyOp,
  workSubject,
  type MailboxSession,
} from './capability.ts'
import {
  encodeReply,
  mailboxVersion,
  opFrame,
  requestFrame,
  versionOf,
  type DeliveredItem,
  type MailboxOp,
  type MailboxReply,
  type MailboxTerms,
} from './frames.ts'
import type { MailboxReads } from './overlay.ts'

/** What a relay serves from. */
export interface ServeDeps {
  readonly store: MailboxReads
  readonly terms: MailboxTerms
  /** A key nobody holds: verified against for a queue that does not exist, so that both refusals cost the same. */
  readonly decoy: SignPublicKey
  /** Whether there is room for another queue or record. */
  readonly admits: { readonly queues: boolean; readonly records: boolean }
}

/** What a channel starts or stops watching as the effect of a request, once its writes are durable. */
export type ServeEffect =
  | { readonly type: 'watch'; readonly recvId: Uint8Array; readonly after: number }
  | { readonly type: 'acked'; readonly recvId: Uint8Array; readonly upTo: number }
  | { readonly type: 'deleted'; readonly recvId: Uint8Array }
  | { readonly type: 'appended'; readonly recvId: Uint8Array }

/** The outcome of one request. Release `reply` only after `writes` are durable (commit, then answer). */
export interface Served {
  readonly id: number | null
  readonly reply: MailboxReply
  readonly writes: readonly MailboxWrite[]
  readonly effect?: ServeEffect
  /** The channel is to be closed once the reply is out. */
  readonly close?: true
}

type Answer = Omit<Served, 'id'>

const answer = (reply: MailboxReply, writes: readonly MailboxWrite[] = [], effect?: ServeEffect): Answer =>
  effect === undefined ? { reply, writes } : { reply, writes, effect }

const done: MailboxReply = { kind: 'done' }
const denied: Answer = answer({ kind: 'denied' })

interface Call {
  readonly crypto: CryptoProvider
  readonly deps: ServeDeps
  readonly session: MailboxSession
  readonly body: Uint8Array
  readonly signatures: readonly Signature[]
  readonly nowMs: number
}

type OpOf<K extends MailboxOp['kind']> = Extract<MailboxOp, { readonly kind: K }>

const signedBy = (call: Call, key: SignPublicKey, at = 0): boolean => {
  const signature = call.signatures[at]
  return signature !== undefined && verifyOp(call.crypto, call.session, key, call.body, signature)
}

const paid = (call: Call, about: Uint8Array, stamp: number): boolean =>
  checkWork(call.crypto, workSubject(call.crypto, call.session, about), stamp, call.deps.terms.workBits)

const unpaid = (call: Call): Answer => answer({ kind: 'unpaid', workBits: call.deps.terms.workBits })

/** The queue if its reader signed the request; an unknown queue costs one verification too. */
async function readable(call: Call, recvId: Uint8Array): Promise<MailboxQueue | undefined> {
  const queue = await call.deps.store.queueByReader(recvId)
  return signedBy(call, (queue?.readKey ?? call.deps.decoy) as SignPublicKey) ? queue : undefined
}

/** The queue if it has one reader, who signed the request. */
async function owned(call: Call, recvId: Uint8Array): Promise<MailboxQueue | undefined> {
  const queue = await readable(call, recvId)
  return queue?.kind === 'log' ? undefined : queue
}

/** The queue if the writer who names it so signed the request. */
async function writable(call: Call, sendId: Uint8Array): Promise<MailboxQueue | undefined> {
  const queue = await call.deps.store.queueByWriter(sendId)
  const writer = queue && writersOf(queue).find((one) => equalBytes(one.sendId, sendId))
  return signedBy(call, (writer?.writeKey ?? call.deps.decoy) as SignPublicKey) ? queue : undefined
}

async function create(call: Call, op: OpOf<'create'>): Promise<Answer> {
  const { crypto, deps } = call
  const recvId = recvIdOf(crypto, op.readKey)
  const sendId = sendIdOf(crypto, op.writeKey)
  if (!paid(call, recvId, op.stamp)) return unpaid(call)
  if (!signedBy(call, op.readKey, 0) || !signedBy(call, op.writeKey, 1)) return denied
  const reader = await deps.store.queueByReader(recvId)
  const writer = await deps.store.queueByWriter(sendId)
  if (reader !== undefined || writer !== undefined) {
    const same = reader !== undefined && reader.kind !== 'log' && equalBytes(reader.sendId, sendId)
    return same ? answer(done) : denied
  }
  if (!deps.admits.queues) return answer({ kind: 'declined' })
  const queue: MailboxQueue = {
    kind: op.intro ? 'intro' : 'inbox',
    recvId,
    sendId,
    readKey: op.readKey,
    writeKey: op.writeKey,
    ttlMs: Math.min(op.ttlMs, deps.terms.ttlMs),
    createdAtMs: call.nowMs,
  }
  return answer(done, [{ type: 'create', queue }])
}

/** Its id holds all keys of a log, so whoever knows them may ask for it, any number of times. */
async function createLog(call: Call, op: OpOf<'createLog'>): Promise<Answer> {
  const { crypto, deps } = call
  const recvId = logIdOf(crypto, op.readKey, op.writeKeys)
  if (!paid(call, recvId, op.stamp)) return unpaid(call)
  if (!signedBy(call, op.readKey)) return denied
  if ((await deps.store.queueByReader(recvId)) !== undefined) return answer(done)
  const writers = op.writeKeys.map((writeKey) => ({ sendId: sendIdOf(crypto, writeKey), writeKey }))
  const names = new Set(writers.map(({ sendId }) => toHex(sendId)))
  if (writers.length === 0 || names.size < writers.length) return denied
  for (const { sendId } of writers) if ((await deps.store.queueByWriter(sendId)) !== undefined) return denied
  if (!deps.admits.queues) return answer({ kind: 'declined' })
  const ttlMs = Math.min(op.ttlMs, deps.terms.ttlMs)
  const queue: MailboxQueue = {
    kind: 'log',
    recvId,
    readKey: op.readKey,
    writers,
    ttlMs,
    createdAtMs: call.nowMs,
  }
  return answer(done, [{ type: 'create', queue }])
}

/** Whether a queue has no room for a blob; each writer of a log has an equal share of it, for all its life. */
async function isFull(call: Call, queue: MailboxQueue, { sendId, blob }: OpOf<'put'>): Promise<boolean> {
  const { store, terms } = call.deps
  const share = queue.kind === 'log' ? queue.writers.length : 1
  const used = await (queue.kind === 'log' ? store.deposited(sendId) : store.usage(queue.recvId))
  const items = queue.kind === 'intro' ? terms.introItems : Math.max(1, Math.floor(terms.queueItems / share))
  return used.items >= items || used.bytes + blob.length > Math.floor(terms.queueBytes / share)
}

async function put(call: Call, op: OpOf<'put'>): Promise<Answer> {
  const { crypto, deps } = call
  const queue = await writable(call, op.sendId)
  const endMs = queue?.kind === 'log' ? queue.createdAtMs + queue.ttlMs : Infinity
  if (queue === undefined || endMs <= call.nowMs) return denied
  const intro = queue.kind === 'intro'
  if (intro && !paid(call, crypto.sha256(op.blob), op.stamp)) return unpaid(call)
  const blobHash = blobHashOf(crypto, op.blob)
  if (await deps.store.holds(queue.recvId, blobHash)) return answer(done)
  if (await isFull(call, queue, op)) return answer({ kind: 'full' })
  const { recvId } = queue
  const expiresAtMs = Math.min(call.nowMs + queue.ttlMs, endMs)
  const sendId = queue.kind === 'log' ? { sendId: op.sendId } : {}
  const write: MailboxWrite = { type: 'append', recvId, blob: op.blob, blobHash, expiresAtMs, ...sendId }
  return answer(done, [write], { type: 'appended', recvId })
}

/** Bytes of one item in a reply beside its blob: four heads and two numbers. */
const itemOverheadBytes = 32

/** As many of the items as one frame holds, at least one. */
export function fitting(items: readonly MailboxItem[], budget: number): readonly MailboxItem[] {
  let bytes = 0
  const end = items.findIndex((item, index) => {
    bytes += item.blob.length + itemOverheadBytes
    return bytes > budget && index > 0
  })
  return end < 0 ? items : items.slice(0, end)
}

/** The items a reader may still see. */
export const alive = (items: readonly MailboxItem[], nowMs: number): readonly DeliveredItem[] =>
  items
    .filter((item) => item.expiresAtMs > nowMs)
    .map(({ cursor, blob, expiresAtMs }) => ({ cursor, blob, expiresAtMs }))

async function fetch(call: Call, op: OpOf<'fetch'>): Promise<Answer> {
  const { store } = call.deps
  const queue = await readable(call, op.recvId)
  if (queue === undefined) return denied
  const limit = Math.max(1, op.limit)
  const found = await store.page(queue.recvId, op.after, limit)
  const page = fitting(found, limits.frameBytes)
  const more = found.length === limit || page.length < found.length
  const after = page.at(-1)?.cursor ?? op.after
  return answer({ kind: 'page', items: alive(page, call.nowMs), after, more })
}

async function subscribe(call: Call, op: OpOf<'subscribe'>): Promise<Answer> {
  const queue = await readable(call, op.recvId)
  if (queue === undefined) return denied
  return answer(done, [], { type: 'watch', recvId: queue.recvId, after: op.after })
}

async function ack(call: Call, op: OpOf<'ack'>): Promise<Answer> {
  const queue = await owned(call, op.recvId)
  if (queue === undefined) return denied
  const { recvId } = queue
  return answer(done, [{ type: 'ack', recvId, upTo: op.upTo }], { type: 'acked', recvId, upTo: op.upTo })
}

async function remove(call: Call, op: OpOf<'delete'>): Promise<Answer> {
  const queue = await owned(call, op.recvId)
  if (queue === undefined) return denied
  const { recvId } = queue
  return answer(done, [{ type: 'delete', recvId }], { type: 'deleted', recvId })
}

async function record(call: Call, op: OpOf<'record'>): Promise<Answer> {
  const { deps, nowMs } = call
  if (!paid(call, op.locator, op.stamp)) return unpaid(call)
  if (!signedBy(call, op.editKey)) return denied
  const stored = await deps.store.record(op.locator)
  const held = stored !== undefined && stored.expiresAtMs > nowMs ? stored : undefined
  if (held !== undefined && !equalBytes(held.editKey, op.editKey)) return denied
  const expiresAtMs = Math.min(op.expiresAtMs, nowMs + deps.terms.recordMs)
  if (held === undefined && (!deps.admits.records || expiresAtMs <= nowMs))
    return answer({ kind: 'declined' })
  const { locator, value, editKey } = op
  return answer(done, [{ type: 'record', locator, record: { value, expiresAtMs, editKey } }])
}

async function lookup(call: Call, op: OpOf<'lookup'>): Promise<Answer> {
  const found = await call.deps.store.record(op.locator)
  if (found === undefined || found.expiresAtMs <= call.nowMs || found.value.length === 0) {
    return answer({ kind: 'missing' })
  }
  const { value, expiresAtMs } = found
  return answer({ kind: 'record', value, expiresAtMs, editKey: found.editKey as SignPublicKey })
}

function serveOp(call: Call, op: MailboxOp): Promise<Answer> {
  switch (op.kind) {
    case 'create':
      return create(call, op)
    case 'createLog':
      return createLog(call, op)
    case 'put':
      return put(call, op)
    case 'fetch':
      return fetch(call, op)
    case 'subscribe':
      return subscribe(call, op)
    case 'ack':
      return ack(call, op)
    case 'delete':
      return remove(call, op)
    case 'record':
      return record(call, op)
    case 'lookup':
      return lookup(call, op)
  }
}

/** The id of a request, for an answer that needs nothing else of it; undefined when it is no request. */
export function requestIdOf(input: Uint8Array): number | undefined {
  const decoded = requestFrame.decode(input)
  return decoded.ok ? decoded.value.id : undefined
}

/**
 * Serves one request frame: any bytes give a reply. Reads `deps.store`, writes nothing; a store's failure is
 * thrown (PortError) and leaves nothing behind.
 */
export async function serveRequest(
  crypto: CryptoProvider,
  deps: ServeDeps,
  session: MailboxSession,
  input: Uint8Array,
  nowMs: number,
): Promise<Served> {
  const outer = requestFrame.decode(input)
  if (!outer.ok) {
    const version = versionOf(input)
    if (version !== undefined && version !== mailboxVersion) {
      return { id: null, reply: { kind: 'version', supported: mailboxVersion }, writes: [], close: true }
    }
    return { id: null, reply: { kind: 'malformed' }, writes: [] }
  }
  const { id, op: body, signatures } = outer.value
  const op = opFrame.decode(body)
  if (!op.ok) return { id, reply: { kind: 'malformed' }, writes: [] }
  return { id, ...(await serveOp({ crypto, deps, session, body, signatures, nowMs }, op.value)) }
}

/** The bytes of a served reply. */
export const replyBytes = (served: Served): Uint8Array => encodeReply(served.id, served.reply)
