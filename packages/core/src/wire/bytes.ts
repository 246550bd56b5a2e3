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

/** Compares two byte strings; not for secrets, whose comparison is the cipher's business. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** Byte order of two strings: negative, zero or positive. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const n = Math.min(a.length, b.length)
  for (let i = 0; i < n; i++) {
    const d = (a[i] ?? 0) - (b[i] ?? 0)
    if (d !== 0) return d
  }
  return a.length - b.length
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
