/**
 * A thief of whole homes: every row of a device at some moments, every byte that anybody put on the wire or left at a
 * relay, and the patience to try every key that follows from the one against every ciphertext of the other.
 */
import { sizes, unpad, type CryptoProvider } from '../../packages/core/src/crypto/index.ts'
import { payloadFrame } from '../../packages/core/src/device/payload.ts'
import { epochRows, onlyRow, pairwiseRows, prekeyRows } from '../../packages/core/src/device/tables.ts'
import { decodeEnvelope, generationAssociated, openEnvelope } from '../../packages/core/src/group/envelope.ts'
import { deriveEpoch } from '../../packages/core/src/group/epoch-keys.ts'
import { readEpoch } from '../../packages/core/src/group/epoch-record.ts'
import { restoreEpochs } from '../../packages/core/src/group/index.ts'
import { messageKey, nextKey } from '../../packages/core/src/group/sender-chain.ts'
import { skippedKey } from '../../packages/core/src/group/skipped-generations.ts'
import {
  decodePrekeys,
  findPrekeys,
  readCertificate,
  type DeviceAddress,
} from '../../packages/core/src/identity/index.ts'
import {
  acceptHandshake,
  decodeFirstFlight,
  decodePairwise,
  openFrom,
  openHandshake,
  type Pairwise,
} from '../../packages/core/src/session/index.ts'
import type { Ratchet } from '../../packages/core/src/session/ratchet-state.ts'
import { equalBytes, toHex } from '../../packages/core/src/wire/index.ts'
import { readAsSender } from './epoch-thief.ts'
import type { OpenedHome } from './opened-home.ts'

/** How far a chain is followed; more than any test sends. */
const reach = 16

/** An epoch as the thief knows it. */
interface KnownEpoch {
  readonly id: Uint8Array
  readonly conversation: Uint8Array
  readonly recipients: readonly DeviceAddress[]
}

export class HomeThief {
  readonly #crypto: CryptoProvider
  readonly #nowMs: number
  readonly #homes: readonly OpenedHome[]
  #sessions: Pairwise[] = []
  readonly #sending: Ratchet[] = []
  readonly #outer = new Map<string, Uint8Array>()
  readonly #messageKeys = new Map<string, Uint8Array>()
  readonly #epochs = new Map<string, KnownEpoch>()
  /** Every plaintext it could come by. */
  readonly opened: Uint8Array[] = []

  constructor(crypto: CryptoProvider, homes: readonly OpenedHome[], nowMs: number) {
    this.#crypto = crypto
    this.#nowMs = nowMs
    this.#homes = homes
    for (const home of homes) {
      for (const row of home.rows.all(pairwiseRows)) {
        const pairwise = decodePairwise(row)
        if (pairwise === undefined) throw new Error('a stolen session does not decode')
        this.#sessions.push(pairwise)
        this.#sending.push(...pairwise.sessions.map(({ ratchet }) => ratchet))
      }
      this.#takeEpochs(home)
    }
  }

  #takeEpochs(home: OpenedHome): void {
    const rows = home.rows.all(epochRows)
    for (const conversation of new Set(rows.map((row) => toHex(row.conversation)))) {
      const own = rows.filter((row) => toHex(row.conversation) === conversation)
      const state = restoreEpochs(this.#crypto, own)
      if (state === undefined) throw new Error('stolen epochs do not restore')
      for (const [key, { record, recipients }] of state.nodes)
        this.#epochs.set(key, { id: record.id, conversation: state.conversation, recipients })
      for (const { route, chains } of state.keys.values()) {
        if (route !== undefined) this.#outer.set(toHex(route.envelope.expose()), route.envelope.expose())
        for (const { key, count, skipped } of chains) {
          this.#followChain(key.expose())
          for (let generation = 0; generation < count; generation++) {
            const kept = skippedKey(skipped, generation)
            if (kept !== undefined) this.#messageKeys.set(toHex(kept), kept)
          }
        }
      }
    }
  }

