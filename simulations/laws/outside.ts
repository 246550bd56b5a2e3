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

  /** What of this is in the record, by any of its spellings: one pass for all of them (Wu and Manber, 1994). */
  found<T>(secrets: ReadonlyMap<T, Iterable<Uint8Array | string>>): ReadonlySet<T> {
    const wanted = [...secrets].flatMap(([of, spelt]) =>
      Array.from(spelt, (one) => ({ bytes: Buffer.from(one), of })),
    )
    const found = new Set<T>()
    if (wanted.length === 0) return found
    const least = wanted.reduce((length, { bytes }) => Math.min(length, bytes.length), 256)
    if (least < 2) throw new RangeError('one byte is found everywhere')
    // How far on the next of these can end its first `least` bytes, by the two bytes that were come to.
    const skips = new Uint8Array(1 << 16).fill(least - 1)
    const ending = new Map<number, { readonly bytes: Buffer; readonly of: T }[]>()
    for (const one of wanted) {
      for (let end = 1; end < least; end++) {
        const pair = one.bytes.readUInt16BE(end - 1)
        skips[pair] = Math.min(skips[pair] ?? 0, least - 1 - end)
      }
      const last = one.bytes.readUInt16BE(least - 2)
      const others = ending.get(last)
      if (others === undefined) ending.set(last, [one])
      else others.push(one)
    }
    for (const block of this.#blocks) {
      for (let at = least - 1; at < block.length;) {
        const pair = ((block[at - 1] ?? 0) << 8) | (block[at] ?? 0)
        const skip = skips[pair] ?? 0
        if (skip === 0) {
          const start = at + 1 - least
          for (const { bytes, of } of ending.get(pair) ?? [])
            if (block.subarray(start, start + bytes.length).equals(bytes)) found.add(of)
        }
        at += Math.max(1, skip)
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
