import { Secret, type CryptoProvider } from '../crypto/index.ts'
import { accepted, held, rejected, type Verdict } from '../errors.ts'
import { sameDevice, type DeviceAddress } from '../identity/index.ts'
import { limits } from '../limits.ts'
import { equalBytes } from '../wire/index.ts'
import type { Seed } from './epoch-items.ts'
import { keyEpoch, type SeedMismatch } from './epoch-keyed.ts'
import { deriveRoute, type RouteKeys } from './epoch-keys.ts'
import {
  indexOfDevice,
  keyOf,
  withEntries,
  type ConversationEpochs,
  type MembershipView,
} from './epoch-state.ts'

/** Why a seed was refused. */
export type SeedRefusal = SeedMismatch | 'not-the-author'

/** The keyed state; the seed is to be acknowledged to its sender. */
export interface SeedTaken {
  readonly state: ConversationEpochs
  readonly spent: readonly Secret[]
}

/**
 * Takes a seed that came through the session of `from`. Only the author's own word keys its epoch; no other
 * device forwards seeds. A seed of an unknown epoch is to be kept with `keepSeed` and its record fetched
 * (`held('epoch-record')`). The caller wipes `seed.secret`.
 */
export function onSeed(
  crypto: CryptoProvider,
  state: ConversationEpochs,
  seed: Seed,
  from: DeviceAddress,
  nowMs: number,
): Verdict<SeedTaken, SeedRefusal> {
  const node = state.nodes.get(keyOf(seed.epoch))
  if (node === undefined) return held('epoch-record')
  if (!sameDevice(node.record.terms, from)) return rejected('not-the-author')
  const keyed = keyEpoch(crypto, state, node, seed.context, seed.secret, nowMs)
  return keyed.ok ? accepted({ state: keyed.state, spent: keyed.spent }) : rejected(keyed.reason)
}

/**
 * Keeps a seed until its record comes: the first by each sender for each epoch, within
 * `limits.pendingSeedsPerSender` and `limits.pendingSeeds`. The same state when there is no room.
 */
export function keepSeed(
  state: ConversationEpochs,
  seed: Seed,
  from: DeviceAddress,
  nowMs: number,
): ConversationEpochs {
  const own = state.pending.filter((other) => sameDevice(other.from, from))
  if (own.some((other) => equalBytes(other.epoch, seed.epoch))) return state
  if (own.length >= limits.pendingSeedsPerSender || state.pending.length >= limits.pendingSeeds) return state
  const { epoch, context, secret } = seed
  const sender = { account: from.account, device: from.device }
  const kept = { epoch, context, secret: new Secret(secret.slice()), from: sender, receivedAtMs: nowMs }
  return { ...state, pending: [...state.pending, kept] }
}

/** Topic and queue of each seed that waits: where its record was published, and the key that opens it. */
export const pendingRoutes = (
  crypto: CryptoProvider,
  state: ConversationEpochs,
): readonly { readonly epoch: Uint8Array; readonly from: DeviceAddress; readonly route: RouteKeys }[] =>
  state.pending.map(({ epoch, context, secret, from }) => ({
    epoch,
    from,
    route: deriveRoute(crypto, secret.expose(), context),
  }))

/** Notes that a device acknowledged the seed of an own epoch; anything else changes nothing. */
export function onSeedAck(
  state: ConversationEpochs,
  epoch: Uint8Array,
  from: DeviceAddress,
): ConversationEpochs {
  const node = state.nodes.get(keyOf(epoch))
  if (node === undefined || !sameDevice(node.record.terms, state.self)) return state
  const index = indexOfDevice(node.recipients, from)
  if (index < 0 || node.acked[index] === true) return state
  const next = { ...node, acked: node.acked.with(index, true) }
  return { ...state, nodes: withEntries(state.nodes, [[node.key, next]]) }
}

/**
 * Whether a request for a seed may be answered with the sealed seed that still waits in the outbox: an own
 * epoch that lists the asking device, which is a member's active device now. Nobody else ever gets one.
 */
export function maySendSeed(
  state: ConversationEpochs,
  view: Pick<MembershipView, 'devices'>,
  epoch: Uint8Array,
  to: DeviceAddress,
): boolean {
  const node = state.nodes.get(keyOf(epoch))
  return (
    node !== undefined &&
    sameDevice(node.record.terms, state.self) &&
    indexOfDevice(node.recipients, to) >= 0 &&
    indexOfDevice(view.devices, to) >= 0
  )
}