  #followChain(start: Uint8Array): void {
    let key = start
    for (let i = 0; i < reach; i++) {
      const message = messageKey(this.#crypto, key)
      this.#messageKeys.set(toHex(message), message)
      key = nextKey(this.#crypto, key)
    }
  }

  /** Listens to all there is, again and again until it yields nothing more. */
  listen(frames: readonly Uint8Array[], published: readonly Uint8Array[]): void {
    const unread = new Map(frames.map((frame) => [toHex(frame), frame]))
    for (let moved = true; moved;) {
      moved = false
      for (const [key, frame] of unread) {
        const plaintext = this.#read(frame)
        if (plaintext === undefined) continue
        moved = true
        unread.delete(key)
        this.#take(plaintext)
      }
    }
    for (const envelope of published) this.#tryEnvelope(envelope)
  }

  /** Opens a frame as its receiver, as its sender, or as the responder of its handshake. */
  #read(frame: Uint8Array): Uint8Array | undefined {
    for (const [i, pairwise] of this.#sessions.entries()) {
      const opened = openFrom(this.#crypto, pairwise, frame, this.#nowMs)
      if (!opened.ok) continue
      this.#sessions = this.#sessions.with(i, opened.peer)
      return opened.plaintext
    }
    for (const ratchet of this.#sending) {
      const plaintext = readAsSender(this.#crypto, ratchet, frame)
      if (plaintext !== undefined) return plaintext
    }
    const flight = decodeFirstFlight(frame)
    return flight === undefined ? undefined : this.#respond(flight)
  }

  #respond(flight: NonNullable<ReturnType<typeof decodeFirstFlight>>): Uint8Array | undefined {
    for (const home of this.#homes) {
      const row = home.rows.get(prekeyRows, onlyRow)
      const held = row === undefined ? undefined : decodePrekeys(this.#crypto, row)
      const prekeys = held === undefined ? undefined : findPrekeys(held, flight.fields.bundleTag)
      const opened = prekeys && openHandshake(this.#crypto, prekeys, flight, this.#nowMs)
      if (prekeys === undefined || opened?.ok !== true) continue
      const certificate = readCertificate(this.#crypto, opened.claims.certificate)
      if (certificate === undefined) continue
      const { me } = home
      const own = { certificate: me.certificate, keys: { identity: me.identity, agreement: me.agreement } }
      const accepted = acceptHandshake(this.#crypto, own, prekeys, opened, certificate, [], this.#nowMs)
      if (!accepted.ok) continue
      this.#sessions.push({ sessions: [accepted.session], handshakeAtMs: 0 })
      return accepted.plaintext
    }
    return undefined
  }

  /** What a payload says, and the seeds in it. */
  #take(padded: Uint8Array): void {
    this.opened.push(padded)
    const plain = unpad(padded)
    const payload = plain === undefined ? undefined : payloadFrame.decode(plain)
    if (payload?.ok !== true) return
    for (const item of payload.value.items) {
      if (item.kind !== 'seed') continue
      const record = readEpoch(this.#crypto, item.record)
      const known = [...this.#epochs.values()].flatMap(({ recipients }) => recipients)
      const author = record && { account: record.terms.account, device: record.terms.device }
      const devices = author === undefined ? known : [...known, author]
      const { chains, route } = deriveEpoch(this.#crypto, item.secret, item.context, devices)
      this.#outer.set(toHex(route.envelope.expose()), route.envelope.expose())
      for (const chain of chains) this.#followChain(chain.expose())
      this.#epochs.set(toHex(item.epoch), {
        id: item.epoch,
        conversation: item.conversation,
        recipients: devices,
      })
    }
  }

  #tryEnvelope(envelope: Uint8Array): void {
    const parts = decodeEnvelope(envelope)
    if (parts === undefined) throw new Error('what was published is no envelope')
    for (const key of this.#outer.values()) {
      const content = openEnvelope(this.#crypto, key, parts)
      if (typeof content === 'string' || content.kind !== 'message') continue
      const nonce = content.inner.subarray(0, sizes.aeadNonce)
      const sealed = content.inner.subarray(sizes.aeadNonce)
      for (const { id, conversation, recipients } of this.#epochs.values()) {
        if (!equalBytes(id.subarray(0, content.tag.length), content.tag)) continue
        for (const author of recipients) {
          const associated = generationAssociated(conversation, id, author, content.generation)
          for (const message of this.#messageKeys.values()) {
            const plaintext = this.#crypto.open(message, nonce, sealed, associated)
            if (plaintext !== undefined) this.opened.push(plaintext)
          }
        }
      }
    }
  }

  /** Whether a text is in anything that was opened. */
  reads(text: string): boolean {
    const wanted = Buffer.from(text)
    return this.opened.some((plaintext) => Buffer.from(plaintext).includes(wanted))
  }
}
