import type { CryptoProvider, Secret } from '../crypto/index.ts'
import { InvariantError, UsageError } from '../errors.ts'
import { limits } from '../limits.ts'
import { stepChain, wipeKey } from './chain.ts'
import { splitSealEntropy, type SealEntropy } from './entropy.ts'
import { sealHeader } from './header.ts'
import { answerOffer, expireOffer, makeOffer, offerDue } from './pq-step.ts'
import { bodyAssociated, encodeRatchetFrame } from './ratchet-frame.ts'
import { spentBy, type Ratchet, type SendingChain } from './ratchet-state.ts'
import { stepRoot } from './root-key.ts'

/** A sealed message, the state after it, and what may be wiped once that state is committed. */
export interface MessageSealed {
  readonly ratchet: Ratchet
  readonly frame: Uint8Array
  readonly spent: readonly Secret[]
}

interface Stepped {
  readonly ratchet: Ratchet
  readonly chain: SendingChain
  /** Secrets the step made. */
  readonly made: readonly Secret[]
}

/**
 * Seals one message. The nonce is fresh and travels in clear; header and body are sealed under different
 * keys, so they share it (docs/protocol/session.md, Frames).
 */
export function sealMessage(
  crypto: CryptoProvider,
  ratchet: Ratchet,
  plaintext: Uint8Array,
  entropy: Uint8Array,
  nowMs: number,
): MessageSealed {
  const random = splitSealEntropy(entropy)
  const { ratchet: stepped, chain, made } = ensureChain(crypto, ratchet, random, nowMs)
  const alive = expireOffer(stepped.pq, nowMs)
  const fresh = offerDue(alive, nowMs)
  const pq = fresh ? makeOffer(crypto, alive, random.kemSeed, nowMs) : alive
  const rides = fresh || chain.count % limits.pqRepeatMessages === 0
  const offer = rides ? pq.offer?.keyPair.publicKey : undefined
  const { messageKey, next } = stepChain(crypto, chain.chainKey)
  const frame = sealWith(crypto, stepped, chain, messageKey, offer, plaintext, random.nonce)
  const sending = { ...chain, chainKey: next, count: chain.count + 1 }
  const after = { ...stepped, sending, pq: { ...pq, messages: pq.messages + 1 } }
  return { ratchet: after, frame, spent: spentBy(ratchet, after, made) }
}

function sealWith(
  crypto: CryptoProvider,
  ratchet: Ratchet,
  chain: SendingChain,
  key: Uint8Array,
  offer: Parameters<typeof sealHeader>[3]['offer'],
  plaintext: Uint8Array,
  nonce: Uint8Array,
): Uint8Array {
  if (ratchet.ownKey === undefined)
    throw new InvariantError('E_RATCHET_STATE', 'a sending chain without its key')
  const header = {
    ratchetKey: ratchet.ownKey.publicKey,
    previousCount: ratchet.previousCount,
    count: chain.count,
    offer,
    answer: chain.answer,
  }
  const sealedHeader = sealHeader(crypto, chain.headerKey, nonce, header, ratchet.associated)
  const sealedBody = crypto.seal(key, nonce, plaintext, bodyAssociated(ratchet.associated, sealedHeader))
  wipeKey(key)
  return encodeRatchetFrame({ nonce, sealedHeader, sealedBody })
}

/** The current sending chain, or a new one: the DH step is taken when there is something to say. */
function ensureChain(crypto: CryptoProvider, ratchet: Ratchet, random: SealEntropy, nowMs: number): Stepped {
  if (ratchet.sending !== undefined) return { ratchet, chain: ratchet.sending, made: [] }
  if (ratchet.peerKey === undefined)
    throw new UsageError('E_SESSION_UNOPENED', 'a responder opens a message before it seals one')
  const ownKey = crypto.dhKeyPair(random.ratchetSeed.slice())
  const dh = crypto.dh(ownKey, ratchet.peerKey)
  if (dh === undefined) throw new InvariantError('E_RATCHET_STATE', 'a refused ratchet key was kept')
  const { pq, mix, answer } = answerOffer(crypto, ratchet.pq, random.kemCoins, nowMs)
  const step = stepRoot(crypto, ratchet.root, dh, mix)
  const chain = { headerKey: ratchet.nextSendingHeaderKey, chainKey: step.chainKey, count: 0, answer }
  return {
    ratchet: { ...ratchet, root: step.root, ownKey, nextSendingHeaderKey: step.nextHeaderKey, pq },
    chain,
    made: [step.chainKey],
  }
}
