import { sizes, type CryptoProvider, type Secret, type SignKeyPair } from '../crypto/index.ts'
import { InvariantError, UsageError } from '../errors.ts'
import { sameDevice } from '../identity/index.ts'
import { limits } from '../limits.ts'
import { tipsOf } from './epoch-graph.ts'
import type { Seed } from './epoch-items.ts'
import { recipientsOf } from './epoch-judge.ts'
import { placeKeys } from './epoch-keyed.ts'
import { commitmentOf, deriveEpoch, epochSecret } from './epoch-keys.ts'
import { addNode, nodeOf } from './epoch-place.ts'
import { contextOf, epochReasons, issueEpoch, type EpochExclusion, type EpochReason } from './epoch-record.ts'
import { preferredEpoch } from './epoch-rules.ts'
import {
  compareDevices,
  indexOfDevice,
  routeKeyOf,
  type ConversationEpochs,
  type EpochDevice,
  type EpochNode,
  type MembershipView,
  type Recipient,
} from './epoch-state.ts'

/** What the author decides; the rest follows from the state and the membership. */
export interface EpochDraft {
  readonly reason: EpochReason
  /** `aseq` of the first record this device will seal: the lowest it may still have to send, else its next. */
  readonly base: number
}

/** A new epoch. */
export interface EpochCreated {
  readonly state: ConversationEpochs
  readonly epoch: Uint8Array
  /** The record's exact bytes: item 0 of the epoch's topic and queue, or beside the seed for a turn. */
  readonly record: Uint8Array
  /** The epoch whose topic and queue carry it. */
  readonly route: Uint8Array
  /** For each of `recipients` through its own session; wiped once it is sealed for all of them. */
  readonly seed: Seed
  readonly recipients: readonly Recipient[]
  readonly spent: readonly Secret[]
}

/**
 * Begins an epoch with all tips for parents. `random` is `sizes.seed` fresh bytes. A turn rides on the routing
 * epoch in use where that has exactly the devices of now; otherwise the epoch gets a topic of its own.
 *
 * UsageError `E_EPOCH_HEADS` when the heads resolve to other devices than D(now): a deviceset comes first;
 * `E_EPOCH_NOT_A_MEMBER` when this device is not among them; `E_LENGTH` for other randomness.
 */
export function createEpoch(
  crypto: CryptoProvider,
  state: ConversationEpochs,
  own: SignKeyPair,
  view: MembershipView,
  draft: EpochDraft,
  random: Uint8Array,
  nowMs: number,
): EpochCreated {
  if (random.length !== sizes.seed)
    throw new UsageError('E_LENGTH', 'an epoch takes 32 random bytes', { detail: { actual: random.length } })
  const atHeads = devicesAtHeads(state, view)
  const excluded = exclusionsOf(atHeads, view, nowMs)
  const recipients = recipientsOf(crypto, atHeads, excluded, nowMs)
  if (recipients === undefined || recipients.length > limits.epochDevices)
    throw new InvariantError('E_EPOCH_RECIPIENTS', 'an own epoch has recipients that nobody accepts')
  const parents = tipsOf(state.nodes).slice(0, limits.epochParents)
  const route = draft.reason === 'turn' ? routeForTurn(state, view, recipients, nowMs) : undefined
  const terms = {
    conversation: state.conversation,
    parents: parents.map(({ record }) => record.id),
    groupHeads: view.heads,
    excluded,
    depth: 1 + Math.max(-1, ...parents.map(({ depth }) => depth)),
    route: route === undefined ? null : route.record.id,
    history: view.history,
    reason: epochReasons[draft.reason],
    account: state.self.account,
    device: state.self.device,
    base: draft.base,
    timestampMs: nowMs,
  }
  const exporters = parents.flatMap(({ key }) => {
    const keys = state.keys.get(key)
    return keys === undefined || keys.chains.length === 0 ? [] : [keys.exporter]
  })
  const secret = epochSecret(crypto, random, exporters, state.conversation)
  const context = contextOf(crypto, terms)
  const record = issueEpoch(crypto, own, terms, commitmentOf(crypto, secret.expose(), context))
  const node = nodeOf(state, record, recipients, nowMs)
  const derived = deriveEpoch(crypto, secret.expose(), context, node.recipients)
  // Nothing follows it yet, so that it is placed as it is.
  const placed = placeKeys(addNode(state, node, nowMs), node, derived, nowMs)
  return {
    state: placed.state,
    epoch: record.id,
    record: record.bytes,
    route: (route ?? node).record.id,
    seed: { epoch: record.id, context, secret: secret.expose() },
    recipients: node.recipients.filter((recipient) => !sameDevice(recipient, state.self)),
    spent: [secret, ...placed.spent],
  }
}

/** Devices at the newest heads: every device of now and perhaps more. */
function devicesAtHeads(state: ConversationEpochs, view: MembershipView): readonly EpochDevice[] {
  const atHeads = view.devicesAt(view.heads)
  if (atHeads === undefined || view.devices.some((device) => indexOfDevice(atHeads, device) < 0))
    throw new UsageError('E_EPOCH_HEADS', 'the membership heads do not show every device of now')
  if (indexOfDevice(view.devices, state.self) < 0)
    throw new UsageError('E_EPOCH_NOT_A_MEMBER', 'this device is not an active device of a member')
  return atHeads
}

/** Devices at the heads that get no seed, each with its reason. */
const exclusionsOf = (
  atHeads: readonly EpochDevice[],
  view: MembershipView,
  nowMs: number,
): readonly EpochExclusion[] =>
  atHeads
    .filter((device) => indexOfDevice(view.devices, device) < 0)
    .map((device) => exclusionOf(view, device, nowMs))
    .sort(compareDevices)

function exclusionOf(view: MembershipView, device: EpochDevice, nowMs: number): EpochExclusion {
  const { account, device: id, notAfterMs } = device
  const proof = view.forkProof?.(device)
  if (proof !== undefined) return { kind: 'forked', account, device: id, proof }
  if (notAfterMs <= nowMs + limits.clockSkewMs) return { kind: 'expired', account, device: id }
  throw new UsageError('E_EPOCH_HEADS', 'the membership heads show a device that is out')
}

/**
 * The routing epoch in use, when it lists exactly the devices of now: one that is used lists no other, so that it
 * is enough to count them.
 */
function routeForTurn(
  state: ConversationEpochs,
  view: MembershipView,
  recipients: readonly Recipient[],
  nowMs: number,
): EpochNode | undefined {
  const preferred = preferredEpoch(state, view, nowMs)
  const route = preferred && state.nodes.get(routeKeyOf(preferred))
  return route?.recipients.length === recipients.length ? route : undefined
}

/**
 * Closes every epoch to this device, so that its next record waits for a new one: after an opening whose
 * counters are in doubt, a suspected theft, a restored home.
 */
export function closeAll(state: ConversationEpochs): ConversationEpochs {
  const nodes = new Map([...state.nodes].map(([key, node]) => [key, { ...node, closed: true }] as const))
  return { ...state, nodes }
}
