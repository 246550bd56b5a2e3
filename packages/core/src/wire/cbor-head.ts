/** Heads of CBOR items (RFC 8949 §3), of the majors frames consist of. */
export const major = { uint: 0x00, bytes: 0x40, text: 0x60, array: 0x80 } as const

/** The items of one byte. */
export const simple = { false: 0xf4, true: 0xf5, null: 0xf6 } as const

/** Bytes of the shortest head that holds `n`. */
export const headBytes = (n: number): number =>
  n < 24 ? 1 : n < 0x100 ? 2 : n < 0x1_0000 ? 3 : n < 0x1_0000_0000 ? 5 : 9
