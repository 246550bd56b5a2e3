import { InvariantError } from '../../src/errors.ts'
import { sizes, type CryptoPrimitives } from '../../src/crypto/index.ts'
import { outOfMemory, Scratch } from './scratch.ts'
import type { SodiumExports } from './sodium.ts'

const kemSecretBytes = 2400
const hmacStateBytes = 256
const argon2idVersion13 = 2

/** A primitive that cannot fail on checked arguments did. */
function expectDone(result: number): void {
  if (result !== 0) throw new InvariantError('E_SODIUM', 'libsodium refused arguments that were checked')
}

type Symmetric = Pick<CryptoPrimitives, 'sha256' | 'hmacSha256' | 'hmacSha256Each' | 'seal' | 'open'>

const hashes = (
  sodium: SodiumExports,
  scratch: Scratch,
): Pick<Symmetric, 'sha256' | 'hmacSha256' | 'hmacSha256Each'> => ({
  sha256(data) {
    const base = scratch.reserve(32 + data.length)
    scratch.put(base + 32, data)
    sodium._crypto_hash_sha256(base, base + 32, data.length, 0)
    return scratch.take(base, 32)
  },
  hmacSha256(key, data) {
    const base = scratch.reserve(hmacStateBytes + 32 + key.length + data.length)
    const keyAt = base + 32
    const dataAt = keyAt + key.length
    scratch.put(keyAt, key)
    scratch.put(dataAt, data)
    if (key.length === 32) sodium._crypto_auth_hmacsha256(base, dataAt, data.length, 0, keyAt)
    else {
      const state = (dataAt + data.length + 15) & ~15
      sodium._crypto_auth_hmacsha256_init(state, keyAt, key.length)
      sodium._crypto_auth_hmacsha256_update(state, dataAt, data.length, 0)
      sodium._crypto_auth_hmacsha256_final(state, base)
    }
    return scratch.take(base, 32)
  },
  hmacSha256Each(key, inputs) {
    const longest = inputs.reduce((most, { length }) => Math.max(most, length), 0)
    const base = scratch.reserve(2 * hmacStateBytes + 64 + longest)
    const [keyed, running, keyAt] = [base, base + hmacStateBytes, base + 2 * hmacStateBytes]
    const dataAt = keyAt + 32
    scratch.put(keyAt, key)
    sodium._crypto_auth_hmacsha256_init(keyed, keyAt, key.length)
    return inputs.map((data) => {
      scratch.move(running, keyed, hmacStateBytes)
      scratch.put(dataAt, data)
      sodium._crypto_auth_hmacsha256_update(running, dataAt, data.length, 0)
      sodium._crypto_auth_hmacsha256_final(running, keyAt)
      return scratch.take(keyAt, 32)
    })
  },
})

/** Layout of an AEAD call: key 32, nonce 24, associated data, then the text, worked on in place. */
const ciphers = (sodium: SodiumExports, scratch: Scratch): Pick<Symmetric, 'seal' | 'open'> => {
  const place = (key: Uint8Array, nonce: Uint8Array, associated: Uint8Array, data: Uint8Array): number => {
    const base = scratch.reserve(56 + associated.length + data.length + sizes.aeadTag)
    scratch.put(base, key)
    scratch.put(base + 32, nonce)
    scratch.put(base + 56, associated)
    scratch.put(base + 56 + associated.length, data)
    return base
  }
  return {
    seal(key, nonce, plaintext, associated) {
      const base = place(key, nonce, associated, plaintext)
      const n = plaintext.length
      const a = associated.length
      const at = base + 56 + a
      expectDone(
        sodium._crypto_aead_xchacha20poly1305_ietf_encrypt(
          at,
          0,
          at,
          n,
          0,
          base + 56,
          a,
          0,
          0,
          base + 32,
          base,
        ),
      )
      return scratch.take(at, n + sizes.aeadTag)
    },
    open(key, nonce, sealed, associated) {
      const base = place(key, nonce, associated, sealed)
      const n = sealed.length
      const a = associated.length
      const at = base + 56 + a
      const failed = sodium._crypto_aead_xchacha20poly1305_ietf_decrypt(
        at,
        0,
        0,
        at,
        n,
        0,
        base + 56,
        a,
        0,
        base + 32,
        base,
      )
      return failed === 0 ? scratch.take(at, n - sizes.aeadTag) : undefined
    },
  }
}

const dhPrimitives = (
  sodium: SodiumExports,
  scratch: Scratch,
): Pick<CryptoPrimitives, 'dhPublic' | 'dh'> => ({
  dhPublic(secret) {
    const base = scratch.reserve(64)
    scratch.put(base, secret.expose())
    expectDone(sodium._crypto_scalarmult_base(base + 32, base))
    return scratch.take(base + 32, 32)
  },
  dh(secret, remote) {
    const base = scratch.reserve(96)
    scratch.put(base, secret.expose())
    scratch.put(base + 32, remote)
    expectDone(sodium._crypto_scalarmult(base + 64, base, base + 32))
    return scratch.take(base + 64, 32)
  },
})

