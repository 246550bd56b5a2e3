/** Largest counter a header can say. */
export const maxCounter = 0xffff_ffff

/** Bytes an unsigned LEB128 number takes. */
export const varintLength = (value: number): number =>
  value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : value < 0x1000_0000 ? 4 : 5

/** Writes an unsigned LEB128 number; returns the offset after it. */
export function writeVarint(out: Uint8Array, at: number, value: number): number {
  let rest = value
  let offset = at
  while (rest >= 0x80) {
    out[offset++] = (rest % 0x80) | 0x80
    rest = Math.floor(rest / 0x80)
  }
  out[offset] = rest
  return offset + 1
}

/** Reads the shortest form of a number up to `maxCounter`; its length follows from `varintLength`. Undefined when it is not one. */
export function readVarint(input: Uint8Array, at: number): number | undefined {
  let value = 0
  let scale = 1
  for (let i = 0; i < 5; i++) {
    const byte = input[at + i]
    if (byte === undefined) return undefined
    value += (byte & 0x7f) * scale
    if (byte < 0x80) return value <= maxCounter && varintLength(value) === i + 1 ? value : undefined
    scale *= 0x80
  }
  return undefined
}
