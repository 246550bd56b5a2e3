/**
 * The client's half of `/sotto/relay/1`: pure functions that build signed requests for one channel and read
 * the relay's replies. docs/protocol/mailbox.md §3.
 */
import type { CryptoProvider, SignKeyPair, SignPublicKey } from '../crypto/index.ts'
import { limits } from '../limits.ts'
import type { Decoded } from '../wire/index.ts'
import {
  findStamp,
  logIdOf,
  recvIdOf,
  sendIdOf,
  signOp,
  workSubject,
  type MailboxSession,
  type QueueKeys,
} from './capability.ts'
import {
  mailboxVersion,
  opFrame,
  replyFrame,
  requestFrame,
  type MailboxOp,
  type MailboxReply,
  type MailboxTerms,
} from './frames.ts'

/** A channel after the relay's hello: what requests are bound to, and what the relay grants and serves. */
export interface ClientSession extends MailboxSession {
  readonly terms: MailboxTerms
  /** Host under which the relay says it serves the web app, with its port if any; null without one. Unchecked. */
  readonly web: string | null
}

/** A reply with the id of its request, or null. */
export interface NumberedReply {
  readonly id: number | null
  readonly reply: MailboxReply
}

/** Reads one frame from a relay. */
export function readReply(input: Uint8Array): Decoded<NumberedReply> {
  const decoded = replyFrame.decode(input)
  if (!decoded.ok) return decoded
  return { ok: true, value: { id: decoded.value.id, reply: decoded.value.reply } }
}

/** Reads the first frame of a channel to the relay with this PeerId; undefined when it is no hello. */
export function readHello(relay: string, input: Uint8Array): ClientSession | undefined {
  const decoded = readReply(input)
  if (!decoded.ok || decoded.value.reply.kind !== 'hello') return undefined
  const { nonce, terms, web } = decoded.value.reply
  return { relay, nonce, terms, web }
}

function request(
  crypto: CryptoProvider,
  session: MailboxSession,
  id: number,
  op: MailboxOp,
  signers: readonly SignKeyPair[],
): Uint8Array {
  const body = opFrame.encode(op)
  const signatures = signers.map((own) => signOp(crypto, session, own, body))
  return requestFrame.encode({ version: mailboxVersion, id, op: body, signatures })
}

const work = (crypto: CryptoProvider, session: ClientSession, about: Uint8Array): number =>
  findStamp(crypto, workSubject(crypto, session, about), session.terms.workBits)

/** What a new queue is for: one contact's messages, or first contact by strangers. */
export type QueueKind = 'inbox' | 'intro'

/** CREATE; answers `done` also when this very queue exists. Both keys sign, so nobody can claim another's name. */
export function createQueueRequest(
  crypto: CryptoProvider,
  session: ClientSession,
  id: number,
  keys: QueueKeys,
  queue: QueueKind,
  ttlMs: number = limits.mailboxTtlMs,
): Uint8Array {
  const { read, write } = keys
  const op: MailboxOp = {
    kind: 'create',
    intro: queue === 'intro',
    readKey: read.publicKey,
    writeKey: write.publicKey,
    ttlMs,
    stamp: work(crypto, session, keys.recvId),
  }
  return request(crypto, session, id, op, [read, write])
}

/** PUT of 1 to 64 KiB; `done` means durably kept. Only a deposit into an intro queue has to be paid for. */
export function putRequest(
  crypto: CryptoProvider,
  session: ClientSession,
  id: number,
  write: SignKeyPair,
  blob: Uint8Array,
  queue: QueueKind = 'inbox',
): Uint8Array {
  const stamp = queue === 'intro' ? work(crypto, session, crypto.sha256(blob)) : 0
  const op: MailboxOp = { kind: 'put', sendId: sendIdOf(crypto, write.publicKey), blob, stamp }
  return request(crypto, session, id, op, [write])
}

/** FETCH of items with a cursor above `after`, of a log by its `recvId`; answers a page, whose `after` is where to go on. */
export const fetchRequest = (
  crypto: CryptoProvider,
  session: MailboxSession,
  id: number,
  read: SignKeyPair,
  after: number,
  limit: number = limits.fetchPage,
  recvId: Uint8Array = recvIdOf(crypto, read.publicKey),
): Uint8Array => {
  return request(crypto, session, id, { kind: 'fetch', recvId, after, limit }, [read])
}

/**
 * SUB: after `done` the relay pushes what waits above `after` and whatever comes, a window at a time; ACK on
 * the same channel opens the window again.
 */
export const subscribeRequest = (
  crypto: CryptoProvider,
  session: MailboxSession,
  id: number,
  read: SignKeyPair,
  after: number,
  recvId: Uint8Array = recvIdOf(crypto, read.publicKey),
): Uint8Array => {
  return request(crypto, session, id, { kind: 'subscribe', recvId, after }, [read])
}

/** ACK: deletes every item up to this cursor at the relay. Send it after the items are durable here. */
export const ackRequest = (
  crypto: CryptoProvider,
  session: MailboxSession,
  id: number,
  read: SignKeyPair,
  upTo: number,
): Uint8Array => {
  const recvId = recvIdOf(crypto, read.publicKey)
  return request(crypto, session, id, { kind: 'ack', recvId, upTo }, [read])
}

/** DEL: deletes the queue and all it holds; both its names are unknown afterwards. */
export const deleteRequest = (
  crypto: CryptoProvider,
  session: MailboxSession,
  id: number,
  read: SignKeyPair,
): Uint8Array => {
  const recvId = recvIdOf(crypto, read.publicKey)
  return request(crypto, session, id, { kind: 'delete', recvId }, [read])
}

/** Keys of a log: one to read, which everybody has, and one to deposit with for each who may. */
export interface LogKeys {
  readonly read: SignKeyPair
  readonly writeKeys: readonly SignPublicKey[]
}

/** CREATE of a log; answers `done` also when it exists. Anybody with its keys may ask for it. */
export function createLogRequest(
  crypto: CryptoProvider,
  session: ClientSession,
  id: number,
  { read, writeKeys }: LogKeys,
  ttlMs: number = limits.mailboxTtlMs,
): Uint8Array {
  const readKey = read.publicKey
  const stamp = work(crypto, session, logIdOf(crypto, readKey, writeKeys))
  return request(crypto, session, id, { kind: 'createLog', readKey, writeKeys, ttlMs, stamp }, [read])
}

/**
 * RECORD: keeps a sealed value of at most 12 KiB under a locator. The first write fixes the edit key; later
 * ones need it. An empty value deletes, and keeps others off the locator until `expiresAtMs`.
 */
export function recordRequest(
  crypto: CryptoProvider,
  session: ClientSession,
  id: number,
  edit: SignKeyPair,
  entry: { readonly locator: Uint8Array; readonly value: Uint8Array; readonly expiresAtMs: number },
): Uint8Array {
  const stamp = work(crypto, session, entry.locator)
  const op: MailboxOp = { kind: 'record', ...entry, editKey: edit.publicKey, stamp }
  return request(crypto, session, id, op, [edit])
}

/** LOOKUP: whoever knows the locator may read; answers `record` or `missing`. */
export const lookupRequest = (
  crypto: CryptoProvider,
  session: MailboxSession,
  id: number,
  locator: Uint8Array,
): Uint8Array => request(crypto, session, id, { kind: 'lookup', locator }, [])
