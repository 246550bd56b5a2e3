import type { CryptoProvider } from '@sotto/core/crypto'
import { toHex } from '@sotto/core/wire'

const text = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')

/**
 * Whether a sealing is one of a sender's chain in an epoch: its associated data are a list of conversation, epoch,
 * account, device and generation, and nothing else's are.
 */
const isGeneration = (associated: Uint8Array): boolean =>
  associated.length > 4 * 34 &&
  associated[0] === 0x85 &&
  [0, 1, 2, 3].every((i) => associated[1 + 34 * i] === 0x58 && associated[2 + 34 * i] === 0x20)

/** Whether a nonce is a number, as in linking, where each key seals a whole conversation. */
const isCount = (nonce: Uint8Array): boolean => nonce.subarray(0, 16).every((byte) => byte === 0)

/** Who seals, by what clock. */
export interface Sealer {
  readonly by: string
  readonly nowMs: () => number
}

/** One sealing under a message key: who did it when, and what came out. */
export interface Sealing {
  readonly plaintext: string
  readonly sealed: Uint8Array
  readonly by: string
  readonly atMs: number
}

const nobody: Sealer = { by: '', nowMs: () => 0 }

/**
 * Stands before the real provider and writes down what is sealed: every (key, nonce) pair, every message key
 * with its plaintexts, and which ciphertexts hold which text. It changes nothing.
 */
export class SealRecorder {
  readonly #pairs = new Set<string>()
  readonly #messageKeys = new Map<string, Sealing[]>()
  readonly #carriers = new Map<string, Buffer[]>()
  readonly #epochs = new Map<string, Set<string>>()
  readonly #marker: Buffer
  readonly #markerBytes: number
  /** The last sealing that held a text: an envelope is sealed around it next. */
  #inner: { readonly marker: string; readonly sealed: Buffer } | undefined
  #lastNonce = ''
  #lastKey = ''
  #reusedPairs = 0

  /** Texts are recognised by a prefix of so many bytes, the last of which tell them apart. */
  constructor(markerPrefix: string, markerBytes: number) {
    this.#marker = Buffer.from(markerPrefix)
    this.#markerBytes = markerBytes
  }

  /** The provider a process is given. */
  wrap(inner: CryptoProvider, sealer: Sealer = nobody): CryptoProvider {
    return {
      ...inner,
      seal: (key, nonce, plaintext, associated) => {
        const sealed = inner.seal(key, nonce, plaintext, associated)
        this.#note(sealer, key, nonce, plaintext, sealed, associated)
        return sealed
      },
    }
  }

  /** (key, nonce) pairs used for two texts. */
  get reusedPairs(): number {
    return this.#reusedPairs
  }

  /** Ciphertexts that hold the text with this marker, those around another one included. */
  carriersOf(marker: string): readonly Buffer[] {
    return this.#carriers.get(marker) ?? []
  }

  /** Ids, in hexadecimal, of the epochs under which the text with this marker was sealed. */
  epochsOf(marker: string): readonly string[] {
    return [...(this.#epochs.get(marker) ?? [])]
  }

  /**
   * Message keys under which two texts were sealed and both left the process. Sealing twice is no reuse while
   * the first ciphertext died with its process before its state was durable. `left` is asked once, which of all that
   * were sealed under a key used before did leave; `excused` about each text after the first.
   */
  reusedMessageKeys(
    left: (suspects: readonly Sealing[]) => ReadonlySet<Sealing>,
    excused: (first: Sealing, again: Sealing) => boolean = () => false,
  ): number {
    let reused = 0
    const twice = [...this.#messageKeys.values()].filter((sealings) => sealings.length > 1)
    const gone = left(twice.flat())
    for (const sealings of twice) {
      const [first, ...others] = sealings.filter((one) => gone.has(one))
      if (first !== undefined && others.some((again) => !excused(first, again))) reused += 1
    }
    return reused
  }

  #note(
    sealer: Sealer,
    key: Uint8Array,
    nonce: Uint8Array,
    plaintext: Uint8Array,
    sealed: Uint8Array,
    associated: Uint8Array,
  ): void {
    const [keyText, nonceText] = [text(key), text(nonce)]
    const pair = keyText + nonceText
    if (this.#pairs.has(pair)) this.#reusedPairs += 1
    this.#pairs.add(pair)
    // Header and body of a ratchet frame share a random nonce under two keys, and nothing else does; the second is a
    // message key.
    const ofSession = nonceText === this.#lastNonce && keyText !== this.#lastKey && !isCount(nonce)
    if (ofSession || isGeneration(associated)) this.#noteMessageKey(sealer, keyText, plaintext, sealed)
    this.#lastNonce = nonceText
    this.#lastKey = keyText
    this.#noteCarriers(plaintext, sealed, isGeneration(associated) ? associated : undefined)
  }

  #noteMessageKey({ by, nowMs }: Sealer, key: string, plaintext: Uint8Array, sealed: Uint8Array): void {
    const sealing = { plaintext: text(plaintext), sealed, by, atMs: nowMs() }
    const known = this.#messageKeys.get(key)
    if (known === undefined) this.#messageKeys.set(key, [sealing])
    else if (!known.some((one) => one.plaintext === sealing.plaintext)) known.push(sealing)
  }

  #noteCarriers(plaintext: Uint8Array, sealed: Uint8Array, generation: Uint8Array | undefined): void {
    const buffer = Buffer.from(plaintext.buffer, plaintext.byteOffset, plaintext.length)
    if (this.#inner !== undefined && buffer.includes(this.#inner.sealed))
      this.#noteCarrier(this.#inner.marker, sealed)
    for (let at = buffer.indexOf(this.#marker); at >= 0; at = buffer.indexOf(this.#marker, at + 1)) {
      const marker = buffer.toString('latin1', at, at + this.#markerBytes)
      this.#noteCarrier(marker, sealed)
      if (generation !== undefined) this.#noteEpoch(marker, generation)
      this.#inner = { marker, sealed: Buffer.from(sealed) }
    }
  }

  /** The epoch is the second of a generation's associated data. */
  #noteEpoch(marker: string, generation: Uint8Array): void {
    const known = this.#epochs.get(marker) ?? new Set()
    this.#epochs.set(marker, known.add(toHex(generation.subarray(37, 69))))
  }

  #noteCarrier(marker: string, sealed: Uint8Array): void {
    const carriers = this.#carriers.get(marker)
    if (carriers === undefined) this.#carriers.set(marker, [Buffer.from(sealed)])
    else carriers.push(Buffer.from(sealed))
  }
}
