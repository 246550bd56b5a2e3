import {
  kdf,
  noSalt,
  Secret,
  signAs,
  sizes,
  verifyAs,
  type CryptoProvider,
  type Signature,
  type SignKeyPair,
  type SignPublicKey,
} from '../crypto/index.ts'
import { concat, encodeCbor } from '../wire/index.ts'
import type { Preamble } from './handshake-frame.ts'
import type { HandshakeKeys, SessionParties } from './ratchet-state.ts'

/** 32 bytes of 0xff before the secrets, as in X3DH §2.2: no input can look like a curve point's encoding. */
const prefix = new Uint8Array(32).fill(0xff)
/** Stands in the place of a secret that is absent. */
const absent = new Uint8Array(32)

/** The secrets of a handshake in their fixed places; each 32 bytes. */
export interface HandshakeSecrets {
  /** DH(identity of the initiator, signed prekey). */
  readonly identityToPrekey: Uint8Array
  /** DH(ephemeral, agreement key of the responder). */
  readonly ephemeralToIdentity: Uint8Array
  /** DH(ephemeral, signed prekey). */
  readonly ephemeralToPrekey: Uint8Array
  readonly ephemeralToOneTime: Uint8Array | undefined
  readonly kem: Uint8Array
  readonly invite: Uint8Array | undefined
}

/** The key that hides the initiator: `KDF(0, DH(E,SPK)‖ss, "hs1", H(M0.clear))`. */
export const innerKey = (
  crypto: CryptoProvider,
  ephemeralToPrekey: Uint8Array,
  kem: Uint8Array,
  clearHash: Uint8Array,
): Uint8Array => kdf(crypto, noSalt, concat(ephemeralToPrekey, kem), 'hs1', [clearHash])

/** The hash of everything a handshake said, and of the bundle it answered. */
export const transcriptOf = (crypto: CryptoProvider, preamble: Preamble, bundle: Uint8Array): Uint8Array =>
  crypto.sha256(concat(preamble.clear, preamble.nonce, preamble.inner, bundle))

/** The session's name on both ends: the hash of the handshake that made it. Not secret, never sent. */
export const sessionIdOf = (crypto: CryptoProvider, preamble: Preamble): Uint8Array =>
  crypto.sha256(concat(preamble.clear, preamble.nonce, preamble.inner))

/** The session keys: `SK` of docs/protocol/session.md, 96 bytes in three. */
export function sessionKeys(
  crypto: CryptoProvider,
  parties: SessionParties,
  mode: number,
  transcript: Uint8Array,
  secrets: HandshakeSecrets,
): HandshakeKeys {
  const ikm = concat(
    prefix,
    secrets.identityToPrekey,
    secrets.ephemeralToIdentity,
    secrets.ephemeralToPrekey,
    secrets.ephemeralToOneTime ?? absent,
    secrets.kem,
    secrets.invite ?? absent,
  )
  const { suite, initiator, responder } = parties
  const context = [
    suite,
    mode,
    transcript,
    initiator.account,
    initiator.device,
    responder.account,
    responder.device,
  ]
  const out = kdf(crypto, noSalt, ikm, 'hs2', context, 3 * sizes.seed)
  ikm.fill(0)
  const part = (i: number): Secret => new Secret(out.slice(i * sizes.seed, (i + 1) * sizes.seed))
  const keys = { root: part(0), initiatorHeaderKey: part(1), responderHeaderKey: part(2) }
  out.fill(0)
  return keys
}

const signatureType = 'hs'

const signedContent = (
  clearHash: Uint8Array,
  bundleHash: Uint8Array,
  { initiator, responder }: SessionParties,
): Uint8Array =>
  encodeCbor([
    clearHash,
    bundleHash,
    initiator.account,
    initiator.device,
    responder.account,
    responder.device,
  ])

/** `sigA`: the initiator's identity key answers for the handshake, so that stolen prekeys cannot speak as her. */
export const signHandshake = (
  crypto: CryptoProvider,
  own: SignKeyPair,
  clearHash: Uint8Array,
  bundleHash: Uint8Array,
  parties: SessionParties,
): Signature =>
  signAs(crypto, own, signatureType, parties.initiator.account, signedContent(clearHash, bundleHash, parties))

/** Verifies `sigA` under the initiator's identity key. */
export const verifyHandshake = (
  crypto: CryptoProvider,
  initiatorKey: SignPublicKey,
  clearHash: Uint8Array,
  bundleHash: Uint8Array,
  parties: SessionParties,
  signature: Signature,
): boolean =>
  verifyAs(
    crypto,
    initiatorKey,
    signatureType,
    parties.initiator.account,
    signedContent(clearHash, bundleHash, parties),
    signature,
  )
