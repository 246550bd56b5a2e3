import {
  idOf,
  signAs,
  sizes,
  verifyAs,
  type CryptoProvider,
  type SignKeyPair,
  type SignPublicKey,
  type Signature,
} from '../crypto/index.ts'
import { UsageError } from '../errors.ts'
import { concat, encodeCbor } from '../wire/index.ts'

/** Name of a queue to its reader: the hash of the reading key, so that the key itself need not be told. */
export const recvIdOf = (crypto: CryptoProvider, readKey: SignPublicKey): Uint8Array =>
  idOf(crypto, 'mailbox-read', readKey)

/** Name of a queue to its writers: unlinkable with the reader's name for whoever does not hold both keys. */
export const sendIdOf = (crypto: CryptoProvider, writeKey: SignPublicKey): Uint8Array =>
  idOf(crypto, 'mailbox-write', writeKey)

/** Name of a log to its readers: the hash of its reading key and of every key that may deposit. */
export const logIdOf = (
  crypto: CryptoProvider,
  readKey: SignPublicKey,
  writeKeys: readonly SignPublicKey[],
): Uint8Array => idOf(crypto, 'mailbox-log', encodeCbor([readKey, ...writeKeys]))

/** Hash under which a relay recognises a deposit it has already taken. */
export const blobHashOf = (crypto: CryptoProvider, blob: Uint8Array): Uint8Array =>
  idOf(crypto, 'mailbox-blob', blob)

/** The two capabilities of a queue and the names derived from them. */
export interface QueueKeys {
  readonly read: SignKeyPair
  readonly write: SignKeyPair
  readonly recvId: Uint8Array
  readonly sendId: Uint8Array
}

/** Fresh random bytes one queue needs. */
export const queueEntropyBytes = 2 * sizes.seed

/** Keys of a new queue from 64 fresh random bytes: the seed of the reading key, then that of the writing key. */
export function newQueueKeys(crypto: CryptoProvider, entropy: Uint8Array): QueueKeys {
  if (entropy.length !== queueEntropyBytes)
    throw new UsageError('E_LENGTH', 'a queue needs 64 bytes of entropy')
  const read = crypto.signKeyPair(entropy.slice(0, sizes.seed))
  const write = crypto.signKeyPair(entropy.slice(sizes.seed))
  return { read, write, recvId: recvIdOf(crypto, read.publicKey), sendId: sendIdOf(crypto, write.publicKey) }
}

/** One channel to one relay, as both ends know it; what every signature is bound to. */
export interface MailboxSession {
  /** The relay's PeerId, as the transport proved it. */
  readonly relay: string
  /** 32 bytes the relay drew for this channel. */
  readonly nonce: Uint8Array
}

const contextOf = (session: MailboxSession): Uint8Array => encodeCbor([session.relay, session.nonce])

/** Signs the exact bytes of an op for this channel of this relay and no other. */
export const signOp = (
  crypto: CryptoProvider,
  session: MailboxSession,
  own: SignKeyPair,
  op: Uint8Array,
): Signature => signAs(crypto, own, 'mailbox-op', contextOf(session), crypto.sha256(op))

/** Verifies what `signOp` made. */
export const verifyOp = (
  crypto: CryptoProvider,
  session: MailboxSession,
  remote: SignPublicKey,
  op: Uint8Array,
  signature: Signature,
): boolean => verifyAs(crypto, remote, 'mailbox-op', contextOf(session), crypto.sha256(op), signature)

/** What a proof of work is about: this channel and the thing asked for, so that none is made in stock. */
export const workSubject = (crypto: CryptoProvider, session: MailboxSession, about: Uint8Array): Uint8Array =>
  idOf(crypto, 'mailbox-work', encodeCbor([session.relay, session.nonce, about]))

/** Whether `stamp` is a proof of work of at least `bits` leading zero bits for the subject. */
export function checkWork(crypto: CryptoProvider, subject: Uint8Array, stamp: number, bits: number): boolean {
  if (bits === 0) return true
  const digest = crypto.sha256(concat(subject, encodeCbor(stamp)))
  for (let bit = 0; bit < bits; bit++) {
    if (((digest[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1) return false
  }
  return true
}

/** The smallest stamp that passes `checkWork`; takes about 2^bits hashes, at once. */
export function findStamp(crypto: CryptoProvider, subject: Uint8Array, bits: number): number {
  let stamp = 0
  while (!checkWork(crypto, subject, stamp, bits)) stamp += 1
  return stamp
}
