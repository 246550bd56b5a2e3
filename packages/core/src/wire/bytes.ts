/** Joins byte strings. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

/** UTF-8 of a string. */
export function utf8(value: string): Uint8Array {
  const out: number[] = []
  for (const char of value) {
    const code = char.codePointAt(0) ?? 0
    if (code < 0x80) out.push(code)
    else if (code < 0x800) out.push(0xc0 | (code >> 6), 0x80 | (code & 63))
    else if (code < 0x10000) out.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63))
    else
      out.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 63), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63))
  }
  return Uint8Array.from(out)
}

/**
 * A 32-byte id as the key of a map: a string of 16 units, equal exactly for equal ids and far cheaper than
 * hexadecimal. For memory alone; it is no text.
 */
export function idKey(id: Uint8Array): string {
  return String.fromCharCode(
    unit(id, 0),
    unit(id, 2),
    unit(id, 4),
    unit(id, 6),
    unit(id, 8),
    unit(id, 10),
    unit(id, 12),
    unit(id, 14),
    unit(id, 16),
    unit(id, 18),
    unit(id, 20),
    unit(id, 22),
    unit(id, 24),
    unit(id, 26),
    unit(id, 28),
    unit(id, 30),
  )
}

const unit = (id: Uint8Array, at: number): number => (id[at] ?? 0) | ((id[at + 1] ?? 0) << 8)
