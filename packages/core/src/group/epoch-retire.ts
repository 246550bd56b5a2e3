import type { Secret } from '../crypto/index.ts'
import { sameDevice, type DeviceAddress } from '../identity/index.ts'
import { limits } from '../limits.ts'
import { childrenOf, comparePreference, descendantsOf } from './epoch-graph.ts'
import {
  carriersOf,
  chainSecrets,
  indexOfDevice,
  routeKeyOf,
  routeSecrets,
  withEntries,
  type ConversationEpochs,
  type EpochKeys,
  type EpochNode,
} from './epoch-state.ts'
import { dropExpired, dropOldest, oldestSkippedMs } from './skipped-generations.ts'

/** A state after housekeeping, and the secrets to wipe once it is committed. */
export interface EpochsSwept {
  readonly state: ConversationEpochs
  readonly spent: readonly Secret[]
}

const alive = (keys: EpochKeys): boolean => keys.chains.length > 0

/**
 * Erases what its time has come for: retired epochs' keys, old skipped keys, seeds that waited in vain, records
 * long retired. `devices` is D(now) without those that are lagging, for whom nobody waits.
 */
export function sweepEpochs(
  state: ConversationEpochs,
  devices: readonly DeviceAddress[],
  nowMs: number,
): EpochsSwept {
  const spent: Secret[] = []
  let next = state
  for (const node of state.nodes.values()) {
    const keys = state.keys.get(node.key)
    if (keys === undefined || !alive(keys) || !retirementDue(state, node, devices, nowMs)) continue
    const retired = retire(next, node, nowMs)
    next = retired.state
    spent.push(...retired.spent)
  }
  for (const step of [dropRoutes, dropSkipped, dropPending, forgetRecords]) {
    const swept = step(next, nowMs)
    next = swept.state
    spent.push(...swept.spent)
  }
  return { state: next, spent }
}

/** Whether an epoch's chains are to be erased: everyone has moved on, or its time is over. */
function retirementDue(
  state: ConversationEpochs,
  node: EpochNode,
  devices: readonly DeviceAddress[],
  nowMs: number,
): boolean {
  if (nowMs >= node.acceptedAtMs + limits.epochKeyMs) return true
  if (node.supersededAtMs === undefined) return false
  if (nowMs >= node.supersededAtMs + limits.epochSupersededMs) return true
  const after = descendantsOf(state.nodes, node)
  return devices.every((device) =>
    after.some((later) => later.heard[indexOfDevice(later.recipients, device)]),
  )
}

/** Erases an epoch's chains and exporter. The keys of its topic stay while something rides on them. */
export function retire(state: ConversationEpochs, node: EpochNode, nowMs: number): EpochsSwept {
  const keys = state.keys.get(node.key)
  if (keys === undefined) return { state, spent: [] }
  const left: EpochKeys | undefined = keys.route && {
    exporter: keys.exporter,
    route: keys.route,
    chains: [],
    ownSlot: keys.ownSlot,
  }
  return {
    state: {
      ...state,
      nodes: withEntries(state.nodes, [[node.key, { ...node, retiredAtMs: nowMs }]]),
      keys: withEntries(state.keys, [[node.key, left]]),
    },
    spent: chainSecrets(keys),
  }
}

/** At most `limits.keyedEpochs` with chains: the longest superseded goes, else the least preferred. */
export function withinKeyedBound(state: ConversationEpochs, newest: EpochNode, nowMs: number): EpochsSwept {
  const keyed = [...state.keys].filter(([, keys]) => alive(keys)).map(([key]) => state.nodes.get(key))
  if (keyed.length <= limits.keyedEpochs) return { state, spent: [] }
  const last = keyed
    .filter((node) => node !== undefined)
    .filter(({ key }) => key !== newest.key)
    .sort(
      (a, b) =>
        (a.supersededAtMs ?? Infinity) - (b.supersededAtMs ?? Infinity) || -comparePreference(a, b) || 0,
    )[0]
  return last === undefined ? { state, spent: [] } : retire(state, last, nowMs)
}

/**
 * Erases the topic keys of retired routing epochs on which nothing rides: after `limits.epochSupersededMs`, for a
 * turn that rides on one may still come late, and beyond `limits.keyedEpochs` the ones retired first.
 */
function dropRoutes(state: ConversationEpochs, nowMs: number): EpochsSwept {
  const ridden = new Set<string>()
  for (const [key, keys] of state.keys) {
    const node = state.nodes.get(key)
    if (node !== undefined && alive(keys)) ridden.add(routeKeyOf(node))
  }
  const retiredAt = (key: string): number => state.nodes.get(key)?.retiredAtMs ?? 0
  const idle = [...state.keys]
    .filter(([key, keys]) => !alive(keys) && !ridden.has(key))
    .sort(([a], [b]) => retiredAt(b) - retiredAt(a))
  const gone = idle.filter(
    ([key], i) => i >= limits.keyedEpochs || retiredAt(key) + limits.epochSupersededMs <= nowMs,
  )
  return {
    state: {
      ...state,
      keys: withEntries(
        state.keys,
        gone.map(([key]) => [key, undefined] as const),
      ),
    },
    spent: gone.flatMap(([, { route }]) => (route === undefined ? [] : routeSecrets(route))),
  }
}

