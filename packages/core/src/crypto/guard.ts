import { UsageError } from '../errors.ts'
import { limits } from '../limits.ts'
import { isZero, passesDhGate, passesKemGate, passesSignatureGate } from './gate.ts'
import type { DhPublicKey, KemCiphertext, KemPublicKey, SignPublicKey, Signature } from './keys.ts'
import { sizes } from './keys.ts'
import type { CryptoPrimitives } from './primitives.ts'
import type { CryptoProvider, PasswordCost } from './provider.ts'
import { Secret } from './secret.ts'

/** Refuses an own argument of the wrong length. */
function expectLength(what: string, bytes: { readonly length: number }, expected: number): void {
  if (bytes.length === expected) return
  throw new UsageError('E_LENGTH', `${what} has the wrong length`, {
    detail: { what, expected, actual: bytes.length },
  })
}

/** An own secret of the right length that has not been wiped. */
function usable(what: string, secret: Secret, expected: number): Secret {
  expectLength(what, secret, expected)
  if (secret.wiped) throw new UsageError('E_SECRET_WIPED', `${what} has been wiped`, { detail: { what } })
  return secret
}

const within = (value: number, low: number, high: number): boolean =>
  Number.isSafeInteger(value) && value >= low && value <= high

function expectCost({ memoryKiB, passes }: PasswordCost): void {
  if (within(memoryKiB, 8, limits.passwordMaxKiB) && within(passes, 1, limits.passwordMaxPasses)) return
  throw new UsageError('E_PASSWORD_COST', 'the Argon2id cost is out of bounds', {
    detail: { memoryKiB, passes },
  })
}

const dhMethods = (primitives: CryptoPrimitives): Pick<CryptoProvider, 'dhKeyPair' | 'dh'> => ({
  dhKeyPair(seed) {
    expectLength('X25519 seed', seed, sizes.seed)
    const secret = new Secret(seed.slice())
    return { publicKey: primitives.dhPublic(secret) as DhPublicKey, secret }
  },
  dh(own, remote) {
    const secret = usable('X25519 secret', own.secret, sizes.seed)
    if (!passesDhGate(remote)) return undefined
    const shared = primitives.dh(secret, remote)
    return isZero(shared) ? undefined : shared
  },
})

const signMethods = (
  primitives: CryptoPrimitives,
): Pick<CryptoProvider, 'signKeyPair' | 'sign' | 'verify'> => ({
  signKeyPair(seed) {
    expectLength('Ed25519 seed', seed, sizes.seed)
    const secret = new Secret(seed.slice())
    return { publicKey: primitives.signPublic(secret) as SignPublicKey, secret }
  },
  sign: (own, message) =>
    primitives.sign(usable('Ed25519 secret', own.secret, sizes.seed), message) as Signature,
  verify(remote, message, signature) {
    try {
      return passesSignatureGate(remote, signature) && primitives.verify(remote, message, signature)
    } catch {
      return false
    }
  },
})

const kemMethods = (
  primitives: CryptoPrimitives,
): Pick<CryptoProvider, 'kemKeyPair' | 'kemEncapsulate' | 'kemDecapsulate'> => ({
  kemKeyPair(seed) {
    expectLength('ML-KEM seed', seed, sizes.kemSeed)
    const secret = new Secret(seed.slice())
    return { publicKey: primitives.kemPublic(secret) as KemPublicKey, secret }
  },
  kemEncapsulate(remote, coins) {
    expectLength('ML-KEM coins', coins, sizes.kemCoins)
    if (!passesKemGate(remote)) return undefined
    const { ciphertext, sharedSecret } = primitives.kemEncapsulate(remote, coins)
    return { ciphertext: ciphertext as KemCiphertext, sharedSecret }
  },
  kemDecapsulate(own, ciphertext) {
    const secret = usable('ML-KEM secret', own.secret, sizes.kemSeed)
    return ciphertext.length === sizes.kemCiphertext
      ? primitives.kemDecapsulate(secret, ciphertext)
      : undefined
  },
})

/**
 * Puts the checks every provider shares in front of a library's primitives: the lengths, the Ed25519 gate,
 * the X25519 and ML-KEM key checks. A wrong own argument throws UsageError `E_LENGTH`, `E_SECRET_WIPED` or
 * `E_PASSWORD_COST`; what a peer's bytes can cause is `undefined` or `false`. (docs/protocol/crypto.md)
 */
export const createProvider = (primitives: CryptoPrimitives): CryptoProvider => ({
  name: primitives.name,
  sha256: (data) => primitives.sha256(data),
  hmacSha256: (key, data) => primitives.hmacSha256(key, data),
  hmacSha256Each<const I extends readonly Uint8Array[]>(key: Uint8Array, inputs: I) {
    expectLength('HMAC key', key, sizes.hash)
    return primitives.hmacSha256Each(key, inputs) as { readonly [K in keyof I]: Uint8Array }
  },
  seal(key, nonce, plaintext, associated) {
    expectLength('AEAD key', key, sizes.aeadKey)
    expectLength('AEAD nonce', nonce, sizes.aeadNonce)
    return primitives.seal(key, nonce, plaintext, associated)
  },
  open(key, nonce, sealed, associated) {
    expectLength('AEAD key', key, sizes.aeadKey)
    if (nonce.length !== sizes.aeadNonce || sealed.length < sizes.aeadTag) return undefined
    return primitives.open(key, nonce, sealed, associated)
  },
  ...dhMethods(primitives),
  ...signMethods(primitives),
  ...kemMethods(primitives),
  argon2id(password, salt, cost) {
    expectLength('Argon2id salt', salt, sizes.salt)
    expectCost(cost)
    return primitives.argon2id(password, salt, cost)
  },
})
