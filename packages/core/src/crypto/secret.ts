const hidden = '[secret]'

/**
 * Bytes that must not be printed: string conversion, JSON and inspection show a placeholder. `expose()` is
 * the one way to the bytes and always returns the same array, so a provider may keep a prepared key beside it.
 */
export class Secret {
  readonly #bytes: Uint8Array
  #wiped = false
  #prepared: Map<unknown, unknown> | undefined

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

  /** Whether `wipe` was called; a provider refuses such a key. */
  get wiped(): boolean {
    return this.#wiped
  }

  /**
   * A form of the bytes a provider needs again and again (an imported key, an expanded one): `make` runs at
   * most once a secret. It lives as long as the secret, and `wipe` forgets it.
   */
  prepared<T>(make: (bytes: Uint8Array) => T): T {
    this.#prepared ??= new Map()
    let form = this.#prepared.get(make) as T | undefined
    if (form === undefined) {
      form = make(this.#bytes)
      this.#prepared.set(make, form)
    }
    return form
  }

  /**
   * A secret of the same bytes that is wiped apart from this one. It shares the prepared forms that are not
   * byte arrays, such as imported keys, which nothing overwrites.
   */
  copy(): Secret {
    const twin = new Secret(this.#bytes.slice())
    twin.#wiped = this.#wiped
    const shared = [...(this.#prepared ?? [])].filter(([, form]) => !(form instanceof Uint8Array))
    if (shared.length > 0) twin.#prepared = new Map(shared)
    return twin
  }

  /** Overwrites the bytes and every prepared array. Copies the engine made on its own are beyond reach. */
  wipe(): void {
    this.#bytes.fill(0)
    for (const form of this.#prepared?.values() ?? []) if (form instanceof Uint8Array) form.fill(0)
    this.#prepared = undefined
    this.#wiped = true
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
