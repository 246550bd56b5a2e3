import type { Network } from '@sotto/core/ports'
import type { CryptoProvider } from '../../packages/core/src/crypto/index.ts'
import { toHex } from '../../packages/core/src/wire/index.ts'

const tagBytes = 16
/** Zeros before the count in the nonce of a channel whose one key seals many messages in order: linking. */
const countedZeros = 16

/**
 * What every device of a run sealed, and what of it left. A key may be drawn twice when the batch in between was
 * lost with the power, for then nothing left under it; no two different ciphertexts under one message key may.
 */
export class KeyWatch {
  readonly #pairs = new Set<string>()
  readonly #keyOfTag = new Map<string, string>()
  readonly #left = new Map<string, string>()
  pairsReused = 0
  keysReused = 0

  /** Message keys under which something left. */
  get bodies(): number {
    return this.#left.size
  }

  /** The provider with a look at each pair before it is used. */
  readonly over = (inner: CryptoProvider): CryptoProvider => ({
    ...inner,
    seal: (key, nonce, plaintext, associated) => {
      const pair = `${toHex(key)}/${toHex(nonce)}`
      if (this.#pairs.has(pair)) this.pairsReused += 1
      this.#pairs.add(pair)
      const sealed = inner.seal(key, nonce, plaintext, associated)
      const counted = nonce.subarray(0, countedZeros).every((byte) => byte === 0)
      if (!counted) this.#keyOfTag.set(toHex(sealed.subarray(-tagBytes)), toHex(key))
      return sealed
    },
  })

  /** The port with a look at each frame that leaves; a ratchet frame ends with the tag of its body. */
  readonly port = (network: Network): Network =>
    new Proxy(network, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target)
        if (typeof value !== 'function') return value
        const call = value.bind(target) as (...input: unknown[]) => unknown
        return (...input: unknown[]) => {
          if (name === 'write' && input[1] instanceof Uint8Array) this.#leave(input[1])
          return call(...input)
        }
      },
    })

  #leave(frame: Uint8Array): void {
    const tag = toHex(frame.subarray(-tagBytes))
    const key = this.#keyOfTag.get(tag)
    if (key === undefined) return
    const before = this.#left.get(key)
    if (before !== undefined && before !== tag) this.keysReused += 1
    this.#left.set(key, tag)
  }
}
