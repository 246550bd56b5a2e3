import { Secret, type CryptoProvider } from '../crypto/index.ts'
import type { AccountId, DeviceCertificate, LogOpId } from '../identity/index.ts'
import { limits } from '../limits.ts'
import { equalBytes } from '../wire/index.ts'
import {
  bundleTagBytes,
  innerFrame,
  modes,
  type FirstFlight,
  type HandshakeInner,
} from './handshake-frame.ts'
import { innerKey, sessionIdOf, sessionKeys, transcriptOf, verifyHandshake } from './key-schedule.ts'
import { checkInvite } from './pqxdh.ts'
import { decodeRatchetFrame } from './ratchet-frame.ts'
import type { OpenRefused } from './ratchet-open.ts'
import { startResponder, type SessionParties } from './ratchet-state.ts'
import { openIn, type Session, type SessionOpened } from './session.ts'
import { agreedSuite } from './suite.ts'
import type { BundlePrekeys, OwnDevice } from './types.ts'

/** Why a first flight was refused. Nothing was changed; towards the network all look the same. */
export type HandshakeFailure =
  | 'malformed'
  | 'unknown-bundle'
  | 'prekey-expired'
  | 'bad-key'
  | 'sealed'
  | 'no-common-suite'
  | 'unknown-prekey'
  | 'identity-mismatch'
  | 'bad-signature'
  | 'first-message'

/** Who a first flight says it is from. Claims until the identity room has verified them and the handshake was accepted. */
export interface HandshakeClaims {
  readonly account: AccountId
  /** The device certificate's exact bytes. */
  readonly certificate: Uint8Array
  readonly logHeads: readonly LogOpId[]
  /** Genesis and log of an account the responder may not know. */
  readonly introduction: { readonly genesis: Uint8Array; readonly log: Uint8Array } | null
}

/** A first flight whose inner part opened; `secrets` go no further than `acceptHandshake`. */
export interface OpenedHandshake {
  readonly ok: true
  readonly flight: FirstFlight
  readonly claims: HandshakeClaims
  /** Whether it was made with an invite's secret. */
  readonly invited: boolean
  readonly signature: HandshakeInner['signature']
  readonly secrets: { readonly ephemeralToPrekey: Secret; readonly kem: Secret }
}

const refuse = (reason: HandshakeFailure): OpenRefused<HandshakeFailure> => ({ ok: false, reason })

/**
 * First half of the responder's side: opens the part that hides the initiator, with the prekeys its bundle
 * tag names. The caller then has the identity room verify the claims, and decides by its replay cache.
 */
export function openHandshake(
  crypto: CryptoProvider,
  prekeys: BundlePrekeys,
  flight: FirstFlight,
  nowMs: number,
): OpenedHandshake | OpenRefused<HandshakeFailure> {
  const { mode, ephemeral, kemCiphertext, bundleTag } = flight.fields
  if (!equalBytes(prekeys.bundle.hash.subarray(0, bundleTagBytes), bundleTag)) return refuse('unknown-bundle')
  if (nowMs - prekeys.own.createdAtMs > limits.prekeyKeepMs) return refuse('prekey-expired')
  if (flight.fields.oneTimeId !== (prekeys.oneTime?.id ?? null)) return refuse('unknown-prekey')
  const ephemeralToPrekey = crypto.dh(prekeys.own.signed, ephemeral)
  const kem = crypto.kemDecapsulate(prekeys.own.kem, kemCiphertext)
  if (ephemeralToPrekey === undefined || kem === undefined) return refuse('bad-key')
  const clearHash = crypto.sha256(flight.clear)
  const k1 = innerKey(crypto, ephemeralToPrekey, kem, clearHash)
  const plain = crypto.open(k1, flight.nonce, flight.inner, clearHash)
  k1.fill(0)
  if (plain === undefined) return refuse('sealed')
  const inner = innerFrame.decode(plain)
  if (!inner.ok) return refuse('malformed')
  const { signature, ...claims } = inner.value
  if ((claims.introduction !== null) !== ((mode & modes.stranger) !== 0)) return refuse('malformed')
  const secrets = { ephemeralToPrekey: new Secret(ephemeralToPrekey), kem: new Secret(kem) }
  return { ok: true, flight, claims, invited: (mode & modes.invite) !== 0, signature, secrets }
}

/** An accepted handshake: the session with its first message already opened. */
export interface AcceptedHandshake extends SessionOpened {
  /** Index of the invite whose secret it was made with; undefined without one. */
  readonly invite: number | undefined
}

/**
 * Second half: with the initiator's verified certificate, checks suite and signature, derives the session and
 * opens the first message. `own.certificate` is the one the bundle carries.
 * `invites` are the secrets of open invites, 32 bytes each, tried in order when the flight was made with one.
 */
export function acceptHandshake(
  crypto: CryptoProvider,
  own: OwnDevice,
  prekeys: BundlePrekeys,
  opened: OpenedHandshake,
  peer: DeviceCertificate,
  invites: readonly Uint8Array[],
  nowMs: number,
): AcceptedHandshake | OpenRefused<HandshakeFailure> {
  const { flight, claims } = opened
  const { suite, ephemeral } = flight.fields
  if (!equalBytes(peer.bytes, claims.certificate) || !equalBytes(peer.account, claims.account))
    return refuse('identity-mismatch')
  if (suite !== agreedSuite(own.certificate, peer)) return refuse('no-common-suite')
  const parties: SessionParties = { suite, initiator: peer, responder: own.certificate }
  const clearHash = crypto.sha256(flight.clear)
  const bundleHash = prekeys.bundle.hash
  if (!verifyHandshake(crypto, peer.identityKey, clearHash, bundleHash, parties, opened.signature))
    return refuse('bad-signature')
  const identityToPrekey = crypto.dh(prekeys.own.signed, peer.agreementKey)
  const ephemeralToIdentity = crypto.dh(own.keys.agreement, ephemeral)
  const oneTime = prekeys.oneTime
  const ephemeralToOneTime = oneTime && crypto.dh(oneTime.keyPair, ephemeral)
  const frame = decodeRatchetFrame(flight.first)
  if (identityToPrekey === undefined || ephemeralToIdentity === undefined) return refuse('bad-key')
  if (frame === undefined) return refuse('malformed')
  const transcript = transcriptOf(crypto, flight, prekeys.bundle.bytes)
  const candidates = opened.invited ? invites : [undefined]
  for (const [index, invite] of candidates.entries()) {
    checkInvite(invite)
    const keys = sessionKeys(crypto, parties, flight.fields.mode, transcript, {
      identityToPrekey,
      ephemeralToIdentity,
      ephemeralToPrekey: opened.secrets.ephemeralToPrekey.expose(),
      ephemeralToOneTime,
      kem: opened.secrets.kem.expose(),
      invite,
    })
    const session: Session = {
      id: sessionIdOf(crypto, flight),
      role: 'responder',
      replayKey: flight.replayKey,
      createdAtMs: nowMs,
      preamble: undefined,
      rival: undefined,
      retired: false,
      ratchet: startResponder(parties, keys, prekeys.own.signed, nowMs),
    }
    const first = openIn(crypto, session, frame, nowMs)
    if (first.ok) return { ...first, invite: opened.invited ? index : undefined }
  }
  return refuse('first-message')
}
