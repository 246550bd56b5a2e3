const hidden = '[secret]'

/**
 * Bytes that must not be printed: string conversion, JSON and inspection show a placeholder. `expose()` is
 * the one way to the bytes and always returns the same array, so a provider may keep a prepared key beside it.
 */
export class Secret {
  readonly #bytes: Uint8Array

  /** Takes ownership of `bytes`. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get length(): number {
    return this.#bytes.length
  }

  expose(): Uint8Array {
    return this.#bytes
  }

  /** Overwrites the bytes. Copies the engine made on its own are beyond reach. */
  wipe(): void {
    this.#bytes.fill(0)
  }

  toString(): string {
    return hidden
  }

  toJSON(): string {
    return hidden
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return hidden
  }
}
