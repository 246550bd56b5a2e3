import { kdf, noSalt, type CryptoProvider } from '../crypto/index.ts'
import type { Random } from '../ports/index.ts'
import { utf8 } from '../wire/index.ts'

const refillBytes = 4096

/**
 * Repeatable bytes for tests and simulations: HKDF blocks under a key that is replaced by each refill (a
 * fast-key-erasure generator). Never for a person's device. `seed` may have any length.
 */
export function seededRandom(crypto: CryptoProvider, seed: Uint8Array | string): Random {
  let key = kdf(crypto, noSalt, typeof seed === 'string' ? utf8(seed) : seed, 'random/seed')
  let pool = new Uint8Array(0)
  let used = 0
  const refill = (): void => {
    const block = kdf(crypto, noSalt, key, 'random/refill', [], 32 + refillBytes)
    key = block.slice(0, 32)
    pool = block.slice(32)
    used = 0
  }
  const bytes = (length: number): Uint8Array => {
    const out = new Uint8Array(length)
    for (let at = 0; at < length;) {
      if (used === pool.length) refill()
      const take = Math.min(length - at, pool.length - used)
      out.set(pool.subarray(used, used + take), at)
      used += take
      at += take
    }
    return out
  }
  return { bytes }
}
