import { Secret, sizes, type CryptoProvider, type SignKeyPair } from '../crypto/index.ts'
import { UsageError } from '../errors.ts'
import { sameDevice } from '../identity/index.ts'
import { limits } from '../limits.ts'
import { concat } from '../wire/index.ts'
import { encodeSealed, generationAssociated, sealEnvelope, type Control } from './envelope.ts'
import { issueSlotBase, type SlotBase } from './epoch-items.ts'
import { marked } from './epoch-place.ts'
import { preferredEpoch } from './epoch-rules.ts'
import {
  keyOf,
  routeKeyOf,
  withEntries,
  type ConversationEpochs,
  type EpochKeys,
  type EpochNode,
  type MembershipView,
} from './epoch-state.ts'
import { epochTagBytes } from './packed.ts'
import { messageKey, nextKey, type SenderChain } from './sender-chain.ts'
import { noneSkipped } from './skipped-generations.ts'

/** Random bytes one seal takes: the inner and the outer nonce. */
export const sealRandomBytes: number = 2 * sizes.aeadNonce

/** A record to be sealed. */
export interface SealDraft {
  /** The record's number among this device's in the conversation. */
  readonly aseq: number
  /** Lowest `aseq` this device may still have to seal; fixes the base at the first sealing of an epoch. */
  readonly base: number
  /** Record, signature, salt and body in the form the reader's judge takes. */
  readonly content: Uint8Array
  /** Whether the base still has to be told: until every device that is not lagging acknowledged a record. */
  readonly announceBase: boolean
}

/** A sealed record, or the reason to begin an epoch first. */
export type SealResult =
  | {
      readonly ok: true
      readonly state: ConversationEpochs
      /** For the topic and queue of `route`. Kept in the outbox: a generation is sealed once and repeated as it is. */
      readonly envelope: Uint8Array
      readonly epoch: Uint8Array
      readonly route: Uint8Array
      readonly spent: readonly Secret[]
    }
  | { readonly ok: false; readonly reason: 'no-epoch' }

/**
 * Seals a record under the preferred epoch, as the one generation its number has there. `no-epoch` when none
 * may be used, or when so many records went another way that receivers would not reach this one: the caller
 * begins an epoch and seals at once. Records are sealed in rising order in one epoch.
 *
 * UsageError `E_GENERATION_SPENT` for a number below the base or sealed already, `E_TOO_LARGE` for content beyond 60 KiB, `E_LENGTH` for other randomness.
 */
export function seal(
  crypto: CryptoProvider,
  state: ConversationEpochs,
  own: SignKeyPair,
  view: MembershipView,
  draft: SealDraft,
  random: Uint8Array,
  nowMs: number,
): SealResult {
  if (random.length !== sealRandomBytes)
    throw new UsageError('E_LENGTH', 'a seal takes two nonces', { detail: { actual: random.length } })
  const node = preferredEpoch(state, view, nowMs)
  const keys = node && state.keys.get(node.key)
  const chain = node && keys?.chains[node.self]
  if (node === undefined || keys === undefined || chain === undefined)
    return { ok: false, reason: 'no-epoch' }
  const base = chain.base ?? draft.base
  const slot = announcedSlot(crypto, state, own, node, keys, base, draft.announceBase)
  const generation = draft.aseq - base
  if (generation < chain.count)
    throw new UsageError('E_GENERATION_SPENT', 'the record was sealed under this epoch already', {
      detail: { generation, next: chain.count },
    })
  if (generation - chain.count > limits.generationsAhead) return { ok: false, reason: 'no-epoch' }
  const stepped = stepTo(crypto, chain, generation)
  const envelope = sealGeneration(crypto, state, node, stepped.key, { ...draft, generation, slot }, random)
  stepped.key.fill(0)
  const chains = keys.chains.with(node.self, { ...stepped.chain, base })
  const sealed = withSealed(state, node, { ...keys, ownSlot: slot ?? keys.ownSlot, chains }, nowMs)
  const spent = [...stepped.spent, chain.key]
  return { ok: true, state: sealed, envelope, epoch: node.record.id, route: routeIdOf(state, node), spent }
}

