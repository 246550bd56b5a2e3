import { kdfEach, kdfInfo, Secret, type CryptoProvider } from '../crypto/index.ts'
import { concat } from '../wire/index.ts'

const infos = [kdfInfo('rk'), kdfInfo('ck'), kdfInfo('nhk')] as const

/** What one Diffie-Hellman step of the ratchet yields. */
export interface RootStep {
  readonly root: Secret
  readonly chainKey: Secret
  /** Header key of the chain after the one that starts here. */
  readonly nextHeaderKey: Secret
}

/** A KEM's part in a step: its shared secret, bound to the key and ciphertext it came from. */
export interface KemMix {
  readonly sharedSecret: Uint8Array
  /** SHA-256 of ek‖ct. */
  readonly transcript: Uint8Array
}

/**
 * KDF_RK of the Double Ratchet with header encryption (§4.2 there), salted with the root key; with a KEM
 * secret the input is `DH‖ss‖H(ek‖ct)` (docs/protocol/session.md, The post-quantum step). Wipes `dh` and `ss`.
 */
export function stepRoot(
  crypto: CryptoProvider,
  root: Secret,
  dh: Uint8Array,
  mix: KemMix | undefined,
): RootStep {
  const ikm = mix === undefined ? dh : concat(dh, mix.sharedSecret, mix.transcript)
  const [rk, ck, nhk] = kdfEach(crypto, root.expose(), ikm, infos)
  ikm.fill(0)
  dh.fill(0)
  mix?.sharedSecret.fill(0)
  return { root: new Secret(rk), chainKey: new Secret(ck), nextHeaderKey: new Secret(nhk) }
}
