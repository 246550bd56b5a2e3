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

const hexOf: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** Lower-case hexadecimal. By table: maps are keyed by it all over the device. */
export function toHex(value: Uint8Array): string {
  let out = ''
  for (const byte of value) out += hexOf[byte] ?? ''
  return out
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
