import { sizes } from '../crypto/index.ts'
import { invariant } from '../errors.ts'
import {
  decodePrekeys,
  encodePrekeys,
  noPrekeys,
  prekeysDue,
  publishBundle,
  readBundle,
  rotatePrekeys,
  type BundleContact,
  type Prekeys,
} from '../identity/index.ts'
import { limits } from '../limits.ts'
import type { Step } from './context.ts'
import { sureNow } from './timers.ts'
import { requireMe } from './me.ts'
import { introTarget, relayAddresses } from './queues.ts'
import { onlyRow, prekeyRows, selfRows } from './tables.ts'

/** Own prekeys with their private halves. */
export function ownPrekeys(step: Step): Prekeys {
  const row = step.tx.get(prekeyRows, onlyRow)
  if (row === undefined) return noPrekeys
  const { live, crypto } = step.context
  // Their key pairs are derived from seeds, which costs more than anything else an idle device does.
  if (live.prekeys?.row === row) return live.prekeys.prekeys
  const prekeys = decodePrekeys(crypto, row)
  invariant(prekeys, 'E_PREKEYS', 'the prekey row does not decode')
  live.prekeys = { row, prekeys }
  return prekeys
}

/** Makes a new generation when one is due. */
export function refreshPrekeys(step: Step): void {
  const { crypto, random } = step.context
  const held = ownPrekeys(step)
  if (!prekeysDue(held, sureNow(step))) return
  const seeds = { dh: random.bytes(sizes.seed), kem: random.bytes(sizes.kemSeed) }
  step.tx.put(prekeyRows, onlyRow, encodePrekeys(rotatePrekeys(crypto, held, seeds, step.nowMs).prekeys))
}

/**
 * The bundle that says where this device is now: the newest one, or a new one when an address, a relay or
 * the prekeys changed since. A new bundle makes a new card.
 */
export function currentBundle(step: Step): Uint8Array {
  refreshPrekeys(step)
  const { crypto, live } = step.context
  const me = requireMe(step)
  const held = ownPrekeys(step)
  const place: BundleContact = {
    addresses: live.addresses.slice(0, limits.bundleAddresses),
    relays: relayAddresses(step).slice(0, limits.bundleRelays),
    intro: introTarget(step),
  }
  const latest = held.bundles.at(-1)
  if (latest !== undefined && latest.prekeyId + 1 === held.nextId && says(step, latest.bytes, place))
    return latest.bytes
  const { prekeys, bundle } = publishBundle(crypto, held, me.identity, me.certificate, place)
  step.tx.put(prekeyRows, onlyRow, encodePrekeys(prekeys))
  step.tx.put(selfRows, onlyRow, { ...me.self, cardSeq: me.self.cardSeq + 1 })
  return bundle.bytes
}

function says(step: Step, bundle: Uint8Array, place: BundleContact): boolean {
  const said = ownPlace(step, bundle)
  if (said === undefined) return false
  const { addresses, relays, intro } = said
  return same(addresses, place.addresses) && same(relays, place.relays) && intro?.relay === place.intro?.relay
}

/** How long an own bundle that was good is taken for good, in milliseconds. */
const stillGoodMs = 60_000

const goodBundles = new WeakMap<Uint8Array, { readonly place: BundleContact; readonly atMs: number }>()

/** Where an own bundle says this device is; undefined when it is over. */
function ownPlace(step: Step, bundle: Uint8Array): BundleContact | undefined {
  const nowMs = sureNow(step)
  const known = goodBundles.get(bundle)
  if (known !== undefined && Math.abs(nowMs - known.atMs) < stillGoodMs) return known.place
  const read = readBundle(step.context.crypto, bundle, nowMs)
  if (read.verdict !== 'accepted') return undefined
  goodBundles.set(bundle, { place: read.value, atMs: nowMs })
  return read.value
}

const same = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((item, i) => item === b[i])
