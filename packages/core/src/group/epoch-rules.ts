import type { CryptoProvider } from '../crypto/index.ts'
import { lapsedAt, sameDevice, type DeviceAddress } from '../identity/index.ts'
import { limits } from '../limits.ts'
import { compareBytes, concat } from '../wire/index.ts'
import { comparePreference, tipsOf } from './epoch-graph.ts'
import { epochReasons, type EpochReason } from './epoch-record.ts'
import {
  carriersOf,
  compareDevices,
  indexOfDevice,
  routeKeyOf,
  type ConversationEpochs,
  type EpochDevice,
  type EpochNode,
  type MembershipView,
} from './epoch-state.ts'

type Now = Pick<MembershipView, 'devices' | 'history'>

/**
 * Whether this device may seal under an epoch: it is keyed, as only one that lists it ever is, and not left behind,
 * every device it lists, its author among them, is active now, and every active device it lacks is within
 * `limits.clockSkewMs` of its end.
 */
export function usableForSending(
  state: ConversationEpochs,
  node: EpochNode,
  view: Now,
  nowMs: number,
): boolean {
  const keys = state.keys.get(node.key)
  if (keys === undefined || keys.chains.length === 0 || node.closed) return false
  if (state.keys.get(routeKeyOf(node))?.route === undefined) return false
  if (node.record.terms.history !== view.history) return false
  return sameEntitled(node, view.devices, nowMs)
}

/** Walks recipients and D(now), both in order: nobody too many, and nobody missing who has time left. */
function sameEntitled(node: EpochNode, devices: readonly EpochDevice[], nowMs: number): boolean {
  const now = devices.toSorted(compareDevices)
  let at = 0
  for (const recipient of node.recipients) {
    for (; at < now.length; at++) {
      const device = now[at]
      if (device === undefined || compareDevices(device, recipient) >= 0) break
      if (!nearEnd(device, nowMs)) return false
    }
    const device = now[at]
    if (device === undefined || !sameDevice(device, recipient) || lapsedAt(device.notAfterMs, nowMs))
      return false
    at += 1
  }
  return now.slice(at).every((device) => nearEnd(device, nowMs))
}

const nearEnd = (device: EpochDevice, nowMs: number): boolean =>
  nowMs >= device.notAfterMs - limits.clockSkewMs

/** The epoch to seal under: of the usable ones the deepest, then the one with the smallest id. */
export function preferredEpoch(state: ConversationEpochs, view: Now, nowMs: number): EpochNode | undefined {
  let best: EpochNode | undefined
  for (const key of state.keys.keys()) {
    const node = state.nodes.get(key)
    if (node === undefined || (best !== undefined && comparePreference(best, node) <= 0)) continue
    if (usableForSending(state, node, view, nowMs)) best = node
  }
  return best
}

/** Generations used under an epoch, by all devices: nearly its messages. */
export const messagesOf = (state: ConversationEpochs, node: EpochNode): number =>
  (state.keys.get(node.key)?.chains ?? []).reduce((sum, chain) => sum + chain.count, 0)

/** What the rules ask beside membership. */
export interface EpochSituation {
  /** There is something to seal now. */
  readonly sending: boolean
  /** Since when the network is there; undefined while it is not. */
  readonly onlineSinceMs: number | undefined
}

/** An epoch this device is to begin, and when. */
export interface EpochDue {
  readonly reason: EpochReason
  /** Never in the future for a sender: sending does not wait. */
  readonly atMs: number
}

/**
 * Which epoch this device is to begin next, and at what time; undefined when none. A sender without a usable
 * epoch begins one at once; idle devices wait their turn in an order that differs with every set of tips.
 */
export function epochDue(
  crypto: CryptoProvider,
  state: ConversationEpochs,
  view: MembershipView,
  situation: EpochSituation,
  nowMs: number,
): EpochDue | undefined {
  if (indexOfDevice(view.devices, state.self) < 0) return undefined
  const preferred = preferredEpoch(state, view, nowMs)
  const reason = state.nodes.size === 0 ? 'first' : 'devices'
  if (situation.sending) {
    if (preferred === undefined) return { reason, atMs: nowMs }
    const due = senderDue(state, view, preferred, nowMs)
    return due === undefined ? undefined : { reason: due, atMs: nowMs }
  }
  if (state.nodes.size === 0 || situation.onlineSinceMs === undefined) return undefined
  const wait = idleWaitMs(crypto, state, view)
  if (preferred === undefined && !seedExpected(state, view))
    return spaced(state, { reason, atMs: Math.max(view.sinceMs, situation.onlineSinceMs) + wait }, nowMs)
  const since = unseededSince(state, view, situation.onlineSinceMs)
  if (since === undefined) return undefined
  return spaced(state, { reason: 'unseeded', atMs: since + limits.unseededMs + wait }, nowMs)
}

