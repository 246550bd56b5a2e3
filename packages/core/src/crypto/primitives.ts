import type { PasswordCost } from './provider.ts'
import type { Secret } from './secret.ts'

/**
 * What a library has to offer to become a provider. `createProvider` stands in front: every length is right,
 * every public key has passed the gate, so an implementation only computes. Results are fresh arrays that
 * own their buffer.
 */
export interface CryptoPrimitives {
  readonly name: string
  sha256(data: Uint8Array): Uint8Array
  hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array
  /** `hmacSha256` of each input under one key of 32 bytes. */
  hmacSha256Each(key: Uint8Array, inputs: readonly Uint8Array[]): readonly Uint8Array[]
  seal(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array, associated: Uint8Array): Uint8Array
  open(key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array, associated: Uint8Array): Uint8Array | undefined
  /** X25519(secret, 9). */
  dhPublic(secret: Secret): Uint8Array
  /** X25519(secret, remote); `remote` is canonical and not of low order. */
  dh(secret: Secret, remote: Uint8Array): Uint8Array
  signPublic(secret: Secret): Uint8Array
  /** Signs with the public key that belongs to the seed, never with one the caller names. */
  sign(secret: Secret, message: Uint8Array): Uint8Array
  /** The cofactorless equation `encode(S·B − k·A) = R`; the gate has been passed. */
  verify(remote: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean
  kemPublic(secret: Secret): Uint8Array
  kemEncapsulate(
    remote: Uint8Array,
    coins: Uint8Array,
  ): { readonly ciphertext: Uint8Array; readonly sharedSecret: Uint8Array }
  kemDecapsulate(secret: Secret, ciphertext: Uint8Array): Uint8Array
  argon2id(password: Uint8Array, salt: Uint8Array, cost: PasswordCost): Uint8Array
}
