import type {
  DhKeyPair,
  DhPublicKey,
  KemCiphertext,
  KemKeyPair,
  KemPublicKey,
  SignKeyPair,
  SignPublicKey,
  Signature,
} from './keys.ts'

/** Argon2id cost (RFC 9106 §3.1): memory in KiB, passes over it; one lane. */
export interface PasswordCost {
  readonly memoryKiB: number
  readonly passes: number
}

/**
 * The primitives, narrowed and synchronous. Every provider gives the same answer to every input: lengths
 * are checked and the Ed25519 gate is applied before any library sees the bytes. What a peer's bytes can
 * cause is `undefined` or `false`; a wrong length of one's own argument is a UsageError. No call draws
 * randomness: seeds, nonces and coins are arguments. Arguments are lent: no provider keeps one, and a result is
 * memory of its own.
 */
export interface CryptoProvider {
  readonly name: string
  /** SHA-256 (FIPS 180-4), 32 bytes. */
  sha256(data: Uint8Array): Uint8Array
  /** HMAC-SHA-256 (RFC 2104), 32 bytes; the key may have any length. */
  hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array
  /** `hmacSha256` of each input under one 32-byte key, whose own two blocks are hashed once for all of them. */
  hmacSha256Each<const I extends readonly Uint8Array[]>(
    key: Uint8Array,
    inputs: I,
  ): { readonly [K in keyof I]: Uint8Array }
  /** XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03): ciphertext followed by the 16-byte tag. */
  seal(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array, associated: Uint8Array): Uint8Array
  /** Opens what `seal` made; undefined when it does not authenticate. */
  open(key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array, associated: Uint8Array): Uint8Array | undefined
  /** X25519 key pair of a 32-byte seed. */
  dhKeyPair(seed: Uint8Array): DhKeyPair
  /** X25519 shared secret; undefined for a low-order or non-canonical public key. */
  dh(own: DhKeyPair, remote: DhPublicKey): Uint8Array | undefined
  /** Ed25519 key pair of a 32-byte seed. */
  signKeyPair(seed: Uint8Array): SignKeyPair
  /** Ed25519 signature (RFC 8032 §5.1.6). */
  sign(own: SignKeyPair, message: Uint8Array): Signature
  /** Cofactorless verification after the gate: lengths, S < L, A canonical, A and R not of small order. Never throws. */
  verify(remote: SignPublicKey, message: Uint8Array, signature: Signature): boolean
  /** ML-KEM-768 key pair of a 64-byte seed `d‖z` (FIPS 203 §7.1). */
  kemKeyPair(seed: Uint8Array): KemKeyPair
  /** Encapsulates with the given 32-byte coins; undefined when the key fails the modulus check. */
  kemEncapsulate(
    remote: KemPublicKey,
    coins: Uint8Array,
  ): { readonly ciphertext: KemCiphertext; readonly sharedSecret: Uint8Array } | undefined
  /** Decapsulates; a ciphertext of the right length always gives a secret (implicit rejection). */
  kemDecapsulate(own: KemKeyPair, ciphertext: KemCiphertext): Uint8Array | undefined
  /** Argon2id (RFC 9106), one lane, 16-byte salt, 32 bytes out. */
  argon2id(password: Uint8Array, salt: Uint8Array, cost: PasswordCost): Uint8Array
}
