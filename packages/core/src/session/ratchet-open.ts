import type { Secret } from '../crypto/index.ts'
import { type CryptoProvider } from '../crypto/index.ts'
import { limits } from '../limits.ts'
import { stepChain, wipeKey } from './chain.ts'
import { decodeHeader, type Header } from './header.ts'
import { completeOffer, expireOffer, notePeerOffer } from './pq-step.ts'
import { bodyAssociated, type RatchetFrame } from './ratchet-frame.ts'
import { spentBy, type Ratchet, type ReceivingChain } from './ratchet-state.ts'
import { stepRoot } from './root-key.ts'
import {
  addSkippedKeys,
  forgetExpired,
  forgetOldest,
  holdsExpired,
  noSkippedKeys,
  takeSkippedKey,
} from './skipped-keys.ts'

/**
 * Why a message did not open. Only `body-failed` (the header opened, the body did not) may ever lead to a new
 * handshake; `no-header-key` says nothing about who sent it.
 */
export type OpenFailure = 'malformed' | 'no-header-key' | 'duplicate' | 'too-old' | 'too-far' | 'body-failed'

/** An opened message, the state after it, and what may be wiped once that state is committed. */
export interface MessageOpened {
  readonly ok: true
  readonly ratchet: Ratchet
  readonly plaintext: Uint8Array
  readonly spent: readonly Secret[]
}

/** A refusal; the state that was passed in is untouched. */
export interface OpenRefused<R extends string = OpenFailure> {
  readonly ok: false
  readonly reason: R
}

const refuse = <R extends string>(reason: R): OpenRefused<R> => ({ ok: false, reason })

/** Position of the chain whose header key opened, or the next one's. */
type Found = { readonly chain: number | 'next'; readonly header: Header | undefined }

/** A step that is not settled yet: what it spends is found when it is over. */
type Stepped = Omit<MessageOpened, 'spent'> | OpenRefused

/** Opens one message on a new value of the state. */
export function openMessage(
  crypto: CryptoProvider,
  ratchet: Ratchet,
  frame: RatchetFrame,
  nowMs: number,
): MessageOpened | OpenRefused {
  const made: Secret[] = []
  const stepped = openFound(crypto, ratchet, frame, nowMs, made)
  if (stepped.ok) return { ...stepped, spent: spentBy(ratchet, stepped.ratchet, made) }
  for (const secret of made) secret.wipe()
  return stepped
}

/** Every secret made on the way goes into `made`. */
function openFound(
  crypto: CryptoProvider,
  ratchet: Ratchet,
  frame: RatchetFrame,
  nowMs: number,
  made: Secret[],
): Stepped {
  const found = findHeader(crypto, ratchet, frame)
  if (found === undefined) return refuse('no-header-key')
  if (found.header === undefined) return refuse('malformed')
  const fresh = forgetOld(ratchet, nowMs, made)
  if (found.chain === 'next') return openNext(crypto, fresh, frame, found.header, nowMs, made)
  const chain = fresh.receiving[found.chain]
  if (chain === undefined) return refuse('no-header-key')
  if (found.header.count < chain.count) return openSkipped(crypto, fresh, found.chain, frame, found.header)
  return openAhead(crypto, fresh, chain, frame, found.header, nowMs, made)
}

/** Tries the header keys, the likely ones first: the newest chain's, the next one's, the older ones'. */
function findHeader(crypto: CryptoProvider, ratchet: Ratchet, frame: RatchetFrame): Found | undefined {
  for (let i = 0; i < Math.max(1, ratchet.receiving.length); i++) {
    const chain = ratchet.receiving[i]
    const plain = chain && openHeader(crypto, ratchet, chain.headerKey, frame)
    if (plain !== undefined) return { chain: i, header: decodeHeader(plain) }
    if (i > 0) continue
    const next = openHeader(crypto, ratchet, ratchet.nextReceivingHeaderKey, frame)
    if (next !== undefined) return { chain: 'next', header: decodeHeader(next) }
  }
  return undefined
}

