import { Secret, type CryptoProvider } from '../crypto/index.ts'

/** Inputs of the message key and of the next chain key (The Double Ratchet Algorithm rev. 4, §7.2). */
const inputs = [Uint8Array.of(1), Uint8Array.of(2)] as const

/** One step of a symmetric chain. */
export interface ChainStep {
  /** `HMAC(CK, 0x01)`, 32 bytes, for one message; its user wipes it. */
  readonly messageKey: Uint8Array
  /** `HMAC(CK, 0x02)`: the chain key that follows. */
  readonly next: Secret
}

/** Both keys that come of one chain key. */
export function stepChain(crypto: CryptoProvider, chainKey: Secret): ChainStep {
  const [messageKey, next] = crypto.hmacSha256Each(chainKey.expose(), inputs)
  return { messageKey, next: new Secret(next) }
}

/** Overwrites a message key that has done its one job. */
export const wipeKey = (key: Uint8Array): void => {
  key.fill(0)
}
