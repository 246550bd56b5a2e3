/** Ideal signatures and ideal sealing: what opens or verifies is what was made with the key, and nothing else. */
import {
  sizes,
  type CryptoProvider,
  type Secret,
  type SignPublicKey,
  type Signature,
} from '../../packages/core/src/crypto/index.ts'
import { concat, equalBytes, toHex } from '../../packages/core/src/wire/index.ts'

/** Hashes and derivations are `base`'s own. Sealed text stays legible: the model's attacker goes by keys alone. */
export function idealProvider(base: CryptoProvider): CryptoProvider {
  const secrets = new Map<string, Secret>()
  const mark = (secret: Secret, message: Uint8Array): Signature => {
    const half = base.hmacSha256(secret.expose(), message)
    return concat(half, half) as Signature
  }
  const tag = (key: Uint8Array, nonce: Uint8Array, text: Uint8Array, associated: Uint8Array): Uint8Array =>
    base.hmacSha256(key, concat(nonce, associated, text)).subarray(0, sizes.aeadTag)
  return {
    ...base,
    signKeyPair: (seed) => {
      const pair = base.signKeyPair(seed)
      secrets.set(toHex(pair.publicKey), pair.secret)
      return pair
    },
    sign: (own, message) => mark(own.secret, message),
    verify: (remote: SignPublicKey, message, signature) => {
      const secret = secrets.get(toHex(remote))
      return secret !== undefined && equalBytes(mark(secret, message), signature)
    },
    seal: (key, nonce, plaintext, associated) => concat(plaintext, tag(key, nonce, plaintext, associated)),
    open: (key, nonce, sealed, associated) => {
      const text = sealed.slice(0, -sizes.aeadTag)
      return equalBytes(tag(key, nonce, text, associated), sealed.slice(-sizes.aeadTag)) ? text : undefined
    },
  }
}