/** The signed base while it is to be told; made once an epoch. The author's own stands in the record. */
function announcedSlot(
  crypto: CryptoProvider,
  state: ConversationEpochs,
  own: SignKeyPair,
  node: EpochNode,
  keys: EpochKeys,
  base: number,
  announce: boolean,
): SlotBase | undefined {
  if (!announce || sameDevice(node.record.terms, state.self)) return undefined
  return keys.ownSlot ?? issueSlotBase(crypto, own, state.conversation, node.record.id, state.self, base)
}

/** The own chain after a generation; keys passed over are not kept, for they will never be used. */
function stepTo(
  crypto: CryptoProvider,
  chain: SenderChain,
  generation: number,
): { readonly key: Uint8Array; readonly chain: SenderChain; readonly spent: readonly Secret[] } {
  let chainKey = chain.key
  const spent: Secret[] = []
  for (let at = chain.count; at < generation; at++) {
    chainKey = new Secret(nextKey(crypto, chainKey.expose()))
    spent.push(chainKey)
  }
  const key = messageKey(crypto, chainKey.expose())
  const after = new Secret(nextKey(crypto, chainKey.expose()))
  return { key, chain: { ...chain, key: after, count: generation + 1, skipped: noneSkipped }, spent }
}

function sealGeneration(
  crypto: CryptoProvider,
  state: ConversationEpochs,
  node: EpochNode,
  key: Uint8Array,
  draft: SealDraft & { readonly generation: number; readonly slot: SlotBase | undefined },
  random: Uint8Array,
): Uint8Array {
  const { generation, content, slot } = draft
  const epoch = node.record.id
  const associated = generationAssociated(state.conversation, epoch, state.self, generation)
  const plain = encodeSealed(content, slot ?? null)
  const nonce = random.slice(0, sizes.aeadNonce)
  const inner = concat(nonce, crypto.seal(key, nonce, plain, associated))
  return sealEnvelope(
    crypto,
    envelopeKey(state, node),
    { kind: 'message', tag: epoch.slice(0, epochTagBytes), index: node.self, generation, inner },
    random.slice(sizes.aeadNonce),
  )
}

/** The state after a seal: the first one in an epoch counts this device as heard and closes what came before. */
function withSealed(
  state: ConversationEpochs,
  node: EpochNode,
  keys: EpochKeys,
  nowMs: number,
): ConversationEpochs {
  const spoken = { ...state, keys: withEntries(state.keys, [[node.key, keys]]), lastSpeaker: state.self }
  if (node.heard[node.self] === true) return spoken
  const heard = { ...node, heard: node.heard.with(node.self, true) }
  const nodes = withEntries(state.nodes, [[node.key, heard]])
  return marked({ ...spoken, nodes }, heard, { closed: true, superseded: false }, nowMs)
}

const envelopeKey = (state: ConversationEpochs, node: EpochNode): Uint8Array =>
  state.keys.get(routeKeyOf(node))?.route?.envelope.expose() ?? new Uint8Array(0)

const routeIdOf = (state: ConversationEpochs, node: EpochNode): Uint8Array =>
  state.nodes.get(routeKeyOf(node))?.record.id ?? node.record.id

/**
 * Seals what is signed in itself for the topic of an epoch or of what it rides on: epoch records, membership
 * operations, cards. `nonce` is 24 fresh bytes. Undefined when that topic's key is not here.
 */
export function sealControl(
  crypto: CryptoProvider,
  state: ConversationEpochs,
  epoch: Uint8Array,
  control: Control,
  nonce: Uint8Array,
): { readonly envelope: Uint8Array; readonly route: Uint8Array } | undefined {
  const node = state.nodes.get(keyOf(epoch))
  const key = node && state.keys.get(routeKeyOf(node))?.route?.envelope
  if (node === undefined || key === undefined) return undefined
  const envelope = sealEnvelope(crypto, key.expose(), { kind: 'control', control }, nonce)
  return { envelope, route: routeIdOf(state, node) }
}

/**
 * The base for a first sealing: the lowest of the numbers still to be sent from which every later one is within
 * reach of a receiver. What lies before it is left to record sync. `next` is the number of the next record.
 */
export function chooseBase(pending: readonly number[], next: number): number {
  let base = next
  for (const aseq of pending.toSorted((a, b) => b - a)) {
    if (base - aseq > limits.generationsAhead) break
    base = Math.min(base, aseq)
  }
  return base
}
