import type { CryptoProvider } from '@sotto/core/crypto'
import { createValidator } from '@sotto/core/discovery'
import type { Clock } from '@sotto/core/ports'
import { lies } from '../actors/lies.ts'
import { Hearing } from '../laws/hearing.ts'
import { Ledger } from '../laws/ledger.ts'
import { Outside } from '../laws/outside.ts'
import { SealRecorder } from '../laws/recorder.ts'
import { Air } from './air.ts'
import { dhtTricks } from './dht.ts'
import type { Node } from './node.ts'
import { relayTricks } from './relay-tricks.ts'
import { withKnownSignatures } from './known-signatures.ts'
import { streamsOf, type Stream, type StreamName } from './stream.ts'
import { Timeline } from './timeline.ts'
import { Counts, Trace } from './trace.ts'

/** Kinds of faults a world can show. */
export const faultKinds = [
  'frame-lost',
  'frame-repeated',
  'frame-replayed',
  'gossip-lost',
  'gossip-repeated',
  'dial-failed',
  'dht-lost',
  'dht-missing',
  'dht-stale',
  'partition',
  'partition-one-way',
  'isolation',
  'crash',
  'crash-at-write',
  'relay-crash',
  'relay-disk',
  'disk-drop-unsynced',
  'disk-drop-suffix',
  'disk-torn',
  'disk-keep',
  'disk-full',
  'disk-sync',
  'clock-skew',
  'clock-jump',
  'address-changed',
  'theft',
  'thief-hides',
  'unheard-removal',
  ...relayTricks,
  'relay-old-disk',
  'relay-outage',
  'tab-suspended',
  'crowd',
  'device-slipped-in',
  'disk-rot',
  'rot-refused',
  'rot-named',
  'disk-older',
  'disk-older-whole',
  'device-cloned',
  'spam-channel',
  'spam-frame',
  'spam-refused',
  'spam-cut-off',
  ...lies,
  'stall',
  'frame-stalled',
  'frame-queued',
  ...dhtTricks,
  'relay-splits',
] as const

/** Kinds of things people do. */
export const actKinds = [
  'send',
  'reply',
  'edit',
  'delete',
  'react',
  'create-group',
  'rename',
  'promote',
  'demote',
  'remove',
  'add',
  'leave',
  'link',
  'remove-device',
  'thief-send',
] as const

/** Characters of a text that tell it from every other: a prefix all texts of a world share, and a number. */
export const markerPrefixChars = 16
const markerChars = markerPrefixChars + 6

export interface WorldOptions {
  readonly seed: bigint
  /** The real provider; the world records what is sealed with it. */
  readonly crypto: CryptoProvider
  /** Gets every line of the trace. */
  readonly line?: ((line: string) => void) | undefined
  /** Changes the provider every process is given: how a test plants a fault. */
  readonly plant?: ((crypto: CryptoProvider) => CryptoProvider) | undefined
}

const letters = 'abcdefghijkmnpqrstuvwxyz23456789'

/** Everything one seed makes: time, air, and those who watch. */
export class World {
  readonly seed: bigint
  readonly stream: (name: StreamName, of?: string) => Stream
  readonly timeline = new Timeline()
  readonly faults = new Counts(faultKinds)
  /** What people did that their devices took. */
  readonly acts = new Counts(actKinds)
  readonly trace: Trace
  readonly outside = new Outside()
  readonly recorder: SealRecorder
  /** The provider of who is no machine. */
  readonly crypto: CryptoProvider
  readonly #plain: CryptoProvider
  readonly ledger: Ledger
  readonly hearing: Hearing
  readonly air: Air<Node>
  /** Begins every text of this world. */
  readonly textPrefix: string
  /** Every blob a relay's disk ever held. */
  readonly relayBlobs: Buffer[] = []
  #texts = 0
  #troubles = 0

  constructor({ seed, crypto, line, plant }: WorldOptions) {
    this.seed = seed
    this.stream = streamsOf(seed)
    this.trace = new Trace(() => this.timeline.nowMs, line)
    const words = this.stream('workload', 'prefix')
    this.textPrefix = Array.from({ length: markerPrefixChars }, () =>
      letters.charAt(words.below(letters.length)),
    ).join('')
    this.recorder = new SealRecorder(this.textPrefix, markerChars)
    const known = withKnownSignatures(crypto)
    this.#plain = plant === undefined ? known : plant(known)
    this.crypto = this.recorder.wrap(this.#plain)
    const nowMs = (): number => this.timeline.nowMs
    this.ledger = new Ledger(
      { nowMs, revokedFor: (machine) => this.hearing.revokedFor(machine) },
      markerChars,
    )
    this.hearing = new Hearing(this.ledger, { nowMs, relayHeld: (marker) => this.#relayHeld(marker) })
    this.air = new Air({
      timeline: this.timeline,
      draw: this.stream('net'),
      drawLinks: this.stream('net', 'links'),
      faults: this.faults,
      trace: this.trace,
      tap: (from, to, bytes) => this.outside.add(bytes),
    })
  }

  /** The provider of one machine, whose sealings are told from all others. */
  cryptoOf(machine: string): CryptoProvider {
    return this.recorder.wrap(this.#plain, { by: machine, nowMs: () => this.timeline.nowMs })
  }

  /** A text nobody has sent before. */
  newText(draw: Stream): string {
    this.#texts += 1
    const number = this.#texts.toString().padStart(markerChars - markerPrefixChars, '0')
    const length = Math.min(8_000, Math.floor(draw.lognormal(60, 1)))
    return `${this.textPrefix}${number} ${'lorem ipsum dolor '.repeat(1 + length / 18).slice(0, length)}`
  }

  /** A title nobody has given before. */
  newTitle(): string {
    this.#texts += 1
    return `${this.textPrefix} ${this.#texts}`
  }

  /** Somebody did something, and their device took it. */
  did(act: (typeof actKinds)[number]): void {
    this.acts.strike(act)
    this.trace.note('did', { act })
  }

  /**
   * A fault that lasts: counted, and told until the returned function is called, or the heal, to those who draw it.
   */
  befall(host: string, fault: (typeof faultKinds)[number]): () => void {
    const { faults, trace } = this
    const trouble = ++this.#troubles
    faults.strike(fault)
    trace.tell('trouble-begins', () => ({ trouble, host, fault }))
    let over = false
    return () => {
      if (!over) trace.tell('trouble-ends', () => ({ trouble }))
      over = true
    }
  }

  /** Checks DHT values as the binding does, with the clock of the machine it runs on. */
  validator(clock: Clock): (key: string, value: Uint8Array) => boolean {
    const validator = createValidator(this.crypto, () => clock.nowMs())
    return (key, value) => validator.validate(key, value) === undefined
  }

  #relayHeld(marker: string): boolean {
    const carriers = this.recorder.carriersOf(marker)
    return (
      this.relayBlobs.findLast((blob) => carriers.some((carrier) => blob.includes(carrier))) !== undefined
    )
  }
}
