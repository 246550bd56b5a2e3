import { sizes, type CryptoProvider, type DhPublicKey } from '../crypto/index.ts'
import { UsageError } from '../errors.ts'
import type { KeyBundle, LogOpId } from '../identity/index.ts'
import { concat } from '../wire/index.ts'
import { checkEntropy, initiateEntropyBytes } from './entropy.ts'
import { bundleTagBytes, clearFrame, innerFrame, modes } from './handshake-frame.ts'
import { innerKey, sessionIdOf, sessionKeys, signHandshake, transcriptOf } from './key-schedule.ts'
import { startInitiator, type SessionParties } from './ratchet-state.ts'
import type { Session } from './session.ts'
import { agreedSuite } from './suite.ts'
import type { OwnDevice } from './types.ts'

/** What goes into a handshake besides keys. */
export interface InitiateOptions {
  /** Heads of the own device log. */
  readonly logHeads: readonly LogOpId[]
  /** Secret of the invite that led here, 32 bytes. */
  readonly invite?: Uint8Array | undefined
  /** A prekey that somebody handed out once. */
  readonly oneTimePrekey?: { readonly id: number; readonly publicKey: DhPublicKey } | undefined
  /** Own genesis and device log, for a responder that does not know this account. */
  readonly introduction?: { readonly genesis: Uint8Array; readonly log: Uint8Array } | undefined
}

/** A new session, or why the peer's bundle allows none. */
export type Initiated =
  | { readonly ok: true; readonly session: Session }
  | { readonly ok: false; readonly reason: 'no-common-suite' | 'bad-key' }

/**
 * Begins a session with the device behind a verified bundle: PQXDH with a hidden initiator
 * (docs/protocol/session.md, Handshake; The PQXDH Key Agreement Protocol rev. 3). Every secret has its fixed
 * place, absent ones are zero blocks. `entropy` is `initiateEntropyBytes` fresh random bytes.
 */
export function initiate(
  crypto: CryptoProvider,
  own: OwnDevice,
  bundle: KeyBundle,
  options: InitiateOptions,
  entropy: Uint8Array,
  nowMs: number,
): Initiated {
  checkEntropy(entropy, initiateEntropyBytes)
  checkInvite(options.invite)
  const suite = agreedSuite(own.certificate, bundle.certificate)
  if (suite === undefined) return { ok: false, reason: 'no-common-suite' }
  const seedEnd = sizes.seed + sizes.kemCoins
  const ephemeral = crypto.dhKeyPair(entropy.slice(0, sizes.seed))
  const nonce = entropy.slice(seedEnd)
  const kem = crypto.kemEncapsulate(bundle.kemPrekey.publicKey, entropy.subarray(sizes.seed, seedEnd))
  const identityToPrekey = crypto.dh(own.keys.agreement, bundle.signedPrekey.publicKey)
  const ephemeralToIdentity = crypto.dh(ephemeral, bundle.certificate.agreementKey)
  const ephemeralToPrekey = crypto.dh(ephemeral, bundle.signedPrekey.publicKey)
  const oneTime = options.oneTimePrekey
  const ephemeralToOneTime = oneTime && crypto.dh(ephemeral, oneTime.publicKey)
  if (!kem || !identityToPrekey || !ephemeralToIdentity || !ephemeralToPrekey)
    return { ok: false, reason: 'bad-key' }
  if (oneTime && !ephemeralToOneTime) return { ok: false, reason: 'bad-key' }

  const parties: SessionParties = { suite, initiator: own.certificate, responder: bundle.certificate }
  const bundleHash = bundle.hash
  const bundleTag = bundleHash.slice(0, bundleTagBytes)
  const mode = modeOf(options)
  const clear = clearFrame.encode({
    version: 1,
    suite,
    mode,
    bundleTag,
    oneTimeId: oneTime?.id ?? null,
    ephemeral: ephemeral.publicKey,
    kemCiphertext: kem.ciphertext,
  })
  const clearHash = crypto.sha256(clear)
  const plainInner = innerFrame.encode({
    account: own.certificate.account,
    certificate: own.certificate.bytes,
    logHeads: options.logHeads,
    introduction: options.introduction ?? null,
    signature: signHandshake(crypto, own.keys.identity, clearHash, bundleHash, parties),
  })
  const k1 = innerKey(crypto, ephemeralToPrekey, kem.sharedSecret, clearHash)
  const preamble = { clear, nonce, inner: crypto.seal(k1, nonce, plainInner, clearHash) }
  const keys = sessionKeys(crypto, parties, mode, transcriptOf(crypto, preamble, bundle.bytes), {
    identityToPrekey,
    ephemeralToIdentity,
    ephemeralToPrekey,
    ephemeralToOneTime,
    kem: kem.sharedSecret,
    invite: options.invite,
  })
  ephemeral.secret.wipe()
  for (const secret of [k1, identityToPrekey, ephemeralToIdentity, ephemeralToPrekey, kem.sharedSecret])
    secret.fill(0)
  return {
    ok: true,
    session: {
      id: sessionIdOf(crypto, preamble),
      role: 'initiator',
      replayKey: concat(ephemeral.publicKey, bundleTag),
      createdAtMs: nowMs,
      preamble,
      rival: undefined,
      retired: false,
      ratchet: startInitiator(parties, keys, bundle.signedPrekey.publicKey, nowMs),
    },
  }
}

const modeOf = (options: InitiateOptions): number =>
  (options.oneTimePrekey === undefined ? 0 : modes.oneTimePrekey) |
  (options.invite === undefined ? 0 : modes.invite) |
  (options.introduction === undefined ? 0 : modes.stranger)

/** Throws `E_INVITE_SECRET` unless the invite's secret fills its place. */
export function checkInvite(secret: Uint8Array | undefined): void {
  if (secret !== undefined && secret.length !== sizes.seed) {
    throw new UsageError('E_INVITE_SECRET', 'an invite secret has 32 bytes', {
      detail: { length: secret.length },
    })
  }
}
