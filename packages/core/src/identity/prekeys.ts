import {
  sizes,
  type CryptoProvider,
  type DhKeyPair,
  type KemKeyPair,
  type Secret,
  type SignKeyPair,
} from '../crypto/index.ts'
import { UsageError } from '../errors.ts'
import { limits } from '../limits.ts'
import { bytes, bytesBetween, equalBytes, fields, frame, list, uint } from '../wire/index.ts'
import { bundleTag, issueBundle, type BundleTerms, type KeyBundle } from './bundle.ts'
import type { DeviceCertificate } from './certificate.ts'

/** One generation of own prekeys, with its private halves. */
export interface OwnPrekeys {
  readonly id: number
  readonly signed: DhKeyPair
  readonly kem: KemKeyPair
  readonly createdAtMs: number
}

/** A bundle this device gave out: the exact bytes, which the handshake binds, and the prekeys inside. */
export interface IssuedBundle {
  readonly bytes: Uint8Array
  readonly hash: Uint8Array
  readonly prekeyId: number
}

/** The prekeys a device holds, oldest generation first; the last is published, the others await late frames. */
export interface Prekeys {
  readonly generations: readonly OwnPrekeys[]
  readonly bundles: readonly IssuedBundle[]
  /** Id of the next generation, and sequence number of the next bundle. */
  readonly nextId: number
  readonly nextSeq: number
}

/** A new state and the secrets it no longer holds, for the caller to wipe once it is stored. */
export interface PrekeysChange {
  readonly prekeys: Prekeys
  readonly spent: readonly Secret[]
}

/** Fresh random bytes for one generation: 32 for X25519, 64 for ML-KEM-768. */
export interface PrekeySeeds {
  readonly dh: Uint8Array
  readonly kem: Uint8Array
}

/** No prekeys yet. */
export const noPrekeys: Prekeys = { generations: [], bundles: [], nextId: 1, nextSeq: 1 }

/** Whether a new generation is due: there is none, or the last is `limits.prekeyRotateMs` old. */
export function prekeysDue(prekeys: Prekeys, nowMs: number): boolean {
  const last = prekeys.generations.at(-1)
  return last === undefined || nowMs - last.createdAtMs >= limits.prekeyRotateMs
}

/** Adds a generation, which the next bundle publishes, and drops what is past its keeping. */
export function rotatePrekeys(
  crypto: CryptoProvider,
  prekeys: Prekeys,
  seeds: PrekeySeeds,
  nowMs: number,
): PrekeysChange {
  const fresh: OwnPrekeys = {
    id: prekeys.nextId,
    signed: crypto.dhKeyPair(seeds.dh),
    kem: crypto.kemKeyPair(seeds.kem),
    createdAtMs: nowMs,
  }
  return expirePrekeys(
    { ...prekeys, generations: [...prekeys.generations, fresh], nextId: fresh.id + 1 },
    nowMs,
  )
}

/**
 * Drops generations older than `limits.prekeyKeepMs`, the published one excepted, and the bundles that held
 * them: a first flight to one of these can no longer be read, whoever steals the device.
 */
export function expirePrekeys(prekeys: Prekeys, nowMs: number): PrekeysChange {
  const last = prekeys.generations.at(-1)
  const keeps = (own: OwnPrekeys): boolean => own === last || nowMs - own.createdAtMs <= limits.prekeyKeepMs
  const generations = prekeys.generations.filter(keeps).slice(-limits.prekeyGenerations)
  const kept = new Set(generations.map((own) => own.id))
  const gone = prekeys.generations.filter((own) => !kept.has(own.id))
  const bundles = prekeys.bundles.filter((bundle) => kept.has(bundle.prekeyId)).slice(-limits.prekeyBundles)
  return {
    prekeys: { ...prekeys, generations, bundles },
    spent: gone.flatMap((own) => [own.signed.secret, own.kem.secret]),
  }
}

