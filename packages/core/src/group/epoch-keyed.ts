import type { CryptoProvider, Secret } from '../crypto/index.ts'
import { sameDevice } from '../identity/index.ts'
import { equalBytes } from '../wire/index.ts'
import { commitmentOf, deriveEpoch, type DerivedEpoch } from './epoch-keys.ts'
import { marked } from './epoch-place.ts'
import { withinKeyedBound } from './epoch-retire.ts'
import {
  routeSecrets,
  withEntries,
  type ConversationEpochs,
  type EpochKeys,
  type EpochNode,
} from './epoch-state.ts'
import { startChain } from './sender-chain.ts'

/** Why a seed does not key its epoch. */
export type SeedMismatch = 'already-seeded' | 'not-listed' | 'bad-context' | 'bad-commitment'

/** The keyed state, or why there is none. */
export type Keyed =
  | { readonly ok: true; readonly state: ConversationEpochs; readonly spent: readonly Secret[] }
  | { readonly ok: false; readonly reason: SeedMismatch }

/**
 * Keys an accepted epoch, once and for ever: context and commitment must be those of its record, so that one
 * record stands for one secret. The secret itself is not kept.
 */
export function keyEpoch(
  crypto: CryptoProvider,
  state: ConversationEpochs,
  node: EpochNode,
  context: Uint8Array,
  secret: Uint8Array,
  nowMs: number,
): Keyed {
  if (node.seeded) return { ok: false, reason: 'already-seeded' }
  if (node.self < 0) return { ok: false, reason: 'not-listed' }
  if (!equalBytes(context, node.record.context)) return { ok: false, reason: 'bad-context' }
  if (!equalBytes(commitmentOf(crypto, secret, context), node.record.commitment))
    return { ok: false, reason: 'bad-commitment' }
  return { ok: true, ...placeKeys(state, node, deriveEpoch(crypto, secret, context, node.recipients), nowMs) }
}

/** The state with an epoch's derived keys; what it descends from is superseded. */
export function placeKeys(
  state: ConversationEpochs,
  node: EpochNode,
  derived: DerivedEpoch,
  nowMs: number,
): { readonly state: ConversationEpochs; readonly spent: readonly Secret[] } {
  const { terms } = node.record
  const author = node.recipients.findIndex((recipient) => sameDevice(recipient, terms))
  const keys: EpochKeys = {
    exporter: derived.exporter,
    route: terms.route === null ? derived.route : undefined,
    chains: derived.chains.map((key, i) => startChain(key, i === author ? terms.base : undefined)),
    ownSlot: undefined,
  }
  const seeded = { ...node, seeded: true }
  const placed = {
    ...state,
    nodes: withEntries(state.nodes, [[node.key, seeded]]),
    keys: withEntries(state.keys, [[node.key, keys]]),
  }
  const unused = terms.route === null ? [] : routeSecrets(derived.route)
  const bounded = withinKeyedBound(
    marked(placed, seeded, { closed: false, superseded: true }, nowMs),
    seeded,
    nowMs,
  )
  return { state: bounded.state, spent: [...unused, ...bounded.spent] }
}
