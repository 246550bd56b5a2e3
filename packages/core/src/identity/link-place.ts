import { kdf, noSalt, type CryptoProvider, type SignPublicKey } from '../crypto/index.ts'
import { UsageError } from '../errors.ts'
import { limits } from '../limits.ts'
import { fields, frame, list, literal, text, toHex } from '../wire/index.ts'
import { isLocator } from './link-code.ts'
import { isAddress, transportKeyShape } from './link-text.ts'

/**
 * Where a new device with a short code lets itself be found: as an ordinary record of the DHT under a discovery
 * key that follows from the three characters and the time. Anybody can work these keys out, so a record proves
 * nothing and tells nothing but where a device is that wants to be linked.
 */

/** One place: the seed of the discovery key pair, and day and slot of the record (docs/protocol/discovery.md). */
export interface LinkPlace {
  /** 32 bytes. */
  readonly seed: Uint8Array
  /** Days since 1970 UTC, of the beginning of the five minutes. */
  readonly day: number
  readonly slot: number
}

/** Where a new device is. */
export interface LinkContact {
  /** `peerIdOf` gives its PeerId. */
  readonly transportKey: SignPublicKey
  readonly addresses: readonly string[]
}

const dayMs = 24 * 60 * 60 * 1_000

const recordFrame = frame(
  'link-place',
  fields({
    version: literal(1),
    transportKey: transportKeyShape,
    addresses: list(text(limits.addressBytes), limits.bundleAddresses),
  }),
  3 * 1024,
)

function placeAt(crypto: CryptoProvider, locator: string, period: number, slot: number): LinkPlace {
  const seed = kdf(crypto, noSalt, new Uint8Array(0), 'link-place', [locator, period])
  return { seed, day: Math.floor((period * limits.linkMs) / dayMs), slot }
}

const periodOf = (nowMs: number): number => Math.floor(nowMs / limits.linkMs)

function checkLocator(locator: string): void {
  if (!isLocator(locator)) throw new UsageError('E_LINK_MALFORMED', 'a code is found by three characters')
}

/**
 * Where a new device publishes: under these five minutes and the next, because a code outlives the first. Which
 * of the slots follows from its transport key, so that two devices rarely replace each other. `nowMs` is wall time.
 */
export function publishingLinkPlaces(
  crypto: CryptoProvider,
  locator: string,
  transportKey: SignPublicKey,
  nowMs: number,
): readonly LinkPlace[] {
  checkLocator(locator)
  const slot = 1 + ((crypto.sha256(transportKey)[0] ?? 0) % limits.linkPlaces)
  return [0, 1].map((later) => placeAt(crypto, locator, periodOf(nowMs) + later, slot))
}

/** Where an old device looks, likeliest first: every slot of these five minutes, those before and the next. */
export function readingLinkPlaces(
  crypto: CryptoProvider,
  locator: string,
  nowMs: number,
): readonly LinkPlace[] {
  checkLocator(locator)
  const slots = Array.from({ length: limits.linkPlaces }, (_, i) => 1 + i)
  return [0, -1, 1].flatMap((later) =>
    slots.map((slot) => placeAt(crypto, locator, periodOf(nowMs) + later, slot)),
  )
}

/** The plaintext of a place's record. Throws a UsageError for addresses no reader would take. */
export function writeLinkRecord({ transportKey, addresses }: LinkContact): Uint8Array {
  if (addresses.length > limits.bundleAddresses || !addresses.every(isAddress))
    throw new UsageError('E_ADDRESS', `a device names at most ${limits.bundleAddresses} multiaddrs`)
  return recordFrame.encode({ version: 1, transportKey, addresses })
}

/** The devices to try, of the records found in their order: each once, at most `limits.linkCandidates`. */
export function linkCandidates(records: readonly Uint8Array[]): readonly LinkContact[] {
  const found = new Map<string, LinkContact>()
  for (const record of records) {
    if (found.size === limits.linkCandidates) break
    const decoded = recordFrame.decode(record)
    if (!decoded.ok || !decoded.value.addresses.every(isAddress)) continue
    const { transportKey, addresses } = decoded.value
    const name = toHex(transportKey)
    if (!found.has(name)) found.set(name, { transportKey, addresses })
  }
  return [...found.values()]
}
