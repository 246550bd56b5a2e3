/**
 * CPace over ristretto255 with SHA-512 (draft-irtf-cfrg-cpace, CPACE-RISTR255-SHA512, initiator and responder):
 * two ends that know one short password agree on a key. Who does not know it has one guess for each exchange an
 * end takes part in, and learns nothing to try others on afterwards.
 */
import { ristretto255, ristretto255_hasher } from '@noble/curves/ed25519.js'
import { invariant, UsageError } from '../errors.ts'
import { concat } from '../wire/bytes.ts'
import { utf8 } from '../wire/utf8.ts'
import { scalarOf, sha512Of } from './edwards.ts'
import { isZero } from './gate.ts'
import { Secret } from './secret.ts'

declare const brand: unique symbol
/** What one end sends: a point of ristretto255, 32 bytes (RFC 9496 §4.3.2). */
export type PakeShare = Uint8Array & { readonly [brand]: 'cpace-share' }

/** Fresh random bytes one end needs: a scalar is these modulo the group order, too many to show a bias. */
export const pakeSeedBytes = 64

/** Bytes of a share. */
export const pakeShareBytes = 32

/** What both ends put in; where anything differs, so do their keys. */
export interface PakeTerms {
  readonly password: Uint8Array
  /** Who talks about what: the draft's channel identifier CI. */
  readonly channel: Uint8Array
  /** Fresh for each exchange: the draft's sid, chosen by the initiator. */
  readonly session: Uint8Array
}

const generatorLabel = utf8('CPaceRistretto255')
const keyLabel = utf8('CPaceRistretto255_ISK')
/** SHA-512 reads blocks of this many bytes; the password fills the first one alone. */
const blockBytes = 128

/** A length as LEB128 in front of the bytes. */
function counted(bytes: Uint8Array): Uint8Array {
  const head: number[] = []
  let left = bytes.length
  for (; left > 127; left >>>= 7) head.push((left & 127) | 128)
  return concat(Uint8Array.of(...head, left), bytes)
}

const countedAll = (...parts: readonly Uint8Array[]): Uint8Array => concat(...parts.map(counted))

/** The password's own generator of the group (draft, calculate_generator). */
export function pakeGenerator({ password, channel, session }: PakeTerms): Uint8Array {
  const filler = Math.max(0, blockBytes - 1 - counted(password).length - counted(generatorLabel).length)
  const text = countedAll(generatorLabel, password, new Uint8Array(filler), channel, session)
  const point = ristretto255_hasher.deriveToCurve?.(sha512Of(text))
  invariant(point, 'E_RISTRETTO', 'the library maps no bytes to ristretto255')
  return point.toBytes()
}

/** The product of a point and the seed's scalar; undefined for bytes that are no point, and for the identity. */
function multiplied(point: Uint8Array, seed: Secret): Uint8Array | undefined {
  if (seed.length !== pakeSeedBytes)
    throw new UsageError('E_LENGTH', 'a password exchange takes 64 random bytes', {
      detail: { expected: pakeSeedBytes, actual: seed.length },
    })
  if (seed.wiped) throw new UsageError('E_SECRET_WIPED', 'the seed of a password exchange has been wiped')
  try {
    const product = ristretto255.Point.fromBytes(point).multiply(scalarOf(seed.expose())).toBytes()
    return isZero(product) ? undefined : product
  } catch {
    return undefined
  }
}

/** The share to send. `seed` is `pakeSeedBytes` fresh random bytes, for this one exchange. */
export function pakeShare(terms: PakeTerms, seed: Secret): PakeShare {
  const share = multiplied(pakeGenerator(terms), seed)
  if (share === undefined) throw new UsageError('E_LENGTH', 'the seed of a password exchange is zero')
  return share as PakeShare
}

/**
 * The 64 bytes both ends then have in common if both put the same in (the draft's ISK); undefined when the remote share is no point or the identity. It proves nothing yet: what is sealed
 * under it does. The shares are the initiator's and the responder's; `remote` says which of them is the peer's.
 */
export function pakeKey(
  terms: PakeTerms,
  seed: Secret,
  shares: { readonly initiator: Uint8Array; readonly responder: Uint8Array },
  remote: 'initiator' | 'responder',
  associated: { readonly initiator: Uint8Array; readonly responder: Uint8Array } = nothing,
): Secret | undefined {
  const product = multiplied(shares[remote], seed)
  if (product === undefined) return undefined
  const key = sha512Of(
    countedAll(keyLabel, terms.session, product),
    countedAll(shares.initiator, associated.initiator),
    countedAll(shares.responder, associated.responder),
  )
  product.fill(0)
  return new Secret(key)
}

const nothing = { initiator: new Uint8Array(0), responder: new Uint8Array(0) }
