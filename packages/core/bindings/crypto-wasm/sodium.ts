import sodium from 'libsodium-wrappers-sumo'

/** An address in the wasm heap. */
export type Pointer = number

/**
 * The raw exports of libsodium's sumo build that Sotto calls. A 64-bit length is two 32-bit halves, a
 * result is 0 for success. The wrappers around them allocate on every call; these do not.
 */
export interface SodiumExports {
  /** Replaced when the heap grows: read it anew on every call. */
  readonly HEAPU8: Uint8Array
  _malloc(bytes: number): Pointer
  _free(at: Pointer): void
  _crypto_hash_sha256(out: Pointer, data: Pointer, low: number, high: number): number
  _crypto_auth_hmacsha256(out: Pointer, data: Pointer, low: number, high: number, key: Pointer): number
  _crypto_auth_hmacsha256_init(state: Pointer, key: Pointer, keyBytes: number): number
  _crypto_auth_hmacsha256_update(state: Pointer, data: Pointer, low: number, high: number): number
  _crypto_auth_hmacsha256_final(state: Pointer, out: Pointer): number
  _crypto_core_hchacha20(out: Pointer, input: Pointer, key: Pointer, constants: Pointer): number
  _crypto_aead_xchacha20poly1305_ietf_encrypt(
    out: Pointer,
    outBytes: Pointer,
    data: Pointer,
    low: number,
    high: number,
    associated: Pointer,
    associatedLow: number,
    associatedHigh: number,
    unused: Pointer,
    nonce: Pointer,
    key: Pointer,
  ): number
  _crypto_aead_xchacha20poly1305_ietf_decrypt(
    out: Pointer,
    outBytes: Pointer,
    unused: Pointer,
    data: Pointer,
    low: number,
    high: number,
    associated: Pointer,
    associatedLow: number,
    associatedHigh: number,
    nonce: Pointer,
    key: Pointer,
  ): number
  _crypto_scalarmult_base(out: Pointer, scalar: Pointer): number
  _crypto_scalarmult(out: Pointer, scalar: Pointer, point: Pointer): number
  _crypto_sign_ed25519_seed_keypair(publicKey: Pointer, secretKey: Pointer, seed: Pointer): number
  _crypto_sign_ed25519_detached(
    out: Pointer,
    outBytes: Pointer,
    data: Pointer,
    low: number,
    high: number,
    secretKey: Pointer,
  ): number
  _crypto_sign_ed25519_verify_detached(
    signature: Pointer,
    data: Pointer,
    low: number,
    high: number,
    publicKey: Pointer,
  ): number
  _crypto_kem_mlkem768_seed_keypair(publicKey: Pointer, secretKey: Pointer, seed: Pointer): number
  _crypto_kem_mlkem768_enc_deterministic(
    ciphertext: Pointer,
    shared: Pointer,
    publicKey: Pointer,
    coins: Pointer,
  ): number
  _crypto_kem_mlkem768_dec(shared: Pointer, ciphertext: Pointer, secretKey: Pointer): number
  _crypto_pwhash_argon2id(
    out: Pointer,
    outLow: number,
    outHigh: number,
    password: Pointer,
    passwordLow: number,
    passwordHigh: number,
    salt: Pointer,
    passesLow: number,
    passesHigh: number,
    memoryBytes: number,
    algorithm: number,
  ): number
}

/** Resolves once the wasm module is compiled; every call after that is synchronous. */
export async function loadSodium(): Promise<SodiumExports> {
  await sodium.ready
  return (sodium as unknown as { readonly libsodium: SodiumExports }).libsodium
}
