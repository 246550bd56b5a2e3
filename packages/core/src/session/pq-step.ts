import { type CryptoProvider, type KemKeyPair, type KemPublicKey } from '../crypto/index.ts'
import { limits } from '../limits.ts'
import { concat, equalBytes } from '../wire/index.ts'
import { offerNameBytes, type PqAnswer } from './header.ts'
import type { KemMix } from './root-key.ts'

/** An own KEM key on offer. Its secret lives until an answer authenticates or `limits.pqOfferMs` have passed. */
export interface PqOffer {
  readonly keyPair: KemKeyPair
  readonly createdAtMs: number
}

/**
 * One end's view of the post-quantum step. Either direction may have an offer out; an answer is mixed into
 * the answering side's next DH step, at most one a step.
 */
export interface PqState {
  readonly offer: PqOffer | undefined
  /** The peer's offered key, to be answered at the next own DH step. */
  readonly peerKey: KemPublicKey | undefined
  /** Name of the peer's key that was answered last: its repetitions are old news. */
  readonly answeredName: Uint8Array | undefined
  /** Own messages since the last completed step. */
  readonly messages: number
  readonly steppedAtMs: number
  /** A step was asked for, whatever the counters say. */
  readonly wanted: boolean
  /** An offer went unanswered for its whole life; only a new handshake helps. */
  readonly overdue: boolean
}

/** The state after a handshake, which is itself a post-quantum step. */
export const startPq = (nowMs: number): PqState => ({
  offer: undefined,
  peerKey: undefined,
  answeredName: undefined,
  messages: 0,
  steppedAtMs: nowMs,
  wanted: false,
  overdue: false,
})

/** Whether a fresh KEM key should be offered with the next message. */
export const offerDue = (pq: PqState, nowMs: number): boolean =>
  pq.offer === undefined &&
  !pq.overdue &&
  (pq.wanted || pq.messages >= limits.pqStepMessages || nowMs - pq.steppedAtMs >= limits.pqStepMs)

/** Makes an offer from a 64-byte seed. */
export const makeOffer = (crypto: CryptoProvider, pq: PqState, seed: Uint8Array, nowMs: number): PqState => ({
  ...pq,
  offer: { keyPair: crypto.kemKeyPair(seed), createdAtMs: nowMs },
  wanted: false,
})

/** Gives up an offer past its life; the session then asks for a new handshake. */
export const expireOffer = (pq: PqState, nowMs: number): PqState =>
  pq.offer === undefined || nowMs - pq.offer.createdAtMs < limits.pqOfferMs
    ? pq
    : { ...pq, offer: undefined, overdue: true }

/** The name of an offered key: the first bytes of its SHA-256. */
const nameOf = (crypto: CryptoProvider, key: KemPublicKey): Uint8Array =>
  crypto.sha256(key).slice(0, offerNameBytes)

/** Takes note of the peer's offer, unless it was answered already. */
export function notePeerOffer(crypto: CryptoProvider, pq: PqState, key: KemPublicKey): PqState {
  if (pq.peerKey !== undefined && equalBytes(pq.peerKey, key)) return pq
  if (pq.answeredName !== undefined && equalBytes(pq.answeredName, nameOf(crypto, key))) return pq
  return { ...pq, peerKey: key }
}

/** A step taken: the state after it, what to mix, and for the answering side what to send. */
export interface PqAnswered {
  readonly pq: PqState
  readonly mix: KemMix | undefined
  readonly answer: PqAnswer | undefined
}

/** Answers the peer's offer, if there is one. A key that fails the modulus check is forgotten. */
export function answerOffer(
  crypto: CryptoProvider,
  pq: PqState,
  coins: Uint8Array,
  nowMs: number,
): PqAnswered {
  if (pq.peerKey === undefined) return { pq, mix: undefined, answer: undefined }
  const name = nameOf(crypto, pq.peerKey)
  const result = crypto.kemEncapsulate(pq.peerKey, coins)
  const rest = { ...pq, peerKey: undefined, answeredName: name }
  if (result === undefined) return { pq: rest, mix: undefined, answer: undefined }
  const transcript = crypto.sha256(concat(pq.peerKey, result.ciphertext))
  return {
    pq: { ...rest, messages: 0, steppedAtMs: nowMs, wanted: false },
    mix: { sharedSecret: result.sharedSecret, transcript },
    answer: { name, ciphertext: result.ciphertext },
  }
}

/** Completes the own offer with the peer's answer; undefined when it answers no key of ours. */
export function completeOffer(
  crypto: CryptoProvider,
  pq: PqState,
  answer: PqAnswer,
  nowMs: number,
): { readonly pq: PqState; readonly mix: KemMix } | undefined {
  const offer = pq.offer
  if (offer === undefined || !equalBytes(nameOf(crypto, offer.keyPair.publicKey), answer.name))
    return undefined
  const sharedSecret = crypto.kemDecapsulate(offer.keyPair, answer.ciphertext)
  if (sharedSecret === undefined) return undefined
  return {
    pq: { ...pq, offer: undefined, messages: 0, steppedAtMs: nowMs },
    mix: { sharedSecret, transcript: crypto.sha256(concat(offer.keyPair.publicKey, answer.ciphertext)) },
  }
}
