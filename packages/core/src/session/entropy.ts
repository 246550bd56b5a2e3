import { sizes } from '../crypto/index.ts'
import { UsageError } from '../errors.ts'

/** Fresh random bytes one `initiate` takes: ephemeral key seed, KEM coins, nonce. */
export const initiateEntropyBytes: number = sizes.seed + sizes.kemCoins + sizes.aeadNonce

/** Fresh random bytes one seal takes: nonce, ratchet key seed, KEM coins, KEM seed; most messages use the nonce alone. */
export const sealEntropyBytes: number = sizes.aeadNonce + sizes.seed + sizes.kemCoins + sizes.kemSeed

/** The parts of one seal's entropy. */
export interface SealEntropy {
  readonly nonce: Uint8Array
  /** Seed of the next ratchet key pair, used at a DH step. */
  readonly ratchetSeed: Uint8Array
  /** Coins of an encapsulation, used when the peer offered a KEM key. */
  readonly kemCoins: Uint8Array
  /** Seed `d‖z` of an offered KEM key pair. */
  readonly kemSeed: Uint8Array
}

/** Splits a seal's entropy. The seeds are copies, so that the caller may wipe what it passed. */
export function splitSealEntropy(entropy: Uint8Array): SealEntropy {
  checkEntropy(entropy, sealEntropyBytes)
  const seedAt = sizes.aeadNonce
  const coinsAt = seedAt + sizes.seed
  const kemAt = coinsAt + sizes.kemCoins
  return {
    nonce: entropy.subarray(0, seedAt),
    ratchetSeed: entropy.subarray(seedAt, coinsAt),
    kemCoins: entropy.subarray(coinsAt, kemAt),
    kemSeed: entropy.subarray(kemAt),
  }
}

/** Throws `E_ENTROPY_LENGTH` unless exactly `length` bytes of randomness were passed. */
export function checkEntropy(entropy: Uint8Array, length: number): void {
  if (entropy.length !== length) {
    throw new UsageError('E_ENTROPY_LENGTH', 'wrong number of random bytes', {
      detail: { given: entropy.length, needed: length },
    })
  }
}
