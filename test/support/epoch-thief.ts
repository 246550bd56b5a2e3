/**
 * A thief: everything one device held at a moment, everything that anybody sent, and the patience to try every key
 * that follows from the one against every ciphertext of the other. It forgets nothing, and it is told in clear what
 * the outer layer of an envelope hides: whose generation of which epoch it is.
 */
import { sizes, type CryptoProvider, type Secret } from '../../packages/core/src/crypto/index.ts'
import { decodeEnvelope, generationAssociated, openEnvelope } from '../../packages/core/src/group/envelope.ts'
import { commitmentOf, deriveEpoch, epochSecret } from '../../packages/core/src/group/epoch-keys.ts'
import { readEpoch } from '../../packages/core/src/group/epoch-record.ts'
import { seedFrame, type Seed } from '../../packages/core/src/group/index.ts'
import { messageKey, nextKey } from '../../packages/core/src/group/sender-chain.ts'
import { skippedKey } from '../../packages/core/src/group/skipped-generations.ts'
import {
  decodeFirstFlight,
  decodePairwise,
  openFrom,
  type Pairwise,
} from '../../packages/core/src/session/index.ts'
import { stepChain } from '../../packages/core/src/session/chain.ts'
import { decodeHeader } from '../../packages/core/src/session/header.ts'
import { bodyAssociated, decodeRatchetFrame } from '../../packages/core/src/session/ratchet-frame.ts'
import type { Ratchet } from '../../packages/core/src/session/ratchet-state.ts'
import { toHex } from '../../packages/core/src/wire/index.ts'
import { acceptFlight, seedTag, type Loot, type Overheard, type SessionGroup } from './epoch-sessions.ts'
import { stateOf, type SealedFact } from './group-world.ts'
import type { TestDevice } from './session-device.ts'

/** How far a chain is followed; more than any test sends. */
const reach = 64

/** Opens a frame that the owner of this state sent, by the chain it sends on; undefined for any other. */
export function readAsSender(
  crypto: CryptoProvider,
  { sending, associated }: Ratchet,
  frame: Uint8Array,
): Uint8Array | undefined {
  const parts = decodeRatchetFrame(decodeFirstFlight(frame)?.first ?? frame)
  if (parts === undefined || sending === undefined) return undefined
  const { nonce, sealedHeader, sealedBody } = parts
  const plain = crypto.open(sending.headerKey.expose(), nonce, sealedHeader, associated)
  const header = plain && decodeHeader(plain)
  if (header === undefined || header.count < sending.count) return undefined
  let key = sending.chainKey
  for (let at = sending.count; at < header.count; at++) key = stepChain(crypto, key).next
  const { messageKey: bodyKey } = stepChain(crypto, key)
  return crypto.open(bodyKey, nonce, sealedBody, bodyAssociated(associated, sealedHeader))
}

export class EpochThief {
  readonly #world: SessionGroup
  readonly #crypto: CryptoProvider
  readonly #keys: TestDevice | undefined
  #sessions: Pairwise[] = []
  /** Chains the victim sends on, which a receiving copy cannot follow. */
  readonly #sending: Ratchet[] = []
  readonly #messageKeys = new Map<string, Uint8Array>()
  /** Every other 32-byte secret that was found, each a guess at an epoch's secret. */
  readonly #others = new Map<string, Uint8Array>()
  readonly #exporters = new Map<string, Secret>()
  readonly #seeds = new Map<string, Seed>()

  /** A thief of several copies; `prekeys` says whether the handshake's private keys are among the loot. */
  constructor(world: SessionGroup, loot: readonly Loot[], { prekeys = true } = {}) {
    this.#world = world
    this.#crypto = world.crypto
    this.#keys = prekeys ? loot[0]?.keys : undefined
    for (const { rows, sessions } of loot) {
      this.#takeEpochs(rows)
      for (const bytes of sessions.values()) {
        const pairwise = decodePairwise(bytes)
        if (pairwise === undefined) throw new Error('a stolen session does not decode')
        this.#sessions.push(pairwise)
        this.#sending.push(...pairwise.sessions.map(({ ratchet }) => ratchet))
      }
    }
  }

