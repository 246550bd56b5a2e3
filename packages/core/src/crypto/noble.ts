import { xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import { ed25519, x25519 } from '@noble/curves/ed25519.js'
import { argon2id } from '@noble/hashes/argon2.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js'
import { equalBytes } from '../wire/bytes.ts'
import { Point, scalarOf, sha512Of } from './edwards.ts'
import { createProvider } from './guard.ts'
import { sizes } from './keys.ts'
import type { CryptoPrimitives } from './primitives.ts'
import type { CryptoProvider } from './provider.ts'

/**
 * Compares bytes as RFC 8032 §5.1.7 allows: `encode(S·B − k·A) = R`, without the cofactor. noble's own
 * `verify` multiplies by 8 in both of its modes and accepts signatures that other libraries refuse.
 */
function verifyCofactorless(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const commitment = signature.subarray(0, 32)
  const response = scalarOf(signature.subarray(32))
  const minusA = Point.fromBytes(publicKey).negate()
  const k = scalarOf(sha512Of(commitment, publicKey, message))
  const sum = Point.BASE.multiplyUnsafe(response).add(minusA.multiplyUnsafe(k))
  return equalBytes(sum.toBytes(), commitment)
}

const primitives: CryptoPrimitives = {
  name: 'noble',
  sha256: (data) => sha256(data),
  hmacSha256: (key, data) => hmac(sha256, key, data),
  hmacSha256Each: (key, inputs) => inputs.map((data) => hmac(sha256, key, data)),
  seal: (key, nonce, plaintext, associated) => xchacha20poly1305(key, nonce, associated).encrypt(plaintext),
  open(key, nonce, sealed, associated) {
    try {
      return xchacha20poly1305(key, nonce, associated).decrypt(sealed)
    } catch {
      return undefined
    }
  },
  dhPublic: (secret) => x25519.getPublicKey(secret.expose()),
  dh: (secret, remote) => x25519.getSharedSecret(secret.expose(), remote),
  signPublic: (secret) => ed25519.getPublicKey(secret.expose()),
  sign: (secret, message) => ed25519.sign(message, secret.expose()),
  verify: verifyCofactorless,
  kemPublic: (secret) => ml_kem768.keygen(secret.expose()).publicKey,
  kemEncapsulate(remote, coins) {
    const { cipherText: ciphertext, sharedSecret } = ml_kem768.encapsulate(remote, coins)
    return { ciphertext, sharedSecret }
  },
  kemDecapsulate: (secret, ciphertext) =>
    ml_kem768.decapsulate(ciphertext, ml_kem768.keygen(secret.expose()).secretKey),
  argon2id: (password, salt, { memoryKiB, passes }) =>
    argon2id(password, salt, { m: memoryKiB, t: passes, p: 1, dkLen: sizes.hash }),
}

/** The portable provider: plain JavaScript, no wasm, no platform library. Slow, and everybody's oracle. */
export const nobleProvider = (): CryptoProvider => createProvider(primitives)
