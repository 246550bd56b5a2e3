const table = Uint32Array.from({ length: 256 }, (_, n) => {
  let crc = n
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  return crc
})

/** CRC-32C (RFC 3720 appendix B.4). */
export function crc32c(data: Uint8Array): number {
  let crc = 0xffffffff
  for (let i = 0; i < data.length; i++) crc = (table[(crc ^ (data[i] ?? 0)) & 255] ?? 0) ^ (crc >>> 8)
  return (crc ^ 0xffffffff) >>> 0
}

/** A checksum as LevelDB stores it, unmasked (LevelDB util/crc32c.h). */
export function maskedCrc(bytes: Uint8Array, at: number): number {
  const rotated =
    (new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(at, true) - 0xa282ead8) >>> 0
  return ((rotated >>> 17) | (rotated << 15)) >>> 0
}

/** A varint of LevelDB and where it ends. Throws RangeError. */
export function varint(bytes: Uint8Array, at: number): [value: number, next: number] {
  let value = 0
  for (let shift = 1, i = at; i < at + 9; i++, shift *= 128) {
    const byte = bytes[i] ?? 0
    value += (byte & 127) * shift
    if (byte < 128) return [value, i + 1]
  }
  throw new RangeError('varint')
}