  /** Epochs whose seeds the thief has read off the wire or found. */
  get seeds(): ReadonlySet<string> {
    return new Set(this.#seeds.keys())
  }

  #takeEpochs(rows: ReadonlyMap<string, Uint8Array>): void {
    const state = stateOf(this.#crypto, rows)
    for (const seed of state.pending) this.#takeSeed({ ...seed, secret: seed.secret.expose().slice() })
    for (const [epoch, { exporter, route, chains }] of state.keys) {
      this.#exporters.set(epoch, exporter)
      for (const secret of [
        exporter,
        ...(route === undefined ? [] : [route.envelope, route.topic, route.queue]),
      ])
        this.#others.set(toHex(secret.expose()), secret.expose())
      for (const chain of chains) {
        this.#followChain(chain.key.expose())
        for (let generation = 0; generation < chain.count; generation++) {
          const key = skippedKey(chain.skipped, generation)
          if (key !== undefined) this.#messageKeys.set(toHex(key), key)
        }
      }
    }
  }

  #followChain(start: Uint8Array): void {
    let key = start
    for (let i = 0; i < reach; i++) {
      this.#others.set(toHex(key), key)
      const message = messageKey(this.#crypto, key)
      this.#messageKeys.set(toHex(message), message)
      key = nextKey(this.#crypto, key)
    }
  }

  #takeSeed(seed: Seed): void {
    const name = toHex(seed.epoch)
    if (this.#seeds.has(name)) return
    this.#seeds.set(name, seed)
    const devices = this.#world.devices.map(({ address }) => address)
    const derived = deriveEpoch(this.#crypto, seed.secret, seed.context, devices)
    this.#exporters.set(name, derived.exporter)
    for (const chain of derived.chains) this.#followChain(chain.expose())
  }

  /** Listens to all that was sent, again and again until it yields nothing more. */
  listen(overheard: readonly Overheard[]): void {
    const unread = new Set(overheard.filter((item) => item.kind === 'frame').map(({ frame }) => frame))
    for (let moved = true; moved;) {
      moved = false
      for (const frame of unread) {
        const plaintext = this.#read(frame)
        if (plaintext === undefined) continue
        moved = true
        unread.delete(frame)
        const seed = plaintext[0] === seedTag ? seedFrame.decode(plaintext.subarray(1)) : undefined
        if (seed?.ok === true) this.#takeSeed(seed.value)
      }
    }
    for (const item of overheard)
      if (item.kind === 'public' && item.item.kind === 'record') this.#guess(item.item.record)
  }

  /** Opens a frame as its receiver, as its sender, or as the responder of its handshake. */
  #read(frame: Uint8Array): Uint8Array | undefined {
    for (const [i, pairwise] of this.#sessions.entries()) {
      const opened = openFrom(this.#crypto, pairwise, frame, this.#world.nowMs)
      if (!opened.ok) continue
      this.#sessions = this.#sessions.with(i, opened.peer)
      return opened.plaintext
    }
    for (const ratchet of this.#sending) {
      const plaintext = readAsSender(this.#crypto, ratchet, frame)
      if (plaintext !== undefined) return plaintext
    }
    const flight = decodeFirstFlight(frame)
    const accepted = flight && this.#keys && acceptFlight(this.#crypto, this.#keys, flight, this.#world.nowMs)
    if (accepted === undefined) return undefined
    this.#sessions.push({ sessions: [accepted.session], handshakeAtMs: 0 })
    return accepted.plaintext
  }

  /** Tries everything it holds as the secret of an epoch, and what the parents it knows would give without chance. */
  #guess(bytes: Uint8Array): void {
    const record = readEpoch(this.#crypto, bytes)
    if (record === undefined || this.#seeds.has(toHex(record.id))) return
    const { conversation, parents } = record.terms
    const exporters = parents.flatMap((parent) => this.#exporters.get(toHex(parent)) ?? [])
    const without = epochSecret(this.#crypto, new Uint8Array(sizes.seed), exporters, conversation).expose()
    for (const secret of [without, ...this.#others.values()]) {
      const commitment = commitmentOf(this.#crypto, secret, record.context)
      if (toHex(commitment) !== toHex(record.commitment)) continue
      this.#takeSeed({ epoch: record.id, context: record.context, secret })
    }
  }

  /** Whether any key it can come by opens what was sealed. */
  opens({ by, epoch, envelope, route }: SealedFact): boolean {
    const outer = by.state.keys.get(toHex(route))?.route?.envelope
    const parts = decodeEnvelope(envelope)
    const content = outer && parts && openEnvelope(this.#crypto, outer.expose(), parts)
    const node = by.state.nodes.get(epoch)
    if (
      content === undefined ||
      typeof content === 'string' ||
      content.kind !== 'message' ||
      node === undefined
    )
      throw new Error('a sealed envelope has an outer layer that its author opens')
    const { inner, generation } = content
    const nonce = inner.subarray(0, sizes.aeadNonce)
    const sealed = inner.subarray(sizes.aeadNonce)
    const associated = generationAssociated(this.#world.conversation, node.record.id, by.address, generation)
    return [...this.#messageKeys.values()].some(
      (key) => this.#crypto.open(key, nonce, sealed, associated) !== undefined,
    )
  }
}