/** Skipped keys: none older than their time, and at most `limits.skippedGenerationsTotal`, the oldest going first. */
export function dropSkipped(state: ConversationEpochs, nowMs: number): EpochsSwept {
  const spent: Secret[] = []
  const changed: (readonly [string, EpochKeys])[] = []
  let total = 0
  for (const [key, keys] of state.keys) {
    const chains = keys.chains.map((chain) => {
      const skipped = dropExpired(chain.skipped, nowMs)
      total += skipped.count
      if (skipped === chain.skipped) return chain
      spent.push(chain.skipped.rows)
      return { ...chain, skipped }
    })
    if (chains.some((chain, i) => chain !== keys.chains[i])) changed.push([key, { ...keys, chains }])
  }
  const kept = changed.length === 0 ? state : { ...state, keys: withEntries(state.keys, changed) }
  if (total <= limits.skippedGenerationsTotal) return { state: kept, spent }
  const cut = dropExcess(kept, total - limits.skippedGenerationsTotal)
  return { state: cut.state, spent: [...spent, ...cut.spent] }
}

/** Drops skipped keys until `excess` are gone, from the chain that holds the oldest, again and again. */
function dropExcess(state: ConversationEpochs, excess: number): EpochsSwept {
  const all = [...state.keys].flatMap(([key, { chains }]) =>
    chains.map((chain, index) => ({ key, index, chain, oldestMs: oldestSkippedMs(chain.skipped) })),
  )
  const oldest = all
    .filter((row) => row.oldestMs !== undefined)
    .sort((a, b) => (a.oldestMs ?? 0) - (b.oldestMs ?? 0))
  const spent: Secret[] = []
  let { keys } = state
  let left = excess
  for (const { key, index, chain } of oldest) {
    if (left <= 0) break
    const drop = Math.min(left, chain.skipped.count)
    const held = keys.get(key)
    if (held === undefined) continue
    const next = { ...chain, skipped: dropOldest(chain.skipped, drop) }
    keys = withEntries(keys, [[key, { ...held, chains: held.chains.with(index, next) }]])
    spent.push(chain.skipped.rows)
    left -= drop
  }
  return { state: { ...state, keys }, spent }
}

/** Seeds whose record did not come within `limits.heldMs`. */
function dropPending(state: ConversationEpochs, nowMs: number): EpochsSwept {
  const gone = state.pending.filter((seed) => seed.receivedAtMs + limits.heldMs < nowMs)
  if (gone.length === 0) return { state, spent: [] }
  return {
    state: { ...state, pending: state.pending.filter((seed) => !gone.includes(seed)) },
    spent: gone.map(({ secret }) => secret),
  }
}

/** Records of epochs long retired, or never keyed, that have a successor and carry nobody. */
function forgetRecords(state: ConversationEpochs, nowMs: number): EpochsSwept {
  const children = childrenOf(state.nodes)
  const carrying = carriersOf(state)
  const gone = [...state.nodes.values()].filter((node) => {
    if (state.keys.has(node.key) || carrying.has(node.key) || !children.has(node.key)) return false
    const { timestampMs, route } = node.record.terms
    const since = Math.max(node.retiredAtMs ?? node.acceptedAtMs, timestampMs)
    return since + (route === null ? limits.epochRecordMs : limits.turnRecordMs) < nowMs
  })
  if (gone.length === 0) return { state, spent: [] }
  return {
    state: {
      ...state,
      nodes: withEntries(
        state.nodes,
        gone.map(({ key }) => [key, undefined] as const),
      ),
      forgottenUpToMs: Math.max(state.forgottenUpToMs, ...gone.map(({ record }) => record.terms.timestampMs)),
    },
    spent: [],
  }
}

const isLater = (a: EpochNode, b: EpochNode): boolean =>
  (a.acceptedAtMs - b.acceptedAtMs || a.depth - b.depth) > 0

/** Whether a device lags: the newest own seed for it is unacknowledged after `limits.seedAckMs`. */
export function isLagging(state: ConversationEpochs, device: DeviceAddress, nowMs: number): boolean {
  let newest: EpochNode | undefined
  for (const node of state.nodes.values()) {
    if (!sameDevice(node.record.terms, state.self) || indexOfDevice(node.recipients, device) < 0) continue
    if (newest === undefined || isLater(node, newest)) newest = node
  }
  if (newest === undefined || sameDevice(device, state.self)) return false
  const index = indexOfDevice(newest.recipients, device)
  const answered = newest.acked[index] === true || newest.heard[index] === true
  return !answered && newest.acceptedAtMs + limits.seedAckMs < nowMs
}
