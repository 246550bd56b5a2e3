import { fromBase32, toBase64Url, toHex } from '@sotto/core/wire'

/** Bytes one block of the record holds. */
const blockBytes = 1 << 20

/** Everything that left a process: bytes given to the network, and what relays keep. Searched at the end. */
export class Outside {
  readonly #blocks: Buffer[] = []
  #used = blockBytes
  #total = 0

  get totalBytes(): number {
    return this.#total
  }

  /** Keeps a copy; things kept one after another are never found as one. */
  add(bytes: Uint8Array): void {
    const need = bytes.length + 1
    if (this.#used + need > blockBytes) {
      this.#blocks.push(Buffer.alloc(Math.max(blockBytes, need)))
      this.#used = 0
    }
    this.#blocks.at(-1)?.set(bytes, this.#used)
    this.#used += need
    this.#total += bytes.length
  }

  /** What of this is in the record, by any of its spellings: one pass for all of them. */
  found<T>(secrets: ReadonlyMap<T, Iterable<Uint8Array | string>>): ReadonlySet<T> {
    const wanted = new Map<number, { readonly bytes: Uint8Array; readonly of: T }[]>()
    for (const [of, spelt] of secrets)
      for (const one of spelt) {
        const bytes = Buffer.from(one)
        const begin = bytes.length < 2 ? undefined : bytes.readUInt16BE()
        if (begin === undefined) throw new RangeError('one byte is found everywhere')
        wanted.set(begin, [...(wanted.get(begin) ?? []), { bytes, of }])
      }
    if (wanted.size === 0) return new Set()
    const begins = new Uint8Array(1 << 16)
    for (const begin of wanted.keys()) begins[begin] = 1
    const found = new Set<T>()
    for (const block of this.#blocks) {
      let pair = 0
      for (let i = 0; i < block.length; i++) {
        pair = ((pair & 0xff) << 8) | (block[i] ?? 0)
        if (begins[pair] === 0 || i === 0) continue
        for (const { bytes, of } of wanted.get(pair) ?? [])
          if (block.subarray(i - 1, i - 1 + bytes.length).equals(bytes)) found.add(of)
      }
    }
    return found
  }
}

/** A secret as it might be written: raw, hexadecimal, base64 at its three alignments. */
export function spellings(secret: Uint8Array): readonly (Uint8Array | string)[] {
  const base64 = [0, 1, 2].map((shift) => {
    const padded = Buffer.concat([Buffer.alloc(shift), secret])
    return toBase64Url(padded).slice(shift === 0 ? 0 : shift + 1, Math.floor((padded.length * 8) / 6))
  })
  const hex = toHex(secret)
  return [secret, hex, hex.toUpperCase(), ...base64]
}

/** An id as it might be written: also in the base32 faces show. */
export function idSpellings(id: string): readonly (Uint8Array | string)[] {
  const raw = fromBase32(id)
  return raw === undefined ? [id] : [id, id.toUpperCase(), ...spellings(raw)]
}

/** A name or a text as it might be written. */
export const textSpellings = (text: string): readonly (Uint8Array | string)[] =>
  spellings(new TextEncoder().encode(text))