const openHeader = (
  crypto: CryptoProvider,
  ratchet: Ratchet,
  key: Secret,
  frame: RatchetFrame,
): Uint8Array | undefined => crypto.open(key.expose(), frame.nonce, frame.sealedHeader, ratchet.associated)

/** A message of a number that was passed over before: its key was kept, used, or forgotten. */
function openSkipped(
  crypto: CryptoProvider,
  ratchet: Ratchet,
  index: number,
  frame: RatchetFrame,
  header: Header,
): Stepped {
  const chain = ratchet.receiving[index]
  const taken = chain && takeSkippedKey(chain.skipped, header.count)
  if (chain === undefined || taken === undefined) {
    return refuse(header.count < (chain?.skipped.forgottenBelow ?? 0) ? 'too-old' : 'duplicate')
  }
  const plaintext = openBody(crypto, ratchet, taken.key, frame)
  if (plaintext === undefined) return refuse('body-failed')
  const receiving = ratchet.receiving.with(index, { ...chain, skipped: taken.rest })
  const pq = notedOffer(crypto, ratchet, index === 0 ? header : undefined)
  return { ok: true, ratchet: { ...ratchet, receiving, pq }, plaintext }
}

/** A message in a live chain, at or beyond the next expected number. */
function openAhead(
  crypto: CryptoProvider,
  ratchet: Ratchet,
  chain: ReceivingChain,
  frame: RatchetFrame,
  header: Header,
  nowMs: number,
  made: Secret[],
): Stepped {
  const passed = skipTo(crypto, chain, header.count, nowMs, made)
  if (passed?.chainKey === undefined) return refuse('too-far')
  const { messageKey, next } = stepChain(crypto, passed.chainKey)
  made.push(next)
  const plaintext = openBody(crypto, ratchet, messageKey, frame)
  if (plaintext === undefined) return refuse('body-failed')
  const current = { ...passed, chainKey: next, count: header.count + 1 }
  const receiving = withinBounds(ratchet.receiving.with(0, current))
  return {
    ok: true,
    ratchet: { ...ratchet, receiving, pq: notedOffer(crypto, ratchet, header) },
    plaintext,
  }
}

/** The first message of the peer's next chain: the DH step, with the KEM answer it may carry. */
function openNext(
  crypto: CryptoProvider,
  ratchet: Ratchet,
  frame: RatchetFrame,
  header: Header,
  nowMs: number,
  made: Secret[],
): Stepped {
  const [last, ...older] = ratchet.receiving
  const closed = last === undefined ? undefined : closeAt(crypto, last, header.previousCount, nowMs, made)
  if (last !== undefined && closed === undefined) return refuse('too-far')
  const stepped = stepReceiving(crypto, ratchet, header, nowMs, made)
  if (stepped === undefined) return refuse('body-failed')
  const chains = closed === undefined ? older : [closed, ...older]
  const receiving = [stepped.chain, ...chains]
  return openAhead(crypto, { ...stepped.ratchet, receiving }, stepped.chain, frame, header, nowMs, made)
}

/** KDF_RK on the receiving side. The own next key is made when there is something to send. */
function stepReceiving(
  crypto: CryptoProvider,
  ratchet: Ratchet,
  header: Header,
  nowMs: number,
  made: Secret[],
): { readonly ratchet: Ratchet; readonly chain: ReceivingChain } | undefined {
  const dh = ratchet.ownKey && crypto.dh(ratchet.ownKey, header.ratchetKey)
  if (dh === undefined) return undefined
  const completed =
    header.answer === undefined ? undefined : completeOffer(crypto, ratchet.pq, header.answer, nowMs)
  if (header.answer !== undefined && completed === undefined) return undefined
  const step = stepRoot(crypto, ratchet.root, dh, completed?.mix)
  made.push(step.root, step.chainKey, step.nextHeaderKey)
  return {
    ratchet: {
      ...ratchet,
      root: step.root,
      peerKey: header.ratchetKey,
      sending: undefined,
      previousCount: ratchet.sending?.count ?? ratchet.previousCount,
      nextReceivingHeaderKey: step.nextHeaderKey,
      pq: completed?.pq ?? ratchet.pq,
    },
    chain: {
      headerKey: ratchet.nextReceivingHeaderKey,
      chainKey: step.chainKey,
      count: 0,
      skipped: noSkippedKeys,
    },
  }
}