const signPrimitives = (
  sodium: SodiumExports,
  scratch: Scratch,
): Pick<CryptoPrimitives, 'signPublic' | 'sign' | 'verify'> => {
  /** libsodium's 64-byte secret key: the seed and the public key it belongs to. */
  const expand = (seed: Uint8Array): Uint8Array => {
    const base = scratch.reserve(128)
    scratch.put(base, seed)
    expectDone(sodium._crypto_sign_ed25519_seed_keypair(base + 32, base + 64, base))
    return scratch.take(base + 64, 64)
  }
  return {
    signPublic: (secret) => secret.prepared(expand).slice(32),
    sign(secret, message) {
      const expanded = secret.prepared(expand)
      const base = scratch.reserve(128 + message.length)
      scratch.put(base + 64, expanded)
      scratch.put(base + 128, message)
      expectDone(sodium._crypto_sign_ed25519_detached(base, 0, base + 128, message.length, 0, base + 64))
      return scratch.take(base, 64)
    },
    verify(remote, message, signature) {
      const base = scratch.reserve(96 + message.length)
      scratch.put(base, signature)
      scratch.put(base + 64, remote)
      scratch.put(base + 96, message)
      return sodium._crypto_sign_ed25519_verify_detached(base, base + 96, message.length, 0, base + 64) === 0
    },
  }
}

const kemPrimitives = (
  sodium: SodiumExports,
  scratch: Scratch,
): Pick<CryptoPrimitives, 'kemPublic' | 'kemEncapsulate' | 'kemDecapsulate'> => {
  const { kemPublic: pub, kemCiphertext: ct, kemSeed: seedBytes } = sizes
  /** The expanded key of FIPS 203, kept in memory only; its public half stands from byte 1152. */
  const expand = (seed: Uint8Array): Uint8Array => {
    const base = scratch.reserve(seedBytes + pub + kemSecretBytes)
    scratch.put(base, seed)
    expectDone(sodium._crypto_kem_mlkem768_seed_keypair(base + seedBytes, base + seedBytes + pub, base))
    return scratch.take(base + seedBytes + pub, kemSecretBytes)
  }
  return {
    kemPublic: (secret) => secret.prepared(expand).slice(1152, 1152 + pub),
    kemEncapsulate(remote, coins) {
      const base = scratch.reserve(32 + ct + pub + 32)
      const keyAt = base + 32 + ct
      scratch.put(keyAt, remote)
      scratch.put(keyAt + pub, coins)
      expectDone(sodium._crypto_kem_mlkem768_enc_deterministic(base + 32, base, keyAt, keyAt + pub))
      return { ciphertext: scratch.take(base + 32, ct), sharedSecret: scratch.take(base, 32) }
    },
    kemDecapsulate(secret, ciphertext) {
      const expanded = secret.prepared(expand)
      const base = scratch.reserve(32 + ct + kemSecretBytes)
      scratch.put(base + 32, ciphertext)
      scratch.put(base + 32 + ct, expanded)
      expectDone(sodium._crypto_kem_mlkem768_dec(base, base + 32, base + 32 + ct))
      return scratch.take(base, 32)
    },
  }
}

const passwordPrimitive = (sodium: SodiumExports, scratch: Scratch): Pick<CryptoPrimitives, 'argon2id'> => ({
  argon2id(password, salt, { memoryKiB, passes }) {
    const length = password.length
    const base = scratch.reserve(48 + length)
    scratch.put(base + 32, salt)
    scratch.put(base + 48, password)
    const failed = sodium._crypto_pwhash_argon2id(
      base,
      32,
      0,
      base + 48,
      length,
      0,
      base + 32,
      passes,
      0,
      memoryKiB * 1024,
      argon2idVersion13,
    )
    scratch.put(base + 48, new Uint8Array(length))
    if (failed !== 0) throw outOfMemory()
    return scratch.take(base, 32)
  },
})

/** The primitives, and the step that makes ChaCha20 of XChaCha20. */
export interface WasmPrimitives extends CryptoPrimitives {
  /** HChaCha20 (draft-irtf-cfrg-xchacha-03 §2.2): the subkey of a 32-byte key and the first 16 nonce bytes. */
  subkey(key: Uint8Array, nonce: Uint8Array): Uint8Array
}

/** Every primitive out of libsodium's wasm, over one scratch area. */
export function wasmPrimitives(sodium: SodiumExports): WasmPrimitives {
  const scratch = new Scratch(sodium)
  return {
    name: 'wasm',
    subkey(key, nonce) {
      const base = scratch.reserve(96)
      scratch.put(base, key)
      scratch.put(base + 32, nonce)
      sodium._crypto_core_hchacha20(base + 64, base + 32, base, 0)
      return scratch.take(base + 64, 32)
    },
    ...hashes(sodium, scratch),
    ...ciphers(sodium, scratch),
    ...dhPrimitives(sodium, scratch),
    ...signPrimitives(sodium, scratch),
    ...kemPrimitives(sodium, scratch),
    ...passwordPrimitive(sodium, scratch),
  }
}
