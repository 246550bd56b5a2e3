import { base32nopad, base58, base64urlnopad, hex } from '@scure/base'

/** Lower-case base32 without padding (RFC 4648 §6): how ids are shown and typed. */
export const toBase32 = (value: Uint8Array): string => base32nopad.encode(value).toLowerCase()

/** Reads base32 of either case; undefined when it is not. */
export const fromBase32 = (value: string): Uint8Array | undefined =>
  attempt(() => base32nopad.decode(value.toUpperCase()))

/** Base64url without padding (RFC 4648 §5): how links carry bytes. */
export const toBase64Url = (value: Uint8Array): string => base64urlnopad.encode(value)

/** Reads base64url; undefined when it is not. */
export const fromBase64Url = (value: string): Uint8Array | undefined =>
  attempt(() => base64urlnopad.decode(value))

/** Base58 in Bitcoin's alphabet: how PeerIds are written. */
export const toBase58 = (value: Uint8Array): string => base58.encode(value)

/** Reads lower-case hexadecimal; empty when it is none. */
export const fromHex = (value: string): Uint8Array => attempt(() => hex.decode(value)) ?? new Uint8Array(0)

const digits: readonly number[] = Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0))

/** Lower-case hexadecimal, made at once: a string put together piece by piece is twice as dear where it keys a map. */
export function toHex(value: Uint8Array): string {
  if (value.length > longest) return toHex(value.subarray(0, longest)) + toHex(value.subarray(longest))
  const codes = new Array<number>(2 * value.length)
  for (let i = 0; i < value.length; i++) {
    const byte = value[i] ?? 0
    codes[2 * i] = digits[byte >> 4] ?? 0
    codes[2 * i + 1] = digits[byte & 15] ?? 0
  }
  return String.fromCharCode.apply(null, codes)
}

/** Bytes turned to text at once; a call takes only so many arguments. */
const longest = 4_096

const remembered = new WeakMap<Uint8Array, string>()

/**
 * `toHex` of an id of 32 bytes, remembered for as long as the array lives: for ids that are looked up again and again.
 * Such an array must never change.
 */
export function idHex(id: Uint8Array): string {
  if (id.length !== 32) return toHex(id)
  const known = remembered.get(id)
  if (known !== undefined) return known
  const text = toHex(id)
  remembered.set(id, text)
  return text
}

/** The first eight base32 characters of an id: what logs and error details may hold. */
export const shortId = (id: Uint8Array): string => toBase32(id.subarray(0, 5))

function attempt(read: () => Uint8Array): Uint8Array | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
