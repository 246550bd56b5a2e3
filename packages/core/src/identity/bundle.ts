import {
  signAs,
  sizes,
  verifyAs,
  type CryptoProvider,
  type DhPublicKey,
  type KemPublicKey,
  type Signature,
  type SignKeyPair,
} from '../crypto/index.ts'
import { accepted, rejected, UsageError, type Verdict } from '../errors.ts'
import { limits } from '../limits.ts'
import {
  bytes,
  bytesBetween,
  equalBytes,
  fields,
  frame,
  list,
  nullable,
  text,
  uint,
  type Infer,
} from '../wire/index.ts'
import { certificateShape, lapsedAt, readCertificate, type DeviceCertificate } from './certificate.ts'
import type { DeviceAddress } from './ids.ts'

/** Longest multiaddr in a bundle, in UTF-8 bytes. */
const addressBytes = 256

/** The shape of an intro queue in other frames. */
export const introShape = fields({
  /** Multiaddr of the relay, with its PeerId. */
  relay: text(addressBytes),
  /** Seed of the queue's writer key: whoever holds the bundle may leave a first flight there. */
  writerSeed: bytes(sizes.seed),
})
const signedPrekeyShape = fields({
  id: uint(0xffff_ffff),
  publicKey: bytes<DhPublicKey>(sizes.dhPublic),
  expiresAtMs: uint(),
})
const kemPrekeyShape = fields({
  id: uint(0xffff_ffff),
  publicKey: bytes<KemPublicKey>(sizes.kemPublic),
  expiresAtMs: uint(),
})
const bodyShape = fields({
  certificate: certificateShape,
  signedPrekey: signedPrekeyShape,
  kemPrekey: kemPrekeyShape,
  addresses: list(text(addressBytes), limits.bundleAddresses),
  relays: list(text(addressBytes), limits.bundleRelays),
  intro: nullable(introShape),
  seq: uint(),
  expiresAtMs: uint(),
})
const bodyFrame = frame('key-bundle-body', bodyShape, limits.bundleBytes)
const bundleFrame = frame(
  'key-bundle',
  fields({ body: bytesBetween(1, limits.bundleBytes), signature: bytes<Signature>(sizes.signature) }),
  limits.bundleBytes,
)

/** A relay queue that takes first flights from strangers. */
export type IntroQueue = Infer<typeof introShape>
/** A published X25519 prekey. */
export type SignedPrekey = Infer<typeof signedPrekeyShape>
/** A published ML-KEM-768 prekey. */
export type KemPrekey = Infer<typeof kemPrekeyShape>

/** Everything a device publishes beside its certificate. Times are Unix milliseconds. */
export interface BundleTerms {
  readonly signedPrekey: SignedPrekey
  readonly kemPrekey: KemPrekey
  /** Multiaddrs with PeerId, at most `limits.bundleAddresses`. */
  readonly addresses: readonly string[]
  /** Multiaddrs of the device's relays, at most `limits.bundleRelays`. */
  readonly relays: readonly string[]
  readonly intro: IntroQueue | null
  /** Grows with every bundle of the device; the highest is the newest. */
  readonly seq: number
  readonly expiresAtMs: number
}

/** A key bundle whose one signature, by the device's identity key, covers all of it. */
export interface KeyBundle extends BundleTerms {
  readonly bytes: Uint8Array
  /** SHA-256 of `bytes`, bound into the handshake. */
  readonly hash: Uint8Array
  readonly certificate: DeviceCertificate
}

/** Why a bundle is not used. */
export type BundleRefusal = 'malformed' | 'bad-certificate' | 'bad-signature' | 'wrong-device' | 'expired'

/** The first eight bytes of a bundle's hash: how a first flight says which bundle it was made for. */
export const bundleTag = (hash: Uint8Array): Uint8Array => hash.subarray(0, 8)

/**
 * Issues a bundle: `[[certificate, signed prekey, KEM prekey, addresses, relays, intro, seq, expiry],
 * signature]` (docs/protocol/identity.md §7). Throws a UsageError when the keys are not the certificate's.
 */
export function issueBundle(
  crypto: CryptoProvider,
  identity: SignKeyPair,
  certificate: DeviceCertificate,
  terms: BundleTerms,
): KeyBundle {
  if (!equalBytes(identity.publicKey, certificate.identityKey))
    throw new UsageError('E_WRONG_KEY', 'a bundle is signed by the identity key of its certificate')
  const body = bodyFrame.encode({ ...terms, certificate: certificate.bytes })
  const signature = signAs(crypto, identity, 'key-bundle', certificate.account, body)
  const encoded = bundleFrame.encode({ body, signature })
  return { ...terms, certificate, bytes: encoded, hash: crypto.sha256(encoded) }
}

/**
 * Reads a bundle: canonical, signed by the device its certificate names, unexpired for a clock within
 * `limits.clockSkewMs`. `expected`, when given, is the device it was asked of: another's is refused.
 * Whether the device is active is the device log's answer, not the bundle's.
 */
export function readBundle(
  crypto: CryptoProvider,
  input: Uint8Array,
  nowMs: number,
  expected?: DeviceAddress,
): Verdict<KeyBundle, BundleRefusal> {
  const outer = bundleFrame.decode(input)
  if (!outer.ok) return rejected('malformed')
  const body = bodyFrame.decode(outer.value.body)
  if (!body.ok) return rejected('malformed')
  const certificate = readCertificate(crypto, body.value.certificate)
  if (certificate === undefined) return rejected('bad-certificate')
  if (expected !== undefined && !names(certificate, expected)) return rejected('wrong-device')
  const { account, identityKey } = certificate
  if (!verifyAs(crypto, identityKey, 'key-bundle', account, outer.value.body, outer.value.signature))
    return rejected('bad-signature')
  const bundle = { ...body.value, certificate, bytes: input, hash: crypto.sha256(input) }
  return expiredBundle(bundle, nowMs) ? rejected('expired') : accepted(bundle)
}

const names = (certificate: DeviceCertificate, expected: DeviceAddress): boolean =>
  equalBytes(certificate.account, expected.account) && equalBytes(certificate.device, expected.device)

/**
 * Whether a clock within `limits.clockSkewMs` sees a bundle as past. Bundle and prekeys each carry an expiry;
 * the certificate's is the device log's business, which may have renewed it.
 */
export const expiredBundle = (bundle: BundleTerms, nowMs: number): boolean =>
  [bundle.expiresAtMs, bundle.signedPrekey.expiresAtMs, bundle.kemPrekey.expiresAtMs].some((atMs) =>
    lapsedAt(atMs, nowMs),
  )

/**
 * Whether two bundles show that their device lied: one sequence number, different bytes. Both carry the
 * device's signature, so the pair convinces anyone who is handed it.
 */
export const bundlesConflict = (a: KeyBundle, b: KeyBundle): boolean =>
  names(a.certificate, b.certificate) && a.seq === b.seq && !equalBytes(a.bytes, b.bytes)
