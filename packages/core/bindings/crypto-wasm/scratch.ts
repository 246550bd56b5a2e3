import { PortError } from '../../src/errors.ts'
import type { Pointer, SodiumExports } from './sodium.ts'

const firstBytes = 256 * 1024

/**
 * The one stretch of the wasm heap all calls share: arguments go in, one call, the result comes out. No
 * call keeps anything there for the next.
 */
export class Scratch {
  readonly #sodium: SodiumExports
  #base: Pointer = 0
  #size = 0

  constructor(sodium: SodiumExports) {
    this.#sodium = sodium
    this.reserve(firstBytes)
  }

  /** The address of at least `bytes` bytes; earlier addresses are void after it. Throws PortError `E_OUT_OF_MEMORY`. */
  reserve(bytes: number): Pointer {
    if (bytes <= this.#size) return this.#base
    if (this.#base !== 0) this.#sodium._free(this.#base)
    this.#base = this.#sodium._malloc(bytes)
    this.#size = this.#base === 0 ? 0 : bytes
    if (this.#base === 0) throw outOfMemory()
    return this.#base
  }

  /** Copies `bytes` to `at`. */
  put(at: Pointer, bytes: Uint8Array): void {
    this.#sodium.HEAPU8.set(bytes, at)
  }

  /** Copies `length` bytes from one place to another. */
  move(to: Pointer, from: Pointer, length: number): void {
    this.#sodium.HEAPU8.copyWithin(to, from, from + length)
  }

  /** A fresh copy of `length` bytes at `at`. */
  take(at: Pointer, length: number): Uint8Array {
    return this.#sodium.HEAPU8.slice(at, at + length)
  }
}

/** The wasm heap gave no more; the same call may go through when less is asked at once. */
export const outOfMemory = (): PortError =>
  new PortError('E_OUT_OF_MEMORY', 'the cryptography module is out of memory', { retryable: true })
