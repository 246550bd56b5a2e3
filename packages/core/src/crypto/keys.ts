import type { Secret } from './secret.ts'

declare const brand: unique symbol
type Branded<B extends string> = Uint8Array & { readonly [brand]: B }

/** X25519 public key, 32 bytes (RFC 7748 §5). */
export type DhPublicKey = Branded<'x25519-public'>
/** Ed25519 public key, 32 bytes (RFC 8032 §5.1.5). */
export type SignPublicKey = Branded<'ed25519-public'>
/** Ed25519 signature, 64 bytes. */
export type Signature = Branded<'ed25519-signature'>
/** ML-KEM-768 encapsulation key, 1184 bytes (FIPS 203). */
export type KemPublicKey = Branded<'ml-kem-768-public'>
/** ML-KEM-768 ciphertext, 1088 bytes. */
export type KemCiphertext = Branded<'ml-kem-768-ciphertext'>

/** Own X25519 key pair; `secret` is the 32-byte seed. */
export interface DhKeyPair {
  readonly publicKey: DhPublicKey
  readonly secret: Secret
}

/** Own Ed25519 key pair; `secret` is the 32-byte seed. */
export interface SignKeyPair {
  readonly publicKey: SignPublicKey
  readonly secret: Secret
}

/** Own ML-KEM-768 key pair; `secret` is the 64-byte seed `d‖z`, never the expanded key. */
export interface KemKeyPair {
  readonly publicKey: KemPublicKey
  readonly secret: Secret
}

/** Byte lengths of everything a key or a cipher is made of. */
export const sizes = {
  hash: 32,
  seed: 32,
  dhPublic: 32,
  signPublic: 32,
  signature: 64,
  kemPublic: 1184,
  kemCiphertext: 1088,
  kemSeed: 64,
  kemCoins: 32,
  aeadKey: 32,
  aeadNonce: 24,
  aeadTag: 16,
  salt: 16,
} as const