/** What the caller adds to a bundle; prekeys, sequence number and expiry come from the state. */
export type BundleContact = Pick<BundleTerms, 'addresses' | 'relays' | 'intro'>

/** Issues a bundle of the newest generation and keeps its exact bytes. Throws a UsageError when there is none. */
export function publishBundle(
  crypto: CryptoProvider,
  prekeys: Prekeys,
  identity: SignKeyPair,
  certificate: DeviceCertificate,
  contact: BundleContact,
): { readonly prekeys: Prekeys; readonly bundle: KeyBundle } {
  const own = prekeys.generations.at(-1)
  if (own === undefined) throw new UsageError('E_NO_PREKEYS', 'a bundle needs prekeys')
  const expiresAtMs = own.createdAtMs + limits.prekeyKeepMs
  const bundle = issueBundle(crypto, identity, certificate, {
    ...contact,
    signedPrekey: { id: own.id, publicKey: own.signed.publicKey, expiresAtMs },
    kemPrekey: { id: own.id, publicKey: own.kem.publicKey, expiresAtMs },
    seq: prekeys.nextSeq,
    expiresAtMs,
  })
  const issued: IssuedBundle = { bytes: bundle.bytes, hash: bundle.hash, prekeyId: own.id }
  const bundles = [...prekeys.bundles, issued].slice(-limits.prekeyBundles)
  return { prekeys: { ...prekeys, bundles, nextSeq: prekeys.nextSeq + 1 }, bundle }
}

/** The bundle a first flight names by its tag, with the private halves; undefined when it is no longer kept. */
export function findPrekeys(
  prekeys: Prekeys,
  tag: Uint8Array,
): { readonly bundle: IssuedBundle; readonly own: OwnPrekeys } | undefined {
  const bundle = prekeys.bundles.find((one) => equalBytes(bundleTag(one.hash), tag))
  const own = prekeys.generations.find((one) => one.id === bundle?.prekeyId)
  return bundle === undefined || own === undefined ? undefined : { bundle, own }
}

const prekeysFrame = frame(
  'own-prekeys',
  fields({
    generations: list(
      fields({
        id: uint(0xffff_ffff),
        dhSeed: bytes(sizes.seed),
        kemSeed: bytes(sizes.kemSeed),
        createdAtMs: uint(),
      }),
      limits.prekeyGenerations,
    ),
    bundles: list(
      fields({ prekeyId: uint(0xffff_ffff), bytes: bytesBetween(1, limits.bundleBytes) }),
      limits.prekeyBundles,
    ),
    nextId: uint(),
    nextSeq: uint(),
  }),
  limits.prekeyBundles * (limits.bundleBytes + 16) + limits.prekeyGenerations * 160,
)

/** The state as bytes for the sealed store; they hold the private halves. */
export const encodePrekeys = (prekeys: Prekeys): Uint8Array =>
  prekeysFrame.encode({
    ...prekeys,
    generations: prekeys.generations.map((own) => ({
      id: own.id,
      dhSeed: own.signed.secret.expose(),
      kemSeed: own.kem.secret.expose(),
      createdAtMs: own.createdAtMs,
    })),
    bundles: prekeys.bundles.map(({ prekeyId, bytes: exact }) => ({ prekeyId, bytes: exact })),
  })

/** Reads what `encodePrekeys` wrote; undefined for other bytes. Key pairs are derived again from the seeds. */
export function decodePrekeys(crypto: CryptoProvider, input: Uint8Array): Prekeys | undefined {
  const decoded = prekeysFrame.decode(input)
  if (!decoded.ok) return undefined
  const { generations, bundles, nextId, nextSeq } = decoded.value
  return {
    generations: generations.map(({ id, dhSeed, kemSeed, createdAtMs }) => ({
      id,
      signed: crypto.dhKeyPair(dhSeed),
      kem: crypto.kemKeyPair(kemSeed),
      createdAtMs,
    })),
    bundles: bundles.map((one) => ({ ...one, hash: crypto.sha256(one.bytes) })),
    nextId,
    nextSeq,
  }
}
