import { sizes, type CryptoPrimitives } from '../../src/crypto/index.ts'

/** What of sodium-native is called. Lengths are checked before: it looks at the first 64 bytes of a longer signature. */
interface Addon {
  crypto_sign_seed_keypair(publicKey: Uint8Array, secretKey: Uint8Array, seed: Uint8Array): void
  crypto_sign_detached(signature: Uint8Array, message: Uint8Array, secretKey: Uint8Array): void
  crypto_sign_verify_detached(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean
  crypto_scalarmult_base(publicKey: Uint8Array, secret: Uint8Array): void
  crypto_scalarmult(shared: Uint8Array, secret: Uint8Array, publicKey: Uint8Array): void
}

/** Not a literal: no bundler takes it in, and no compiler asks for its types. */
const addon: string = 'sodium-native'

type Curves = Pick<CryptoPrimitives, 'dhPublic' | 'dh' | 'signPublic' | 'sign' | 'verify'>

/** Both curves out of the optional add-on; undefined where it is not installed or has nothing for this platform. */
export async function addonCurves(): Promise<Curves | undefined> {
  try {
    const { default: sodium } = (await import(addon)) as { readonly default: Addon }
    return curvesOf(sodium)
  } catch {
    return undefined
  }
}

const { hash: sharedBytes, signPublic, signature: signatureBytes } = sizes

function curvesOf(sodium: Addon): Curves {
  /** libsodium's 64-byte secret key: the seed and the public key it belongs to. */
  const expand = (seed: Uint8Array): Uint8Array => {
    const expanded = new Uint8Array(64)
    sodium.crypto_sign_seed_keypair(new Uint8Array(signPublic), expanded, seed)
    return expanded
  }
  return {
    dhPublic(secret) {
      const publicKey = new Uint8Array(sizes.dhPublic)
      sodium.crypto_scalarmult_base(publicKey, secret.expose())
      return publicKey
    },
    dh(secret, remote) {
      const shared = new Uint8Array(sharedBytes)
      sodium.crypto_scalarmult(shared, secret.expose(), remote)
      return shared
    },
    signPublic: (secret) => secret.prepared(expand).slice(32),
    sign(secret, message) {
      const signature = new Uint8Array(signatureBytes)
      sodium.crypto_sign_detached(signature, message, secret.prepared(expand))
      return signature
    },
    verify: (remote, message, signature) => sodium.crypto_sign_verify_detached(signature, message, remote),
  }
}