/** Keeps the keys of the messages before `count`; undefined when that is more than `limits.skipPerChain`, or the chain is closed. */
function skipTo(
  crypto: CryptoProvider,
  chain: ReceivingChain,
  count: number,
  nowMs: number,
  made: Secret[],
): ReceivingChain | undefined {
  if (chain.chainKey === undefined || count - chain.count > limits.skipPerChain) return undefined
  if (count <= chain.count) return chain
  const keys: Uint8Array[] = []
  let chainKey = chain.chainKey
  for (let n = chain.count; n < count; n++) {
    const { messageKey, next } = stepChain(crypto, chainKey)
    keys.push(messageKey)
    made.push(next)
    chainKey = next
  }
  const skipped = addSkippedKeys(chain.skipped, chain.count, keys, nowMs)
  made.push(skipped.rows)
  keys.forEach(wipeKey)
  return { ...chain, chainKey, count, skipped }
}

/** Ends a chain at the number of messages its author says it had. */
function closeAt(
  crypto: CryptoProvider,
  chain: ReceivingChain,
  count: number,
  nowMs: number,
  made: Secret[],
): ReceivingChain | undefined {
  const passed = skipTo(crypto, chain, count, nowMs, made)
  return passed?.chainKey === undefined ? undefined : { ...passed, chainKey: undefined }
}

function openBody(
  crypto: CryptoProvider,
  ratchet: Ratchet,
  key: Uint8Array,
  frame: RatchetFrame,
): Uint8Array | undefined {
  const plaintext = crypto.open(
    key,
    frame.nonce,
    frame.sealedBody,
    bodyAssociated(ratchet.associated, frame.sealedHeader),
  )
  wipeKey(key)
  return plaintext
}

/** An offer counts only in the newest chain: in an older one it may have been completed since. */
const notedOffer = (crypto: CryptoProvider, ratchet: Ratchet, header: Header | undefined): Ratchet['pq'] =>
  header?.offer === undefined ? ratchet.pq : notePeerOffer(crypto, ratchet.pq, header.offer)

/** Forgets what has outlived its time. */
function forgetOld(ratchet: Ratchet, nowMs: number, made: Secret[]): Ratchet {
  const pq = expireOffer(ratchet.pq, nowMs)
  const stale = ratchet.receiving.some((chain) => holdsExpired(chain.skipped, nowMs))
  if (!stale) return pq === ratchet.pq ? ratchet : { ...ratchet, pq }
  const receiving = ratchet.receiving.map((chain) => {
    const skipped = forgetExpired(chain.skipped, nowMs)
    if (skipped !== chain.skipped) made.push(skipped.rows)
    return { ...chain, skipped }
  })
  return { ...ratchet, pq, receiving }
}

/** At most `limits.receiveChains` chains and `limits.skippedKeys` keys, the oldest going first. */
function withinBounds(chains: readonly ReceivingChain[]): readonly ReceivingChain[] {
  const kept = chains.length > limits.receiveChains ? chains.slice(0, limits.receiveChains) : chains
  let excess = -limits.skippedKeys
  for (const chain of kept) excess += chain.skipped.count
  if (excess <= 0) return kept
  return kept
    .toReversed()
    .map((chain) => {
      const skipped = forgetOldest(chain.skipped, excess)
      excess -= chain.skipped.count - skipped.count
      return { ...chain, skipped }
    })
    .toReversed()
}
