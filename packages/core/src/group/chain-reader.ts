import { Secret, sizes, type CryptoProvider } from '../crypto/index.ts'
import { limits } from '../limits.ts'
import { equalBytes } from '../wire/index.ts'
import { decodeSealed, generationAssociated } from './envelope.ts'
import { verifySlotBase, type SlotBase } from './epoch-items.ts'
import type { EpochNode, Recipient } from './epoch-state.ts'
import { messageKey, nextKey, type SenderChain } from './sender-chain.ts'
import { addSkipped, skippedKey, withoutSkipped } from './skipped-generations.ts'

/** Whose chain, in which epoch of which conversation. */
export interface ChainPlace {
  readonly conversation: Uint8Array
  readonly node: EpochNode
  readonly index: number
  readonly author: Recipient
}

/** What a generation held, before anybody says that it counts. */
export interface ReadGeneration {
  readonly content: Uint8Array
  readonly slot: SlotBase | null
}

/**
 * Reads any number of generations of one chain beside the state, keeping the chain keys it passed, and at the
 * end gives the chain as it is after those that counted. Lives for one call of `open`.
 */
export class ChainReader {
  readonly node: EpochNode
  readonly index: number
  readonly #crypto: CryptoProvider
  readonly #place: ChainPlace
  readonly #chain: SenderChain
  /** Chain keys from generation `chain.count` on; the first is the chain's own. */
  readonly #keys: Uint8Array[]
  readonly #spent = new Set<number>()
  /** One past the highest generation that opened. */
  #reached: number
  #base: number | undefined
  #verified: SlotBase | undefined

  constructor(crypto: CryptoProvider, place: ChainPlace, chain: SenderChain) {
    this.#crypto = crypto
    this.#place = place
    this.node = place.node
    this.index = place.index
    this.#chain = chain
    this.#keys = [chain.key.expose()]
    this.#reached = chain.count
    this.#base = chain.base
  }

  /** Opens one generation; `replayed`, `too-far` or `inner` when there is no key or it does not fit. */
  read(generation: number, inner: Uint8Array): ReadGeneration | 'replayed' | 'too-far' | 'inner' {
    const key = this.#keyOf(generation)
    if (typeof key === 'string') return key
    const { conversation, node, author } = this.#place
    const plain = this.#crypto.open(
      key,
      inner.subarray(0, sizes.aeadNonce),
      inner.subarray(sizes.aeadNonce),
      generationAssociated(conversation, node.record.id, author, generation),
    )
    key.fill(0)
    const read = plain && decodeSealed(plain)
    if (read === undefined) return 'inner'
    this.#reached = Math.max(this.#reached, generation + 1)
    return read
  }

  /** The base that holds for an envelope: the first ever kept, else the one it proves; undefined without either. */
  baseOf(slot: SlotBase | null): number | undefined | 'bad-base' {
    if (this.#base !== undefined) return this.#base
    if (slot === null) return undefined
    const known = this.#verified
    if (known?.base === slot.base && equalBytes(known.signature, slot.signature)) return known.base
    const { conversation, node, author } = this.#place
    if (!equalBytes(slot.epoch, node.record.id)) return 'bad-base'
    if (!verifySlotBase(this.#crypto, author.identityKey, conversation, author, slot)) return 'bad-base'
    this.#verified = slot
    return slot.base
  }

  /** Marks a generation as spent; false when it was, or when another base was kept meanwhile. */
  spend(generation: number, base: number): boolean {
    if (this.#spent.has(generation) || (this.#base !== undefined && this.#base !== base)) return false
    this.#base = base
    this.#spent.add(generation)
    return true
  }

  /** The chain after all that was spent, and the old secrets; undefined when nothing was. */
  finish(
    nowMs: number,
    holds: (author: Recipient, aseq: number) => boolean,
  ): { readonly chain: SenderChain; readonly grew: boolean; readonly spent: readonly Secret[] } | undefined {
    const chain = this.#chain
    if (this.#spent.size === 0) {
      this.#forget(1)
      return undefined
    }
    const count = Math.max(chain.count, 1 + Math.max(...this.#spent))
    const moved = count > chain.count
    const added = this.#skippedBelow(count, holds)
    const kept = withoutSkipped(chain.skipped, (generation) => this.#spent.has(generation))
    const skipped = addSkipped(kept, added, nowMs)
    for (const { key } of added) key.fill(0)
    const next = moved ? new Secret(this.#chainKey(count).slice()) : chain.key
    this.#forget(1)
    return {
      chain: { key: next, count, skipped, base: this.#base },
      grew: added.length > 0,
      spent: [
        ...(moved ? [chain.key] : []),
        ...[...new Set([chain.skipped, kept])].flatMap((old) => (old === skipped ? [] : [old.rows])),
      ],
    }
  }

  /** Keys of the generations passed over whose records may still come. */
  #skippedBelow(
    count: number,
    holds: (author: Recipient, aseq: number) => boolean,
  ): { readonly generation: number; readonly key: Uint8Array }[] {
    const added: { readonly generation: number; readonly key: Uint8Array }[] = []
    const base = this.#base ?? 0
    for (let generation = this.#chain.count; generation < count; generation++) {
      if (this.#spent.has(generation) || holds(this.#place.author, base + generation)) continue
      added.push({ generation, key: messageKey(this.#crypto, this.#chainKey(generation)) })
    }
    return added
  }

  #keyOf(generation: number): Uint8Array | 'replayed' | 'too-far' {
    if (generation < this.#chain.count) return skippedKey(this.#chain.skipped, generation) ?? 'replayed'
    if (generation - this.#reached > limits.generationsAhead) return 'too-far'
    return messageKey(this.#crypto, this.#chainKey(generation))
  }

  /** The chain key of a generation at or beyond the chain's own, derived as far as needed. */
  #chainKey(generation: number): Uint8Array {
    const at = generation - this.#chain.count
    let last = this.#keys.at(-1) ?? this.#chain.key.expose()
    while (this.#keys.length <= at) {
      last = nextKey(this.#crypto, last)
      this.#keys.push(last)
    }
    return this.#keys[at] ?? last
  }

  /** Overwrites the keys derived on the way; the chain's own belongs to the state. */
  #forget(from: number): void {
    for (const key of this.#keys.slice(from)) key.fill(0)
  }
}