/** What makes a sender with a usable epoch begin another: age, number, or the turn of the conversation. */
function senderDue(
  state: ConversationEpochs,
  view: MembershipView,
  preferred: EpochNode,
  nowMs: number,
): EpochReason | undefined {
  const route = state.nodes.get(routeKeyOf(preferred)) ?? preferred
  if (nowMs >= route.acceptedAtMs + limits.epochRenewMs) return 'age'
  if (messagesOf(state, preferred) >= limits.epochMessages) return 'count'
  const turned = state.lastSpeaker !== undefined && !sameDevice(state.lastSpeaker, state.self)
  const few = view.devices.length > 1 && view.devices.length <= limits.turnDevices
  const spacedOut = nowMs >= preferred.acceptedAtMs + limits.turnMs
  return turned && few && spacedOut ? 'turn' : undefined
}

/** This device's place among D(now), by HMAC(device, tips), in steps of `limits.epochSpacingMs`. */
export function idleWaitMs(crypto: CryptoProvider, state: ConversationEpochs, view: Now): number {
  const tips = concat(...tipsOf(state.nodes).map(({ record }) => record.id))
  const draw = ({ account, device }: DeviceAddress): Uint8Array =>
    crypto.hmacSha256(concat(account, device), tips)
  const own = draw(state.self)
  const before = view.devices.filter((device) => compareBytes(draw(device), own) < 0).length
  return before * limits.epochSpacingMs
}

/** An accepted, unkeyed epoch that lists this device and fits D(now): its seed may be on the way. */
const seedExpected = (state: ConversationEpochs, view: MembershipView): boolean =>
  unseeded(state).some((node) => indexOfDevice(view.devices, node.record.terms) >= 0)

/**
 * Epochs that list this device and whose seed it lacks, without a keyed descendant; or with nothing but turns
 * that ride on them, which cannot be read without their topic's key.
 */
function unseeded(state: ConversationEpochs): readonly EpochNode[] {
  const ridden = carriersOf(state)
  return [...state.nodes.values()].filter(
    (node) => node.self >= 0 && !node.seeded && (node.supersededAtMs === undefined || ridden.has(node.key)),
  )
}

/** Since when a seed is missing while online; undefined when none is. */
function unseededSince(
  state: ConversationEpochs,
  view: MembershipView,
  onlineSinceMs: number,
): number | undefined {
  const missing = unseeded(state)
    .filter((node) => indexOfDevice(view.devices, node.record.terms) >= 0)
    .map(({ acceptedAtMs }) => Math.max(acceptedAtMs, onlineSinceMs))
  return missing.length === 0 ? undefined : Math.min(...missing)
}

/** Own timers keep a pause between own epochs, and to their number an hour. */
function spaced(state: ConversationEpochs, due: EpochDue, nowMs: number): EpochDue {
  const own = [...state.nodes.values()].filter(({ record }) => sameDevice(record.terms, state.self))
  const times = own.map(({ acceptedAtMs }) => acceptedAtMs)
  const forSeeds = own
    .filter(({ record }) => record.terms.reason === epochReasons.unseeded)
    .map(({ acceptedAtMs }) => acceptedAtMs)
  let atMs = Math.max(due.atMs, Math.max(-Infinity, ...times) + limits.epochSpacingMs)
  atMs = Math.max(atMs, roomAt(times, limits.ownEpochsPerHour, nowMs))
  if (due.reason === 'unseeded') atMs = Math.max(atMs, roomAt(forSeeds, limits.unseededEpochsPerHour, nowMs))
  return { ...due, atMs }
}

/** When fewer than `most` of the times lie within the last hour; −∞ when that is so already. */
function roomAt(times: readonly number[], most: number, nowMs: number): number {
  const recent = times.filter((time) => time > nowMs - 3_600_000).sort((a, b) => a - b)
  const freeing = recent[recent.length - most]
  return freeing === undefined ? -Infinity : freeing + 3_600_000
}
