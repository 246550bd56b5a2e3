/** A key as a string whose order is the byte order of the key. */
export function keyText(key: Uint8Array): string {
  let text = ''
  for (const byte of key) text += String.fromCharCode(byte)
  return text
}

/** Entries in byte order of their keys, with cheap appends at the end and reads anywhere. */
export class BytesMap<V> {
  readonly #entries = new Map<string, { readonly key: Uint8Array; readonly value: V }>()
  #order: string[] = []

  get size(): number {
    return this.#entries.size
  }

  get(key: Uint8Array): V | undefined {
    return this.#entries.get(keyText(key))?.value
  }

  /** Keeps `value` under a copy of `key`. */
  set(key: Uint8Array, value: V): void {
    const text = keyText(key)
    if (!this.#entries.has(text)) this.#order.splice(this.#position(text), 0, text)
    this.#entries.set(text, { key: key.slice(), value })
  }

  delete(key: Uint8Array): boolean {
    const text = keyText(key)
    if (!this.#entries.delete(text)) return false
    this.#order.splice(this.#position(text), 1)
    return true
  }

  clear(): void {
    this.#entries.clear()
    this.#order = []
  }

  /** Entries from `gte` to below `lt`; everything without bounds. */
  *entries(gte?: Uint8Array, lt?: Uint8Array): Generator<readonly [Uint8Array, V]> {
    const from = gte === undefined ? 0 : this.#position(keyText(gte))
    const to = lt === undefined ? this.#order.length : this.#position(keyText(lt))
    for (const text of this.#order.slice(from, to)) {
      const entry = this.#entries.get(text)
      if (entry !== undefined) yield [entry.key, entry.value]
    }
  }

  /** Index of the first key that is not below `text`. */
  #position(text: string): number {
    let low = 0
    let high = this.#order.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#order[middle] ?? '') < text) low = middle + 1
      else high = middle
    }
    return low
  }
}
