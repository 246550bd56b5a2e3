import type { CryptoProvider, Secret } from '../crypto/index.ts'
import { noneSkipped, type SkippedGenerations } from './skipped-generations.ts'

/** Input of a generation's message key, and of the chain key that follows. */
const messageInput = Uint8Array.of(1)
const chainInput = Uint8Array.of(2)

/** One device's hash ratchet in one epoch. */
export interface SenderChain {
  /** Chain key of generation `count`. */
  readonly key: Secret
  /** The next generation never opened, or never sealed in the own chain. */
  readonly count: number
  readonly skipped: SkippedGenerations
  /** `aseq` of generation 0 by the device's own word; undefined until it is known. The first one stands. */
  readonly base: number | undefined
}

/** A chain at its beginning. */
export const startChain = (key: Secret, base: number | undefined): SenderChain => ({
  key,
  count: 0,
  skipped: noneSkipped,
  base,
})

/** Message key of the chain key's generation: `HMAC(ck, 1)`. */
export const messageKey = (crypto: CryptoProvider, chainKey: Uint8Array): Uint8Array =>
  crypto.hmacSha256(chainKey, messageInput)

/** The chain key that follows: `HMAC(ck, 2)`. */
export const nextKey = (crypto: CryptoProvider, chainKey: Uint8Array): Uint8Array =>
  crypto.hmacSha256(chainKey, chainInput)
